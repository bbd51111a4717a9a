"""Rubric items are changed in the console, for all who have them, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from html import unescape
from pathlib import Path

import pytest
from console_course import CRITERIA, NAMES, Course, Visitor, course, rubric

from grader.gradebook.criterion_edits import apply_edits
from grader.gradebook.criterion_ledger import criterion_edits, save_criteria
from grader.model import Criterion

PAGE = "/criteria/Q1.1"
PLAIN = {c.id: (c.text, str(c.points)) for c in CRITERIA}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    with course(tmp_path) as one:
        yield one


def now(made: Course) -> tuple[Criterion, ...]:
    item = rubric().item("Q1.1")
    return apply_edits(item, edits=criterion_edits(made.book, rubric().id)).criteria


def points(made: Course) -> dict[str, Fraction]:
    """What each has for Q1.1, where it is graded."""
    scores = {name: made.book.graded(name).score for name in NAMES}
    return {
        name: part.mark.points
        for name, score in scores.items()
        for part in (score.items if score else ())
        if part.item.id == "Q1.1" and part.mark
    }


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the form as it stands."""
    names = ("last", "rows", "confirmed")
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in names}
    sent = {name: value[1] for name, value in found.items() if value}
    for name in sent["rows"].split():
        text = re.search(rf'name="text-{re.escape(name)}"[^>]*>([^<]*)</textarea>', page)
        worth = re.search(rf'name="points-{re.escape(name)}"[^>]*value="([^"]*)"', page)
        chosen = re.search(
            rf'name="retired-{re.escape(name)}">.*?value="(\w*)" selected', page, re.DOTALL
        )
        assert text
        assert worth
        sent |= {f"text-{name}": unescape(text[1]), f"points-{name}": unescape(worth[1])}
        sent[f"retired-{name}"] = chosen[1] if chosen else ""
    return sent


def save(visitor: Visitor, **changes: str) -> Visitor:
    """Send the form that is open, with changes; names are written with _ for - and NEW for +0."""
    named = {key.replace("_", "-").replace("NEW", "+0"): value for key, value in changes.items()}
    return visitor.send(PAGE, **{**fields(visitor.page), **named})


def grade_all(made: Course, *criteria: str) -> Visitor:
    visitor = made.visitor()
    for name in NAMES:
        visitor.go(f"/mark/Q1.1/{made.code(name)}").mark(*criteria)
    return visitor


def test_a_form_that_nobody_touched_changes_nothing(made: Course) -> None:
    visitor = save(made.visitor().go(PAGE))

    assert "Nothing was changed" in visitor.page
    assert criterion_edits(made.book, rubric().id) == {}


def test_points_change_for_all_once_it_is_confirmed_how_many_scores_change(made: Course) -> None:
    visitor = grade_all(made, "what").go(PAGE)
    save(visitor, points_what="4.5")

    assert "Saving changes 4 scores" in visitor.page
    assert set(points(made).values()) == {3}
    assert criterion_edits(made.book, rubric().id) == {}

    save(visitor)
    assert set(points(made).values()) == {Fraction(9, 2)}
    assert len(criterion_edits(made.book, rubric().id)["Q1.1"]) == 1
    assert "4 scores changed" in visitor.page
    assert "+4.5" in visitor.go(f"/mark/Q1.1/{made.code('ada')}").page


def test_a_confirmation_counts_for_what_it_was_asked_about_alone(made: Course) -> None:
    visitor = grade_all(made, "what").go(PAGE)
    save(visitor, points_what="4.5")
    save(visitor, points_what="1")

    assert "Saving changes 4 scores" in visitor.page
    assert set(points(made).values()) == {3}


def test_what_changes_no_score_needs_no_confirmation(made: Course) -> None:
    visitor = grade_all(made, "what").go(PAGE)
    save(visitor, text_what="Says it\n  plainly", points_why="1", rows="why what wordy +0")

    assert [(c.id, c.text, c.points) for c in now(made)] == [
        ("why", "Says why", Fraction(1)),
        ("what", "Says it plainly", Fraction(3)),
        ("wordy", "Far too long", Fraction(-1)),
    ]
    assert "No score changed" in visitor.page


def test_a_new_one_gets_an_id_that_no_answer_has(made: Course) -> None:
    visitor = grade_all(made, "what").go(PAGE)
    save(visitor, text_NEW="What", points_NEW="0,5")

    assert [(c.id, c.text, c.points) for c in now(made)][-1] == ("what-2", "What", Fraction(1, 2))
    visitor.go(f"/mark/Q1.1/{made.code('ada')}").mark("what", "what-2")
    assert points(made)["ada"] == Fraction(7, 2)


@pytest.mark.parametrize("retired", ["kept", "dropped"])
def test_retiring_says_how_many_scores_change(made: Course, retired: str) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}").mark("what", "why")
    visitor.go(f"/mark/Q1.1/{made.code('ben')}").mark("what")
    visitor.go(PAGE)
    save(visitor, retired_why=retired)

    if retired == "dropped":
        assert "Saving changes 1 score" in visitor.page
        assert "down" in visitor.page
        save(visitor)
    assert points(made) == {"ada": 3 if retired == "dropped" else 5, "ben": 3}
    other = visitor.go(f"/mark/Q1.1/{made.code('cyd')}").page
    assert "Says why" not in other.partition('<form id="panel"')[2].partition("</form>")[0]
    own = visitor.go(f"/mark/Q1.1/{made.code('ada')}").page
    assert ('value="why"' in own) == (retired == "kept")
    visitor.mark("what", *(("why",) if retired == "kept" else ()), comment="Once more.")
    save(visitor.go(PAGE), retired_why="")
    if retired == "dropped":
        save(visitor)
    assert points(made)["ada"] == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text_what": "  "}, "retire it"),
        ({"points_what": "x"}, "Points are numbers"),
        ({"points_what": ""}, "Points are numbers"),
        ({"text_NEW": "Another", "points_NEW": ""}, "Points are numbers"),
        ({"points_NEW": "1"}, "needs a text"),
        ({"text_what": "x" * 1001}, "at most 1000"),
    ],
)
def test_what_can_not_be_saved_is_shown_again_as_it_was_typed(
    made: Course, changes: dict[str, str], message: str
) -> None:
    visitor = made.visitor().go(PAGE)
    save(visitor, text_why="Says whence", **changes)

    assert visitor.status == 422
    assert message in visitor.page
    assert fields(visitor.page)["text-why"] == "Says whence"
    for name, value in changes.items():
        assert fields(visitor.page)[name.replace("_", "-").replace("NEW", "+0")] == value
    assert criterion_edits(made.book, rubric().id) == {}


def test_moving_and_adding_keep_what_is_typed_and_save_nothing(made: Course) -> None:
    visitor = made.visitor().go(PAGE)
    save(visitor, text_what="Typed", do="down what")
    assert fields(visitor.page)["rows"] == "why what wordy +0"
    assert re.search(r'value="down what"[^>]*autofocus', visitor.page)
    save(visitor, do="down what")
    save(visitor, do="down what")
    save(visitor, do="up nothing")
    assert fields(visitor.page)["rows"] == "why wordy what +0"
    save(visitor, text_NEW="One", points_NEW="1", do="add")
    assert fields(visitor.page)["rows"] == "why wordy what +0 +1"
    assert criterion_edits(made.book, rubric().id) == {}

    save(visitor, **{"text-+1": "Two", "points-+1": "2"})
    assert [(c.id, c.text) for c in now(made)] == [
        ("why", "Says why"),
        ("wordy", "Far too long"),
        ("what", "Typed"),
        ("one", "One"),
        ("two", "Two"),
    ]


def kim_changes(made: Course, *criteria: Criterion) -> None:
    item = rubric().item("Q1.1")
    save_criteria(made.book, item, criteria, assignment=rubric().id, by="Kim")


def test_the_second_of_two_is_told_and_nothing_typed_is_lost(made: Course) -> None:
    what, why, wordy = CRITERIA
    visitor = made.visitor().go(PAGE)
    kim_changes(
        made,
        what.__class__(id="what", text="Kim's what", points=Fraction(1)),
        why.__class__(id="why", text="Kim's why", points=why.points),
        wordy,
        Criterion(id="new", text="Kim's own", points=Fraction(1)),
    )
    typed = {"text_what": "My what", "points_wordy": "-2", "text_NEW": "Mine", "points_NEW": "1"}
    save(visitor, **typed)

    assert visitor.status == 409
    assert "<bdi>Kim</bdi> changed these rubric items while you edited them" in visitor.page
    shown = fields(visitor.page)
    assert shown["text-what"] == "My what"
    assert shown["points-what"] == "+1"  # untouched by me
    assert shown["text-why"] == "Kim's why"
    assert shown["points-wordy"] == "-2"
    assert shown["text-new"] == "Kim's own"
    assert shown["text-+0"] == "Mine"
    assert visitor.page.count("Saved by <bdi>Kim</bdi>") == 1
    assert len(criterion_edits(made.book, rubric().id)["Q1.1"]) == 3

    save(visitor)
    assert {c.id: (c.text, c.points) for c in now(made)} == {
        "what": ("My what", Fraction(1)),
        "why": ("Kim's why", Fraction(2)),
        "wordy": ("Far too long", Fraction(-2)),
        "new": ("Kim's own", Fraction(1)),
        "mine": ("Mine", Fraction(1)),
    }


def test_an_order_that_one_left_alone_is_the_others(made: Course) -> None:
    visitor = made.visitor().go(PAGE)
    kim_changes(made, *CRITERIA[::-1])
    save(visitor, text_why="Mine")
    assert fields(visitor.page)["rows"] == "wordy why what +0"
    save(visitor, rows="why wordy what +0")
    assert [c.id for c in now(made)] == ["why", "wordy", "what"]


def test_an_answer_that_was_open_while_they_changed_is_told(made: Course) -> None:
    what, why, _ = CRITERIA
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    seen = visitor.hidden("criteria")
    assert seen
    kim_changes(made, what, Criterion(id="why", text="Says why", points=why.points, retired="kept"))
    visitor.mark("what", "why", criteria=seen, comment="Typed.")

    assert visitor.status == 422
    assert "Kim changed the rubric items" in visitor.page
    assert "Says why\u201d is retired" in visitor.page
    assert "Typed." in visitor.page
    assert 'value="why"' not in visitor.page
    assert points(made) == {}
    visitor.mark("what", criteria=visitor.hidden("criteria"), comment="Typed.")
    assert points(made) == {"ada": 3}


@pytest.mark.parametrize("place", ["group", "trial"])
def test_a_group_and_a_calibration_are_told_as_well(made: Course, place: str) -> None:
    visitor = made.visitor()
    if place == "trial":
        visitor.go("/").send("/trial/Q1.1", count="2")
    visitor.go(f"/{place}s/Q1.1" if place == "group" else "/trial/Q1.1")
    address = re.search(rf'href="(/{place}/Q1.1/[^"]+)"', visitor.page)[1]  # type: ignore[index]  # there is one
    visitor.go(address)
    seen = visitor.hidden("criteria")
    members = re.findall(r'name="member" value="([^"]*)"', visitor.page)
    kim_changes(made, *CRITERIA[::-1])
    sent = {"criterion": ["what"], "member": members, "adjustment": "", "comment": "Typed."}
    visitor.send(address, criteria=seen, **sent)

    assert visitor.status == 422
    assert "Kim changed the rubric items" in visitor.page
    assert "Typed." in visitor.page
    visitor.send(address, criteria=visitor.hidden("criteria"), **sent)
    assert visitor.status == 200


def test_the_history_says_who_changed_what_from_what_to_what(made: Course) -> None:
    visitor = made.visitor().go(PAGE)
    save(visitor, text_what="Worded", points_why="1", rows="why what wordy +0")
    save(visitor, text_NEW="Fresh", points_NEW="-1")
    save(visitor, retired_wordy="dropped")

    told = " ".join(unescape(re.sub(r"<[^>]+>", "", visitor.page.partition("History")[2])).split())
    for words in (
        "reworded \u201cSays what\u201d to \u201cWorded\u201d",
        "\u201cSays why\u201d: from +2 to +1",
        "added \u201cFresh\u201d, \u22121",
        "\u201cFar too long\u201d: from in use to retired: never counts",
        "order from \u201cWorded\u201d, \u201cSays why\u201d, \u201cFar too long\u201d to ",
        "to \u201cSays why\u201d, \u201cWorded\u201d",
    ):
        assert words in told
    assert told.count("Mo 20") == 4


def test_the_page_leads_back_to_the_answer_that_is_open(made: Course) -> None:
    visitor = made.visitor().go("/step/Q1.1")
    answer = visitor.at
    assert f'href="{answer}"' in visitor.go("/weigh/Q1.1").page
    visitor.go("/step/Q1.2").go(PAGE)
    assert "Back to answer" not in visitor.page


def test_it_is_said_where_they_cannot_add_up(made: Course) -> None:
    visitor = made.visitor().go(PAGE)
    adds_up = "No choice of the rubric items" not in visitor.page
    save(visitor, points_what="0.25", points_why="0.25")
    assert "No choice of the rubric items" in visitor.page
    assert "No choice of the rubric items" in save(visitor, points_what="0.5").page
    item = rubric().item("Q1.1")
    save(visitor, points_what=str(item.points), points_why="1")
    assert "No choice of the rubric items" not in visitor.page
    assert adds_up == (sum(c.points for c in CRITERIA if c.points > 0) >= item.points)
