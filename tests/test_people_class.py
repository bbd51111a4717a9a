"""What only the whole class shows, whoever writes its files: a run, a sheet or the console."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import private_class
import pytest
from private_class import ADA, rubric

from grader import gradebook
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook
from grader.gradebook.course_records import load_people, save_roster
from grader.people import People, RosterMember
from grader.web.background_publisher import BackgroundPublisher

Write = Callable[[OutputFolder, Gradebook], object]


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    return private_class.made(tmp_path / "graded")


def by_refreshing(folder: OutputFolder, book: Gradebook) -> None:
    ClassPublisher(folder, book=book, rubric=rubric()).publish()


def by_the_console(folder: OutputFolder, book: Gradebook) -> None:
    renewing = BackgroundPublisher(folder, book=book, rubric=rubric())
    renewing.start()
    renewing.queue_submissions(["cleo"])
    renewing.close()


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("write", [by_refreshing, by_the_console])
def test_who_handed_in_nothing_stays_in_sight(graded: Path, write: Write) -> None:
    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        write(OutputFolder(graded), book)

    (row,) = (row for row in rows(graded) if row["id"] == "zn10004")
    assert row["status"] == "missing"
    assert {value for key, value in row.items() if key not in {"name", "id", "status"}} == {""}
    assert "No submission" in (graded / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("write", [by_refreshing, by_the_console])
def test_who_is_in_two_submissions_is_flagged_until_one_is_gone(graded: Path, write: Write) -> None:
    def flags() -> list[str]:
        text = (graded / "results" / "team.json").read_text(encoding="utf-8")
        return list(json.loads(text)["flags"])

    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        before = [book.graded(name).flags for name in ("team", "solo", "cleo")]
        write(OutputFolder(graded), book)
        both = flags()
        book.replace_roll(["team", "cleo"])
        write(OutputFolder(graded), book)
        alone = flags()
        after = [book.graded(name).flags for name in ("team", "solo", "cleo")]

    assert both[-1] == "Ada Rivers (ar10001) is also in solo"
    assert alone == both[:-1]
    assert after == before  # what only the class shows is written into no grade


def test_one_submission_alone_is_no_class(graded: Path) -> None:
    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        book.replace_roll(["cleo"])
        by_refreshing(OutputFolder(graded), book)

    assert [row["id"] for row in rows(graded)] == ["ca10003"]


def test_a_percentage_is_taken_once_the_last_answer_is_marked(graded: Path) -> None:
    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        before = book.graded("cleo")
        assert before.score is not None
        waiting = [one.item for one in before.score.items if one.earned is None]
        (late,) = before.lateness
        assert late is not None
        tenth = replace(late, unit="percent", per_day=Fraction(10))
        book.replace_grade(replace(before, lateness=(tenth,)), cache_key="k")
        pending = book.graded("cleo").lateness
        for item in waiting:
            private_class.mark(book, "cleo", item=item.id, comment="")
        after = book.graded("cleo")

    assert after.score is not None
    assert [late.deduction if late else None for late in pending] == [None]
    assert after.score.total.final is not None
    taken = [late.deduction if late else None for late in after.lateness]
    assert taken == [after.score.total.final / 10]


def test_roster_and_dates_come_back_as_they_were_kept(graded: Path) -> None:
    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        people = load_people(book, "hw5")
        other = load_people(book, "another")
        save_roster(book, [])
        gone = load_people(book, "hw5")

    assert people.members[0] == RosterMember(student=ADA)
    assert people.extensions == {"AR10001": private_class.DUE, "zn10004": private_class.DUE}
    assert other == People(members=people.members)
    assert gone.members == ()
