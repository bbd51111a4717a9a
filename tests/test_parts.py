"""A person's word about cells is read, refused in plain words, kept, and what results depend on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_course
from hypothesis import given, settings
from hypothesis import strategies as st
from specimen_assignment import rubric
from specimens import full_marks
from test_again import class_of_one
from tiny_course import Course

from grader import gradebook
from grader.errors import UsageError
from grader.gradebook import Gradebook
from grader.gradebook.course_records import load_overrides
from grader.model import Answer, Submission
from grader.pipeline.cache_keys import CacheKeys
from grader.pipeline.location_overrides import (
    OverrideRow,
    apply_override_file,
    locations_csv,
    read_override_rows,
)

FIRST, SECOND = (item.id for item in rubric().items[:2])


def written(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    path = folder / "parts.csv"
    path.write_text(text, encoding=encoding, newline="")
    return path


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with gradebook.open_gradebook(tmp_path / "gradebook.db") as opened:
        yield opened


@pytest.mark.parametrize(
    ("word", "cells"),
    [
        ("7", (7,)),
        ("7 9", (7, 9)),
        ("7,9", (7, 9)),
        ("7; 9", (7, 9)),
        ("7-9", (7, 8, 9)),
        ("7 – 9", (7, 8, 9)),  # noqa: RUF001 -- as spreadsheets write it
        ("0 7 7", (0, 7)),
        ("none", ()),
        ("None", ()),
        ("", None),
    ],
)
def test_cells_are_told_in_the_ways_people_write_them(
    tmp_path: Path, word: str, cells: tuple[int, ...] | None
) -> None:
    file = written(tmp_path, f'submission,item,cells\nada,{FIRST},"{word}"\n')

    assert read_override_rows(file, rubric=rubric()) == (
        OverrideRow(submission="ada", item=FIRST, cells=cells),
    )


@pytest.mark.parametrize(
    "text",
    [
        "submission,item,cells\r\nada,{item},7\r\n",
        "\ufeffSubmission , ITEM,cells\nada,{item},7\n",
        "submission;item;cells\nada;{item};7\n",
        "why,cells,item,submission\nx,7,{item},ada\n",
        "submission,item,cells\n\nada,{item},7\n,,\n",
    ],
)
def test_a_file_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text.format(item=FIRST))

    assert read_override_rows(file, rubric=rubric()) == (
        OverrideRow(submission="ada", item=FIRST, cells=(7,)),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column submission, item, cells"),
        ("submission,cells\nada,7\n", "no column item"),
        ("submission,item,cells\nada,Q9.9,7\n", "line 2: there is no item 'Q9.9'; the nearest is"),
        ("submission,item,cells\n,{item},7\n", "line 2: it names no submission"),
        ("submission,item,cells\nada,{item},seven\n", "line 2: 'seven' names no cells"),
        ("submission,item,cells\nada,{item},9-7\n", "from the lower cell to the higher"),
        ("submission,item,cells\nada,{item},0-9999\n", "at most 100"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read_override_rows(written(tmp_path, text.format(item=FIRST)), rubric=rubric())


def test_a_file_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_override_rows(tmp_path / "nothing.csv", rubric=rubric())
    with pytest.raises(UsageError, match="not UTF-8"):
        read_override_rows(written(tmp_path, "Zoë,", encoding="utf-16"), rubric=rubric())


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_is_rows_or_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("parts") / "parts.csv"
    path.write_bytes(f"submission,item,cells\nada,{FIRST},{text}".encode("utf-8", "replace"))
    try:
        read_override_rows(path, rubric=rubric())
    except UsageError:
        return


def test_what_was_told_is_kept_and_added_to_and_taken_back(book: Gradebook, tmp_path: Path) -> None:
    names = {"ada": "ada", "sub/Ada 1.ipynb": "Ada_1-00000000"}

    def told(text: str) -> Any:
        file = written(tmp_path, f"submission,item,cells\n{text}")
        return apply_override_file(book, rubric(), file=file, names=names, notify=pytest.fail)

    assert told(f"ada,{FIRST},7\nsub/Ada 1.ipynb,{FIRST},3\n") == {
        "ada": {FIRST: (7,)},
        "Ada_1-00000000": {FIRST: (3,)},
    }
    assert told(f"ada,{SECOND},none\n")["ada"] == {FIRST: (7,), SECOND: ()}
    assert told(f"ada,{FIRST},\n")["ada"] == {SECOND: ()}
    assert "ada" not in told(f"ada,{SECOND},\n")
    assert load_overrides(book, rubric().id) == {"Ada_1-00000000": {FIRST: (3,)}}
    assert load_overrides(book, "another") == {}
    kept = apply_override_file(book, rubric(), file=None, names=names, notify=pytest.fail)
    assert kept == load_overrides(book, rubric().id)


def test_a_submission_that_is_not_here_is_told_and_kept(book: Gradebook, tmp_path: Path) -> None:
    file = written(tmp_path, f"submission,item,cells\nnobody,{FIRST},7\n")

    remarks: list[str] = []
    parts = apply_override_file(book, rubric(), file=file, names={}, notify=remarks.append)

    assert parts == {"nobody": {FIRST: (7,)}}
    assert "nobody" in remarks[0]


def test_a_key_depends_on_what_was_told_of_that_submission_alone(tmp_path: Path) -> None:
    work = class_of_one(tmp_path).work
    plain = CacheKeys(work.build_judge())
    told = CacheKeys(replace(work, overrides={"ada": {"A": (1,)}}).build_judge())

    ada, ben = (
        Submission(name=name, path=Path("x.ipynb"), display_path="x.ipynb")
        for name in ("ada", "ben")
    )
    read = told.rejudged_key("r.j.r", submission=ada)
    assert told.rejudged_key("r.j.r", submission=ben) == plain.rejudged_key("r.j.r", submission=ben)
    assert read != plain.rejudged_key("r.j.r", submission=ada)
    before = plain.rejudged_key("r.j.r", submission=ada)
    assert plain.has_same_extraction(before, submission="ada")
    assert not told.has_same_extraction(before, submission="ada")
    assert told.has_same_extraction(read, submission="ada")


def test_the_list_that_is_printed_can_be_given_back(tmp_path: Path) -> None:
    unsure = Answer(item=FIRST, text="x", cells=(3, 4), confidence=0.7, concern="its heading, told")
    graded = replace(full_marks(), answers={FIRST: unsure, SECOND: Answer(item=SECOND, text="")})

    some, every = (locations_csv([graded], include_sure=every) for every in (False, True))

    assert [row["item"] for row in csv.DictReader(io.StringIO(some))] == [FIRST]
    file = written(tmp_path, every)
    assert [(row.item, row.cells) for row in read_override_rows(file, rubric=rubric())] == [
        (FIRST, (3, 4)),
        (SECOND, ()),
    ]


# ---------------------------------------------------------------- by the real command

PROMPT = "Why do very deep networks need skip connections between their layers?"
WRITTEN = f"""
[[item]]
id = "C"
title = "Why"
points = 5
kind = "written"
source = "handout"
prompt = "{PROMPT}"
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The tiny course with a written question, and one who typed over it."""
    made = tiny_course.made(tmp_path)
    place = tmp_path / "rubrics" / "tiny.toml"
    text = place.read_text(encoding="utf-8").replace("total = 10", "total = 15")
    place.write_text(text + WRITTEN, encoding="utf-8")
    reference = tmp_path / "reference" / "tiny.ipynb"
    with_text(reference, f"## Part C\\n\\n{PROMPT}".replace("\\n", "\n"))
    with_text(made.hand_in("ada"), f"**Name:** Ada Probe (ap12345)\n\n{PROMPT}", "It is so.")
    with_text(
        made.hand_in("ben"),
        "**Name:** Ben Probe (bp12345)",
        "We talked about this with the team next door, for a long time, on a sunny day in May.",
        "Gradients get back.",
    )
    return made


def with_text(place: Path, *sources: str) -> None:
    tree = json.loads(place.read_text(encoding="utf-8"))
    cells = [{"cell_type": "markdown", "metadata": {}, "source": source} for source in sources]
    tree["cells"] = cells + tree["cells"]
    place.write_text(json.dumps(tree), encoding="utf-8")


def page(course: Course, name: str) -> str:
    return (course.out / "reports" / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.kernel
def test_a_correction_is_asked_for_given_and_kept(course: Course) -> None:
    code, told = course.grade()
    flags = json.loads(course.results()["ben"])["flags"]
    assert code == 1
    assert [flag for flag in flags if "unsure where C is answered" in flag]
    assert json.loads(course.results()["ada"])["flags"] == []
    assert "No answer was found, and we are not sure that there is none" in page(course, "ben")
    assert "that was not taken for an answer" in page(course, "ben")
    assert "Gradients get back." in page(course, "ben")
    assert "Not sure that this is all of it" not in page(course, "ben")

    _, listing = course.grade(command="parts")
    assert listing.splitlines()[0] == "submission,item,cells,confidence,why"
    assert listing.splitlines()[1].startswith("ben,C,none,0.30,")

    (course.root / "parts.csv").write_text("submission,item,cells\nben,C,2\n", encoding="utf-8")
    code, told = course.grade("--parts", "parts.csv", command="again")
    assert (code, "Traceback" in told) == (0, False)
    assert "Gradients get back." in page(course, "ben")
    assert "taken for no answer" not in page(course, "ben")
    assert json.loads(course.results()["ben"])["flags"] == []

    code, told = course.grade()
    assert code == 0
    assert "kept 2 submissions from the last run: nothing changed" in told

    (course.root / "parts.csv").write_text("submission,item,cells\nben,C,\n", encoding="utf-8")
    code, told = course.grade("--parts", "parts.csv")
    assert "re-scored 1 from saved runs" in told
    assert "taken for no answer" in page(course, "ben")


@pytest.mark.kernel
def test_a_file_with_faults_stops_the_command_before_anything_runs(course: Course) -> None:
    (course.root / "parts.csv").write_text("submission,item,cells\nben,D,1\n", encoding="utf-8")

    code, told = course.grade("--parts", "parts.csv")

    assert code == 2
    assert "line 2: there is no item 'D'" in told
    assert course.results() == {}
