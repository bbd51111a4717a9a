"""What a student reads of marks: points, criteria, comment; and never what is not theirs."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from page_reader import Page, squeezed
from results_contract import result_from_json
from specimen_assignment import rubric
from specimens import HOSTILE
from test_ledger import CRITERIA, given, graded, keep

from grader.exports import result_to_json
from grader.gradebook import open_gradebook
from grader.gradebook.ledger import add_mark
from grader.model import Criterion, Graded, Marking, Rubric
from grader.report import student_page

RUBRIC = rubric()
NAMED = replace(RUBRIC, marking=Marking(show_markers=True))


def marked(tmp_path: Path, item: str = "Q1.1", **changes: Any) -> Graded:
    """Ada's grade after Mo decided this."""
    with open_gradebook(tmp_path / "book.db") as book:
        keep(book)
        add_mark(book, given(book, item, by="Mo Marker", **changes), expected_current=None)
        return book.graded("ada")


def card(made: Graded, item: str = "Q1.1", *, by: Rubric = RUBRIC) -> str:
    """The words of one item."""
    text = student_page(made, rubric=by)
    article = text.split(f'id="item-{item}"')[1].split("</article>")[0]
    return squeezed(Page(f"<article {article}</article>"))


def test_a_mark_shows_points_criteria_and_what_is_beside_them(tmp_path: Path) -> None:
    words = card(
        marked(
            tmp_path,
            criteria=("what", "wordy"),
            adjustment=Fraction(1, 2),
            comment="Say **why**, too.",
        )
    )

    assert "2.5 of 6 points by staff" in words
    assert "Says what: met 3" in words
    assert "Says why: not met 0 of 2" in words
    assert "Far too long: takes points \N{MINUS SIGN}1" in words
    assert "Point adjustment 0.5" in words
    assert "Say why, too." in words


def test_a_criterion_that_takes_points_is_named_only_where_it_did(tmp_path: Path) -> None:
    words = card(marked(tmp_path, criteria=("what",), adjustment=Fraction(-1)))

    assert "Far too long" not in words
    assert "Point adjustment \N{MINUS SIGN}1" in words


def test_where_no_criterion_was_met_all_are_named(tmp_path: Path) -> None:
    words = card(marked(tmp_path))

    assert "0 of 6 points" in words
    assert "Says what: not met 0 of 3" in words


def test_points_that_were_given_as_such_name_no_criteria(tmp_path: Path) -> None:
    words = card(marked(tmp_path, points=Fraction(4)))

    assert "4 of 6 points" in words
    assert "Says" not in words
    assert "adjustment" not in words


def test_criteria_are_for_staff_until_somebody_marks(tmp_path: Path) -> None:
    with open_gradebook(tmp_path / "book.db") as book:
        keep(book)
        text = student_page(book.graded("ada"), rubric=RUBRIC)

    assert not any(criterion.text in text for criterion in CRITERIA)


def test_who_marked_is_named_only_where_the_rubric_says_so(tmp_path: Path) -> None:
    made = marked(tmp_path, points=Fraction(4))

    assert "Mo Marker" not in student_page(made, rubric=RUBRIC) + result_to_json(
        made, rubric=RUBRIC
    )
    assert "by Mo Marker" in card(made, by=NAMED)
    assert json.loads(result_to_json(made, rubric=NAMED))["items"][0]["mark"]["by"] == "Mo Marker"


def test_an_override_says_so_and_why_and_what_the_checks_came_to(tmp_path: Path) -> None:
    made = marked(tmp_path, "V5", points=Fraction(4), reason="Your <b>code</b> was right.")

    words = card(made, "V5")

    assert "Score overridden by a person 4 of 5 points by staff" in words
    assert "the checks came to 0 points" in words
    assert "Why: Your <b>code</b> was right." in words
    assert "score overridden" in words
    assert "What was blocked" not in words


def test_what_was_not_met_is_among_what_cost_points(tmp_path: Path) -> None:
    text = student_page(marked(tmp_path, criteria=("what",)), rubric=RUBRIC)

    costly = squeezed(Page(text.split("Where you lost points")[1].split("</ul>")[0]))

    assert "Q1.1 Skip connections \N{MINUS SIGN}3 points Not met: Says why" in costly


def test_an_answer_that_changed_waits_and_shows_no_old_points(tmp_path: Path) -> None:
    marked(tmp_path, points=Fraction(4), comment="Old words.")
    with open_gradebook(tmp_path / "book.db") as book:
        keep(book, graded(wrote="Another."))
        made = book.graded("ada")

    words = card(made)

    assert "has changed since, so it will be graded again" in words
    assert "to be graded" in words
    assert "Old words" not in words
    assert json.loads(result_to_json(made, rubric=RUBRIC))["items"][0]["mark"] is None


def test_hostile_words_of_a_marker_are_words(tmp_path: Path) -> None:
    criteria = (Criterion(id="what", text=HOSTILE, points=Fraction(3)),)
    with open_gradebook(tmp_path / "book.db") as book:
        keep(book, graded(criteria=criteria))
        told = {"comment": HOSTILE, "reason": HOSTILE, "by": HOSTILE}
        add_mark(book, given(book, criteria=("what",), **told), expected_current=None)
        made = book.graded("ada")
    by = replace(NAMED, marking=replace(NAMED.marking, regrade_how=HOSTILE))

    text = student_page(made, rubric=by)

    page = Page(text)
    assert not page.named("script")
    assert not page.badly_nested
    assert all((image["src"] or "").startswith("data:image/png") for image in page.named("img"))
    assert all((a["href"] or "").startswith("#") for a in page.named("a"))


def test_how_to_ask_again_is_said_where_the_rubric_says_it(tmp_path: Path) -> None:
    made = marked(tmp_path, points=Fraction(4))
    asks = Marking(regrade_until="2031-05-12 17:00", regrade_how="Write to **the forum**.")

    words = squeezed(Page(student_page(made, rubric=replace(RUBRIC, marking=asks))))

    assert "You can request a regrade until 2031-05-12 17:00. Write to the forum." in words
    assert "regrade" not in squeezed(Page(student_page(made, rubric=RUBRIC)))


# ---------------------------------------------------------------- results


def test_a_result_holds_the_mark(tmp_path: Path) -> None:
    made = marked(
        tmp_path, criteria=("what",), adjustment=Fraction(1, 2), comment="Yes.", reason="Again."
    )

    (item, *_) = json.loads(result_to_json(made, rubric=RUBRIC))["items"]

    assert item["override"] is None
    at = item["mark"].pop("at")
    assert at.endswith("+00:00")
    assert item["mark"] == {
        "points": 3.5,
        "criteria": [
            {"id": "what", "text": "Says what", "points": 3, "met": True},
            {"id": "why", "text": "Says why", "points": 2, "met": False},
            {"id": "wordy", "text": "Far too long", "points": -1, "met": False},
        ],
        "adjustment": 0.5,
        "comment": "Yes.",
        "reason": "Again.",
        "by": "staff",
    }


def test_a_result_holds_what_an_override_replaced(tmp_path: Path) -> None:
    made = marked(tmp_path, "V5", points=Fraction(4), reason="Followed through.")

    item = next(
        i for i in json.loads(result_to_json(made, rubric=RUBRIC))["items"] if i["id"] == "V5"
    )

    assert item["mark"] is None
    assert (item["override"]["points"], item["override"]["found"]) == (4, 0)
    assert item["override"]["reason"] == "Followed through."
    assert result_from_json(result_to_json(made, rubric=RUBRIC)).items[-2].override is not None
