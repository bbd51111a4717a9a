"""Collects the parts of a grade beside its points: code excerpts, flags, and provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace

import grader
from grader import timestamps
from grader.model import (
    CellStatus,
    Excerpt,
    ExecutionRecord,
    Finding,
    Flag,
    FlagKind,
    Item,
    Notebook,
    Provenance,
    Rubric,
    Student,
    shorten,
)
from grader.notebook import find_definitions, jupyter_numbers, match_code
from grader.notebook.code_matching import CodeMatch, HandoutCode

MAX_EXCERPTS = 4
"""Code cells shown beside an item."""
MAX_FIRST_LINE = 80
"""Characters of the first line of a cell."""
BY_HAND = "a person told us that it belongs here"
NO_CODE = HandoutCode()


def code_by_item(
    notebook: Notebook,
    *,
    items: Iterable[Item],
    names: Mapping[str, frozenset[str]],
    findings: tuple[Finding, ...],
    handout_code: HandoutCode = NO_CODE,
    overrides: Mapping[str, tuple[int, ...]] | None = None,
) -> Mapping[str, tuple[Excerpt, ...]]:
    """Return the student's own code by item: cells that define its names or that findings name.

    Cells made from the code that the handout gives for the item are added to these. Where a person
    named the cells of an item, its code is those alone.
    """
    override_cells = overrides or {}
    matches = match_code(notebook.code_cells(), code=handout_code)
    code = {}
    for item in items:
        if item.kind == "auto" and item.id in override_cells:
            cells = [
                cell for cell in notebook.code_cells() if cell.index in override_cells[item.id]
            ]
            excerpts = {c.index: Excerpt(cell=c.index, source=c.source, how=BY_HAND) for c in cells}
        else:
            item_names = names.get(item.id, frozenset())
            excerpts = _excerpts_by_name(notebook, item=item, names=item_names, findings=findings)
            _add_similar(excerpts, notebook=notebook, item=item, matches=matches)
        if excerpts:
            code[item.id] = tuple(excerpts[index] for index in sorted(excerpts))
    return code


def _excerpts_by_name(
    notebook: Notebook, *, item: Item, names: frozenset[str], findings: tuple[Finding, ...]
) -> dict[int, Excerpt]:
    excerpts = {excerpt.cell: excerpt for excerpt in find_definitions(notebook, names)}
    referenced = {c for f in findings if f.item == item.id for c in f.cells if c >= 0}
    for cell in notebook.code_cells():
        if cell.index in referenced:
            excerpts.setdefault(cell.index, Excerpt(cell=cell.index, source=cell.source))
    return {index: excerpts[index] for index in sorted(excerpts)[:MAX_EXCERPTS]}


def _add_similar(
    excerpts: dict[int, Excerpt], *, notebook: Notebook, item: Item, matches: Iterable[CodeMatch]
) -> None:
    for match in matches:
        if match.item == item.id and item.checks and len(excerpts) < MAX_EXCERPTS:
            how = f"{match.similarity:.0%} similar to the code that the handout gives for this"
            source = notebook.cells[match.cell].source
            excerpts.setdefault(match.cell, Excerpt(cell=match.cell, source=source, how=how))


def record_for_grade(record: ExecutionRecord, *, notebook: Notebook) -> ExecutionRecord:
    """Return the record with each cell's number and first line in place of its outputs.

    Outputs are kept by the trace alone.
    """
    numbers = jupyter_numbers(notebook.cells[run.index] for run in record.cells)
    runs = (
        replace(
            run,
            shown="",
            media=(),
            number=numbers.get(run.index, 0),
            first_line=_first_line(notebook.cells[run.index].source),
        )
        for run in record.cells
    )
    return replace(record, cells=tuple(runs))


def _first_line(source: str) -> str:
    lines = (line.strip() for line in source.splitlines())
    return shorten(next(filter(None, lines), ""), most=MAX_FIRST_LINE)


def run_flags(record: ExecutionRecord, *, team: tuple[Student, ...]) -> Iterator[Flag]:
    """Yield flags about a run that a person should look at."""
    struck_cells = [run.index for run in record.cells if run.status is CellStatus.STRUCK_OUT]
    if struck_cells:
        yield Flag(FlagKind.CELLS_STRUCK_OUT, tuple(map(str, struck_cells)))
    if not team:
        yield Flag(FlagKind.NOBODY_NAMED)


def commit_to_seed(assignment: str, seed: bytes) -> str:
    """Return a digest that binds an assignment to its secret seed, and does not tell it."""
    return hashlib.sha256(assignment.encode() + b"\0" + seed).hexdigest()


def build_provenance(
    notebook: Notebook,
    *,
    record: ExecutionRecord,
    rubric: Rubric,
    reference: Notebook,
    seed: bytes,
) -> Provenance:
    """Return what the grade was made from, without paths and secrets."""
    return Provenance(
        notebook=notebook.sha256,
        rubric=rubric.sha256,
        reference=reference.sha256,
        grader=grader.__version__,
        versions=dict(record.versions),
        time=timestamps.now_text(),
        seed_commitment=commit_to_seed(rubric.id, seed),
        assignment=rubric.id,
        isolation=record.isolation.description,
        level=record.isolation.level,
        limits=asdict(rubric.limits),
    )
