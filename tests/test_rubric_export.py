"""`grade rubric export`: what was changed while grading goes to the file, and counts once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import test_rerun_marks
import tiny_course
from test_rerun_marks import item, mark, notebook

from grader import checks
from grader.folder import OutputFolder
from grader.gradebook import open_gradebook
from grader.gradebook.criterion_edits import apply_edits
from grader.gradebook.criterion_ledger import criterion_edits, save_criteria
from grader.model import Criterion
from grader.rubric import load_rubric

pytestmark = pytest.mark.kernel

PLACE = Path("rubrics") / "tiny.toml"
NEW = Criterion(id="says-more", text="Says more", points=Fraction(1))
COMMENT = "# What the two share.\n[[item.criterion]]"


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    made = tiny_course.made(tmp_path / "course")
    test_rerun_marks.write_rubric(made)
    text = rubric_text(made).replace("[[item.criterion]]", COMMENT)
    (made.root / PLACE).write_text(text, encoding="utf-8")
    test_rerun_marks.hand_in(made)
    reference = made.root / "reference" / "tiny.ipynb"
    reference.write_text(json.dumps(notebook("")), encoding="utf-8")
    made.grade()
    return made


def rubric_text(course: tiny_course.Course) -> str:
    return (course.root / PLACE).read_text(encoding="utf-8")


def edit(
    course: tiny_course.Course, change: Callable[[tuple[Criterion, ...]], tuple[Criterion, ...]]
) -> None:
    """What a grader does in the console."""
    rubric = load_rubric(course.root / PLACE, catalog=checks.load_checks)
    with open_gradebook(OutputFolder(course.out).store) as book:
        written = rubric.item("W")
        now = apply_edits(written, edits=criterion_edits(book, "tiny"))
        save_criteria(book, written, change(now.criteria), assignment="tiny", by="Kim")


def lighter(criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
    """Say that the first is worth 2, and add one that is worth 1, before it."""
    return NEW, replace(criteria[0], points=Fraction(2), text="One is the other, and noise")


def export(course: tiny_course.Course, *options: str) -> tuple[int, str]:
    return course.grade("export", *options, command="rubric")


def shown(course: tiny_course.Course) -> list[tuple[str, float]]:
    """The criteria of Ada's answer, as her result says."""
    course.grade()
    return [(one["id"], one["points"]) for one in item(course)["mark"]["criteria"]]


def test_changes_go_to_the_file_and_neither_double_nor_get_lost(course: tiny_course.Course) -> None:
    mark(course, criteria=("noise",))
    edit(course, lighter)
    before, counted = rubric_text(course), shown(course)
    assert item(course)["mark"]["points"] == 2

    code, told = export(course)

    assert code == 0
    assert "rubrics/tiny.toml: 2 rubric items written." in told
    assert '\n-points = 3\n+text = "One is the other, and noise"\n+points = 2\n' in told
    after = rubric_text(course)
    assert COMMENT + '\nid = "noise"\ntext = "One is the other, and noise"' in after
    assert set(before.splitlines()) - set(after.splitlines()) == {
        'text = "One is the other and a little noise"'
    }
    _, again = course.grade(command="again")
    assert "no score changed" in again
    assert shown(course) == counted
    assert item(course)["mark"]["points"] == 2
    assert export(course) == (0, "rubrics/tiny.toml has all rubric items as they are now.\n")
    assert rubric_text(course) == after
    edit(course, lambda now: tuple(replace(c, points=Fraction(3, 2)) for c in now))
    assert item_points(course) == 1.5
    assert "+points = 1.5" in export(course, "--dry-run")[1]
    assert rubric_text(course) == after


def item_points(course: tiny_course.Course) -> float:
    course.grade()
    points: float = item(course)["mark"]["points"]
    return points


def test_what_was_changed_by_hand_meanwhile_is_left_as_it_is(course: tiny_course.Course) -> None:
    mark(course, criteria=("noise",))
    edit(course, lighter)
    by_hand = rubric_text(course).replace("and a little noise", "by hand")
    (course.root / PLACE).write_text(by_hand, encoding="utf-8")

    export(course)

    after = rubric_text(course)
    assert 'text = "One is the other by hand"\npoints = 2\n' in after
    assert "says-more" in after
    course.grade(command="again")
    assert item_points(course) == 2


def test_a_file_that_would_be_no_rubric_any_more_is_left_alone(course: tiny_course.Course) -> None:
    edit(course, lambda now: (replace(now[0], points=Fraction(1)),))
    before = rubric_text(course)

    code, told = export(course)

    assert code == 2
    assert "cannot add up" in told
    assert "rubrics/tiny.toml: was left as it is" in told
    assert ".new" not in told
    assert rubric_text(course) == before
    assert [path.name for path in (course.root / "rubrics").iterdir()] == ["tiny.toml"]


def test_marks_by_the_name_of_a_new_one_stay_with_it(course: tiny_course.Course) -> None:
    edit(course, lighter)
    mark(course, criteria=("says-more", "noise"))
    export(course)
    course.grade(command="again")

    assert shown(course) == [("says-more", 1), ("noise", 2)]
    assert item_points(course) == 3


def test_a_dropped_one_counts_nowhere_before_and_after(course: tiny_course.Course) -> None:
    mark(course, criteria=("noise",))
    edit(course, lambda now: (replace(now[0], retired="dropped"), replace(NEW, points=Fraction(3))))
    assert item_points(course) == 0
    export(course)
    assert 'retired = "dropped"' in rubric_text(course)
    course.grade(command="again")

    assert item_points(course) == 0
