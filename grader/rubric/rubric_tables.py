"""Defines the tables of a rubric file that `model` has no record for, and the whole file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, ValidationInfo

from grader import timestamps
from grader.model import (
    DEFAULT_BLANK,
    Item,
    LateRule,
    Limits,
    Marking,
    NotebookSpec,
    Notice,
    PublicSupplement,
    Unsettled,
)
from grader.model.field_types import Blank, Id, Module, Name, OptionalText, Points, RequiredText
from grader.model.json_types import Json

NEWEST_SCHEMA = 1
"""The newest schema that is read; raise it when a key changes its meaning."""
MAX_GRACE_MINUTES = 7 * 24 * 60
"""The longest grace: a week."""


def _check_timezone(name: str) -> str:
    return timestamps.find_zone(name).key if name else ""


def _read_due_date(value: Json, info: ValidationInfo) -> str:
    """Return a moment in ISO 8601; refuse one without the offset of its time zone on that day."""
    name = info.data.get("timezone") or ""
    zone = timestamps.find_zone(name) if name else None
    due = timestamps.parse_due(value, zone=zone)
    if zone is not None and due.utcoffset() not in {
        timedelta(0),
        due.astimezone(zone).utcoffset(),
    }:
        expected = due.replace(tzinfo=zone).isoformat()
        raise ValueError(f"has not the offset that {name} has on that day: {expected}")
    return due.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentTable:
    """The assignment as a whole."""

    id: Id
    """Names it in `--assignment`, and its folder `rubrics/<id>/` of tests and files."""
    title: RequiredText
    """What people call it; up to a colon it is the short title of pages: "HW 5"."""
    total: Points
    """The points of all items together."""
    default: bool = False
    """Whether `grade submissions/` grades by it where several rubrics are."""
    reference: OptionalText = ""
    """Path of the reference notebook; '' in a public rubric, and beside `[[notebook]]`."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Public: `random`, NumPy and torch are seeded with it before the first cell."""
    cell_seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    """`random` and NumPy are seeded with it before each cell, as otter-grader's `seed` does."""
    seed_variable: Annotated[str, Field(pattern=r"^[^\W\d]\w*$")] | None = None
    """A name of the notebook's: it holds `cell_seed` before each cell, and nothing is seeded."""
    optional_imports: tuple[Module, ...] = ()
    """Modules that the handout imports and nobody needs: docs/packages.md."""
    record: tuple[Name, ...] = ()
    """Functions whose calls are recorded where notebooks define them, for checks of training."""
    checks: tuple[Module, ...] = ()
    """Modules of checks beside the general ones, the course's own or `grader.contrastive`."""
    provided: RequiredText | None = None
    """A folder, by its path from the rubric, whose files lie beside every notebook when it runs."""
    imported_from: Literal["", "nbgrader", "otter"] = ""
    """Whose assignment it was: docs/migrating.md."""
    blank: Blank = DEFAULT_BLANK
    """What stands for a solution in the notebook for students."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateTable:
    """`[late]`: when the assignment is due, and the deduction for each day."""

    timezone: Annotated[str, AfterValidator(_check_timezone)] = ""
    """IANA name of the zone of times without an offset: "America/Chicago"."""
    due: Annotated[str, PlainValidator(_read_due_date)]
    """A day and a time, with an offset or in `timezone`."""
    grace_minutes: Annotated[int, Field(ge=0, le=MAX_GRACE_MINUTES)] = 0
    """Minutes after it that cost nothing; they delay each later day, too."""
    per_day: Points
    """What each day that has begun takes."""
    unit: Literal["points", "percent"]
    """Whether that is points, or percent of what was earned."""
    cap: Points | None = None
    """The most that lateness takes; no maximum without it."""

    def to_rule(self) -> LateRule:
        """Return the rule by which lateness is counted."""
        return LateRule(
            due=self.due,
            grace_s=60 * self.grace_minutes,
            per_day=self.per_day,
            unit=self.unit,
            cap=self.cap,
            timezone=self.timezone,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricFile:
    """A whole rubric file, whose schema number was checked before."""

    # No unknown keys and no conversion of values; nested tables inherit this.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid")

    rubric_schema: Annotated[int, Field(alias="schema", ge=1)]
    assignment: AssignmentTable
    limits: Limits = field(default_factory=Limits)
    late: LateTable | None = None
    notices: Annotated[tuple[Notice, ...], Field(alias="notice")] = ()
    marking: Marking = field(default_factory=Marking)
    notebooks: Annotated[tuple[NotebookSpec, ...], Field(alias="notebook")] = ()
    items: Annotated[tuple[Item, ...], Field(alias="item", min_length=1)]
    unsettled: tuple[Unsettled, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRubricFile(RubricFile):
    """A rubric file for students: with public checks only, and no reference."""

    public: PublicSupplement
