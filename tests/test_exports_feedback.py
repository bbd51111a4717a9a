"""Reports on their way back to students."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from downloads import (
    MOODLE,
    canvas_feedback,
    grades,
    handed_in,
    moodle_feedback,
    student,
)
from specimen_assignment import rubric

from grader.errors import UsageError
from grader.exports import FORMATS, Download, Export, ExportOptions
from grader.model import Graded
from grader.submissions import collect

RUBRIC = rubric()
ASA = student("Åsa_Lindgren / (M)", "al20001", lms={"moodle": "71001"})
CHIDI = student("Chidi Okoro", "co20002", lms={"moodle": "71002"})


def packed(*results: Graded, **more: Any) -> Export:
    return FORMATS["feedback"](grades(*results, rubric=RUBRIC), options=ExportOptions(**more))


def pages(export: Export) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(export.files["feedback.zip"])) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_every_member_of_a_team_gets_the_report_in_moodle() -> None:
    found = pages(packed(handed_in("team", ASA, CHIDI), lms="moodle"))

    assert {moodle_feedback(name): page for name, page in found.items()} == {
        (71001, "assignsubmission_file", "report.html"): "<p>team</p>",
        (71002, "assignsubmission_file", "report.html"): "<p>team</p>",
    }
    assert "Åsa Lindgren (M)_71001_assignsubmission_file_report.html" in " ".join(
        " ".join(name.split()) for name in found
    )


def test_the_worksheet_gives_the_numbers_that_folders_did_not() -> None:
    sheet = Download(name="sheet.csv", data=MOODLE.encode())
    whose = (student("", "al20001"), student("Inès Moreau"))

    found = pages(packed(handed_in("team", *whose), lms="moodle", into=sheet))

    assert {(moodle_feedback(name) or (0,))[0] for name in found} == {71001, 71003}


def test_without_a_number_or_with_anothers_nobody_gets_a_report_in_moodle() -> None:
    export = packed(
        handed_in("a", CHIDI),
        handed_in("b", student("Chidi Okoro", lms={"moodle": "71002"})),
        handed_in("c", student("Ren Tanaka")),
        handed_in("d", ASA),
        lms="moodle",
    )

    assert set(pages(export).values()) == {"<p>d</p>"}
    assert len(export.left_out) == 3


@pytest.mark.parametrize(
    ("shown", "ids"),
    [
        ("lindgrenasa_9001_52341_hw5.ipynb", ("9001", "52341")),
        ("lindgrenasa_LATE_9001_52341_hw5-1.ipynb", ("9001", "52341")),
        ("all/group7_9001_52341_my_hw_5.ipynb", ("9001", "52341")),
        ("anon_aB3_52341_hw5.ipynb", ("aB3", "52341")),
        ("LATE_anon_aB3_52341_hw5.ipynb", ("aB3", "52341")),
        ("lindgrenasa_9001_52341_hw5.zip/hw5/notebook_1_2_x.ipynb", ("9001", "52341")),
    ],
)
def test_canvas_finds_user_and_attachment_in_the_name(shown: str, ids: tuple[str, str]) -> None:
    found = pages(packed(handed_in("a", ASA, shown=shown), lms="canvas"))

    assert [canvas_feedback(name) for name in found] == [ids]
    assert all(name.endswith(".html") for name in found)


def test_a_team_shares_one_report_in_canvas_and_others_are_listed() -> None:
    export = packed(
        handed_in("team", ASA, CHIDI, shown="g_9001_52341_hw5.ipynb"),
        handed_in("b", student("Ren Tanaka"), shown="hw5.ipynb"),
        lms="canvas",
    )

    assert list(pages(export)) == ["g_9001_52341_hw5.html"]
    assert [line.label for line in export.left_out] == ["Ren Tanaka"]


def test_a_plain_zip_goes_by_submission() -> None:
    assert pages(packed(handed_in("team", ASA, CHIDI))) == {"team.html": "<p>team</p>"}


def test_reports_that_are_not_final_stay_here_unless_they_are_asked_for() -> None:
    results = (
        handed_in("half", ASA, earned="26.5", pending="40"),
        handed_in("broken", CHIDI, earned=None),
        handed_in("done", student("Ren Tanaka")),
    )

    assert set(pages(packed(*results))) == {"done.html"}
    assert [line.label for line in packed(*results).pending] == ["Åsa_Lindgren / (M) (al20001)"]
    assert [line.label for line in packed(*results).left_out] == ["Chidi Okoro (co20002)"]
    assert set(pages(packed(*results, so_far=True))) == {"half.html", "done.html"}


@pytest.mark.parametrize(
    ("system", "files", "read", "ids"),
    [
        (
            "canvas",
            ("lindgrenasa_9001_523_hw5.ipynb", "okorochidi_LATE_9002_524_hw5-1.ipynb"),
            canvas_feedback,
            [("9001", "523"), ("9002", "524")],
        ),
        (
            "moodle",
            (
                "Åsa Lindgren_71001_assignsubmission_file_/hw5.ipynb",
                "Chidi Okoro_71002_assignsubmission_file_/hw5.ipynb",
            ),
            moodle_feedback,
            [(number, "assignsubmission_file", "report.html") for number in (71001, 71002)],
        ),
    ],
)
def test_what_was_downloaded_there_finds_its_way_back(
    tmp_path: Path, system: str, files: tuple[str, ...], read: Any, ids: list[Any]
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"cells": []}', encoding="utf-8")

    found = collect(tmp_path)
    graded = [replace(handed_in("a", *one.students), submission=one) for one in found]

    assert sorted(read(name) for name in pages(packed(*graded, lms=system))) == ids


def test_a_class_without_names_for_the_system_is_an_error() -> None:
    with pytest.raises(UsageError, match="canvas"):
        packed(handed_in("a", ASA), lms="canvas")


def test_equal_reports_make_an_equal_zip() -> None:
    assert packed(handed_in("a", ASA)).files == packed(handed_in("a", ASA)).files
