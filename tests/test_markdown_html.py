"""What a notebook's Markdown can hold beside formulas, as Jupyter shows it, and what stays text."""

from __future__ import annotations

import time

import pytest

from grader.model import Answer, Picture
from grader.report.markdown_html import render_markdown
from grader.report.student_report import answer_view

PICTURE = Picture(mime="image/png", base64="AAAA")
ADDRESS = "data:image/png;base64,AAAA"


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("H<sub>2</sub>O", "H<sub>2</sub>O"),
        ("a <B>x</B>", "<b>x</b>"),
        (
            "<details open><summary>S</summary>\n\n**in**\n\n</details>",
            "<summary>S</summary>\n<p><strong>in",
        ),
        ("<table><tr><td align=right>1", '<td align="right">1</td></tr></tbody></table>'),
        ("<h2 id='x'>T</h2>", '<p class="said-heading">T</p>'),
        ("<font color=white>r</font>", "<p>r</p>"),
        ("<a id='q1'></a>**Q1**", "<p><strong>Q1</strong></p>"),
        ("<a href='https://x.invalid/1'>here</a>", "(https://x.invalid/1) here"),
        ("- [ ] a\n- [x] b", '<li class="task-list-item">\u2611 b</li>'),
        ("a[^1]\n\n[^1]: foot", "a<sup>[1]</sup>"),
        ("| a |\n| ---: |\n| 1 |", '<td align="right">1</td>'),
        ("```python\nreturn 1\n```", '<span class="c-word">return</span>'),
        (
            "```sql\nselect 'a<b' -- all\n```",
            '<span class="c-word">select</span> <span class="c-text">',
        ),
        ("```sql\n-- <b>\n```", '<span class="c-note">-- &lt;b&gt;\n</span>'),
        ("```SQL title\nselect 1\n```", '<span class="c-number">1</span>'),
        ("```brainf\nselect <1>\n```", "<pre><code>select &lt;1&gt;\n</code></pre>"),
        ("```\nreturn <1>\n```", "<pre><code>return &lt;1&gt;\n</code></pre>"),
        ("<div>$x^2$</div>", "<msup><mi>x</mi>"),
        ("<div>a &amp; b</div>", "<div>a &amp; b</div>"),
    ],
)
def test_harmless_things_are_shown(source: str, part: str) -> None:
    assert part in render_markdown(source)


@pytest.mark.parametrize(
    "text",
    [
        "List<int> and <TODO>",
        "x<y and y>z",
        "<script>alert(1)</script>",
        "<svg onload=alert(1)>",
        "<iframe src=x></iframe>",
        "<!-- never closed",
        "<style>p{}</style>",
        "<form action=x><input></form>",
    ],
)
def test_other_tags_are_shown_as_they_were_typed(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in render_markdown(text)


@pytest.mark.parametrize(
    "source",
    [
        "<b onclick=alert(1) style='color:red' class=mark id=points>x</b>",
        "<img src=x onerror=alert(1)>",
        "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
        "<a href='javascript:alert(1)'>x</a>",
        "<p title='</p><script>alert(1)</script>'>x</p>",
        "<div>\n<b onclick\n=alert(1)>\n</div>",
        "<details ontoggle=alert(1) open>x</details>",
    ],
)
def test_attributes_that_act_or_pretend_are_gone(source: str) -> None:
    html = render_markdown(source)
    assert "<img" not in html
    assert "<script" not in html
    tags = [part.partition(">")[0] for part in html.split("<")[1:]]
    for attribute in (" on", " style=", " class=", " id=", " src=", " title="):
        assert not any(attribute in tag for tag in tags), attribute


def test_what_is_left_open_ends_with_its_answer() -> None:
    assert render_markdown("</div></section>text").strip() == "text"
    assert render_markdown("<details><b>x").endswith("</b></details>")


def test_pictures_stand_where_they_are_named_and_once() -> None:
    text = "before\n\n(picture 1)\n\nafter (picture 2)"
    view = answer_view(Answer(item="1", text=text, images=(PICTURE,)))
    assert view.text is not None
    assert f'<p>before</p>\n<p><img class="picture" src="{ADDRESS}"' in view.text
    assert "after (picture 2)" in view.text
    assert view.pictures == ()
    assert answer_view(Answer(item="1", text="none", images=(PICTURE,))).pictures == (ADDRESS,)
    unreadable = Picture(mime="", base64="")
    second = answer_view(Answer(item="1", text="(picture 2)", images=(unreadable, PICTURE)))
    assert second.text is not None
    assert ADDRESS in second.text
    assert second.unreadable == 1


def test_no_text_forges_what_stands_for_a_piece_of_ours() -> None:
    assert "alt=" not in render_markdown("\ue0000\ue001 (picture 1)", pictures=[]).lower()
    assert "&#" not in render_markdown("&#xe000;0&#xe001; $x$")


@pytest.mark.parametrize(
    "text",
    [
        "<b>" * 6_000,
        "<b " * 6_000,
        "<!--" * 5_000,
        "[^1]" * 4_000 + "\n\n[^1]: x",
        "<a href='" * 2_000,
    ],
)
def test_hostile_tags_take_no_long_time(text: str) -> None:
    begun = time.process_time()
    render_markdown(text)
    assert time.process_time() - begun < 5
