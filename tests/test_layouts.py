"""Who submitted what, in every layout that courses have, as a folder and as an archive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lms
import pytest

from grader.model import Student, Submission
from grader.submissions import LayoutContext, collect

Row = tuple[str, str, tuple[str, ...], str, bool | None, str]
"""Name, path as shown, students, when, whether late, and a word of the problem."""


def who(student: Student) -> str:
    """A student in a line: name, id, email and LMS ids, what is empty left out."""
    ids = " ".join(f"{system}:{number}" for system, number in student.lms.items())
    return "|".join(word for word in (student.name, student.id, student.email, ids) if word)


TABLE: dict[str, tuple[lms.Tree, str, list[Row]]] = {
    "canvas": (
        lms.CANVAS,
        "canvas",
        [
            (
                "exampleada_1042",
                "exampleada_1042_77310_hw5.ipynb",
                ("exampleada|canvas:1042",),
                "",
                False,
                "",
            ),
            (
                "mockcleo_1044",
                "mockcleo_1044_77330_hw5.pdf",
                ("mockcleo|canvas:1044",),
                "",
                False,
                "only hw5.pdf",
            ),
            (
                "samplebenjamin_1043",
                "samplebenjamin_LATE_1043_77320_Homework 5-2.ipynb",
                ("samplebenjamin|canvas:1043",),
                "",
                True,
                "",
            ),
            (
                "testerdora_1045",
                "testerdora_1045_text.html",
                ("testerdora|canvas:1045",),
                "",
                False,
                "only text.html",
            ),
        ],
    ),
    "canvas, anonymous": (
        lms.CANVAS_ANONYMOUS,
        "canvas",
        [
            ("anon_aB3xY", "anon_aB3xY_77310_hw5.ipynb", (), "", False, ""),
            ("anon_Qr7Zt", "LATE_anon_Qr7Zt_77320_hw5.ipynb", (), "", True, ""),
        ],
    ),
    "gradescope": (
        lms.GRADESCOPE,
        "gradescope",
        [
            (
                "submission_90001",
                "assignment_4821_export/submission_90001/hw5.ipynb",
                ("Ada Example|0012345|ada@example.edu", "Ben Sample|0012346|ben@example.edu"),
                "2026-11-20T22:15:03-06:00",
                None,
                "",
            ),
            (
                "submission_90002",
                "assignment_4821_export/submission_90002/hw5.py",
                ("Cleo Mock|cleo@example.edu",),
                "2026-11-21T04:00:00+00:00",
                None,
                "only hw5.py",
            ),
            ("submission_90003", "submission_90003", (), "2026-11-21T05:00:00+00:00", None, "file"),
            (
                "submission_90004",
                "assignment_4821_export/submission_90004/hw5.ipynb",
                (),
                "",
                None,
                "",
            ),
        ],
    ),
    "moodle": (
        lms.MOODLE,
        "moodle",
        [
            (
                "Ada-Example_10442",
                "Ada Example_10442_assignsubmission_file_/hw5.ipynb",
                ("Ada Example|moodle:10442",),
                "",
                None,
                "",
            ),
            (
                "Cleo-Mock_10444",
                "Cleo Mock_10444_assignsubmission_onlinetext_/onlinetext.html",
                ("Cleo Mock|moodle:10444",),
                "",
                None,
                "only onlinetext.html",
            ),
            (
                "Jose-Nandu_10443",
                "José Ñandú_10443_assignsubmission_file_/my work/hw 5.ipynb",
                ("José Ñandú|moodle:10443",),
                "",
                None,
                "",
            ),
        ],
    ),
    "moodle, flat": (
        lms.MOODLE_FLAT,
        "moodle",
        [
            (
                "Ada-Example_10442",
                "Ada Example_10442_assignsubmission_file_hw5.ipynb",
                ("Ada Example|moodle:10442",),
                "",
                None,
                "",
            ),
            (
                "Participant_10443",
                "Participant_10443_assignsubmission_file_hw_5.ipynb",
                ("moodle:10443",),
                "",
                None,
                "",
            ),
        ],
    ),
    "brightspace": (
        lms.BRIGHTSPACE,
        "brightspace",
        [
            (
                "Ben-Sample",
                "397063-2557369 - Ben Sample - Sep 24, 2026 1200 PM/notes.docx",
                ("Ben Sample",),
                "2026-09-24T12:00:00",
                None,
                "only notes.docx",
            ),
            (
                "Mary-Ann-Example",
                "397063-2557369 - Mary-Ann Example - Sep 24, 2026 926 PM/hw5.ipynb",
                ("Mary-Ann Example",),
                "2026-09-24T21:26:00",
                None,
                "",
            ),
        ],
    ),
    "blackboard": (
        lms.BLACKBOARD,
        "blackboard",
        [
            (
                "aexample",
                "HW 5_aexample_attempt_2026-09-24-21-26-03_hw5.ipynb",
                ("Ada Example|blackboard:aexample",),
                "2026-09-24T21:26:03",
                None,
                "",
            ),
            (
                "bsample",
                "HW 5_bsample_attempt_2026-09-25-00-00-01.txt",
                ("Ben Sample|blackboard:bsample",),
                "2026-09-25T00:00:01",
                None,
                "Nothing was submitted",
            ),
        ],
    ),
    "nbgrader": (
        lms.NBGRADER,
        "nbgrader",
        [
            (
                "ada1",
                "submitted/ada1/hw5/hw5.ipynb",
                ("ada1",),
                "2026-11-20T14:58:23-08:00",
                None,
                "",
            ),
            (
                "ben2",
                "submitted/ben2/hw5/Untitled.ipynb",
                ("ben2",),
                "2026-11-20T14:58:23+00:00",
                None,
                "",
            ),
            ("cleo3", "submitted/cleo3/hw5", ("cleo3",), "2026-11-20T14:58:23", None, "Nothing"),
            ("dora4", "submitted/dora4", ("dora4",), "", None, "Nothing"),
            ("emil5", "submitted/emil5", ("emil5",), "", None, "Nothing"),
        ],
    ),
    "classroom 50": (
        lms.CLASSROOM50,
        "classroom50",
        [
            (
                "cs-hw-5-ada-example",
                "cs-hw-5-ada-example/hw5.ipynb",
                ("Ada Example|ada@example.edu|github:Ada-Example",),
                "2026-11-20T22:15:03+00:00",
                False,
                "",
            ),
            (
                "cs-hw-5-benx",
                "cs-hw-5-benx/work.ipynb",
                ("github:benx", "Mo Mate|github:mate"),
                "2026-11-21T08:00:00+00:00",
                True,
                "",
            ),
            (
                "cs-hw-5-cleomock",
                "cs-hw-5-cleomock/README.md",
                ("github:cleomock",),
                "",
                None,
                "only README",
            ),
        ],
    ),
    "github classroom": (
        lms.CLASSROOM,
        "github-classroom",
        [
            (
                "hw5-adaexample",
                "hw5-submissions/hw5-adaexample/hw5.ipynb",
                ("github:adaexample",),
                "",
                None,
                "",
            ),
            (
                "hw5-cleomock",
                "hw5-submissions/hw5-cleomock/README.md",
                ("github:cleomock",),
                "",
                None,
                "only README.md",
            ),
            (
                "hw5-team-blue",
                "hw5-submissions/hw5-team-blue/work.ipynb",
                ("github:team-blue",),
                "",
                None,
                "",
            ),
        ],
    ),
    "a folder a student": (
        lms.FOLDERS,
        "folders",
        [
            ("Ada-Example", "Ada Example/hw5.ipynb", (), "", None, ""),
            ("Ben-Sample", "Ben Sample/hw5/hw5.ipynb", (), "", None, ""),
            ("Cleo-Mock", "Cleo Mock/hw5.pdf", (), "", None, "only hw5.pdf"),
            ("Dora-Tester", "Dora Tester", (), "", None, "Nothing was submitted"),
        ],
    ),
    "flat": (
        lms.FLAT,
        "flat",
        [
            ("hw5_ada", "hw5_ada.ipynb", (), "", None, ""),
            ("hw5_ben.ipynb", "hw5_ben.ipynb.txt", (), "", None, ""),
            ("hw5_cleo", "hw5_cleo.py", (), "", None, "only hw5_cleo.py"),
        ],
    ),
}
HW5 = LayoutContext(assignment="hw5")


@pytest.fixture
def unpack_to(tmp_path: Path) -> Callable[[], Path]:
    def make() -> Path:
        (tmp_path / "unpacked").mkdir()
        return tmp_path / "unpacked"

    return make


def row_of(submission: Submission) -> Row:
    people = tuple(who(student) for student in submission.students)
    return (
        submission.name,
        submission.display_path,
        people,
        submission.submitted_at,
        submission.late,
        submission.problem,
    )


def rows_agree(found: tuple[Submission, ...], rows: list[Row]) -> None:
    told = [row_of(submission) for submission in found]
    assert [row[:5] for row in told] == [row[:5] for row in rows]
    for row, expected in zip(told, rows, strict=True):
        assert expected[5] in row[5]
        assert bool(expected[5]) == bool(row[5])


def test_an_earlier_attempt_with_a_notebook_is_named_where_the_newest_has_none(
    tmp_path: Path,
) -> None:
    tree: lms.Tree = {
        "1-2 - Ada Example - Sep 24, 2026 926 PM/hw5.pdf": b"%PDF",
        "1-2 - Ada Example - Sep 23, 2026 926 PM/hw5.ipynb": lms.ADA,
    }

    (ada,) = collect(lms.laid_out(tmp_path, tree))

    assert "only hw5.pdf" in ada.problem
    assert ada.concerns == ("the newest attempt has no notebook, but an earlier one has",)


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("case", TABLE)
def test_who_submitted_what(
    case: str, kind: str, tmp_path: Path, unpack_to: Callable[[], Path]
) -> None:
    tree, layout, rows = TABLE[case]
    notes: list[str] = []
    place = (
        lms.laid_out(tmp_path / "course", tree)
        if kind == "folder"
        else lms.zipped(tmp_path / "course.zip", tree)
    )

    found = collect(place, context=HW5, make_folder=unpack_to, notify=notes.append)

    rows_agree(found, rows)
    assert notes[0].startswith(f"layout: {layout} (")
    assert [
        note for note in notes[1:] if not note.startswith("not graded, since they belong")
    ] == []
    assert ("match no known LMS" in notes[0]) == (layout in {"flat", "folders"})


def test_a_zip_of_classroom_clones_may_be_called_as_the_folder_in_it(
    tmp_path: Path, unpack_to: Callable[[], Path]
) -> None:
    place = lms.zipped(tmp_path / "hw5-submissions.zip", lms.CLASSROOM)

    found = collect(place, context=HW5, make_folder=unpack_to)

    rows_agree(found, TABLE["github classroom"][2])
