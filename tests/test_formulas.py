"""Formulas in Markdown and in plain texts: what is one, how it is set, what never gets through."""

from __future__ import annotations

import time

import pytest

from grader.report.formulas import set_code, set_formulas
from grader.report.markdown_html import render_markdown


@pytest.mark.parametrize(
    "source",
    [
        "$x^2$",
        "$ x^2 $",
        "$$x^2$$",
        "$$\nx^2\n$$",
        r"\(x^2\)",
        r"\\(x^2\\)",
        r"\[x^2\]",
        r"\\[x^2\\]",
        "\\begin{equation}\nx^2\n\\end{equation}",
        "> $$\n> x^2\n> $$",
        "- $$\n  x^2\n  $$",
        "so\n$$x^2$$",
    ],
)
def test_every_way_to_write_a_formula_is_set(source: str) -> None:
    html = render_markdown(source)
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in html
    assert "$" not in html
    assert "\\" not in html


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "from $20,000 to $30,000",
        "$5-$10",
        "from $5 to 10$ or so",
        "US$ and A$ are money",
        "$ 5 and $ 6",
        "a $",
        "$$",
        "$ $",
        "$5, $10, and $15",
    ],
)
def test_prices_are_no_formulas(text: str) -> None:
    assert render_markdown(text) == f"<p>{text}</p>\n"
    assert set_formulas(text) == text


def test_escaped_dollars_and_brackets_and_code_are_text() -> None:
    assert render_markdown(r"\$a$ and \[see above\]") == "<p>$a$ and [see above]</p>\n"
    assert render_markdown("`$x$`") == "<p><code>$x$</code></p>\n"
    assert render_markdown("```\n$x$\n```") == "<pre><code>$x$\n</code></pre>\n"
    assert set_formulas(r"\$a$") == "$a$"


def test_signs_in_a_formula_of_many_lines_begin_no_list_and_no_heading() -> None:
    html = render_markdown("$$\na\n= b\n+ c\n- d\n$$\nafter")
    assert "<li>" not in html
    assert "said-heading" not in html
    assert "<mo>+</mo>" in html
    assert html.endswith("<p>after</p>\n")


def test_aligned_lines_are_not_numbered() -> None:
    html = render_markdown("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}")
    assert html.count("<mtr>") == 2
    assert 'columnalign="right"' in html
    assert "(1)" not in html


@pytest.mark.parametrize(
    ("tex", "forbidden"),
    [
        (r"\href{javascript:alert(1)}{x}", "javascript"),
        (r"\style{color:red}{x}", "style="),
        (r"\class{mark}{x}", "class="),
        (r"\text{<script>alert(1)</script>}", "<script"),
        (r"\text{<img src=x onerror=alert(1)>}", "<img"),
        (r"\color{white}x", "mathcolor"),
        (r"\hspace{1000em}x", "1000em"),
        (r"\text{a\" onclick=\"b}", 'a"'),
    ],
)
def test_only_listed_tags_and_attributes_get_through(tex: str, forbidden: str) -> None:
    html = render_markdown(f"${tex}$")
    assert "<math" in html
    assert forbidden not in html


def test_words_with_signs_of_html_stay_words() -> None:
    html = render_markdown(r"$\text{if a<b & c}$")
    assert "<mtext>if\xa0a&lt;b" in html or "<mtext>if a&lt;b" in html


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{1",
        r"\frac{1}",
        "a_b_c",
        r"\left( x",
        r"\begin{matrix} a",
        r"\def\a{\a\a}\a",
        r"\newcommand{\a}{\b\b}\a",
        "{" * 10_000 + "}" * 10_000,
        "{" * 900 + "x" + "}" * 900,
        "x}{y",
    ],
)
def test_what_cant_be_set_stays_text(tex: str) -> None:
    html = render_markdown(f"${tex}$")
    assert "<math" not in html
    assert tex[:3] in html


@pytest.mark.parametrize(
    "text",
    [
        "$" * 20_000,
        r"\(" * 10_000,
        r"\(" * 9_000 + r"\)",
        r"\[" * 10_000,
        r"\begin{align}" * 1_500,
        "$a$ " * 5_000,
        "$$\n" * 6_000,
        "$$" + "x+" * 9_000 + "$$",
        "$" + r"\frac{" * 200 + "1" + "}{2}" * 200 + "$",
    ],
)
def test_a_hostile_text_takes_no_long_time(text: str) -> None:
    begun = time.process_time()
    render_markdown(text)
    set_formulas(text)
    assert time.process_time() - begun < 5


def test_formulas_stand_in_criteria_and_findings_beside_code() -> None:
    html = set_code("Says that $\\tau$ and `a$b$` <b> differ")
    assert "<mi>τ</mi>" in html
    assert "<code>a$b$</code>" in html
    assert "&lt;b&gt;" in html
