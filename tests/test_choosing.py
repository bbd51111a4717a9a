"""Which notebook of several is graded, whose it is, and what lies beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lms
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.model import Limits, Submission
from grader.pipeline.collecting import make_preview
from grader.pipeline.supplied_files import choose_files
from grader.submissions import LayoutContext, collect

HANDOUT = "Question one asks for the mean of all the numbers in the list that is given below."
MORE = "Question two asks for a plot of the same numbers against the time at which they were seen."
MINE = "The mean is forty two since the sum of them all is eighty four and there are two of them."


@pytest.fixture
def about(tmp_path: Path) -> LayoutContext:
    reference = tmp_path / "reference.ipynb"
    reference.write_text(lms.book(HANDOUT, MORE, "The mean is 42."), encoding="utf-8")
    return LayoutContext(preview=make_preview(reference))


def one(folder: Path, about: LayoutContext) -> Submission:
    (found,) = collect(folder, context=about)
    return found


def test_the_notebook_most_like_the_handout_is_graded_and_that_is_said(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree: lms.Tree = {
        "ada/lecture.ipynb": lms.book("Notes of a lecture, long and of other things. " * 50),
        "ada/hw5.ipynb": lms.book(HANDOUT, MINE, MORE),
    }

    ada = one(lms.laid_out(tmp_path / "class", tree), about)

    assert ada.display_path == "ada/hw5.ipynb"
    assert ada.concerns == ()
    (remark,) = ada.remarks
    assert remark.startswith("ada/hw5.ipynb is graded: of 2 notebooks it looks most like")
    assert remark.endswith("; not graded: ada/lecture.ipynb")


def test_a_blank_copy_of_the_handout_is_never_graded_in_place_of_the_work(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree: lms.Tree = {
        "ada/a_template.ipynb": lms.book(HANDOUT, MORE),
        "ada/z_work.ipynb": lms.book(HANDOUT, MINE, MORE),
    }

    ada = one(lms.laid_out(tmp_path / "class", tree), about)

    assert ada.display_path == "ada/z_work.ipynb"
    assert len(ada.concerns) == 1  # a person should look


def test_a_notebook_that_cannot_be_read_is_named_where_another_is_graded(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree = {"ada/hw5.ipynb": "<<<<<<< HEAD", "ada/old.ipynb": lms.book(HANDOUT)}

    ada = one(lms.laid_out(tmp_path / "class", tree), about)

    assert ada.display_path == "ada/old.ipynb"
    assert "cannot be read, though another notebook can: ada/hw5.ipynb" in ada.concerns


def test_a_folder_of_several_students_loses_none_of_them(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree: lms.Tree = {
        f"section1/{name}.ipynb": lms.book(f"Name: {name.title()} Example (xx{n}0001)", HANDOUT)
        for n, name in enumerate(("ada", "ben", "cleo"), 1)
    } | {"section2/dora.ipynb": lms.book(HANDOUT)}

    found = collect(lms.laid_out(tmp_path / "class", tree), context=about)

    assert len(found) == 4
    assert sum(bool(s.concerns) for s in found) == 3
    assert all(not s.files for s in found)  # nobody finds another's work


def test_folders_of_students_within_a_folder_are_theirs(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree = {"section1/ada/hw5.ipynb": lms.ADA, "section1/ben/hw5.ipynb": lms.BEN}

    found = collect(lms.laid_out(tmp_path / "class", tree), context=about)

    assert [s.name for s in found] == ["section1-ada", "section1-ben"]


def test_folders_that_name_one_student_are_parts_of_one_work(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree: lms.Tree = {
        f"ada/{part}/work.ipynb": lms.book("Name: Ada Example (xx10001)", HANDOUT, part)
        for part in ("part1", "part2")
    }

    assert one(lms.laid_out(tmp_path / "class", tree), about).name == "ada"


def test_parts_of_one_students_work_are_not_students(tmp_path: Path, about: LayoutContext) -> None:
    tree: lms.Tree = {
        f"{who}/{part}/work.ipynb": lms.book(HANDOUT, part)
        for who in ("ada", "ben")
        for part in ("part1", "part2")
    }

    found = collect(lms.laid_out(tmp_path / "class", tree), context=about)

    assert [s.name for s in found] == ["ada", "ben"]


def test_a_folder_that_is_both_has_a_submission_for_each(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree: lms.Tree = {
        "hw5_eve.ipynb": lms.book(HANDOUT),
        "ada/hw5.ipynb": lms.book(HANDOUT, MINE),
        "ada/draft.ipynb": lms.book(HANDOUT),
        "pictures/cat.png": b"\x89PNG",
    }

    found = collect(lms.laid_out(tmp_path / "class", tree), context=about)

    assert [s.display_path for s in found] == ["ada/hw5.ipynb", "hw5_eve.ipynb"]


@pytest.mark.parametrize("shape", ["hw5_2026_{}_{}", "lab_2026_{}_{}", "lab_{}_{}_x"])
def test_names_that_look_like_a_systems_by_chance_make_nobody_one(
    shape: str, tmp_path: Path
) -> None:
    names = [shape.format(number, who) for number, who in ((11, "77"), (12, "78"), (13, "79"))]
    tree = {f"{name}.ipynb": lms.book(name) for name in names}

    found = collect(lms.laid_out(tmp_path, tree))

    assert [s.name for s in found] == names
    assert all(not s.files for s in found)


def test_one_submission_whose_notebooks_name_different_students_is_flagged(
    tmp_path: Path, about: LayoutContext
) -> None:
    tree: lms.Tree = {
        "exampleada_12_34_a.ipynb": lms.book("Name: Ada Example (xx10001)", HANDOUT),
        "exampleada_12_35_b.ipynb": lms.book("Name: Ben Sample (xx10002)", HANDOUT),
        "mockcleo_13_36_c.ipynb": lms.CLEO,
    }

    ada, _ = collect(lms.laid_out(tmp_path / "class", tree), context=about)

    assert "its notebooks name different students" in ada.concerns


# ---------------------------------------------------------------- beside it


def test_in_a_flat_folder_nobody_finds_what_others_handed_in(tmp_path: Path) -> None:
    tree = {"ada.ipynb": lms.ADA, "ben.ipynb": lms.BEN, "ben.csv": "1", "data.csv": "2"}

    ada, ben = collect(lms.laid_out(tmp_path, tree))

    assert list(ada.files) == []
    assert list(ben.files) == ["ben.csv"]


def test_the_only_notebook_of_a_folder_finds_what_lies_beside_it(tmp_path: Path) -> None:
    tree: lms.Tree = {
        "hw5.ipynb": lms.book("import helpers"),
        "helpers.py": "x = 1",
        "data/points.csv": "1",
        "ben.pdf": b"%PDF",
    }

    ben, ada = collect(lms.laid_out(tmp_path, tree))

    assert list(ada.files) == ["data/points.csv", "helpers.py"]
    assert "only ben.pdf" in ben.problem


def test_files_are_named_from_the_notebooks_folder_on(tmp_path: Path) -> None:
    tree = {"ada/work/hw5.ipynb": lms.ADA, "ada/work/data/a.csv": "1", "ada/readme.txt": "x"}

    ada = one(lms.laid_out(tmp_path, tree), LayoutContext())

    assert list(ada.files) == ["data/a.csv"]


def test_the_courses_own_folders_are_never_a_submission(tmp_path: Path) -> None:
    tree = {"hw5.ipynb": lms.ADA, "reference/hw5.ipynb": lms.BEN, "rubrics/hw5.toml": "answers"}
    place = lms.laid_out(tmp_path, tree)

    (ada,) = collect(place, excluded=[place / "reference", place / "rubrics"])

    assert dict(ada.files) == {}


def handed_in(tmp_path: Path, files: dict[str, bytes]) -> Submission:
    place = lms.laid_out(tmp_path / "ada", {"hw5.ipynb": lms.ADA, **files})
    return one(place, LayoutContext())


def test_the_courses_file_wins_and_the_student_is_told(tmp_path: Path) -> None:
    course = lms.laid_out(tmp_path / "provided", {"data.csv": "course", "same.csv": "same"})
    files = {name: course / name for name in ("data.csv", "same.csv")}
    ada = handed_in(tmp_path, {"data.csv": b"mine", "same.csv": b"same", "own.csv": b"own"})

    found = choose_files(files, ada, limits=Limits())

    assert found.files["data.csv"].read_text(encoding="utf-8") == "course"
    assert set(found.files) == {"data.csv", "same.csv", "own.csv"}
    assert found.notes == (
        "data.csv: the course's file was there when the notebook ran, in place of yours.",
    )
    assert found.left_out == ()


def test_what_there_is_no_place_for_is_left_out_and_named(tmp_path: Path) -> None:
    ada = handed_in(tmp_path, {"big.bin": b"x" * (2 * 2**20), "small.csv": b"1", "z" * 250: b""})

    found = choose_files({}, ada, limits=Limits(disk_mb=2, files=200))

    assert "small.csv" in found.files
    assert "big.bin" not in found.files
    assert found.left_out == (
        "big.bin was not there when the notebook ran: files beside it may be 1 MB and 100 files.",
    )


@pytest.mark.parametrize(
    ("cells", "beside"),
    [
        ([{"cell_type": "code", "source": ["import json; ", "json.load(open('a.ipynb'))"]}], True),
        ([{"cell_type": "markdown", "source": "see a.ipynb"}], False),
        ([{"cell_type": "code"}], False),
        (3, False),
    ],
)
def test_a_notebook_that_opens_one_finds_itself(
    tmp_path: Path, cells: Any, *, beside: bool
) -> None:
    path = tmp_path / "0001.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    submission = Submission(name="a", path=path, display_path="class/a.ipynb")

    found = choose_files({}, submission, limits=Limits())

    assert dict(found.files) == ({"a.ipynb": path} if beside else {})


def test_a_file_where_a_folder_must_be_gives_way(tmp_path: Path) -> None:
    course = lms.laid_out(tmp_path / "provided", {"data": "a file"})
    ada = handed_in(tmp_path, {"data/a.csv": b"1"})

    found = choose_files({"data": course / "data"}, ada, limits=Limits())

    assert set(found.files) == {"data"}
    assert len(found.notes) == 1


def test_what_a_run_depends_on_is_what_lies_beside_it_and_not_where(tmp_path: Path) -> None:
    def told(place: str, content: bytes) -> list[str | bytes]:
        ada = handed_in(tmp_path / place, {"data.csv": content})
        return list(choose_files({}, ada, limits=Limits()).digests())

    assert told("one", b"1") == told("two", b"1")
    assert told("one", b"1") != told("three", b"2")


# ---------------------------------------------------------------- any name at all

PART = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda part: part not in {".", ".."} and len(part.encode()) < 200)
ENDING = st.sampled_from(["", ".ipynb", ".ipynb.txt", ".py", ".pdf", ".zip", ".txt", ".IPYNB"])
SYSTEM = st.sampled_from(
    [
        "{}",
        "{}_12_34_x",
        "{}_LATE_12_34_x",
        "anon_{}_12_x",
        "{}_12_assignsubmission_file_",
        "12-34 - {} - Sep 24, 2026 926 PM",
        "hw_{}_attempt_2026-09-24-21-26-03_x",
        "submission_{}",
    ]
)
NAME = st.builds(lambda shape, part, ending: shape.format(part) + ending, SYSTEM, PART, ENDING)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(st.lists(NAME, min_size=1, max_size=3), max_size=6))
def test_no_names_end_in_a_traceback_and_every_notebook_on_top_is_in_a_row(
    names: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("names") / "class"
    root.mkdir()
    for parts in names:
        try:
            place = root.joinpath(*parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({"cells": []}), encoding="utf-8")
        except OSError:
            continue
    try:
        found = collect(root)
    except UsageError:
        found = ()

    safe = [submission.name.lower() for submission in found]
    told = " ".join(
        [
            *(s.display_path for s in found),
            *(word for s in found for word in (*s.remarks, *s.concerns)),
        ]
    )
    books = [
        place.name
        for place in root.iterdir()
        if place.is_file()
        and place.name.lower().endswith(".ipynb")
        and not place.name.startswith((".", "~$"))
    ]
    assert len(set(safe)) == len(safe)
    assert all(submission.problem or submission.path.is_file() for submission in found)
    assert [book for book in books if book.rpartition("_")[2] not in told] == []
