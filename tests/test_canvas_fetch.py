"""An assignment is fetched from Canvas as it is, and graded with the right names and times."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fake_canvas
import pytest
import tiny_course
from fake_canvas import FakeCanvas
from in_process import run_command

from grader.errors import UsageError
from grader.model import Submission
from grader.people.roster import read_roster
from grader.submissions import collect
from grader.submissions.archives import STUDENT_BOUNDS
from grader.submissions.lms_names import ONLY_EARLIER_NOTEBOOK

fetching = pytest.importorskip("grader.canvas.fetching")
BOOK = json.dumps(tiny_course.notebook("print(1)")).encode()
FOLDER = "canvas-7-412"


@pytest.fixture
def canvas() -> Iterator[FakeCanvas]:
    with fake_canvas.running() as made:
        fake_canvas.add_class_of_three(made)
        yield made


def fetch(canvas: FakeCanvas, folder: Path, *words: str, token: str = fake_canvas.TOKEN) -> str:
    code, output = fetched(canvas, folder, *words, token=token)
    assert code == 0, output
    return output


def fetched(
    canvas: FakeCanvas, folder: Path, *words: str, token: str = fake_canvas.TOKEN
) -> tuple[int, str]:
    """Run `grade fetch canvas`; its exit code, and all it printed."""
    variables = {"CANVAS_URL": canvas.url, "CANVAS_TOKEN": token}
    code, output, errors = run_command(
        "fetch", "canvas", "7", "412", *words, folder=folder, environment=variables
    )
    assert fake_canvas.TOKEN not in output + errors
    return code, output + errors


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_newest_attempts_come_with_names_ids_and_times(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, hw__ipynb=b"older")
    canvas.hand_in(1042, at="2031-11-21T08:00:00Z", late=True, hw__ipynb=BOOK, data__csv=b"1")
    canvas.hand_in(1043, hw__ipynb=BOOK)

    said = fetch(canvas, tmp_path)

    ada, ben = collect(tmp_path / FOLDER)
    assert ada.name == "exampleada_1042"
    assert ada.path.read_bytes() == BOOK
    assert set(ada.files) == {"data.csv"}
    assert (ada.submitted_at, ada.late) == ("2031-11-21T08:00:00Z", True)
    (student,) = ada.students
    assert (student.name, student.id, student.email, student.section) == (
        "Ada Example",
        "s1042",
        "u1042@example.edu",
        "M 1",
    )
    assert student.lms == {"canvas": "1042", "login": "login1042"}
    assert "attempt 2 counts" in ada.remarks[0]
    assert (ben.name, ben.remarks) == ("sampleben_1043", ())
    assert f"grade {FOLDER} --roster {FOLDER}/roster.csv" in said
    assert not (tmp_path / FOLDER / ada.name / "attempt-1").exists()


def test_the_token_goes_to_canvas_alone(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, hw__ipynb=BOOK)

    fetch(canvas, tmp_path)

    assert [(method, token) for method, _, token in canvas.file_requests] == [("GET", "")]
    assert ("GET", "/api/v1/courses/7/users") in canvas.requests


def test_the_roster_has_everyone_over_all_pages(canvas: FakeCanvas, tmp_path: Path) -> None:
    fetch(canvas, tmp_path)

    rows = table(tmp_path / FOLDER / "roster.csv")
    assert [row["canvas_id"] for row in rows] == ["1042", "1043", "1044"]
    assert rows[2] == {
        "id": "s1044",
        "name": "Cleo Mock",
        "email": "u1044@example.edu",
        "section": "M 1",
        "login": "login1044",
        "canvas_id": "1044",
    }


@pytest.mark.kernel
def test_what_was_fetched_is_graded_with_roster_and_extensions_and_pushed(
    canvas: FakeCanvas, tmp_path: Path
) -> None:
    course = tiny_course.made(tmp_path)
    rubric = tmp_path / "rubrics" / "tiny.toml"
    late = f'[late]\ndue = "{fake_canvas.DUE}"\nper_day = 1\nunit = "points"\n\n[limits]'
    rubric.write_text(rubric.read_text(encoding="utf-8").replace("[limits]", late))
    right = course.hand_in("right").read_bytes()
    canvas.hand_in(1042, 1043, at="2031-11-21T00:00:00Z", late=True, hw__ipynb=right)
    canvas.overrides = [{"id": 1, "student_ids": [1043], "due_at": "2031-11-22T05:59:00Z"}]

    said = fetch(canvas, tmp_path)
    command = said.partition("Next: grade ")[2].split()
    code, output = course.grade(*command[1:], command=command[0])

    assert code == 0, output
    assert "layout: canvas-fetched" in output
    results = {name: json.loads(text) for name, text in course.results().items()}
    ada, ben = results["exampleada_1042"], results["sampleben_1043"]
    assert [student["id"] for student in ada["students"]] == ["s1042"]
    days = [result["score"]["late"]["each"][0]["days"] for result in (ada, ben)]
    assert days == [1, 0]

    variables = {"CANVAS_URL": canvas.url, "CANVAS_TOKEN": fake_canvas.TOKEN}
    code, output, errors = run_command(
        "push", "canvas", "--yes", folder=tmp_path, environment=variables
    )
    assert code == 0, output + errors
    assert canvas.scores() == {1042: 9.0, 1043: 10.0, 1044: None}


def submissions(folder: Path) -> dict[str, Submission]:
    return {submission.name: submission for submission in collect(folder / FOLDER)}


def test_a_group_is_one_submission_of_all_its_members(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, 1043, group=(5, "The Überfitters"), hw__ipynb=BOOK)
    canvas.hand_in(1044, group=(5, "The Überfitters"), hw__ipynb=BOOK)

    fetch(canvas, tmp_path)

    names = {
        name: [student.name for student in submission.students]
        for name, submission in submissions(tmp_path).items()
    }
    assert sorted(names.values()) == [["Ada Example", "Ben Sample"], ["Cleo Mock"]]
    assert all(name.startswith("theuberfitters_group5") for name in names)


def test_earlier_attempts_are_told_and_fetched_if_asked(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, at="2031-11-18T20:00:00Z", hw__ipynb=BOOK)
    canvas.hand_in(1042, notes__pdf=b"%PDF")

    fetch(canvas, tmp_path, "--all-attempts")

    ada = submissions(tmp_path)["exampleada_1042"]
    assert "only notes.pdf" in ada.problem
    assert ONLY_EARLIER_NOTEBOOK in ada.concerns
    assert "2031-11-18T20:00:00Z" in ada.remarks[0]
    earlier = tmp_path / FOLDER / ada.name / "attempt-1" / "hw.ipynb"
    assert earlier.read_bytes() == BOOK


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("online_url", {"url": "https://lab.example/a.ipynb"}, "https://lab.example/a.ipynb"),
        ("online_text_entry", {"body": "<p>words</p>"}, "online text entry"),
    ],
)
def test_what_is_no_file_is_a_row_that_says_so(
    canvas: FakeCanvas, tmp_path: Path, kind: str, more: dict[str, str], said: str
) -> None:
    canvas.hand_in(1042)
    canvas.submissions[1042] |= {"submission_type": kind, **more}

    fetch(canvas, tmp_path)

    ada = submissions(tmp_path)["exampleada_1042"]
    assert said in ada.concerns[0]
    assert ada.problem


def test_renamed_files_are_there_under_their_first_names(
    canvas: FakeCanvas, tmp_path: Path
) -> None:
    canvas.hand_in(1042, files={"hw-3.ipynb": BOOK, "data-1.csv": b"1"})

    fetch(canvas, tmp_path)

    assert set(submissions(tmp_path)["exampleada_1042"].files) == {"data-1.csv", "data.csv"}


@pytest.mark.parametrize(
    "name",
    [
        "../../../out.ipynb",
        "..\\..\\out.ipynb",
        "/etc/out.ipynb",
        ".hidden.ipynb",
        "a\0b.ipynb",
        "ü ∂ 🙂.ipynb",
        "x" * 300 + ".ipynb",
        "~$hw.ipynb",
        "nul\nline.ipynb",
        "=cmd.ipynb",
    ],
)
def test_no_name_of_a_file_leads_out_or_hides_it(
    canvas: FakeCanvas, tmp_path: Path, name: str
) -> None:
    canvas.hand_in(1042, files={name: BOOK, "..": b"1"})
    before = {path for path in tmp_path.rglob("*") if FOLDER not in path.parts}

    fetch(canvas, tmp_path)

    assert submissions(tmp_path)["exampleada_1042"].path.read_bytes() == BOOK
    assert {path for path in tmp_path.rglob("*") if FOLDER not in path.parts} == before
    files = {p for p in (tmp_path / FOLDER).rglob("*") if p.is_file() and p.suffix == ".ipynb"}
    assert {path.parent.name for path in files} == {"attempt-1"}


def test_names_that_differ_in_case_alone_are_two_files(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, HW__ipynb=b"{}", hw__ipynb=BOOK)

    fetch(canvas, tmp_path)

    attempt = tmp_path / FOLDER / "exampleada_1042" / "attempt-1"
    assert sorted(path.read_bytes() for path in attempt.iterdir()) == sorted([b"{}", BOOK])


# ---------------------------------------------------------------- due dates


def extensions(folder: Path) -> dict[str, str]:
    return {row["id"]: row["due"] for row in table(folder / FOLDER / "extensions.csv")}


def test_due_dates_of_their_own_come_from_overrides(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.users[2]["enrollments"] = [{"course_section_id": 32}]
    canvas.hand_in(1043, group=(5, "Pairs"), hw__ipynb=BOOK)
    canvas.add_student(1045, "Dora Tester")
    canvas.add_student(1046, "Eve Trial")
    canvas.overrides = [
        {"id": 1, "student_ids": [1042], "due_at": "2031-11-20T17:59:00Z"},
        {"id": 2, "group_id": 5, "due_at": "2031-11-23T05:59:00Z"},
        {"id": 3, "course_section_id": 32, "due_at": "2031-11-24T05:59:00Z"},
        {"id": 4, "course_section_id": 31, "due_at": "2031-11-21T05:59:00Z"},
        {"id": 5, "student_ids": [1045], "due_at": None},
        {"id": 6, "student_ids": [1046], "lock_at": "2031-12-01T05:59:00Z"},
    ]

    fetch(canvas, tmp_path)

    assert extensions(tmp_path) == {
        "s1042": "2031-11-20T17:59:00+00:00",
        "s1043": "2031-11-23T05:59:00+00:00",
        "s1044": "2031-11-24T05:59:00+00:00",
        "s1045": "9999-12-30T00:00:00+00:00",
        "s1046": "2031-11-21T05:59:00+00:00",
    }


def test_what_canvas_reckons_for_a_student_decides(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.overrides = [{"id": 1, "student_ids": [1042], "due_at": "2031-11-22T05:59:00Z"}]
    canvas.submissions[1042]["cached_due_date"] = fake_canvas.DUE
    canvas.submissions[1043]["cached_due_date"] = "2031-11-25T05:59:00Z"

    fetch(canvas, tmp_path)

    assert extensions(tmp_path) == {"s1043": "2031-11-25T05:59:00+00:00"}


def test_people_without_ids_of_the_university_have_logins_or_numbers(
    canvas: FakeCanvas, tmp_path: Path
) -> None:
    canvas.users[0] |= {"sis_user_id": None}
    for name in ("sis_user_id", "login_id", "email"):
        canvas.users[1].pop(name)
    canvas.users[2] |= {"name": "=HYPERLINK(1)", "enrollments": []}
    canvas.overrides = [
        {"id": 1, "student_ids": [1042, 1043], "due_at": "2031-11-22T05:59:00Z"},
    ]

    fetch(canvas, tmp_path)

    rows = table(tmp_path / FOLDER / "roster.csv")
    assert [row["id"] for row in rows] == ["login1042", "", "s1044"]
    assert rows[2]["name"] == "'=HYPERLINK(1)"
    assert set(extensions(tmp_path)) == {"login1042", "1043"}
    members = read_roster(tmp_path / FOLDER / "roster.csv").members
    assert members[1].student.lms == {"canvas": "1043"}


def test_what_canvas_leaves_out_or_writes_as_null_is_nothing(
    canvas: FakeCanvas, tmp_path: Path
) -> None:
    canvas.hand_in(1042, hw__ipynb=BOOK)
    canvas.users[0] |= {"enrollments": None, "email": None}
    canvas.submissions[1042] |= {"late": None, "group": None, "submission_history": None}
    canvas.submissions[1043] |= {"attachments": None, "excused": None}
    canvas.overrides = [{"id": 1, "student_ids": None, "course_section_id": 32, "due_at": None}]
    for key in ("rubric", "grade_group_students_individually", "due_at"):
        canvas.assignment[key] = None

    fetch(canvas, tmp_path)

    assert submissions(tmp_path)["exampleada_1042"].late is False
    assert extensions(tmp_path) == {}


def test_who_has_left_the_course_is_still_named(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, hw__ipynb=BOOK)
    canvas.left = {1042}

    fetch(canvas, tmp_path)

    assert submissions(tmp_path)["exampleada_1042"].students[0].name == "Ada Example"
    assert len(table(tmp_path / FOLDER / "roster.csv")) == 2


# ---------------------------------------------------------------- again, and interrupted


def test_the_same_command_again_fetches_what_is_new(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.hand_in(1042, hw__ipynb=b"old")
    canvas.hand_in(1043, hw__ipynb=BOOK)
    fetch(canvas, tmp_path)
    canvas.hand_in(1042, at="2031-11-19T21:00:00Z", hw__ipynb=BOOK)

    said = fetch(canvas, tmp_path)

    assert "1 file fetched, 1 there already" in said
    ada = submissions(tmp_path)["exampleada_1042"]
    assert (ada.path.read_bytes(), ada.submitted_at) == (BOOK, "2031-11-19T21:00:00Z")


def test_a_fetch_that_was_killed_is_not_graded_and_goes_on(
    canvas: FakeCanvas, tmp_path: Path
) -> None:
    canvas.hand_in(1042, hw__ipynb=BOOK)
    (canvas.held_file,) = canvas.hand_in(1043, hw__ipynb=BOOK)
    canvas.hand_in(1044, hw__ipynb=BOOK)
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "fetch", "canvas", "7", "412"],
        cwd=tmp_path,
        env={**os.environ, "CANVAS_URL": canvas.url, "CANVAS_TOKEN": fake_canvas.TOKEN},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not any(path.endswith(f"/{canvas.held_file}") for _, path, _ in canvas.file_requests):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait(10)
    with pytest.raises(UsageError, match="the fetch was interrupted"):
        collect(tmp_path / FOLDER)
    canvas.held_file = None

    said = fetch(canvas, tmp_path)

    assert "2 files fetched, 1 there already" in said
    assert {s.path.read_bytes() for s in submissions(tmp_path).values()} == {BOOK}
    assert not list((tmp_path / FOLDER).rglob(".part-*"))


def test_a_file_that_cannot_be_fetched_is_listed_and_its_row_says_why(
    canvas: FakeCanvas, tmp_path: Path
) -> None:
    (gone,) = canvas.hand_in(1042, hw__ipynb=BOOK)
    (far,) = canvas.hand_in(1043, hw__ipynb=BOOK)
    (circle,) = canvas.hand_in(1044, hw__ipynb=BOOK)
    canvas.detours = {
        gone: f"{canvas.url}/api/v1/nowhere",
        far: "http://files.example/x",
        circle: f"{canvas.url}/files/{circle}/download",
    }

    code, said = fetched(canvas, tmp_path)

    assert code == 1
    assert "Not fetched, for you to look at (3)" in said
    rows = submissions(tmp_path)
    assert "Canvas answers 404" in rows["exampleada_1042"].problem
    assert "its address is not https" in rows["sampleben_1043"].problem
    assert "leads in a circle" in rows["mockcleo_1044"].problem
    canvas.detours = {}
    assert fetched(canvas, tmp_path)[0] == 0
    assert not submissions(tmp_path)["exampleada_1042"].problem


def test_files_are_bounded(
    canvas: FakeCanvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "STUDENT_BOUNDS", replace(STUDENT_BOUNDS, bytes=2**20))
    monkeypatch.setattr(fetching, "CLASS_BOUNDS", replace(STUDENT_BOUNDS, bytes=2**20 + 2000))
    canvas.hand_in(1042, hw__ipynb=b"x" * (2**20 + 1))
    canvas.hand_in(1043, hw__ipynb=b"x" * 2**20)
    canvas.hand_in(1044, hw__ipynb=b"x" * 2001)

    code, said = fetched(canvas, tmp_path)

    assert code == 1
    rows = submissions(tmp_path)
    assert "1,048,576 bytes" in rows["exampleada_1042"].problem
    assert not rows["sampleben_1043"].problem
    assert "2,000 bytes" in rows["mockcleo_1044"].problem
    assert "(2)" in said


def test_a_folder_of_something_else_is_left_alone(canvas: FakeCanvas, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "thesis.txt").write_text("mine")
    code, said = fetched(canvas, tmp_path)
    assert (code, "is not empty" in said) == (2, True)

    fetch(canvas, tmp_path, "--out", "fetched")
    manifest = tmp_path / "fetched" / "canvas.json"
    manifest.write_text(manifest.read_text().replace("412", "413"))
    code, said = fetched(canvas, tmp_path, "--out", "fetched")
    assert (code, "holds another assignment" in said) == (2, True)


def test_an_anonymous_assignment_is_refused(canvas: FakeCanvas, tmp_path: Path) -> None:
    canvas.assignment["anonymize_students"] = True

    code, said = fetched(canvas, tmp_path)

    assert (code, "is graded anonymously" in said) == (2, True)


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "canvas.json").write_text('{"name": "something else"}')

    with pytest.raises(UsageError, match="is not a manifest"):
        collect(tmp_path)
