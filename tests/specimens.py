"""Invented submissions of an invented class, graded by hand: what reports and exports are fed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from specimen_assignment import NOTHING, item_score, passed_findings, rubric, score
from specimen_parts import answers, cells_that_ran, code, exhibit, provenance
from specimen_parts import shown as saved_evidence

from grader.model import (
    CellError,
    CellStatus,
    ExecutionRecord,
    Finding,
    Flag,
    FlagKind,
    Graded,
    Item,
    Mark,
    Student,
    Submission,
    Verdict,
)

Record = TypeVar("Record")
HOSTILE = (
    "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'\x1b[31mred\x1b]0;title\x07"
    "\u202egnp\u202c\u200f\x00\x9b2J\ud800[bold]{{ 7*7 }}[a](javascript:alert(3))"
    "![b](https://tracker.invalid/x.png) <https://tracker.invalid/y> $a_1 * b_1 * c$"
)
"""What a page, a table, a CSV and a JSON file must all survive."""
UNSURE: Mapping[str, Any] = {"confidence": 0.8, "concern": "its heading told where it stands"}
"""Of an answer whose question was typed over."""


def submission(name: str) -> Submission:
    """A file below a folder that no report may name."""
    return Submission(
        name=name, path=Path(f"/secret-place/{name}.ipynb"), display_path=f"{name}.ipynb"
    )


def _mark(points: Fraction) -> Mark:
    """What a person gave."""
    return Mark(points=points, by="staff-7", at="2031-04-09", comment="Clear and to the point.")


def note(text: str) -> Flag:
    return Flag(FlagKind.NOTEBOOK_NOTE, (text,))


def full_marks() -> Graded:
    """A team of two that earned everything; people have marked all."""
    items = tuple(
        item_score(
            item,
            findings=tuple(
                replace(f, exhibit=exhibit()) if f.code in {"Q2.3.2-1", "Q2.3.2-5"} else f
                for f in passed_findings(item.id)
            ),
            mark=_mark(item.points) if item.kind == "written" else None,
        )
        for item in rubric().items
    )
    return Graded(
        submission=submission("team-lindgren-okoro"),
        students=(
            Student(name="Åsa Lindgren", id="al20001"),
            Student(name="Chidi Okoro", id="co20002"),
        ),
        reason=None,
        score=score(items),
        record=ExecutionRecord(cells=cells_that_ran(), versions={"python": "3.11.9"}),
        answers=answers(),
        code=code(),
        notes=(note("The handout's own loss is not a number here; it costs nothing."),),
        provenance=provenance(),
    )


def _changed(
    findings: tuple[Finding, ...], *, code: str, earned: Fraction = NOTHING, **changes: Any
) -> tuple[Finding, ...]:
    return tuple(replace(f, earned=earned, **changes) if f.code == code else f for f in findings)


def _half_right_findings(item_id: str) -> tuple[Finding, ...]:
    """The findings of a student whose bicycle is nearly a cat and whose plot cell failed."""
    found = passed_findings(item_id)
    if item_id == "Q2.3.0":
        return _changed(
            found,
            code="Q2.3.0-2",
            verdict=Verdict.FAILED,
            expected="a correlation between C1 and B1 below 0.15 either way",
            found="correlation 0.96: B1 is made from C1",
            hint="Draw B1 on its own, for example with torch.randn(3, 32, 32).",
            cells=(17,),
        )
    if item_id == "Q2.3.2":
        found = _changed(
            found,
            code="Q2.3.2-4",
            verdict=Verdict.FAILED,
            expected="the loss is called with C2 and B1 as a negative pair",
            found="2 calls, and neither contrasts C2 with B1",
            hint="The second call takes its negative from neg_pair2[1]; is that pair built?",
            cells=(21,),
        )
        return _changed(
            found,
            code="Q2.3.2-3",
            verdict=Verdict.PARTIAL,
            earned=Fraction(1, 2),
            expected="the loss is called with C1 and B1 as a negative pair",
            found="neg_pair1 holds C1 and B1, but no call contrasts them",
            hint="The loss reads the pair's second element: pass neg_pair1[1].",
            cells=(21,),
        )
    if item_id == "V1":
        return _changed(
            found,
            code="V1-1",
            verdict=Verdict.PARTIAL,
            earned=Fraction(5),
            expected="every code cell runs, in order, in a fresh Python",
            found="5 of 6 code cells ran; cell 23 raised TypeError",
            hint="Restart the kernel and run all cells once before you hand in.",
            cells=(23,),
        )
    if item_id in {"V5", "V6"}:
        by = "Q2.3.0 (B1 is independent of C1, cell 17)"
        return tuple(
            replace(f, verdict=Verdict.BLOCKED, earned=NOTHING, found="", blocked_by=by)
            for f in found
        )
    return found


def half_right() -> Graded:
    """One student, no marks yet, with items that failed, failed in part and are blocked."""
    items = tuple(
        item_score(item, findings=_half_right_findings(item.id)) for item in rubric().items
    )
    error = CellError(
        name="TypeError",
        message="cosine_similarity(): argument 'x1' must be Tensor, not list",
        line=6,
        traceback="Cell 23, line 6\n----> 6 sim = cosine_similarity(list(embeddings[0]), other)\n"
        "TypeError: cosine_similarity(): argument 'x1' must be Tensor, not list",
    )
    runs = tuple(
        replace(run, status=CellStatus.RAISED, error=error) if run.index == 23 else run
        for run in cells_that_ran()
    )
    full = full_marks()
    shown = replace(full, score=score(items))
    items = tuple(
        replace(
            one,
            findings=tuple(
                replace(f, exhibit=exhibit()) if f.code == "Q2.3.2-1" else f for f in one.findings
            ),
        )
        for one in items
    )
    return replace(
        shown,
        submission=submission("moreau"),
        students=(Student(name="Inès Moreau", id="im20003"),),
        score=score(items),
        record=ExecutionRecord(cells=runs, versions={"python": "3.11.9"}),
        flags=(Flag(FlagKind.COLLECTION_CONCERN, ("10 points are blocked: follow-through?",)),),
        notes=(*full.notes, note("No answer to Q2.2 was found.")),
        answers={**shown.answers, "Q1.2": replace(shown.answers["Q1.2"], **UNSURE)},
        evidence=saved_evidence(),
    )


def hostile() -> Graded:
    """The half-right submission with hostile words added to every text that may be foreign."""
    return hostile_words(half_right())


_OURS = frozenset({"item", "code", "mime", "base64", "kind", "status", "path", "assignment"})
"""Fields whose words are ours by contract: ids, codes and media types."""


def hostile_words(record: Record) -> Record:
    """The record with hostile words added to every text in it, however deep."""
    changes = {
        field.name: _spoiled(getattr(record, field.name))
        for field in fields(record)  # type: ignore[arg-type]  # always one of the records
        if field.name not in _OURS or isinstance(record, Graded)
    }
    return replace(record, **changes)  # type: ignore[type-var]  # always one of the records


def _spoiled(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, Verdict | CellStatus):
        return value + HOSTILE
    if isinstance(value, tuple):
        return tuple(_spoiled(part) for part in value)
    if isinstance(value, Mapping):
        return {name: _spoiled(part) for name, part in value.items()}
    ours = isinstance(value, type | Item | Submission | Mark)
    return hostile_words(value) if is_dataclass(value) and not ours else value


def ungradable() -> Graded:
    """A file that is no notebook."""
    return Graded(
        submission=submission("broken"),
        students=(),
        reason="The file is not a notebook: it is not valid JSON (line 1, column 1).",
        score=None,
        record=ExecutionRecord(cells=()),
        provenance=provenance(),
    )


def with_our_error() -> Graded:
    """A right submission on which one of our checks failed."""
    right = full_marks()
    items = tuple(
        item_score(
            item,
            findings=_changed(
                passed_findings(item.id),
                code="V6-1",
                verdict=Verdict.ERROR,
                found="the reference gave no answer",
            ),
            mark=None,
        )
        for item in rubric().items
    )
    return replace(
        right,
        submission=submission("tanaka"),
        students=(Student(name="Ren Tanaka", id="rt20004"),),
        score=score(items),
    )


ALL = (full_marks, half_right, hostile, ungradable, with_our_error)
