"""People and times through the real command: who gets what, and what is remembered."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import tiny_course
from page_reader import Page, squeezed

pytestmark = pytest.mark.kernel

LATE = """
[late]
due = "2026-11-20T23:59:00-06:00"
grace_minutes = 15
per_day = 1
unit = "points"
timezone = "America/Chicago"
"""
ROSTER = (
    "Name;EID;E-Mail;Section\n"
    "Rivers, Ada;ar10001;ada@uni.example;A\n"
    "Fields, Ben;bf10002;ben@uni.example;A\n"
    "Müller, Zoë;zm10003;zoe@uni.example;B\n"
)


def cells_of(*lines: str) -> list[dict[str, Any]]:
    text = {"cell_type": "markdown", "id": "who", "metadata": {}, "source": "\n\n".join(lines)}
    return [text]


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    made = tiny_course.made(tmp_path / "course")
    place = made.root / "rubrics" / "tiny.toml"
    place.write_text(place.read_text(encoding="utf-8") + LATE, encoding="utf-8")
    (made.root / "roster.csv").write_text(ROSTER, encoding="utf-16")
    return made


def hand_in(course: tiny_course.Course, name: str, *who: str) -> None:
    place = course.hand_in(name)
    data = json.loads(place.read_text(encoding="utf-8"))
    data["cells"] = cells_of(f"Names and EIDs: {', '.join(who)}") + data["cells"]
    place.write_text(json.dumps(data), encoding="utf-8")


def write(course: tiny_course.Course, name: str, text: str) -> str:
    (course.root / name).write_text(text, encoding="utf-8")
    return name


def rows(course: tiny_course.Course) -> list[dict[str, str]]:
    with (course.out / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def told(course: tiny_course.Course) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """By submission and id: status, total, late, final."""
    return {
        (row["submission"], row["id"]): (row["status"], row["total"], row["late"], row["final"])
        for row in rows(course)
    }


def graded_team(course: tiny_course.Course) -> str:
    """A team with one extension, and a second submission of one of them; what was said."""
    hand_in(course, "team", "Ada Rivers (ar10001)", "Fields Ben (bf10020)")
    hand_in(course, "again", "ar10001")
    write(course, "times.csv", "id,at\nteam,2026-11-22 12:00\n")
    write(course, "ext.csv", "id,due,reason\nar10001,2026-11-23T23:59:00-06:00,illness\n")
    code, said = course.grade(
        *("--roster", "roster.csv", "--times", "times.csv", "--extensions", "ext.csv")
    )
    assert code == 1
    return said


def test_each_member_of_a_team_has_their_own_due_date(course: tiny_course.Course) -> None:
    said = graded_team(course)

    assert "note: roster.csv: 3 students; id from 'EID', name from 'Name'" in said
    assert "no submission from 1 student of the roster" in said
    assert "no submission time for 1 of 2; no late penalty applied" in said
    assert told(course) == {
        ("team", "ar10001"): ("graded", "10", "0", "10"),
        ("team", "bf10002"): ("graded", "10", "2", "8"),
        ("again", "ar10001"): ("graded", "10", "", "10"),
        ("", "zm10003"): ("missing", "", "", ""),
    }
    result = json.loads(course.results()["team"])
    ben = {"name": "Ben Fields", "id": "bf10002", "email": "ben@uni.example", "section": "A"}
    assert result["students"][1] == ben
    assert result["score"]["final"] is None
    assert [one["final"] for one in result["score"]["late"]["each"]] == [10, 8]
    assert result["flags"] == [
        "the id bf10020 is not on the roster; by name it is Ben Fields (bf10002)",
        "Ada Rivers (ar10001) is also in again",
    ]


def test_a_reason_is_nowhere_and_a_partner_learns_of_no_extension(
    course: tiny_course.Course,
) -> None:
    graded_team(course)
    text = (course.out / "index.html").read_text(encoding="utf-8")
    staff = squeezed(Page(text))
    page = (course.out / "reports" / "team.html").read_text(encoding="utf-8")

    assert "No submission 1 student of the roster is in no submission." in staff
    assert "2 days, \u22122" in staff
    assert "\u2022\u2022\u202201" in page
    assert "Your course staff tells each of you the late penalty" in page
    assert not [word for word in ("ar10001", "bf10002", "2026-11-23", "23 Nov") if word in page]
    everything = [place for place in course.out.rglob("*") if place.is_file()]
    assert len(everything) > 6
    assert not [place for place in everything if b"illness" in place.read_bytes()]


@pytest.mark.slow
def test_an_extension_that_was_granted_stays_without_the_option(course: tiny_course.Course) -> None:
    hand_in(course, "ada", "Ada Rivers (ar10001)")
    write(course, "times.csv", "id,at\nada,2026-11-22T12:00:00-06:00\n")
    write(course, "ext.csv", "id,due\nar10001,2026-11-23T23:59:00-06:00\n")
    course.grade("--roster", "roster.csv", "--times", "times.csv", "--extensions", "ext.csv")
    first = told(course)

    _, kept = course.grade()
    second = told(course)
    _, again = course.grade(command="again")
    third = told(course)
    write(course, "ext.csv", "id,due\n")
    _, gone = course.grade("--extensions", "ext.csv", command="again")

    assert first["ada", "ar10001"] == ("graded", "10", "0", "10")
    assert first == second == third
    assert "kept 1 submission" in kept
    assert "note: kept from an earlier run: 3 students, 1 extension, 1 submission time" in kept
    assert "kept from an earlier run" in again
    assert "the extension of ar10001 is gone" in gone
    assert "late" in gone
    assert told(course)["ada", "ar10001"] == ("graded", "10", "2", "8")


@pytest.mark.slow
def test_another_due_date_is_judged_again_without_a_kernel(course: tiny_course.Course) -> None:
    hand_in(course, "ada", "Ada Rivers (ar10001)")
    write(course, "times.csv", "id,at\nada,2026-11-22 12:00\n")
    course.grade("--times", "times.csv")
    before = told(course)
    place = course.root / "rubrics" / "tiny.toml"
    text = place.read_text(encoding="utf-8").replace("2026-11-20T", "2026-11-21T")
    place.write_text(text, encoding="utf-8")

    _, said = course.grade(command="again")

    assert before["ada", "ar10001"] == ("graded", "10", "2", "8")
    assert told(course)["ada", "ar10001"] == ("graded", "10", "1", "9")
    assert "re-scored 1 submission from saved runs: 1 score changed" in said


def test_a_second_submission_that_goes_takes_its_flag_along(course: tiny_course.Course) -> None:
    hand_in(course, "one", "Ada Rivers (ar10001)")
    hand_in(course, "two", "Ada Rivers (ar10001)")
    course.grade("--roster", "roster.csv")
    both = json.loads(course.results()["one"])["flags"]
    (course.root / "submissions" / "two.ipynb").unlink()

    _, said = course.grade()

    assert both == ["Ada Rivers (ar10001) is also in two"]
    assert json.loads(course.results()["one"])["flags"] == []
    assert "kept 1 submission" in said


def test_what_cannot_be_graded_is_somebodys_and_no_zero(course: tiny_course.Course) -> None:
    hand_in(course, "ada", "Ada Rivers (ar10001)")
    (course.root / "submissions" / "ben.ipynb").write_text("<html>", encoding="utf-8")

    course.grade("--roster", "roster.csv")

    assert told(course)["ben", ""] == ("ungradable", "", "", "")
    assert told(course)["", "bf10002"] == ("missing", "", "", "")


@pytest.mark.slow
def test_students_see_whole_ids_only_where_staff_say_so(course: tiny_course.Course) -> None:
    hand_in(course, "hw_ar10001", "Ada Rivers (ar10001)")
    course.grade()
    page = course.out / "reports" / "hw_ar10001.html"
    hidden = page.read_text(encoding="utf-8")
    course.grade("--show-ids", command="again")
    shown = page.read_text(encoding="utf-8")
    course.grade()

    assert "ar10001" not in hidden
    assert "ar10001" in shown
    assert "ar10001" not in page.read_text(encoding="utf-8")
    assert rows(course)[0]["id"] == "ar10001"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--roster", "nowhere.csv"), "nowhere.csv: cannot be opened"),
        (("--extensions", "ext.csv"), "line 2: '2026-11-23 23:59' has no offset from UTC"),
        (("--roster", "roster.csv", "--no-roster"), "one of them"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_stops_before_anything_is_graded(
    options: tuple[str, ...], said: str, course: tiny_course.Course
) -> None:
    hand_in(course, "ada", "Ada Rivers (ar10001)")
    write(course, "ext.csv", "id,due\nar10001,2026-11-23 23:59\n")

    code, out = course.grade(*options)

    assert code == 2
    assert said in out
    assert course.results() == {}
