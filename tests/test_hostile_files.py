"""Whatever file is handed in, it is a notebook or a sentence that says why not, and soon."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processor_time import within
from test_again import class_of_one

from grader import checks, rubric
from grader.checks.reproduction import collect_saved_evidence
from grader.errors import NotebookError
from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.gradebook.stored_records import RecordCodec
from grader.model import (
    CellRun,
    CellStatus,
    ExecutionRecord,
    Flag,
    FlagKind,
    Graded,
    Notebook,
    Rubric,
    Submission,
    Trace,
)
from grader.notebook import (
    Outline,
    find_definitions,
    find_students,
    handout_lines,
    is_blank,
    outline_handout,
    read_notebook,
    written_answers,
)
from grader.pipeline.cache_keys import CacheKeys
from grader.pipeline.provenance import code_by_item
from grader.report import student_page
from grader.report.code_listing import highlight_code
from grader.report.markdown_html import render_markdown
from grader.report.saved_outputs_view import saved_outputs_view

ROOT = Path(__file__).parent.parent
HANDED_IN = ROOT / "examples" / "submissions" / "hw5_ada_ben.ipynb"


@cache
def assignment() -> Rubric:
    found = rubric.find_rubric(ROOT, assignment="hw5")
    return rubric.load_rubric(found, catalog=checks.load_checks)


@cache
def names_by_item() -> Mapping[str, frozenset[str]]:
    registry = checks.load_checks(assignment().check_modules)
    rng = checks.SeededRandom(seed=b"0" * 32)
    return checks.bind_rubric(assignment(), registry=registry, rng=rng).names_by_item()


@cache
def handout() -> frozenset[str]:
    return handout_lines(read_notebook(assignment().reference))


@cache
def the_outline() -> Outline:
    return outline_handout(read_notebook(assignment().reference), items=assignment().items)


def a_run_of(notebook: Notebook) -> ExecutionRecord:
    """A run in which every cell printed what was saved with it, and a number more."""
    runs = tuple(
        CellRun(
            index=cell.index,
            status=CellStatus.RAN,
            shown="".join(output.text for output in cell.outputs)[:16_000] + "\n0.5",
        )
        for cell in notebook.code_cells()
    )
    return ExecutionRecord(cells=runs, heard=True)


def looked_through(notebook: Notebook) -> Graded:
    """All that the grader does with a notebook without running it, to its page."""
    for cell in notebook.cells:
        is_blank(cell)
        render_markdown(cell.source).encode()
        highlight_code(cell.source).encode()
    find_definitions(notebook, {"C1", "initial_embeddings"})
    answers = written_answers(
        notebook, items=assignment().items, handout=handout(), outline=the_outline()
    )
    graded = Graded(
        submission=Submission(name="x", path=Path("x.ipynb"), display_path="x.ipynb"),
        students=find_students(notebook),
        reason="not run",
        score=None,
        record=ExecutionRecord(cells=()),
        answers=answers,
        code=code_by_item(
            notebook,
            items=assignment().items,
            names=names_by_item(),
            findings=(),
            handout_code=the_outline().code,
        ),
        notes=tuple(Flag(FlagKind.NOTEBOOK_NOTE, (note,)) for note in notebook.notes),
        evidence=collect_saved_evidence(notebook, record=a_run_of(notebook), answers=answers),
    )
    saved_outputs_view(graded.evidence)
    student_page(graded, rubric=assignment()).encode()
    return graded


def kept(notebook: Notebook) -> None:
    """Into the gradebook and out of it again."""
    documents, packing = RecordCodec(), ArrayPacker()
    record = ExecutionRecord(cells=())
    trace = Trace(notebook=notebook, record=record, observations={}, expected={})
    document = documents.encode_trace(trace, packer=packing)
    assert documents.decode_trace(document, arrays=PackedArrays(pack=packing.pack)) == trace


# ---------------------------------------------------------------- any file

WORDS = st.sampled_from(
    [
        "",
        "x = 1",
        "(" * 300,
        "-" * 5_000 + "1",
        "x" + ".y" * 3_000,
        "# Name: Ada Example\nEID: ae12345",
        "\ud83d",
        "\x00\x1b[2J\u202e",
        "data:image/png;base64,AAAA",
        "attachment:a",
        "$$" * 50,
        "[" * 200,
        "|a|b|\n|-|-|\n" * 20,
        "```\n" * 9,
        "What are the main ideas behind residual connections",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 4, 3.5, 10**30, float("nan"), float("inf")])
    | WORDS
)
KEYS = st.sampled_from(
    [
        "cells",
        "source",
        "outputs",
        "text",
        "data",
        "text/plain",
        "image/png",
        "text/html",
        "cell_type",
        "output_type",
        "metadata",
        "tags",
        "attachments",
        "level",
        "nbformat",
        "a.png",
        "id",
        "execution_count",
        "nbgrader",
        "grade_id",
        "ename",
        "evalue",
    ]
)
PIECES = st.sampled_from(["", '"', "{", "]", "\\", "\\ud800", "\x00", "9" * 5000, "[" * 2000])
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every list or object of a tree, with each of its keys."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(value, key) for key, _ in inner]
    below = value.values() if isinstance(value, dict) else value
    return found + [p for part in below if isinstance(part, (dict, list)) for p in places(part)]


@cache
def original() -> str:
    tree = json.loads(HANDED_IN.read_text(encoding="utf-8"))
    tree["cells"] = tree["cells"][:6] + tree["cells"][-6:]
    return json.dumps(tree)


@st.composite
def trees(draw: st.DrawFn) -> str:
    """A real notebook in which a few parts are something else, missing, or there twice."""
    tree = json.loads(original())
    for _ in range(draw(st.integers(1, 5))):
        spots = places(tree)
        if not spots:
            break
        holder, key = spots[draw(st.integers(0, len(spots) - 1))]
        if draw(st.booleans()):
            holder[key] = draw(JUNK)
        elif isinstance(holder, dict):
            del holder[key]
        else:
            holder.insert(key, holder[key])
    return json.dumps(tree)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Its text, cut and pasted without regard for JSON."""
    text = original()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 200))
        piece = draw(PIECES)
        text = text[:start] + piece + text[end:]
    return text


@pytest.mark.slow
@given(st.one_of(trees(), texts()))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_file_that_was_tampered_with_is_a_notebook_or_a_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hw.ipynb"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with within(5):
        try:
            notebook = read_notebook(path)
        except NotebookError:
            return
        looked_through(notebook)
        kept(notebook)


# ---------------------------------------------------------------- in time


def notebook_of(*cells: dict[str, Any]) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def text_cell(source: str) -> str:
    return notebook_of({"cell_type": "markdown", "source": source, "metadata": {}})


def code_cell(source: str, *outputs: dict[str, Any]) -> str:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": list(outputs)}
    return notebook_of(cell)


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


COSTLY: dict[str, Callable[[], str]] = {
    "lists": lambda: '{"cells": [' + "[]," * 4_000_000,
    "half a text": lambda: '{"cells": "' + '\\"' * 5_000_000,
    "text of commas": lambda: code_cell("x", stream(',"' * 5_000_000)),
    "colors": lambda: code_cell("x", stream("\x1b]0;" * 2_000_000)),
    "pages": lambda: "<!-- " * 1_000_000,
    "a sum": lambda: code_cell("x = " + "+".join(["1"] * 100_000)),
    "signs": lambda: code_cell("x = " + "-" * 1_000_000 + "1"),
    "names": lambda: code_cell("x = a" + ".b" * 100_000),
    "stars": lambda: text_cell("*a **" * 60_000),
    "brackets": lambda: text_cell("[" * 400_000),
    "quotes": lambda: text_cell("> " * 100_000),
    "lines": lambda: text_cell("\n" * 400_000),
    "people": lambda: text_cell("Name: " * 40_000),
    "pictures": lambda: text_cell("![](data:image/png;base64," * 15_000),
    "figures": lambda: text_cell(
        "Why are skip connections useful in CNN architectures like ResNet?\n\n" + "0.51 " * 19_000
    ),
    "numbers": lambda: code_cell("x", *[stream("0.5 1.5e9 -2%\n" * 60_000)] * 10),
    "labels": lambda: text_cell("Q1.2 Part 3 " * 8_000),
    "headings": lambda: text_cell("# Part 1\n" * 11_000),
    "sentences": lambda: text_cell("why do skip connections help resnet and cnn\n" * 2_200),
    "given code": lambda: code_cell("x = self.fc(x) + nn.Conv2d(3, 16)\n" * 50_000),
}


@pytest.mark.parametrize("name", COSTLY)
def test_what_is_costly_to_read_is_read_or_refused_within_seconds(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "hw.ipynb"
    path.write_text(COSTLY[name](), encoding="utf-8")

    with within(10), suppress(NotebookError):
        looked_through(read_notebook(path))


def test_fifty_megabytes_of_outputs_are_read(tmp_path: Path) -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "A" * 30_000_000}}
    path = tmp_path / "hw.ipynb"
    path.write_text(code_cell("x = 1", picture, stream("0.25, 1\n" * 2_500_000)), encoding="utf-8")

    notebook = read_notebook(path)

    assert path.stat().st_size > 50_000_000
    assert [output.mimes for output in notebook.cells[0].outputs] == [("image/png",), ()]


def test_a_pipe_among_the_submissions_has_no_key_and_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hw.ipynb")
    submission = Submission(name="hw", path=tmp_path / "hw.ipynb", display_path="hw.ipynb")
    found: list[str] = []
    keys = CacheKeys(class_of_one(tmp_path).work.build_judge())

    asking = Thread(target=lambda: found.append(keys.prepare(submission).key), daemon=True)
    asking.start()
    asking.join(5)

    assert found == [""]
