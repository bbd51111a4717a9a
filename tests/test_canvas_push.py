"""Grades reach Canvas as they are here, nobody is sent a wrong one, and nothing is sent twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import fake_canvas
import pytest
import specimens
import tiny_course
from downloads import late
from fake_canvas import FakeCanvas
from in_process import run_command
from specimen_assignment import NOTHING, score

from grader.folder import OutputFolder
from grader.gradebook import (
    StoredSubmission,
    course_records,
    open_gradebook,
    pushes,
    schema_version,
)
from grader.gradebook.run_claim import claim_run
from grader.model import Graded, ItemScore, Lateness, Student, Verdict
from grader.pipeline.run_config import load_rubric
from grader.privacy.forgetting import forget_student, plan_forgetting
from grader.submissions.fetch_manifest import CanvasSource

pushing = pytest.importorskip("grader.canvas.pushing")
AT = "2031-11-19T20:00:00Z"
ADA, BEN, CLEO = (
    Student(name=name, id=f"s{user}", lms={"canvas": str(user)})
    for user, name in ((1042, "Ada Example"), (1043, "Ben Sample"), (1044, "Cleo Mock"))
)


class Class:
    """A folder of the tiny course with grades made by hand, fetched from a Canvas."""

    def __init__(self, root: Path, canvas: FakeCanvas) -> None:
        self.canvas = canvas
        self.course = tiny_course.made(root)
        self.root = root
        OutputFolder(self.course.out)
        source = CanvasSource(url=canvas.url, course=7, assignment=412)
        with self.book() as book:
            course_records.ensure_seed(book, "tiny")
            pushes.save_source(book, "tiny", source=source)

    def book(self) -> Any:
        return open_gradebook(self.course.out / "gradebook.db")

    def grade(
        self,
        name: str,
        *students: Student,
        first: str = "4",
        second: str | None = "4",
        at: str = AT,
        lateness: tuple[Lateness, ...] = (),
    ) -> None:
        """Keep a grade: points of two items, of which None is pending, and when it came."""
        rubric = load_rubric(self.root, assignment=None)
        full = specimens.full_marks()
        items = tuple(
            ItemScore(
                item=item,
                verdict=Verdict.PENDING if points is None else Verdict.PARTIAL,
                earned=None if points is None else Fraction(points),
                blocked=NOTHING,
            )
            for item, points in zip(rubric.items, (first, second), strict=True)
        )
        assert full.provenance is not None
        kept = replace(
            full,
            submission=replace(full.submission, name=name, submitted_at=at, students=students),
            students=students,
            score=score(items),
            answers={},
            lateness=lateness,
            provenance=replace(full.provenance, rubric=rubric.sha256, assignment="tiny"),
        )
        self.keep(kept)

    def keep(self, graded: Graded) -> None:
        """Keep a grade, on the roll."""
        with self.book() as book:
            book.save_submission(StoredSubmission(cache_key="k", graded=graded, trace=None))
            book.replace_roll(tuple(dict.fromkeys((*book.roll(), graded.submission.name))))

    def push(self, *words: str, variables: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run `grade push canvas`; its exit code, and all it printed."""
        code, output, errors = run_command(
            "push", "canvas", *words, folder=self.root, environment=variables or self.variables()
        )
        assert fake_canvas.TOKEN not in output + errors
        return code, output + errors

    def variables(self) -> dict[str, str]:
        return {"CANVAS_URL": self.canvas.url, "CANVAS_TOKEN": fake_canvas.TOKEN}


@pytest.fixture
def canvas() -> Iterator[FakeCanvas]:
    with fake_canvas.running() as made:
        for user, name in ((1042, "Ada Example"), (1043, "Ben Sample"), (1044, "Cleo Mock")):
            made.add_student(user, name)
        made.hand_in(1042, hw__ipynb=b"ada")
        made.hand_in(1043, hw__ipynb=b"ben")
        yield made


@pytest.fixture
def graded(tmp_path: Path, canvas: FakeCanvas) -> Class:
    made = Class(tmp_path, canvas)
    made.grade("ada", ADA)
    made.grade("ben", BEN, second="14/3")
    return made


def test_without_yes_nothing_is_sent_and_both_scores_stand_side_by_side(graded: Class) -> None:
    graded.canvas.submissions[1043]["score"] = 5.0

    code, said = graded.push()

    assert code == 0
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert "Ada Example (s1042) - -> 8.00 with report" in lines
    assert "Ben Sample (s1043) 5.00 -> 8.67 with report" in lines
    assert lines[0] == f"Two vectors, {graded.canvas.url}/courses/7/assignments/412"
    assert "Nothing was sent. With --yes: 2 scores and 2 reports." in said
    assert [method for method, _ in graded.canvas.requests if method != "GET"] == []


def test_scores_and_reports_are_sent_read_back_and_sent_once(graded: Class) -> None:
    graded.canvas.progress_steps = 3
    code, said = graded.push("--yes")
    again, said_again = graded.push("--yes")

    canvas = graded.canvas
    assert (code, again) == (0, 0)
    assert "Sent and read back: 2 scores and 2 reports." in said
    assert canvas.scores() == {1042: 8.0, 1043: 8.67, 1044: None}
    assert (len(canvas.comments(1042)), len(canvas.writes)) == (1, 1)
    assert "On Canvas already: 2" in said_again
    (report,) = canvas.submissions[1042]["submission_comments"][0]["attachments"]
    page = canvas.contents[report["id"]].decode()
    assert page.startswith("<!doctype html>")
    assert report["user"] == 1042


def test_no_token_goes_to_where_files_are(graded: Class) -> None:
    graded.push("--yes")

    uploads = [(method, token) for method, _, token in graded.canvas.file_requests]
    assert uploads == [("POST", ""), ("POST", "")]
    successes = [path for _, path in graded.canvas.requests if path.endswith("create_success")]
    assert len(successes) == 2


def reasons(said: str) -> dict[str, str]:
    """Who was listed, and why."""
    lines = (line.strip().split(": ", 1) for line in said.splitlines() if line.startswith("  "))
    return dict(line for line in lines if len(line) == 2)


def test_pending_sends_nothing_and_never_nought(graded: Class) -> None:
    graded.canvas.submissions[1042]["score"] = 5.0
    graded.grade("ada", ADA, second=None)

    code, said = graded.push("--yes")

    assert code == 0
    assert graded.canvas.scores() == {1042: 5.0, 1043: 8.67, 1044: None}
    assert reasons(said)["Ada Example (s1042)"] == "6 points are ungraded"
    assert graded.canvas.comments(1042) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda canvas: canvas.submissions[1042].update(excused=True), "is excused there"),
        (
            lambda canvas: canvas.hand_in(1042, at="2031-11-19T20:00:01Z", hw__ipynb=b"x"),
            "submitted again since it was graded (2031-11-19T20:00:01Z",
        ),
        (lambda canvas: canvas.submissions[1042].update(submitted_at=None), "(withdrawn, graded"),
    ],
    ids=["excused", "anew", "withdrawn"],
)
def test_who_must_not_be_graded_is_left_alone_and_listed(
    graded: Class, change: Callable[[FakeCanvas], None], why: str
) -> None:
    change(graded.canvas)

    code, said = graded.push("--yes")

    assert code == 1
    assert why in reasons(said)["Ada Example (s1042)"]
    assert graded.canvas.scores() == {1042: None, 1043: 8.67, 1044: None}
    assert next(iter(graded.canvas.writes[0])).startswith("grade_data[1043]")


def test_who_was_graded_from_elsewhere_is_not_sent_anything(graded: Class) -> None:
    """A time of the same moment, written in another way, is the same attempt; none is none."""
    graded.grade("ada", ADA, at="2031-11-19T14:00:00-06:00")
    graded.grade("ben", BEN, at="")

    _, said = graded.push("--yes")

    assert graded.canvas.scores() == {1042: 8.0, 1043: None, 1044: None}
    assert "is not known" in reasons(said)["Ben Sample (s1043)"]


def test_who_could_not_be_graded_or_is_nobody_there_is_listed(graded: Class) -> None:
    graded.keep(replace(specimens.ungradable(), students=(CLEO,), provenance=None))
    graded.grade("x", Student(name="Nobody Known", id="zz1"))

    code, said = graded.push()

    assert code == 1
    assert "could not be graded" in reasons(said)["Cleo Mock (s1044)"]
    assert "is not in the file" in reasons(said)["Nobody Known (zz1)"]


def test_each_member_of_a_team_has_a_score_of_their_own(graded: Class) -> None:
    graded.canvas.hand_in(1042, 1043, group=(5, "Pairs"), hw__ipynb=b"x")
    with graded.book() as book:
        book.replace_roll(())
    on_time = replace(late("0"), late_s=0, days=0)
    one_day = replace(late("1"), days=1, per_day=Fraction(1))
    graded.grade("team", ADA, BEN, lateness=(on_time, one_day))

    graded.push("--yes")

    assert graded.canvas.scores() == {1042: 8.0, 1043: 7.0, 1044: None}


def test_where_canvas_has_one_grade_for_a_group_different_ones_are_not_sent(graded: Class) -> None:
    canvas = graded.canvas
    canvas.hand_in(1042, 1043, group=(5, "Pairs"), hw__ipynb=b"x")
    canvas.assignment["group_category_id"] = 3

    code, said = graded.push("--yes")

    assert code == 1
    assert "one grade for the group" in reasons(said)["Ada Example (s1042)"]
    assert canvas.writes == []
    graded.grade("ben", BEN)
    assert graded.push("--yes")[0] == 0
    assert canvas.scores() == {1042: 8.0, 1043: 8.0, 1044: None}


def test_a_write_that_fails_for_one_is_told_and_done_next_time(graded: Class) -> None:
    canvas = graded.canvas
    canvas.failing_users = {1043}

    code, said = graded.push("--yes")

    assert code == 1
    assert "8.67 was sent, and Canvas says nothing" in reasons(said)["Ben Sample (s1043)"]
    assert "Sent and read back: 1 score and 1 report." in said
    canvas.failing_users = set()
    assert graded.push("--yes")[0] == 0
    assert canvas.scores() == {1042: 8.0, 1043: 8.67, 1044: None}
    assert [len(canvas.comments(user)) for user in (1042, 1043)] == [1, 1]


def test_a_write_that_fails_for_all_is_told(graded: Class) -> None:
    graded.canvas.failed_progress = True

    code, said = graded.push("--yes")

    assert code == 1
    assert set(reasons(said)) == {"Ada Example (s1042)", "Ben Sample (s1043)"}


def test_what_somebody_changed_on_canvas_is_left_alone_unless_asked(graded: Class) -> None:
    graded.push("--yes")
    graded.canvas.submissions[1042]["score"] = 9.5

    code, said = graded.push("--yes")

    assert code == 1
    assert "from 8.00 to 9.50" in reasons(said)["Ada Example (s1042)"]
    assert graded.canvas.scores()[1042] == 9.5
    assert graded.push("--yes", "--replace")[0] == 0
    assert graded.canvas.scores()[1042] == 8.0
    assert len(graded.canvas.comments(1042)) == 1


def test_a_comment_that_somebody_deleted_does_not_come_again(graded: Class) -> None:
    graded.push("--yes")
    graded.canvas.submissions[1042]["submission_comments"] = []

    assert "On Canvas already: 2" in graded.push("--yes")[1]


def test_another_grade_comes_with_another_report(graded: Class) -> None:
    graded.push("--yes")
    graded.grade("ada", ADA, second="5")

    _, said = graded.push("--yes")

    assert graded.canvas.scores()[1042] == 9.0
    assert len(set(graded.canvas.comments(1042))) == 2
    assert "On Canvas already: 1" in said


def test_scores_alone_are_sent_if_asked(graded: Class) -> None:
    assert graded.push("--yes", "--no-reports")[0] == 0
    assert graded.canvas.scores()[1042] == 8.0
    assert graded.canvas.file_requests == []


def test_canvas_own_late_policy_is_told_and_not_fought(graded: Class) -> None:
    graded.canvas.submissions[1042]["late"] = True
    graded.canvas.late_policy = 2.0

    code, said = graded.push("--yes")

    assert code == 1
    assert "its own late policy took 2" in reasons(said)["Ada Example (s1042)"]
    assert "On Canvas already: 2" in graded.push("--yes")[1]


CRITERIA = [
    {"id": "_11", "description": "the vectors", "points": 4.0},
    {"id": "_12", "description": "B. It runs", "points": 6.0},
]


def test_a_rubric_on_canvas_is_filled_where_its_criteria_are_the_questions(graded: Class) -> None:
    graded.canvas.assignment["rubric"] = CRITERIA

    assert graded.push("--yes")[0] == 0

    assessment = graded.canvas.submissions[1043]["rubric_assessment"]
    assert assessment == {"_11": {"points": 4.0}, "_12": {"points": 4.67}}


def test_a_rubric_that_canvas_did_not_fill_is_told(graded: Class) -> None:
    graded.canvas.assignment["rubric"] = CRITERIA
    graded.canvas.ignores_rubric = True

    code, said = graded.push("--yes")

    assert code == 1
    assert "rubric has other points than were sent" in reasons(said)["Ada Example (s1042)"]


def test_a_rubric_that_does_not_fit_stays_empty_and_is_named(graded: Class) -> None:
    graded.canvas.assignment["rubric"] = [*CRITERIA, {"id": "_13", "description": "Style"}]

    code, said = graded.push("--yes")

    assert code == 0
    assert "each once: Style" in said
    assert "rubric_assessment" not in graded.canvas.submissions[1042]


def test_a_rubric_whose_sum_would_become_the_score_is_not_filled_after_lateness(
    graded: Class,
) -> None:
    graded.canvas.assignment |= {"rubric": CRITERIA, "use_rubric_for_grading": True}
    graded.grade("ada", ADA, lateness=(replace(late("1"), days=1, per_day=Fraction(1)),))

    assert graded.push("--yes")[0] == 0

    assert graded.canvas.scores()[1042] == 7.0
    assert "rubric_assessment" not in graded.canvas.submissions[1042]
    assert "rubric_assessment" in graded.canvas.submissions[1043]


def test_other_points_possible_and_who_was_not_graded_are_noted(graded: Class) -> None:
    graded.canvas.assignment["points_possible"] = 80.0
    graded.canvas.hand_in(1044, hw__ipynb=b"cleo")

    _, said = graded.push()

    assert "out of 80, the rubric out of 10" in said
    assert "not among the graded (1): Cleo Mock" in said


@pytest.mark.parametrize("kind", ["pass_fail", "gpa_scale", "not_graded"])
def test_an_assignment_that_takes_no_points_is_refused(graded: Class, kind: str) -> None:
    graded.canvas.assignment["grading_type"] = kind

    code, said = graded.push("--yes")

    assert code == 2
    assert "so no points can be sent" in said


def test_what_was_not_fetched_is_not_pushed(graded: Class) -> None:
    with graded.book() as book:
        pushes.save_source(
            book, "tiny", source=CanvasSource(url="https://other.example", course=7, assignment=412)
        )
    code, said = graded.push("--yes")
    assert (code, "are from https://other.example" in said) == (2, True)

    with graded.book() as book, book.writing() as connection:
        connection.exec_driver_sql("DELETE FROM lms_sources")
    code, said = graded.push("--yes")
    assert (code, "grade fetch canvas" in said) == (2, True)
    assert graded.canvas.writes == []


def test_a_push_that_was_killed_goes_on_and_doubles_nothing(graded: Class) -> None:
    """Canvas does what it was asked for after the push has died."""
    canvas = graded.canvas
    canvas.progress_steps = 10**6
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "push", "canvas", "--yes"],
        cwd=graded.root,
        env={**os.environ, **graded.variables()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not any("/progress/" in path for _, path in canvas.requests):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait(10)
    assert canvas.scores()[1042] is None
    canvas.progress_steps = 1
    canvas.waiting = {number: (1, fields) for number, (_, fields) in canvas.waiting.items()}

    code, said = graded.push("--yes")

    assert code == 0
    assert "On Canvas already: 2" in said
    assert canvas.scores() == {1042: 8.0, 1043: 8.67, 1044: None}
    assert [len(canvas.comments(user)) for user in (1042, 1043)] == [1, 1]
    assert len(canvas.writes) == 1


def test_a_push_that_was_killed_between_two_uploads_goes_on(
    graded: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = graded.canvas
    monkeypatch.setattr(pushing, "PER_WRITE", 1)
    canvas.dies_after_writes = 1

    code, _ = graded.push("--yes")

    assert code == 2
    assert canvas.scores() == {1042: 8.0, 1043: None, 1044: None}
    canvas.dies_after_writes = None
    assert graded.push("--yes")[0] == 0
    assert canvas.scores() == {1042: 8.0, 1043: 8.67, 1044: None}
    assert [len(canvas.comments(user)) for user in (1042, 1043)] == [1, 1]


def test_two_do_not_push_at_once(graded: Class) -> None:
    with graded.book() as book, claim_run(book):
        code, said = graded.push("--yes")
        shown, _ = graded.push()

    assert (code, shown) == (2, 0)
    assert "another run is at work here" in said
    assert graded.canvas.writes == []


def test_who_is_forgotten_is_forgotten_here_too(graded: Class) -> None:
    graded.canvas.hand_in(1042, 1043, group=(5, "Pairs"), hw__ipynb=b"x")
    with graded.book() as book:
        book.replace_roll(())
    graded.grade("team", ADA, BEN)
    graded.push("--yes")
    rubric = load_rubric(graded.root, assignment=None)

    plan = plan_forgetting(graded.course.out, identifier="s1042")
    forget_student(graded.course.out, identifier="s1042", rubric=rubric, forget_plan=plan)

    with graded.book() as book, book.reading() as connection:
        who = connection.exec_driver_sql("SELECT who FROM pushes").scalars().all()
    assert who == ["1043"]


def test_a_book_of_before_learns_to_remember(tmp_path: Path) -> None:
    place = tmp_path / "gradebook.db"
    with open_gradebook(place) as book:
        with book.writing() as connection:
            for table in ("pushes", "lms_sources"):
                connection.exec_driver_sql(f"DROP TABLE {table}")
            schema_version.remember_pushes(connection)

        assert pushes.load_source(book, "tiny") is None
