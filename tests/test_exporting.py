"""From a gradebook to a file on disk, by the command."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_course
from click.testing import CliRunner, Result
from downloads import CANVAS, CanvasReader, handed_in, student
from results_contract import result_from_json
from specimen_assignment import score
from specimen_parts import provenance
from specimens import half_right, submission

from grader import checks, cli, gradebook, rubric
from grader.cli.export_command import export_command
from grader.exports import FORMATS
from grader.gradebook import StoredSubmission, course_records
from grader.gradebook.course_records import save_roster
from grader.model import Cell, ExecutionRecord, Graded, Notebook, Rubric, Trace
from grader.people.roster import RosterMember

ASA = student("Åsa Lindgren", "al20001")
CHIDI = student("Chidi Okoro", "co20002")


TRACE = Trace(
    notebook=Notebook(cells=(Cell(index=0, kind="code", source="x = 1"),), sha256="ab" * 32),
    record=ExecutionRecord(cells=()),
    observations={},
    expected={},
)


class Class:
    """A course's folder and a gradebook in it that no kernel filled."""

    def __init__(self, root: Path) -> None:
        course = tiny_course.made(root)
        self.root, self.out = course.root, course.out
        self.out.mkdir()

    @property
    def rubric(self) -> Rubric:
        return rubric.load_rubric(rubric.find_rubric(self.root), catalog=checks.load_checks)

    def keep(self, *results: Graded, roll: tuple[str, ...] = ()) -> None:
        made = replace(provenance(), rubric=self.rubric.sha256)
        with gradebook.open_gradebook(self.out / "gradebook.db") as book:
            course_records.ensure_seed(book, "tiny")
            book.replace_roll([*(one.submission.name for one in results), *roll])
            for one in results:
                graded = replace(one, provenance=made)
                book.save_submission(StoredSubmission(cache_key="k", graded=graded, trace=TRACE))

    def export(self, *words: str) -> Result:
        before = Path.cwd()
        os.chdir(self.root)
        try:
            return CliRunner().invoke(cli.cli, ["export", *words])
        finally:
            os.chdir(before)


@pytest.fixture
def course(tmp_path: Path) -> Class:
    made = Class(tmp_path)
    made.keep(automatic(), replace(half_right(), submission=submission("chidi"), students=(CHIDI,)))
    return made


def automatic() -> Graded:
    """A submission whose items are all automatic: 26.5 of 40 points, and nothing waits."""
    whole = half_right()
    assert whole.score is not None
    items = tuple(item for item in whole.score.items if item.item.kind == "auto")
    return replace(whole, submission=submission("asa"), students=(ASA,), score=score(items))


def test_every_format_has_a_command_and_every_command_a_format() -> None:
    assert set(FORMATS) == set(export_command.commands) - {"autograder"}


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"canvas", "moodle"}))
def test_every_format_is_written_below_the_folder_and_read_by_nobody_else(
    course: Class, name: str
) -> None:
    done = course.export(name)

    assert done.exit_code == 0, done.output
    places = [path for path in (course.out / "exports").rglob("*") if path.is_file()]
    assert places
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in places)
    assert stat.S_IMODE((course.out / "exports").stat().st_mode) == 0o700


def test_a_gradebook_of_canvas_is_filled_beside_and_left_as_it_was(course: Class) -> None:
    download = course.root / "canvas.csv"
    download.write_bytes(CANVAS.encode())

    done = course.export("canvas", "--into", str(download), "--column", "412")

    assert done.exit_code == 0, done.output
    assert download.read_bytes() == CANVAS.encode()
    filled = (course.out / "exports" / "filled-canvas.csv").read_bytes()
    assert CanvasReader.of(filled).scores["9001", "412"] == "26.50"
    assert "Chidi Okoro (co20002): 40 points are ungraded" in done.output


def test_an_output_file_is_where_it_was_asked_for(course: Class) -> None:
    done = course.export("json", "--out", str(course.root / "all.json"))

    assert done.exit_code == 0
    whole = json.loads((course.root / "all.json").read_text(encoding="utf-8"))
    results = [result_from_json(json.dumps(one)) for one in whole["results"]]
    assert [one.submission for one in results] == ["asa", "chidi"]
    assert [one.score.final for one in results] == [26.5, None]


def test_files_of_gradescope_go_into_the_folder_that_was_asked_for(course: Class) -> None:
    done = course.export("gradescope", "--out", str(course.root / "gs"))

    assert done.exit_code == 0
    assert {path.name for path in (course.root / "gs").iterdir()} == {"asa.json", "chidi.json"}


def test_reports_in_the_zip_are_whole_pages(course: Class) -> None:
    assert course.export("feedback").exit_code == 0

    with zipfile.ZipFile(course.out / "exports" / "feedback.zip") as archive:
        assert archive.namelist() == ["asa.html"]
        assert "<html" in archive.read("asa.html").decode()


def test_code_goes_into_folders_that_hold_nothing_of_an_earlier_export(course: Class) -> None:
    assert course.export("jplag").exit_code == 0
    place = course.out / "exports" / "jplag" / "code"
    (place / "withdrawn.py").touch()

    done = course.export("jplag")

    assert {path.name for path in place.iterdir()} == {"asa.py", "chidi.py"}
    assert f"files in {place.parent.relative_to(course.root)}\n" in done.output


def test_a_folder_of_somebodys_own_keeps_its_files(course: Class) -> None:
    own = course.root / "code" / "own.py"
    own.parent.mkdir()
    own.touch()

    done = course.export("dolos", "--out", ".")

    assert "code: holds files already" in str(done.exception)
    assert list(own.parent.iterdir()) == [own]


def test_somebody_left_out_is_exit_code_1(course: Class) -> None:
    course.keep(handed_in("asa", ASA), handed_in("broken", CHIDI, earned=None), roll=("later",))

    done = course.export("csv")

    assert done.exit_code == 1
    assert "Chidi Okoro (co20002): could not be graded" in done.output
    assert "Not graded yet: later" in done.output


def test_who_handed_in_nothing_is_a_row_without_a_number(course: Class) -> None:
    members = [RosterMember(student=one) for one in (ASA, CHIDI, student("Ren Tanaka", "rt20004"))]
    with gradebook.open_gradebook(course.out / "gradebook.db") as book:
        save_roster(book, members)

    assert course.export("csv").exit_code == 0

    text = (course.out / "exports" / "gradebook.csv").read_text(encoding="utf-8")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert (rows["rt20004"]["status"], rows["rt20004"]["final"]) == ("missing", "")
    assert rows["al20001"]["final"] == "26.5"


def test_what_the_terminal_would_obey_does_not_reach_it(course: Class) -> None:
    course.keep(handed_in("x", student("A\x1b[2J\u202eB"), earned=None))

    done = course.export("csv")

    assert all(letter == "\n" or letter.isprintable() for letter in done.output)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("csv", "nowhere"), "no gradebook there"),
        (("csv", "--assignment", "other"), "other"),
        (("canvas",), "--into FILE"),
        (("canvas", "--into", "gone.csv"), "gone.csv: cannot be read"),
        (("csv", "--out", "rubrics/tiny.toml/x.csv"), "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_an_error_and_no_file(
    course: Class, words: tuple[str, ...], said: str
) -> None:
    done = course.export(*words)

    assert said in str(done.exception)
    assert not (course.out / "exports").exists()


def test_grades_of_an_older_rubric_are_not_handed_out(course: Class) -> None:
    place = course.root / "rubrics" / "tiny.toml"
    place.write_text(place.read_text(encoding="utf-8") + "\n# another\n", encoding="utf-8")

    done = course.export("csv")

    assert "grade again" in str(done.exception)


def test_grades_of_another_assignment_are_not_handed_out(course: Class) -> None:
    place = course.root / "rubrics" / "tiny.toml"
    place.write_text(
        place.read_text(encoding="utf-8").replace('id = "tiny"', 'id = "other"'), encoding="utf-8"
    )

    done = course.export("csv")

    assert "nothing there was graded by the assignment 'other'" in str(done.exception)
