"""Writes and reads `results/<submission>.json`, the contract that docs/results.md publishes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from pydantic import ValidationError

from grader import scoring
from grader.errors import UsageError
from grader.exports.number_format import escape_invisible, replace_surrogates, to_number
from grader.exports.results_schema import (
    CellPart,
    CriterionPart,
    FindingPart,
    ItemResultPart,
    MarkPart,
    OverridePart,
    Result,
    ScorePart,
    StatusWord,
    StudentLatenessPart,
    StudentPart,
    TeamLatenessPart,
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
from grader.report.flag_text import flag_text
from grader.scoring import automatic_points, is_by_criteria

SCHEMA = 1


def result_to_json(graded: Graded, *, rubric: Rubric) -> str:
    """One submission as JSON: UTF-8, indented, never NaN, a line end at the end."""
    return escape_invisible(build_result(graded, rubric=rubric).model_dump_json(indent=2)) + "\n"


def class_to_json(
    results: Iterable[Graded], *, rubric: Rubric, missing: Iterable[Student] = ()
) -> str:
    """All submissions of a run in one object, each as in its own file; and who is in none."""
    records = [build_result(graded, rubric=rubric).model_dump(mode="python") for graded in results]
    absent = [_student(student).model_dump(mode="python") for student in missing]
    document = {
        "schema": SCHEMA,
        "assignment": replace_surrogates(rubric.id),
        "results": records,
        "missing": absent,
    }
    return _dump_json(document)


def result_from_json(text: str) -> Result:
    """The record that such a file holds; keys this version doesn't know are ignored.

    Raises:
        UsageError: it is no JSON, says NaN, has another `schema` or breaks the contract.
    """
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"This is not a result in JSON: {error}") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA or isinstance(schema, bool):
        raise UsageError(f"This result has schema {schema!r}; this version reads {SCHEMA}.")
    try:
        return Result.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise UsageError(
            f"This result breaks its contract at {location}: {first['msg']}"
        ) from error


def build_result(graded: Graded, *, rubric: Rubric) -> Result:
    """The submission as the published record."""
    ungradable = graded.score is None
    return Result(
        schema_=1,
        assignment=replace_surrogates(rubric.id),
        submission=replace_surrogates(graded.submission.name),
        students=[_student(student) for student in graded.students],
        status=_status(graded),
        reason=replace_surrogates(graded.reason or "no reason was recorded")
        if ungradable
        else None,
        score=_score(graded),
        items=[_item(item, rubric=rubric) for item in graded.score.items] if graded.score else [],
        cells=[_cell(run) for run in graded.record.cells],
        provenance=_provenance(graded.provenance),
        flags=[replace_surrogates(flag_text(flag)) for flag in graded.flags],
        notes=[replace_surrogates(flag_text(note)) for note in graded.notes],
        remarks=[replace_surrogates(remark) for remark in graded.submission.remarks],
    )


def _status(graded: Graded) -> StatusWord:
    if graded.score is None:
        return "ungradable"
    return "needs_marks" if graded.score.total.final is None else "graded"


def _student(student: Student) -> StudentPart:
    return StudentPart(
        name=replace_surrogates(student.name),
        id=replace_surrogates(student.id),
        email=replace_surrogates(student.email),
        section=replace_surrogates(student.section),
    )


def _score(graded: Graded) -> ScorePart:
    late = _team_lateness(graded)
    if graded.score is None:
        nulls = dict.fromkeys(ScorePart.model_fields)
        return ScorePart.model_validate({**nulls, "late": late})
    tally = graded.score.total
    finals = {scoring.final_points(tally, late=lateness) for lateness in graded.lateness or (None,)}
    final = finals.pop() if len(finals) == 1 else None
    return ScorePart(
        auto=to_number(tally.auto),
        marked=to_number(tally.marked),
        earned=to_number(tally.earned),
        pending=to_number(tally.pending),
        blocked=to_number(tally.blocked),
        possible=to_number(tally.possible),
        late=late,
        final=None if final is None else to_number(final),
    )


def _team_lateness(graded: Graded) -> TeamLatenessPart | None:
    """How late it is for each student, in the order of `students`."""
    if not graded.lateness:
        return None
    tally = graded.score.total if graded.score else None
    return TeamLatenessPart(
        each=[_student_lateness(lateness, tally) for lateness in graded.lateness]
    )


def _student_lateness(late: Lateness | None, tally: Tally | None) -> StudentLatenessPart | None:
    if late is None:
        return None
    final = scoring.final_points(tally, late=late) if tally else None
    return StudentLatenessPart(
        due=late.due,
        at=late.at,
        late_s=late.late_s,
        days=late.days,
        deduction=None if late.deduction is None else to_number(late.deduction),
        final=None if final is None else to_number(final),
    )


def _item(score: ItemScore, *, rubric: Rubric) -> ItemResultPart:
    is_written = score.item.kind == "written"
    return ItemResultPart(
        id=replace_surrogates(score.item.id),
        title=replace_surrogates(score.item.title),
        kind=score.item.kind,
        source=score.item.source,
        possible=to_number(score.item.points),
        earned=None if score.earned is None else to_number(score.earned),
        verdict=score.verdict.value,
        mark=_mark(score, rubric=rubric) if is_written else None,
        override=None if is_written else _override(score, rubric=rubric),
        findings=[_finding(finding) for finding in score.findings],
    )


def _mark(score: ItemScore, *, rubric: Rubric) -> MarkPart | None:
    mark = score.mark
    if mark is None:
        return None
    return MarkPart(
        points=to_number(mark.points),
        criteria=[
            CriterionPart(
                id=replace_surrogates(criterion.id),
                text=replace_surrogates(criterion.text),
                points=to_number(criterion.points),
                met=criterion.id in mark.criteria,
            )
            for criterion in score.item.criteria
            if is_by_criteria(mark)
        ],
        adjustment=to_number(mark.adjustment),
        comment=replace_surrogates(mark.comment),
        reason=replace_surrogates(mark.reason),
        by=_grader_name(mark, rubric=rubric),
        at=mark.at,
    )


def _override(score: ItemScore, *, rubric: Rubric) -> OverridePart | None:
    mark = score.mark
    if mark is None:
        return None
    concluded_points = automatic_points(score)
    return OverridePart(
        points=to_number(mark.points),
        found=None if concluded_points is None else to_number(concluded_points),
        comment=replace_surrogates(mark.comment),
        reason=replace_surrogates(mark.reason),
        by=_grader_name(mark, rubric=rubric),
        at=mark.at,
    )


def _grader_name(mark: Mark, *, rubric: Rubric) -> str:
    """Who gave it, where the rubric lets students know."""
    return replace_surrogates(mark.by) if rubric.marking.show_markers else "staff"


def _finding(finding: Finding) -> FindingPart:
    return FindingPart(
        code=replace_surrogates(finding.code),
        title=replace_surrogates(finding.title),
        verdict=finding.verdict.value,
        earned=to_number(finding.earned),
        possible=to_number(finding.possible),
        expected=replace_surrogates(finding.expected),
        found=replace_surrogates(finding.found),
        hint=replace_surrogates(finding.hint),
        public=finding.public,
        blocked_by=replace_surrogates(finding.blocked_by),
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
    return replace_surrogates(f"{run.error.name}: {run.error.message}{where}")


def _provenance(provenance: Provenance | None) -> dict[str, Any]:
    if provenance is None:
        return {}
    values = {
        "notebook": provenance.notebook,
        "rubric": provenance.rubric,
        "reference": provenance.reference,
        "grader": provenance.grader,
        "time": provenance.time,
        "seed_commitment": provenance.seed_commitment,
        "isolation": provenance.isolation,
        "level": provenance.level,
    }
    versions = {
        replace_surrogates(name): replace_surrogates(version)
        for name, version in provenance.versions.items()
    }
    limits = {replace_surrogates(name): value for name, value in provenance.limits.items()}
    texts = {name: replace_surrogates(text) for name, text in values.items()}
    return texts | {"versions": versions, "limits": limits}


def _dump_json(data: dict[str, Any]) -> str:
    return escape_invisible(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in a result")
