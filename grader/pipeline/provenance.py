"""What a grade says beside its points: whose code, which flags, and what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

import grader
from grader.checks import CHECKS
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
from grader.notebook import alike, code_about
from grader.notebook.code_matching import Given, Like
from grader.scoring import attention

EXCERPTS = 4
"""Code cells shown beside an item."""
BY_HAND = "a person told us that it belongs here"
NO_CODE = Given()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all submissions of a run were graded with."""

    rubric: Rubric
    reference: Notebook
    seed: bytes


def code_of_items(
    notebook: Notebook,
    *,
    rubric: Rubric,
    findings: tuple[Finding, ...],
    given: Given = NO_CODE,
    told: Mapping[str, tuple[int, ...]] | None = None,
) -> Mapping[str, tuple[Excerpt, ...]]:
    """The student's own code for each item: where its names are made, and where findings point.

    Cells made from the code that the handout gives for the item come after these; where a person
    told the cells, these are all.
    """
    by_hand = told or {}
    made_from = alike(notebook.code(), code=given)
    code = {}
    for item in rubric.items:
        if item.kind == "auto" and item.id in by_hand:
            cells = [cell for cell in notebook.code() if cell.index in by_hand[item.id]]
            found = {c.index: Excerpt(cell=c.index, source=c.source, how=BY_HAND) for c in cells}
        else:
            found = _named(notebook, item=item, findings=findings)
            _add_alike(found, notebook=notebook, item=item, made_from=made_from)
        if found:
            code[item.id] = tuple(found[index] for index in sorted(found))
    return code


def _named(notebook: Notebook, *, item: Item, findings: tuple[Finding, ...]) -> dict[int, Excerpt]:
    """The cells that make an item's names, and those that findings point at."""
    names: set[str] = set()
    for spec in item.checks:
        check = CHECKS[spec.code]
        names |= set(check.names(check.params.model_validate(spec.params)))
    found = {excerpt.cell: excerpt for excerpt in code_about(notebook, names)}
    pointed = {c for f in findings if f.item == item.id for c in f.cells if c >= 0}
    for cell in notebook.code():
        if cell.index in pointed:
            found.setdefault(cell.index, Excerpt(cell=cell.index, source=cell.source))
    return {index: found[index] for index in sorted(found)[:EXCERPTS]}


def _add_alike(
    found: dict[int, Excerpt], *, notebook: Notebook, item: Item, made_from: Iterable[Like]
) -> None:
    """Add cells made from the code given for an item, as far as there is room."""
    for like in made_from:
        if like.item == item.id and item.checks and len(found) < EXCERPTS:
            how = f"{like.likeness:.0%} alike to the code that the handout gives for this"
            source = notebook.cells[like.cell].source
            found.setdefault(like.cell, Excerpt(cell=like.cell, source=source, how=how))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """What to say where it is not sure in which cells items are answered."""

    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def unsure(answers: Mapping[str, Answer]) -> Unsure:
    """A flag for staff and a note for the team, if an answer may be another or not all of it."""
    items = ", ".join(item for item, answer in answers.items() if answer.doubt)
    if not items:
        return Unsure()
    told = f"unsure where {items} is answered: `grade parts` says why, and takes a correction"
    note = (
        f"We are not sure that we found your whole answer to {items}; beside it stands why. "
        "If it is not all of it, tell your instructor which cells it is in."
    )
    return Unsure(flags=(told,), notes=(note,))


def without_outputs(record: ExecutionRecord) -> ExecutionRecord:
    """The record without what cells printed: that stays with what the run left behind."""
    return replace(record, cells=tuple(replace(run, shown="", media=()) for run in record.cells))


def flags(score: Score, *, record: ExecutionRecord, team: tuple[Student, ...]) -> tuple[str, ...]:
    """What asks for a person, in words for staff."""
    told = list(attention(score))
    struck = [run.index for run in record.cells if run.status is CellStatus.STRUCK_OUT]
    if struck:
        told.append(f"left out because it ended its kernel: cell {', '.join(map(str, struck))}")
    if not team:
        told.append("no name or id found")
    return tuple(told)


def notes(notebook: Notebook) -> tuple[str, ...]:
    """What the team should know that costs nothing."""
    return notebook.notes


def provenance(notebook: Notebook, *, record: ExecutionRecord, origin: Origin) -> Provenance:
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
        isolation=record.isolation.told,
        level=record.isolation.level,
        limits=asdict(origin.rubric.limits),
    )
