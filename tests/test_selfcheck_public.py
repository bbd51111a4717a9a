"""What students get of a rubric: enough to check by, and nothing that solves it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest
import selfchecking
from safetensors.numpy import load as load_arrays

from grader.errors import RubricError, UsageError
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Notebook,
    Rubric,
    Trace,
)
from grader.notebook import handout_lines, outline_handout, read_notebook, written_answers
from grader.selfcheck.public_files import (
    _public_handout,
    build_public_files,
    public_seed,
    reference_questions,
)
from grader.selfcheck.public_rubric import find_public_rubric, load_public_rubric
from grader.selfcheck.submission_warnings import find_warnings

REFERENCE = selfchecking.ROOT / "reference" / "hw5.ipynb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's folder for HW 5."""
    made = tmp_path_factory.mktemp("student")
    selfchecking.publish(made, selfchecking.loaded())
    return made


def test_what_is_read_is_what_was_published(folder: Path) -> None:
    whole = selfchecking.loaded()
    read = load_public_rubric(find_public_rubric([folder]))

    assert [item.id for item in read.rubric.items] == [item.id for item in whole.items]
    assert [(c.item.id, c.spec.code, c.spec.points) for c in read.checks.rubric_checks] == [
        (item.id, spec.code, spec.points)
        for item in whole.items
        for spec in item.checks
        if spec.public
    ]
    assert sum(map(len, read.later_needs.values())) == 2
    assert len(read.expected) == len(read.checks.constant_questions) == 6


def test_the_public_rubric_tells_no_solution(folder: Path) -> None:
    text = (folder / "hw5.rubric.json").read_text(encoding="utf-8")
    solved = [
        line.partition("#")[0].replace(" ", "").strip()
        for cell in nbformat.read(REFERENCE, as_version=4).cells  # type: ignore[no-untyped-call]
        if cell.cell_type == "code"
        for part in cell.source.split("### BEGIN SOLUTION")[1:]
        for line in part.partition("### END SOLUTION")[0].splitlines()
    ]
    whole = selfchecking.loaded()
    hidden = [c.text for item in whole.items for c in item.criteria]
    hidden += [item.good_answer for item in whole.items if item.good_answer]
    hidden += ["reference_forward", "reference_train", "relu", "TRN001", "InfoNCE", "grader-only"]

    assert len([line for line in solved if line]) == 8
    assert [line for line in solved if line and line in text.replace(" ", "")] == []
    assert [word for word in hidden if json.dumps(word)[1:-1] in text] == []
    assert json.loads(text)["public"]["handout"]


def test_a_reference_without_marks_gives_away_no_line_of_code(tmp_path: Path) -> None:
    whole = selfchecking.loaded()
    unmarked = tmp_path / "hw5.ipynb"
    text = REFERENCE.read_text(encoding="utf-8")
    unmarked.write_text(text.replace("BEGIN SOLUTION", "").replace("END SOLUTION", ""))
    path = selfchecking.publish(tmp_path, replace(whole, reference=unmarked))
    lines = json.loads(path.read_text(encoding="utf-8"))["public"]["handout"]

    assert lines
    assert [line for line in lines if line.startswith("code: ") and line.strip() != "code:"] == []


@pytest.mark.parametrize(
    "cell",
    [
        Cell(index=1, kind="code", source="secret_plot()  # my secret comment", tags=("solution",)),
        Cell(index=1, kind="code", source="# BEGIN SOLUTION Q2\nsecret_plot()\n# END SOLUTION"),
        Cell(index=1, kind="code", source="#### BEGIN SOLUTION\nsecret_plot()\n#### END SOLUTION"),
        Cell(
            index=1,
            kind="code",
            source="### BEGIN HIDDEN TESTS\nsecret_plot()\n### END HIDDEN TESTS",
        ),
        Cell(
            index=1,
            kind="markdown",
            source="<!-- BEGIN SOLUTION -->\nThe secret answer.\n\n<!-- END SOLUTION -->",
        ),
        Cell(index=1, kind="markdown", source="The secret answer.", tags=("solution",)),
    ],
)
def test_however_a_solution_is_marked_no_line_of_it_is_public(cell: Cell) -> None:
    filled = "given_lines()\n### BEGIN SOLUTION\nreturn_it()\n### END SOLUTION"
    reference = Notebook(cells=(Cell(index=0, kind="code", source=filled), cell), sha256="")
    lines = "\n".join(_public_handout(reference))

    assert "given_lines()" in lines
    assert "secret" not in lines
    assert "return_it" not in lines


def test_numbers_are_few_and_belong_to_inputs_that_anyone_can_draw(folder: Path) -> None:
    path = folder / "hw5.numbers.safetensors"
    arrays = load_arrays(path.read_bytes())

    assert path.stat().st_size < 20_000
    assert {array.shape[1] for array in arrays.values()} == {128}
    assert load_public_rubric(find_public_rubric([folder])).rng.seed == public_seed("hw5")


def test_a_check_that_compares_with_the_reference_is_never_public() -> None:
    whole = selfchecking.loaded()

    def opened(rubric: Rubric, item_id: str) -> Rubric:
        items = tuple(
            replace(item, checks=tuple(replace(s, public=True) for s in item.checks))
            if item.id == item_id
            else item
            for item in rubric.items
        )
        return replace(rubric, items=items)

    for item in ("V5", "V6"):
        with pytest.raises(RubricError, match=f"item {item} .* can't be true"):
            reference_questions(opened(whole, item))


def test_a_reference_that_did_not_answer_publishes_nothing() -> None:
    with pytest.raises(RubricError, match="gave no numbers for reference_forward"):
        build_public_files(selfchecking.loaded(), answers={})


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    selfchecking.publish(tmp_path, selfchecking.loaded())
    numbers = tmp_path / "hw5.numbers.safetensors"
    data = bytearray(numbers.read_bytes())
    data[-1] ^= 1
    numbers.write_bytes(data)

    with pytest.raises(UsageError, match=r"does not belong to hw5\.rubric"):
        load_public_rubric(tmp_path / "hw5.rubric.json")
    with pytest.raises(UsageError, match=r"no \*.rubric.json"):
        find_public_rubric([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="the course's rubric"):
        load_public_rubric(selfchecking.HW5)


def test_the_same_is_published_twice() -> None:
    whole = selfchecking.loaded()
    answers = selfchecking.by_numpy(reference_questions(whole))

    assert build_public_files(whole, answers=answers) == build_public_files(whole, answers=answers)
    assert np.isfinite(next(iter(answers.values())).arrays["out0"]).all()


def test_nothing_gets_out_but_the_keys_that_are_meant_to(folder: Path) -> None:
    tables = json.loads((folder / "hw5.rubric.json").read_text(encoding="utf-8"))

    assert set(tables) == {"schema", "assignment", "limits", "notice", "item", "public"}
    assert set(tables["assignment"]) == {
        *("id", "title", "total", "seed", "optional_imports", "record", "checks"),
    }
    assert {key for item in tables["item"] for key in item} == {
        *("id", "title", "points", "kind", "source", "prompt", "check"),
    }
    assert {key for item in tables["item"] for check in item["check"] for key in check} == {
        *("code", "points", "public", "needs", "ask", "params"),
    }
    assert set(tables["public"]) == {
        *("draws", "numbers", "handout", "later", "headings", "cell_ids"),
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "newer than this grader"),
        ({"itms": []}, "itms: there is no such key; did you mean 'item'?"),
        ({"public": {"draws": "0"}}, "public → draws"),
    ],
)
def test_a_public_rubric_is_refused_by_key_as_the_courses_is(
    folder: Path, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    tables = json.loads((folder / "hw5.rubric.json").read_text(encoding="utf-8"))
    path = tmp_path / "hw5.rubric.json"
    path.write_text(json.dumps(tables | change), encoding="utf-8")

    with pytest.raises(RubricError, match=said):
        load_public_rubric(path)


# ---------------------------------------------------------------- written answers


SAID = "The sum gives the gradient a way back that nothing on it can shrink at all."


def blank_handout() -> list[Cell]:
    cells = read_notebook(REFERENCE).cells
    return [cell for cell in cells if not {"solution", "grader-only"} & set(cell.tags)]


def retyped(cells: list[Cell]) -> list[Cell]:
    """The handout with a question's words typed over by its answer, below its heading."""
    heading = "### Part 1 (6 points)"
    return [
        replace(cell, source=f"{heading}\n\n{SAID}") if heading in cell.source else cell
        for cell in cells
    ]


def with_end(kind: str, source: str) -> list[Cell]:
    return [*blank_handout(), Cell(index=0, kind=kind, source=source)]


@pytest.mark.parametrize(
    ("cells", "warning"),
    [
        (blank_handout(), "No answers were found for Q1.1, Q1.2"),
        (
            retyped(blank_handout()),
            "the whole answer, and nothing else, was found for Q1.1: the question was not found as",
        ),
        (
            with_end("markdown", f"**Q1.1:** {SAID}"),
            "the whole answer, and nothing else, was found for Q1.1: it",
        ),
        (
            with_end("code", f"x = 1\nprint('Q1.1: {SAID}')"),
            "the whole answer, and nothing else, was found for Q1.1",
        ),
        (with_end("code", f"x = 1\n# {SAID}"), "and nothing else, was found for Q2.3.4: it"),
    ],
)
def test_a_students_own_check_finds_the_answers_that_grading_finds(
    folder: Path, tmp_path: Path, cells: list[Cell], warning: str
) -> None:
    whole, public = selfchecking.loaded(), load_public_rubric(find_public_rubric([folder]))
    book = Notebook(cells=tuple(replace(cell, index=n) for n, cell in enumerate(cells)), sha256="")
    reference = read_notebook(REFERENCE)
    graded = written_answers(
        book,
        items=whole.items,
        handout=handout_lines(reference),
        outline=outline_handout(reference, items=whole.items),
    )
    checked = written_answers(
        book, items=public.rubric.items, handout=public.handout, outline=public.outline
    )
    file = tmp_path / "work.ipynb"
    file.write_text('{"nbformat": 4, "cells": []}', encoding="utf-8")
    record = ExecutionRecord(cells=())
    trace = Trace(notebook=book, record=record, observations={}, expected={})
    warnings = " ".join(find_warnings(file, trace=trace, new_outputs={}, public=public))

    assert checked == graded
    assert warning in warnings


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CellError(name="ValueError", message="no  7", line=2), "ValueError: no 7 (line 2)."),
        (CellError(name="KeyboardInterrupt", message=""), "KeyboardInterrupt."),
        (
            CellError(name="NotImplementedError", message="", line=3),
            "NotImplementedError, as a blank does (line 3).",
        ),
    ],
)
def test_why_a_cell_failed_is_said_as_it_is(
    folder: Path, tmp_path: Path, error: CellError, reason: str
) -> None:
    file = tmp_path / "work.ipynb"
    file.write_text('{"nbformat": 4, "cells": []}', encoding="utf-8")
    book = Notebook(cells=(Cell(index=0, kind="code", source="f()"),), sha256="")
    run = CellRun(index=0, status=CellStatus.RAISED, error=error)
    trace = Trace(notebook=book, record=ExecutionRecord(cells=(run,)), observations={}, expected={})
    public = load_public_rubric(find_public_rubric([folder]))
    warnings = " ".join(find_warnings(file, trace=trace, new_outputs={}, public=public))

    assert f"run in order: cell 0: {reason}" in warnings
