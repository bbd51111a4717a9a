"""Writes and reads `results/<submission>.json`, the contract that docs/results.md publishes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from pydantic import ValidationError

from grader import scoring
from grader.errors import UsageError
from grader.exports.number_format import escaped, rounded, storable
from grader.exports.results_schema import (
    CellPart,
    CriterionPart,
    FindingPart,
    ItemPart,
    LatenessPart,
    LatePart,
    MarkPart,
    OverridePart,
    Result,
    ScorePart,
    StatusWord,
    StudentPart,
)
from grader.model import (
    CellRun,
    Finding,
    Graded,
    ItemScore,
    Lateness,
    Mark,
    Provenance,
    Rubric,
    Student,
    Tally,
)
from grader.scoring import by_criteria, concluded

SCHEMA = 1


def to_json(graded: Graded, *, rubric: Rubric) -> str:
    """One submission as JSON: UTF-8, indented, never NaN, a line end at the end."""
    return escaped(result(graded, rubric=rubric).model_dump_json(indent=2)) + "\n"


def class_json(
    results: Iterable[Graded], *, rubric: Rubric, missing: Iterable[Student] = ()
) -> str:
    """All submissions of a run in one object, each as in its own file; and who is in none."""
    parts = [result(graded, rubric=rubric).model_dump(mode="python") for graded in results]
    absent = [_student(one).model_dump(mode="python") for one in missing]
    whole = {
        "schema": SCHEMA,
        "assignment": storable(rubric.id),
        "results": parts,
        "missing": absent,
    }
    return _written(whole)


def from_json(text: str) -> Result:
    """The record that such a file holds; keys this version doesn't know are ignored.

    Raises:
        UsageError: it is no JSON, says NaN, has another `schema` or breaks the contract.
    """
    try:
        data = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"This is not a result in JSON: {error}") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA or isinstance(schema, bool):
        raise UsageError(f"This result has schema {schema!r}; this version reads {SCHEMA}.")
    try:
        return Result.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(f"This result breaks its contract at {place}: {first['msg']}") from error


def result(graded: Graded, *, rubric: Rubric) -> Result:
    """The submission as the published record."""
    ungradable = graded.score is None
    return Result(
        schema_=1,
        assignment=storable(rubric.id),
        submission=storable(graded.submission.name),
        students=[_student(one) for one in graded.students],
        status=_status(graded),
        reason=storable(graded.reason or "no reason was recorded") if ungradable else None,
        score=_score(graded),
        items=[_item(item, rubric=rubric) for item in graded.score.items] if graded.score else [],
        cells=[_cell(run) for run in graded.record.cells],
        provenance=_provenance(graded.provenance),
        flags=[storable(flag) for flag in graded.flags],
        notes=[storable(note) for note in graded.notes],
        remarks=[storable(remark) for remark in graded.submission.remarks],
    )


def _status(graded: Graded) -> StatusWord:
    if graded.score is None:
        return "ungradable"
    return "needs_marks" if graded.score.total.final is None else "graded"


def _student(one: Student) -> StudentPart:
    return StudentPart(
        name=storable(one.name),
        id=storable(one.id),
        email=storable(one.email),
        section=storable(one.section),
    )


def _score(graded: Graded) -> ScorePart:
    late = _late(graded)
    if graded.score is None:
        nothing = dict.fromkeys(ScorePart.model_fields)
        return ScorePart.model_validate({**nothing, "late": late})
    tally = graded.score.total
    finals = {scoring.final(tally, late=one) for one in graded.lateness or (None,)}
    final = finals.pop() if len(finals) == 1 else None
    return ScorePart(
        auto=rounded(tally.auto),
        marked=rounded(tally.marked),
        earned=rounded(tally.earned),
        pending=rounded(tally.pending),
        blocked=rounded(tally.blocked),
        possible=rounded(tally.possible),
        late=late,
        final=None if final is None else rounded(final),
    )


def _late(graded: Graded) -> LatePart | None:
    """How late it is for each student, in the order of `students`."""
    if not graded.lateness:
        return None
    tally = graded.score.total if graded.score else None
    return LatePart(each=[_lateness(one, tally) for one in graded.lateness])


def _lateness(late: Lateness | None, tally: Tally | None) -> LatenessPart | None:
    if late is None:
        return None
    final = scoring.final(tally, late=late) if tally else None
    return LatenessPart(
        due=late.due,
        at=late.at,
        late_s=late.late_s,
        days=late.days,
        deduction=None if late.deduction is None else rounded(late.deduction),
        final=None if final is None else rounded(final),
    )


def _item(score: ItemScore, *, rubric: Rubric) -> ItemPart:
    written = score.item.kind == "written"
    return ItemPart(
        id=storable(score.item.id),
        title=storable(score.item.title),
        kind=score.item.kind,
        source=score.item.source,
        possible=rounded(score.item.points),
        earned=None if score.earned is None else rounded(score.earned),
        verdict=score.verdict.value,
        mark=_mark(score, rubric=rubric) if written else None,
        override=None if written else _override(score, rubric=rubric),
        findings=[_finding(finding) for finding in score.findings],
    )


def _mark(score: ItemScore, *, rubric: Rubric) -> MarkPart | None:
    mark = score.mark
    if mark is None:
        return None
    return MarkPart(
        points=rounded(mark.points),
        criteria=[
            CriterionPart(
                id=storable(criterion.id),
                text=storable(criterion.text),
                points=rounded(criterion.points),
                met=criterion.id in mark.criteria,
            )
            for criterion in score.item.criteria
            if by_criteria(mark)
        ],
        adjustment=rounded(mark.adjustment),
        comment=storable(mark.comment),
        reason=storable(mark.reason),
        by=_marker(mark, rubric=rubric),
        at=mark.at,
    )


def _override(score: ItemScore, *, rubric: Rubric) -> OverridePart | None:
    mark = score.mark
    if mark is None:
        return None
    found = concluded(score)
    return OverridePart(
        points=rounded(mark.points),
        found=None if found is None else rounded(found),
        comment=storable(mark.comment),
        reason=storable(mark.reason),
        by=_marker(mark, rubric=rubric),
        at=mark.at,
    )


def _marker(mark: Mark, *, rubric: Rubric) -> str:
    """Who gave it, where the rubric lets students know."""
    return storable(mark.by) if rubric.marking.show_markers else "staff"


def _finding(finding: Finding) -> FindingPart:
    return FindingPart(
        code=storable(finding.code),
        title=storable(finding.title),
        verdict=finding.verdict.value,
        earned=rounded(finding.earned),
        possible=rounded(finding.possible),
        expected=storable(finding.expected),
        found=storable(finding.found),
        hint=storable(finding.hint),
        public=finding.public,
        blocked_by=storable(finding.blocked_by),
    )


def _cell(run: CellRun) -> CellPart:
    return CellPart(
        index=run.index,
        status=run.status.value,
        seconds=round(run.seconds, 3) if math.isfinite(run.seconds) else None,
        error=_error(run),
    )


def _error(run: CellRun) -> str | None:
    if run.error is None:
        return None
    where = f" (line {run.error.line})" if run.error.line else ""
    return storable(f"{run.error.name}: {run.error.message}{where}")


def _provenance(made: Provenance | None) -> dict[str, Any]:
    if made is None:
        return {}
    words = {
        "notebook": made.notebook,
        "rubric": made.rubric,
        "reference": made.reference,
        "grader": made.grader,
        "time": made.time,
        "seed_commitment": made.seed_commitment,
        "isolation": made.isolation,
        "level": made.level,
    }
    versions = {storable(name): storable(version) for name, version in made.versions.items()}
    limits = {storable(name): value for name, value in made.limits.items()}
    told = {name: storable(word) for name, word in words.items()}
    return told | {"versions": versions, "limits": limits}


def _written(data: dict[str, Any]) -> str:
    return escaped(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in a result")
