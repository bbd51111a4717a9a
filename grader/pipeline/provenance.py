"""What a grade says beside its points: whose code, which flags, and what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import grader
from grader.model import (
    Answer,
    CellStatus,
    Excerpt,
    ExecutionRecord,
    Finding,
    Item,
    Notebook,
    Provenance,
    Rubric,
    Score,
    Student,
)
from grader.notebook import find_definitions, match_code
from grader.notebook.code_matching import CodeMatch, HandoutCode
from grader.scoring import score_flags

MAX_EXCERPTS = 4
"""Code cells shown beside an item."""
BY_HAND = "a person told us that it belongs here"
NO_CODE = HandoutCode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all submissions of a run were graded with."""

    rubric: Rubric
    reference: Notebook
    seed: bytes


def code_by_item(
    notebook: Notebook,
    *,
    items: Iterable[Item],
    names: Mapping[str, frozenset[str]],
    findings: tuple[Finding, ...],
    handout_code: HandoutCode = NO_CODE,
    overrides: Mapping[str, tuple[int, ...]] | None = None,
) -> Mapping[str, tuple[Excerpt, ...]]:
    """The student's own code for each item: where its names are made, and where findings point.

    Cells made from the code that the handout gives for the item come after these; where a person
    told the cells, these are all.
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
    """The cells that make an item's names, and those that findings point at."""
    excerpts = {excerpt.cell: excerpt for excerpt in find_definitions(notebook, names)}
    referenced = {c for f in findings if f.item == item.id for c in f.cells if c >= 0}
    for cell in notebook.code_cells():
        if cell.index in referenced:
            excerpts.setdefault(cell.index, Excerpt(cell=cell.index, source=cell.source))
    return {index: excerpts[index] for index in sorted(excerpts)[:MAX_EXCERPTS]}


def _add_similar(
    excerpts: dict[int, Excerpt], *, notebook: Notebook, item: Item, matches: Iterable[CodeMatch]
) -> None:
    """Add cells made from the code given for an item, as far as there is room."""
    for match in matches:
        if match.item == item.id and item.checks and len(excerpts) < MAX_EXCERPTS:
            how = f"{match.similarity:.0%} alike to the code that the handout gives for this"
            source = notebook.cells[match.cell].source
            excerpts.setdefault(match.cell, Excerpt(cell=match.cell, source=source, how=how))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationDoubts:
    """What to say where it is not sure in which cells items are answered."""

    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def describe_location_doubts(answers: Mapping[str, Answer]) -> LocationDoubts:
    """A flag for staff and a note for the team, if an answer may be another or not all of it."""
    items = ", ".join(item for item, answer in answers.items() if answer.doubt)
    if not items:
        return LocationDoubts()
    flag = f"unsure where {items} is answered: `grade parts` says why, and takes a correction"
    note = (
        f"We are not sure that we found your whole answer to {items}; beside it stands why. "
        "If it is not all of it, tell your instructor which cells it is in."
    )
    return LocationDoubts(flags=(flag,), notes=(note,))


def without_outputs(record: ExecutionRecord) -> ExecutionRecord:
    """The record without what cells printed: that stays with what the run left behind."""
    return replace(record, cells=tuple(replace(run, shown="", media=()) for run in record.cells))


def staff_flags(
    score: Score, *, record: ExecutionRecord, team: tuple[Student, ...]
) -> tuple[str, ...]:
    """What asks for a person, in words for staff."""
    messages = list(score_flags(score))
    struck_cells = [run.index for run in record.cells if run.status is CellStatus.STRUCK_OUT]
    if struck_cells:
        messages.append(
            f"left out because it ended its kernel: cell {', '.join(map(str, struck_cells))}"
        )
    if not team:
        messages.append("no name or id found")
    return tuple(messages)


def notebook_notes(notebook: Notebook) -> tuple[str, ...]:
    """What the team should know that costs nothing."""
    return notebook.notes


def build_provenance(notebook: Notebook, *, record: ExecutionRecord, origin: Origin) -> Provenance:
    """What the grade was made from; no path and no secret."""
    commitment = hashlib.sha256(origin.rubric.id.encode() + b"\0" + origin.seed).hexdigest()
    return Provenance(
        notebook=notebook.sha256,
        rubric=origin.rubric.sha256,
        reference=origin.reference.sha256,
        grader=grader.__version__,
        versions=dict(record.versions),
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        seed_commitment=commitment,
        assignment=origin.rubric.id,
        isolation=record.isolation.description,
        level=record.isolation.level,
        limits=asdict(origin.rubric.limits),
    )
