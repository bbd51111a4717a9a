"""The keys that a rubric file may have, and what their values may be."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
)

from grader import timestamps

NEWEST_SCHEMA = 1
"""The newest schema that is read; it rises when a key changes its meaning."""
MAX_GRACE_MINUTES = 7 * 24 * 60
"""Minutes of a week: the longest grace."""


def parse_number(value: object) -> Fraction:
    """A number as it is written in the file: 2.5 is five halves, not a float near it.

    Args:
        value: What the TOML reader made of it.

    Returns:
        The exact number.

    Raises:
        ValueError: It is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")  # noqa: TRY004 -- pydantic turns ValueError into a complaint
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("must be a finite number")
    return Fraction(value)


def parse_nonnegative(value: object) -> Fraction:
    """A number of points that an item or a check may have.

    Args:
        value: What the TOML reader made of it.

    Returns:
        The exact number.

    Raises:
        ValueError: It is no finite number, or is below 0.
    """
    points = parse_number(value)
    if points < 0:
        raise ValueError("must not be below 0")
    return points


def parse_seconds(value: object) -> float:
    """A time limit.

    Args:
        value: What the TOML reader made of it.

    Returns:
        The seconds.

    Raises:
        ValueError: It is no number above 0.
    """
    duration = parse_number(value)
    if duration <= 0:
        raise ValueError("must be above 0")
    return float(duration)


def parse_pattern(value: object) -> str:
    """A regular expression.

    Args:
        value: What the TOML reader made of it.

    Returns:
        The same.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 -- as above
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    return value


def parse_timezone(name: str) -> str:
    """A time zone's IANA name, or ''.

    Args:
        name: What the file says.

    Returns:
        The same.

    Raises:
        ValueError: There is no such zone.
    """
    return timestamps.find_zone(name).key if name else ""


def parse_due_date(value: object, info: ValidationInfo) -> str:
    """A date and time with its offset from UTC.

    Args:
        value: What the TOML reader made of it.
        info: The keys before it, the time zone among them.

    Returns:
        It in ISO 8601.

    Raises:
        ValueError: It has no offset, or another than clocks in the time zone have then.
    """
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


def parse_moment(value: object) -> str:
    """A day, or a day and a time.

    Args:
        value: What the TOML reader made of it: a date of its own, or one in quotes.

    Returns:
        The same in ISO 8601; '' stays ''.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise ValueError("must be a day such as 2031-05-12, or a day and a time")  # noqa: TRY004 -- see above
    if not value:
        return ""
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a day such as 2031-05-12, or a day and a time") from None
    return value if len(value) <= len("2031-05-12") else parse_moment(parsed)


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
Module = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
OptionalText = Annotated[str, StringConstraints(strip_whitespace=True)]
RequiredText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Points = Annotated[Fraction, PlainValidator(parse_nonnegative)]
SignedPoints = Annotated[Fraction, PlainValidator(parse_number)]
Moment = Annotated[str, PlainValidator(parse_moment)]
Seconds = Annotated[float, PlainValidator(parse_seconds)]
Pattern = Annotated[str, PlainValidator(parse_pattern)]


class TomlTable(BaseModel):
    """A TOML table: no key but its own, and no value turned into another kind."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AssignmentTable(TomlTable):
    """`[assignment]`."""

    id: Id
    title: RequiredText
    total: Points
    default: bool = False
    reference: RequiredText
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    optional_imports: list[Module] = []
    record: list[Name] = []
    checks: list[Module] = []
    provided: RequiredText | None = None


class LimitsTable(TomlTable):
    """`[limits]`: how long and how large a notebook may be."""

    cell_s: Seconds = 60.0
    submission_s: Seconds = 300.0
    question_s: Seconds = 10.0
    memory_mb: Annotated[int, Field(ge=64)] = 4096
    disk_mb: Annotated[int, Field(ge=1)] = 512
    files: Annotated[int, Field(ge=100)] = 20_000
    processes: Annotated[int, Field(ge=32)] = 256
    cell_output_kb: Annotated[int, Field(ge=1)] = 4096
    output_kb: Annotated[int, Field(ge=1)] = 16_384


class MarkingTable(TomlTable):
    """`[marking]`: what students are told of marks."""

    show_markers: bool = False
    regrade_until: Moment = ""
    regrade_how: OptionalText = ""


class CheckTable(TomlTable):
    """`[[item.check]]`; params are validated by the check's own model."""

    code: RequiredText
    points: Points
    public: bool = False
    needs: list[RequiredText] = []
    ask: OptionalText = ""
    params: dict[str, Any] = {}


class NoticeTable(TomlTable):
    """`[[notice]]`: what students see and need not worry about."""

    says: RequiredText
    printed: Pattern = ""


class ItemCriterionTable(TomlTable):
    """`[[item.criterion]]`: points may be below 0, to be taken off."""

    id: Id
    text: RequiredText
    points: SignedPoints
    keywords: list[RequiredText] = []


class ItemTable(TomlTable):
    """`[[item]]`."""

    id: Id
    title: RequiredText
    points: Points
    kind: Literal["auto", "written"]
    source: Literal["handout", "course"]
    prompt: OptionalText = ""
    good_answer: OptionalText = ""
    why: OptionalText = ""
    about: list[Id] = []
    examples: bool = False
    example_words: list[RequiredText] = []
    check: list[CheckTable] = []
    criterion: list[ItemCriterionTable] = []


class LateTable(TomlTable):
    """`[late]`: when it is due, and what a day takes."""

    timezone: Annotated[str, AfterValidator(parse_timezone)] = ""
    due: Annotated[str, PlainValidator(parse_due_date)]
    grace_minutes: Annotated[int, Field(ge=0, le=MAX_GRACE_MINUTES)] = 0
    per_day: Points
    unit: Literal["points", "percent"]
    cap: Points | None = None


class RubricFile(TomlTable):
    """The whole file; its schema number is looked at before."""

    rubric_schema: Annotated[int, Field(alias="schema", ge=1)]
    assignment: AssignmentTable
    limits: LimitsTable = LimitsTable()
    late: LateTable | None = None
    notice: list[NoticeTable] = []
    marking: MarkingTable = MarkingTable()
    item: Annotated[list[ItemTable], Field(min_length=1)]
