"""The contract of `results/<submission>.json`, as a program that reads such files holds it."""

from __future__ import annotations

import json
from typing import Any, Literal, NoReturn, Self

from pydantic import BaseModel, ConfigDict, model_validator

Number = int | float
VerdictWord = Literal["passed", "partial", "failed", "blocked", "pending", "error"]
StatusWord = Literal["graded", "needs_marks", "ungradable"]
CellWord = Literal["ran", "raised", "timed_out", "struck_out", "not_reached", "skipped"]


class ResultsModel(BaseModel):
    """What all parts share: they don't change, unknown keys are ignored, and NaN is no number."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


class StudentPart(ResultsModel):
    """One member of the team."""

    name: str
    id: str
    email: str = ""
    section: str = ""


class StudentLatenessPart(ResultsModel):
    """How late it is for one student; a deduction that isn't known yet is null."""

    due: str
    at: str
    late_s: int
    days: int
    deduction: Number | None
    final: Number | None


class TeamLatenessPart(ResultsModel):
    """How late it is for each of `students` in order; null where nobody says when it came."""

    each: list[StudentLatenessPart | None]


class ScorePart(ResultsModel):
    """The points of the submission; all null where it is ungradable."""

    auto: Number | None
    marked: Number | None
    earned: Number | None
    pending: Number | None
    blocked: Number | None
    possible: Number | None
    late: TeamLatenessPart | None
    final: Number | None


class FindingPart(ResultsModel):
    """A check's conclusion."""

    code: str
    title: str = ""
    verdict: VerdictWord
    earned: Number
    possible: Number
    expected: str
    found: str
    hint: str
    public: bool = False
    blocked_by: str = ""


class CriterionPart(ResultsModel):
    """A criterion of a written item, as it was met or not."""

    id: str
    text: str
    points: Number
    met: bool


class MarkPart(ResultsModel):
    """What a person gave a written answer."""

    points: Number
    criteria: list[CriterionPart]
    adjustment: Number
    comment: str
    reason: str
    by: str
    at: str


class OverridePart(ResultsModel):
    """What a person decided instead of what checks concluded."""

    points: Number
    found: Number | None
    comment: str
    reason: str
    by: str
    at: str


class ItemResultPart(ResultsModel):
    """One line of the rubric; `earned` is null while a person is still needed."""

    id: str
    title: str
    kind: str
    source: str
    possible: Number
    earned: Number | None
    verdict: VerdictWord
    mark: MarkPart | None
    override: OverridePart | None
    findings: list[FindingPart]

    @model_validator(mode="after")
    def _check_earned(self) -> Self:
        if (self.earned is None) != (self.verdict in {"pending", "error"}):
            raise ValueError(f"{self.id}: `earned` is null if and only if a person is needed")
        return self


class CellPart(ResultsModel):
    """What happened to one code cell."""

    index: int
    status: CellWord
    seconds: Number | None
    error: str | None


class Result(ResultsModel):
    """One submission."""

    schema_: Literal[1]
    assignment: str
    submission: str
    students: list[StudentPart]
    status: StatusWord
    reason: str | None
    score: ScorePart
    items: list[ItemResultPart]
    cells: list[CellPart]
    provenance: dict[str, Any]
    flags: list[str] = []
    notes: list[str] = []
    remarks: list[str] = []

    model_config = ConfigDict(
        alias_generator=lambda name: name.rstrip("_"),
        validate_by_name=True,
        serialize_by_alias=True,
    )

    @model_validator(mode="after")
    def _check_consistency(self) -> Self:
        ungradable = self.status == "ungradable"
        numbers = [value for name, value in self.score if name != "late" and value is not None]
        if ungradable and (self.items or numbers or self.reason is None):
            raise ValueError("an ungradable result has a reason, no items and no numbers")
        if not ungradable and (self.reason is not None or self.score.earned is None):
            raise ValueError("a result that is not ungradable has numbers and no reason")
        if self.score.final is not None and self.status != "graded":
            raise ValueError("`final` is null while the status is not graded")
        if self.score.final is None and self.status == "graded" and self.score.late is None:
            raise ValueError("`final` is a number if the status is graded, unless it came late")
        return self


def result_from_json(text: str) -> Result:
    """Read such a file; keys this reader doesn't know are ignored.

    Raises:
        ValueError: It is no JSON, holds NaN, has another `schema` or breaks the contract.
    """
    data = json.loads(text, parse_constant=_refuse_constant)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != 1 or isinstance(schema, bool):
        raise ValueError(f"This result has schema {schema!r}; this version reads 1.")
    return Result.model_validate(data)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in a result")
