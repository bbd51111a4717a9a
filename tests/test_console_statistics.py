"""Statistics while grading: points, rubric items by grader, and the answers behind each number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from console_course import Course, course

from grader.gradebook import NewMark, ledger


@pytest.fixture
def graded(tmp_path: Path) -> Iterator[Course]:
    """A class of four: two graded by Mo, one by Kim, one of these by a number; one is left."""
    with course(tmp_path) as made:
        for name, by, criteria, points in (
            ("ada", "Mo", ("what", "why"), None),
            ("ben", "Mo", ("what",), None),
            ("cyd", "Kim", (), Fraction(4)),
        ):
            mark = NewMark(
                submission=name,
                item="Q1.1",
                by=by,
                criteria=criteria,
                points=points,
                answer_digest=made.ready.console.answer_index.submission(name)
                .answers["Q1.1"]
                .digest,
            )
            ledger.add_mark(made.book, mark, expected_current=None)
        yield made


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_points_are_described_without_what_is_pending(graded: Course) -> None:
    page = graded.visitor().go("/statistics/Q1.1").page
    text = text_of(page)

    assert "1 answer is still to be graded, and left out here." in text
    assert "n 3 mean 4.00 SD 1.00 median 4 difficulty 0.67" in text
    bars = re.search(r'aria-label="([^"]*)"><?', page.split('class="histogram"')[1])
    assert bars is not None
    assert "4.8 to 5.4 points: 1" in bars[1]


def test_rubric_items_are_counted_by_grader_and_lead_to_their_answers(graded: Course) -> None:
    visitor = graded.visitor().go("/statistics/Q1.1")
    row = visitor.page.split("Says why")[1].split("</tr>")[0]

    assert text_of(row).startswith("+2 1 of 2 50 % \u2013 none graded by rubric items 1 of 2 50 %")
    assert "1 score given as a number is left out." in text_of(visitor.page)

    (everybody, _) = (unescape(link) for link in re.findall(r'href="([^"]+)"', row))
    visitor.go(everybody)
    assert visitor.page.count('class="answer-row"') == 1
    assert f"/mark/Q1.1/{graded.code('ada')}" in visitor.page
    assert "Only answers with “Says why” applied." in text_of(visitor.page)

    visitor.go("/item/Q1.1?lacks=why")
    assert visitor.page.count('class="answer-row"') == 1
    assert f"/mark/Q1.1/{graded.code('ben')}" in visitor.page


def test_each_grader_has_their_mean_and_their_answers(graded: Course) -> None:
    visitor = graded.visitor().go("/statistics/Q1.1")
    section = text_of(visitor.page.split('id="graders"')[1])

    assert "Kim 1 4.00 \u2013 Mo 2 4.00 1.41" in section
    assert visitor.go("/item/Q1.1?grader=Mo").page.count('class="answer-row"') == 2
    assert visitor.go("/item/Q1.1?grader=Nobody").page.count('class="answer-row"') == 0


def test_a_mark_on_an_answer_that_changed_since_counts_for_nothing(tmp_path: Path) -> None:
    with course(tmp_path) as made:
        mark = NewMark(
            submission="ada", item="Q1.1", by="Mo", criteria=("why",), answer_digest="another"
        )
        ledger.add_mark(made.book, mark, expected_current=None)
        page = made.visitor().go("/statistics/Q1.1").page

    assert "No answer was graded by rubric items yet." in page
    assert "4 answers are still to be graded" in text_of(page)


def test_an_automatic_question_has_statistics_too(graded: Course) -> None:
    text = text_of(graded.visitor().go("/statistics/Q2.3.0").page)

    assert "n 4" in text
    assert "Rubric items" not in text.split("Statistics of Q2.3.0")[1]


def test_the_filter_stays_while_one_goes_from_answer_to_answer(graded: Course) -> None:
    visitor = graded.visitor().go("/item/Q1.1?has=what&grader=Mo")

    assert f"/mark/Q1.1/{graded.code('ada')}?has=what&amp;grader=Mo" in visitor.page
    visitor.go(f"/mark/Q1.1/{graded.code('ada')}?has=what&grader=Mo")
    assert visitor.status == 200
    assert "has=what&amp;grader=Mo" in visitor.page


@pytest.mark.parametrize("query", ["has=what&grader=Mo", "lacks=nothing&search=skips", "show=all"])
def test_the_filter_stays_where_an_answer_is_saved(graded: Course, query: str) -> None:
    code = graded.code("ada")
    visitor = graded.visitor().go(f"/mark/Q1.1/{code}?{query}")
    form = visitor.page.partition('<form id="panel"')[2].partition("</form>")[0]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))

    kept = {name: hidden[name] for name in ("has", "lacks", "grader", "search") if name in hidden}
    assert kept == {name: value for name, value in parse_qsl(query) if name != "show"}
    visitor.mark("what", **kept)
    assert visitor.status == 200
    at = urlsplit(visitor.at)
    assert at.path.startswith(("/item/Q1.1", "/mark/Q1.1/"))
    assert {k: v for k, v in parse_qsl(at.query) if k != "at"} == kept


def test_a_search_stays_within_a_filter(graded: Course) -> None:
    page = graded.visitor().go("/item/Q1.1?has=what&grader=Mo&search=old").page
    form = page.partition('role="search"')[2].partition("</form>")[0]

    assert re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form) == [
        ("has", "what"),
        ("grader", "Mo"),
    ]
    assert form.count('name="search"') == 1
