"""An assignment is fetched from Canvas as it is, and graded with the right names and times."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import fake_canvas
import pytest
import tiny_course
from fake_canvas import FakeCanvas
from in_process import run_command

from grader.submissions import collect

pytest.importorskip("canvasapi")
BOOK = json.dumps(tiny_course.notebook("print(1)")).encode()
FOLDER = "canvas-7-412"


@pytest.fixture
def canvas() -> Iterator[FakeCanvas]:
    with fake_canvas.running() as made:
        made.add_student(1042, "Ada Example")
        made.add_student(1043, "Ben Sample")
        made.add_student(1044, "Cleo Mock")
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
def test_what_was_fetched_is_graded_with_roster_and_extensions(
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
    assert "layout canvas-fetched" in output
    results = {name: json.loads(text) for name, text in course.results().items()}
    ada, ben = results["exampleada_1042"], results["sampleben_1043"]
    assert [student["id"] for student in ada["students"]] == ["s1042"]
    days = [result["score"]["late"]["each"][0]["days"] for result in (ada, ben)]
    assert days == [1, 0]
