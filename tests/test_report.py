from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html import unescape
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import specimens
from page_reader import Page, squeezed
from specimen_assignment import rubric

from grader.model import Answer, Excerpt, Exhibit, Graded, Picture, Stage, Verdict
from grader.report import class_page, class_row, student_page
from grader.report.student_report import lost_points

RUBRIC = rubric()
ALL = specimens.ALL
HIDDEN = "a hidden test that asks for this failed: f is right."


@cache
def text_of(make: Callable[[], Graded]) -> str:
    return student_page(make(), rubric=RUBRIC)


def student(make: Callable[[], Graded]) -> Page:
    return Page(text_of(make))


def page_of(graded: Graded) -> Page:
    return Page(student_page(graded, rubric=RUBRIC))


def whole_class() -> str:
    return class_page([class_row(make()) for make in ALL], rubric=RUBRIC)


@pytest.mark.parametrize("make", ALL)
def test_a_students_page_runs_and_loads_nothing(make: Callable[[], Graded]) -> None:
    page = student(make)
    assert not page.named("script")
    assert not page.named("link")
    for tag, attrs in page.tags:
        assert not [key for key in attrs if key.startswith("on")], tag
        assert "style" not in attrs, tag
        for key in ("src", "href"):
            assert re.match(r"(#|data:image/)", attrs.get(key) or "#"), (tag, attrs)


@pytest.mark.parametrize("make", ALL)
def test_a_page_is_well_nested_with_one_h1_and_headings_in_order(
    make: Callable[[], Graded],
) -> None:
    page = student(make)
    assert not page.badly_nested
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("make", ALL)
def test_ids_are_unique_and_every_anchor_has_its_place(make: Callable[[], Graded]) -> None:
    page = student(make)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {(a["href"] or "")[1:] for a in page.named("a")} <= set(ids)


@pytest.mark.parametrize("text", [text_of(make) for make in ALL] + [whole_class()])
def test_the_policy_allows_the_one_style_and_nothing_remote(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    allowed = policy.group(1).replace("&#39;", "'")
    assert allowed.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    for tag in ("style", "script"):
        for inline in re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in allowed


def test_hostile_words_are_shown_as_words() -> None:
    text = text_of(specimens.hostile)
    page = Page(text)
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    assert all((image["src"] or "").startswith("data:image/png") for image in page.named("img"))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200f\u202e\ud800]", text)
    text.encode("utf-8")


def test_a_page_keeps_automatic_marked_pending_and_blocked_apart() -> None:
    words = squeezed(student(specimens.half_right))
    assert "26.5 of 80 points so far" in words
    assert "40 points are still being graded: they are not lost" in words
    for row in ("handout 50 7.5 0 40 0 2.5", "course 30 19 0 0 10 1", "all 80 26.5 0 40 10 3.5"):
        assert row in words


def test_a_final_score_is_not_said_to_be_so_far() -> None:
    words = squeezed(student(specimens.full_marks))
    assert "80 of 80 points" in words
    assert "so far" not in words.replace("Nothing so far", "")


def test_what_cost_points_is_listed_with_anchors_and_what_waits_is_not() -> None:
    half = specimens.half_right()
    assert half.score is not None
    costly = {item.item.id for item in half.score.items if lost_points(item) > 0}
    assert costly == {"Q2.3.0", "Q2.3.2", "V1"}
    text = text_of(specimens.half_right)
    listed = text.split("Where you lost points")[1].split("</ul>")[0]
    assert set(re.findall(r'href="#item-([^"]+)"', listed)) == costly
    assert "correlation 0.96" in listed


def test_what_several_checks_found_is_said_once_among_what_cost_points() -> None:
    half = specimens.half_right()
    assert half.score is not None
    (item,) = (i for i in half.score.items if i.item.id == "Q2.3.2")
    lost = next(f for f in item.findings if f.verdict is Verdict.FAILED)
    twice = replace(item, findings=(lost, lost, *item.findings))
    items = tuple(twice if i is item else i for i in half.score.items)
    text = student_page(replace(half, score=replace(half.score, items=items)), rubric=rubric())

    listed = text.split("Where you lost points")[1].split("</ul>")[0]
    assert len(twice.findings) > len(item.findings)
    assert listed.count("correlation 0.96") == 1


@pytest.mark.parametrize(
    ("found", "titles", "told"),
    [
        ("1 of 2 cases pass", ["squares(n) lists."], "squares(n) lists: 1 of 2 cases pass"),
        ("1 of 2 cases pass", ["`f`", "`g`"], "`f`, `g`: 1 of 2 cases pass"),
        ("no", ["a", "b", "c"], "a, b and 1 more: no"),
        (HIDDEN, ["f is right."], HIDDEN),
        ("`f(2)` is too small", ["small"], "small: `f(2)` is too small"),
        ("", ["f is right."], "f is right."),
        ("no", [f"{'word ' * 20}."], f"{'word ' * 13}word …: no"),
    ],
)
def test_what_cost_points_says_what_it_is_about(found: str, titles: list[str], told: str) -> None:
    half = specimens.half_right()
    assert half.score is not None
    (item,) = (i for i in half.score.items if i.item.id == "Q2.3.2")
    lost = next(f for f in item.findings if f.verdict is Verdict.FAILED)
    findings = tuple(replace(lost, title=title, found=found) for title in titles)
    items = tuple(replace(i, findings=findings) if i is item else i for i in half.score.items)
    text = student_page(replace(half, score=replace(half.score, items=items)), rubric=rubric())

    listed = text.split("Where you lost points")[1].split("</ul>")[0]
    reasons = re.findall(r'class="jump-why"><bdi>(.*?)</bdi>', listed)
    assert told in [re.sub(r"</?code>", "`", reason) for reason in reasons]


def test_a_finding_says_expected_found_hint_and_whether_it_could_be_run_before() -> None:
    words = squeezed(student(specimens.half_right))
    assert "Expected a correlation between C1 and B1 below 0.15 either way" in words
    assert "Found correlation 0.96: B1 is made from C1" in words
    assert "Hint Draw B1 on its own" in words


def test_whether_students_could_run_the_checks_is_a_tag_once() -> None:
    by_item = {
        name: re.findall("(?:public|hidden) checks?", article.split("</article>")[0])
        for name, article in (
            piece.split('"', 1) for piece in text_of(specimens.half_right).split('id="item-')[1:]
        )
    }
    mixed = [tags for tags in by_item.values() if len(set(tags)) > 1]

    assert by_item["Q2.3.1"] == ["public checks"]
    assert by_item["Q2.3.2"] == ["hidden checks"]
    assert by_item["Q2.3.0"] == ["hidden check", "public check", "public check"]
    assert all(tag in {"public check", "hidden check"} for tags in mixed for tag in tags)


def with_finding(graded: Graded, verdict: Verdict, **more: Any) -> Graded:
    """The grade with other words in the first finding of a verdict."""
    assert graded.score is not None
    found = [f for item in graded.score.items for f in item.findings if f.verdict is verdict]
    items = tuple(
        replace(
            item,
            findings=tuple(replace(f, **more) if f is found[0] else f for f in item.findings),
        )
        for item in graded.score.items
    )
    return replace(graded, score=replace(graded.score, items=items))


def test_a_finding_sets_what_is_code_as_code_and_says_its_title_once() -> None:
    says = "`f(n)` lists squares"
    found = "`f(2) < <b>` gave `[1]`; `[1, 4]` was expected, not ` alone"
    told = with_finding(
        specimens.half_right(), Verdict.FAILED, title=says, expected=says, found=found
    )
    text = student_page(told, rubric=RUBRIC)

    assert "<code>f(2) &lt; &lt;b&gt;</code> gave <code>[1]</code>; <code>[1, 4]</code>" in text
    assert "not ` alone" in text
    by_item = text.split('id="items"')[1]  # above it, what cost points is named by it, too
    assert by_item.count("<code>f(n)</code> lists squares") == 1


def test_what_a_hidden_check_of_ours_failed_by_is_not_told() -> None:
    pages = [
        page_of(
            with_finding(specimens.with_our_error(), Verdict.ERROR, found="f(17)", public=is_public)
        )
        for is_public in (True, False)
    ]

    assert ["f(17)" in page.words for page in pages] == [True, False]


def test_what_is_blocked_names_what_blocks_it() -> None:
    words = squeezed(student(specimens.half_right))
    assert "blocked by Q2.3.0 (B1 is independent of C1, cell In [2])" in words


def test_our_error_is_said_to_be_ours_and_to_cost_nothing() -> None:
    graded = specimens.with_our_error()
    assert graded.score is not None
    failed = next(item for item in graded.score.items if item.verdict is Verdict.ERROR)
    assert lost_points(failed) == 0
    words = squeezed(student(specimens.with_our_error))
    assert (
        "The grader itself failed here. It costs you nothing, and a person will review it." in words
    )


def test_an_ungradable_page_says_why_and_what_to_do_and_names_no_points() -> None:
    words = squeezed(student(specimens.ungradable))
    assert "not valid JSON (line 1, column 1)" in words
    assert "That is not a zero" in words
    assert "What you can do" in words
    assert "of 80" not in words


@pytest.mark.parametrize("make", ALL)
def test_no_path_no_flag_and_nothing_for_staff_reaches_a_student(
    make: Callable[[], Graded],
) -> None:
    text = text_of(make)
    for secret in (
        "secret-place",
        "follow-through",
        "-FOR-STAFF",
        "staff-7",
        "rubrics/",
    ):
        assert secret not in text
    # The file's own name stands there, so that of two versions a student knows which was graded.
    assert not re.search(r"/[^<>\s]+\.ipynb<", text.replace("<code>.ipynb</code>", ""))


def test_random_numbers_are_spoken_of_only_below_numbers_that_differ() -> None:
    graded = specimens.half_right()
    assert graded.evidence is not None
    pictures = tuple(d for d in graded.evidence.differences if not d.moved)
    raised = replace(graded, evidence=replace(graded.evidence, differences=pictures))
    sentence = "Numbers that are drawn without a fixed seed differ from run to run"

    assert pictures
    assert sentence in page_of(graded).words
    assert sentence not in page_of(raised).words


def test_what_one_point_costs_is_said_as_one_point() -> None:
    costs = re.findall(
        r"(?:&minus;|\u2212)?([\d.]+)\s(points?)\b", student(specimens.half_right).words
    )

    assert {word for number, word in costs if number == "1"} <= {"point"}
    assert "point" in {word for _, word in costs}
    assert all(word == "points" for number, word in costs if number != "1")


def test_code_stands_beside_its_item_with_the_number_of_its_cell() -> None:
    text = text_of(specimens.half_right)
    item = text.split('id="item-Q2.3.1"')[1].split("</article>")[0]
    words = Page(f"<article {item}</article>").words
    assert "class SimpleEncoder(nn.Module):" in words
    assert "Cell In [3]" in words


def test_every_cell_says_what_happened_to_it() -> None:
    words = squeezed(student(specimens.half_right))
    assert "TypeError, line 6: cosine_similarity()" in words
    assert "Traceback of cell In [5]" in words
    assert "!pip install torch torchvision was not run" in words


def test_provenance_is_on_the_page() -> None:
    words = squeezed(student(specimens.full_marks))
    for part in ("a1" * 32, "5d" * 32, "7e" * 32, "c0" * 32, "Landlock 7", "2031-04-02"):
        assert part in words


def test_a_mark_shows_its_comment() -> None:
    assert "Clear and to the point." in squeezed(student(specimens.full_marks))


def test_an_attachment_that_is_no_picture_is_counted_not_shown() -> None:
    bad = (Picture(mime="image/svg+xml", base64="AAAA"), Picture(mime="image/png", base64='"><x'))
    half = specimens.half_right()
    answers = {"Q1.1": Answer(item="Q1.1", text="see scan", images=bad)}
    page = page_of(replace(half, answers=answers))
    assert not page.named("img")
    assert "2 attachments are not shown here" in page.words


def test_an_exhibit_without_a_plane_says_so() -> None:
    stage = Stage(name="before", vectors=np.ones((3, 4)))
    flat = Exhibit(title="Flat", labels=("a", "b", "c"), stages=(stage, stage))
    half = specimens.half_right()
    assert half.score is not None
    items = tuple(
        replace(i, findings=tuple(replace(f, exhibit=flat) for f in i.findings))
        for i in half.score.items
    )
    page = page_of(replace(half, score=replace(half.score, items=items)))
    assert "so there is no chart" in page.words


def test_the_same_exhibit_on_two_findings_is_drawn_once() -> None:
    text = text_of(specimens.full_marks)
    assert text.count('class="chart"') == 1
    assert text.count('href="#exhibit-1"') == 2


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_what_the_file_shows_opens_on_demand_and_says_what_moved() -> None:
    text = text_of(specimens.half_right)

    assert '<details class="card chapter saved">' in text  # closed
    part = text[text.index('id="saved"') : text.index('id="cells"')]
    shown = words_of(part)
    assert "a fresh run shows something else in 2 cells of 3" in shown
    assert "Cell In [3] was last run out of order" in shown
    assert "Cells In [1] and In [6] were not run before the file was saved." in shown
    assert "(NameError: name 'encoder' is not defined), but runs in a fresh run." in shown
    assert "0.9193 0.8710" in shown
    assert "0.1561 none" in shown
    assert "1 picture was saved; the fresh run made none." in shown
    assert 'id="saved"' not in text_of(specimens.full_marks)


def test_figures_that_an_answer_quotes_are_told_beside_it() -> None:
    text = text_of(specimens.half_right)
    card = text[text.index('id="item-Q2.3.3"') : text.index('id="item-Q2.3.4"')]
    shown = words_of(card)

    assert "This answer quotes 3 numbers: 2 of them in the notebook" in shown
    assert "0.9193 saved with cell In [5], not printed by a fresh run" in shown
    assert "0.9980 output of cell In [5]" in shown
    assert "0.06 in no output and no code" in shown


def test_an_answer_that_may_not_be_all_of_it_says_why() -> None:
    text = text_of(specimens.half_right)
    card = text[text.index('id="item-Q1.2"') : text.index('id="item-Q1.3"')]

    assert "its heading told where it stands" in card
    assert text_of(specimens.full_marks).count("Not sure that this is all") == 0


def test_a_missing_answer_that_may_stand_elsewhere_is_not_said_to_be_part_of_one() -> None:
    def graded() -> Graded:
        one = specimens.full_marks()
        unclaimed = (Excerpt(cell=7, source="A remark of mine."),)
        missing = Answer(item="Q1.2", text="", concern="cell 17 is odd", unclaimed=unclaimed)
        none = Answer(item="Q1.3", text="")
        return replace(one, answers={**one.answers, "Q1.2": missing, "Q1.3": none})

    text = text_of(graded)
    unsure = words_of(text[text.index('id="item-Q1.2"') : text.index('id="item-Q1.3"')])
    sure = words_of(text[text.index('id="item-Q1.3"') : text.index('id="item-Q2.1"')])

    assert (
        "No answer was found, and we are not sure that there is none: cell In [2] is odd" in unsure
    )
    assert (
        "Text of the 8th cell of the file that was not taken for an answer A remark of mine."
        in unsure
    )
    assert "Not sure that this is all" not in unsure
    assert "No answer was found in the notebook. If you wrote one elsewhere" in sure
    assert "not sure" not in sure


def test_what_passed_is_folded_into_a_line_and_what_did_not_is_open() -> None:
    text = text_of(specimens.half_right)
    passed, mixed = (
        text.split(f'id="item-{name}"')[1].split("</article>")[0] for name in ("Q2.3.1", "Q2.3.0")
    )

    assert "2 checks passed" in words_of(passed)
    assert '<details class="passed-checks">' in passed  # closed
    assert "the output follows its weights" in words_of(passed)
    assert passed.index("the output follows") > passed.index('<details class="passed-checks">')
    assert mixed.index("correlation 0.96") < mixed.index('<details class="passed-checks">')
    assert '<details class="own" open>' in mixed
    assert '<details class="own">' in passed


def test_all_questions_are_listed_with_their_points() -> None:
    half = specimens.half_right()
    assert half.score is not None
    text = text_of(specimens.half_right)
    listed = text.split('aria-label="Questions"')[1].split("</nav>")[0]

    assert re.findall(r'href="#item-([^"]+)"', listed) == [i.item.id for i in half.score.items]
    assert "Q2.3.0 The images, earned in part, 2/3" in words_of(listed)
    assert "Q1.1 Skip connections, to be graded, 6" in words_of(listed)


def test_numbers_are_looked_up_only_where_a_question_is_about_numbers() -> None:
    half = specimens.half_right()
    assert half.evidence is not None
    quotes = tuple(replace(quote, item="Q1.1") for quote in half.evidence.quotes)
    elsewhere = replace(half, evidence=replace(half.evidence, quotes=quotes))

    assert "This answer quotes" in page_of(half).words
    assert "This answer quotes" not in page_of(elsewhere).words


def test_a_link_to_a_cell_leads_to_its_code() -> None:
    text = text_of(specimens.half_right)
    item = text.split('id="item-Q2.3.0"')[1].split("</article>")[0]

    assert 'href="#code-Q2.3.0-17">cell In [2]</a>' in item
    assert item.index('id="code-Q2.3.0-17"') < item.index('<pre class="code">')
    assert '<a href="#cell-23">cell In [5]</a>' in text  # V1 shows no code
    assert "print(cosine_similarity(C1, C2))" in text.split('id="cell-23"')[1].split("</tr>")[0]
