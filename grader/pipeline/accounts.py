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
    Verdict,
)
from grader.notebook import code_about

FOLLOW_THROUGH = 5
"""Blocked points from which a person is asked."""
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
    told = []
    if score.total.blocked >= FOLLOW_THROUGH:
        points = float(score.total.blocked)
        told.append(f"{points:g} points blocked: follow-through may be awarded")
    errors = [i.item.id for i in score.items if i.verdict is Verdict.ERROR]
    if errors:
        told.append(f"the grader could not judge {', '.join(errors)}")
    waiting = [
        i.item.id for i in score.items if i.verdict is Verdict.PENDING and i.item.kind == "auto"
    ]
    if waiting:
        told.append(f"a person decides {', '.join(waiting)}")
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
        isolation=record.isolation.told,
        level=record.isolation.level,
        limits=asdict(origin.rubric.limits),
    )
