"""What a grade says beside its points: whose code, which flags, and what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import grader
from grader.checks import CHECKS
from grader.model import (
    CellStatus,
    Excerpt,
    ExecutionRecord,
    Finding,
    Notebook,
    Provenance,
    Rubric,
    Score,
    Student,
)
from grader.notebook import code_about
from grader.scoring import attention

EXCERPTS = 4
"""Code cells shown beside an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What all submissions of a run were graded with."""

    rubric: Rubric
    reference: Notebook
    seed: bytes


def code_of_items(
    notebook: Notebook, *, rubric: Rubric, findings: tuple[Finding, ...]
) -> Mapping[str, tuple[Excerpt, ...]]:
    """The student's own code for each item: where its names are made, and where findings point."""
    code = {}
    for item in rubric.items:
        names: set[str] = set()
        for spec in item.checks:
            check = CHECKS[spec.code]
            names |= set(check.names(check.params.model_validate(spec.params)))
        found = {excerpt.cell: excerpt for excerpt in code_about(notebook, names)}
        pointed = {c for f in findings if f.item == item.id for c in f.cells if c >= 0}
        for cell in notebook.code():
            if cell.index in pointed:
                found.setdefault(cell.index, Excerpt(cell=cell.index, source=cell.source))
        if found:
            code[item.id] = tuple(found[index] for index in sorted(found))[:EXCERPTS]
    return code


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
