"""The keys that a rubric file may have, and what their values may be."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, StringConstraints

SCHEMA = 1
"""The newest schema that is read; it rises when a key changes its meaning."""


def exact(value: object) -> Fraction:
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


def exact_and_not_negative(value: object) -> Fraction:
    """A number of points that an item or a check may have.

    Args:
        value: What the TOML reader made of it.

    Returns:
        The exact number.

    Raises:
        ValueError: It is no finite number, or is below 0.
    """
    points = exact(value)
    if points < 0:
        raise ValueError("must not be below 0")
    return points


def seconds(value: object) -> float:
    """A time limit.

    Args:
        value: What the TOML reader made of it.

    Returns:
        The seconds.

    Raises:
        ValueError: It is no number above 0.
    """
    duration = exact(value)
    if duration <= 0:
        raise ValueError("must be above 0")
    return float(duration)


def moment(value: object) -> str:
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
        read = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be a day such as 2031-05-12, or a day and a time") from None
    return value if len(value) <= len("2031-05-12") else moment(read)


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
Module = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Points = Annotated[Fraction, PlainValidator(exact_and_not_negative)]
SignedPoints = Annotated[Fraction, PlainValidator(exact)]
Moment = Annotated[str, PlainValidator(moment)]
Seconds = Annotated[float, PlainValidator(seconds)]


class Table(BaseModel):
    """A TOML table: no key but its own, and no value turned into another kind."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AssignmentTable(Table):
    """`[assignment]`."""

    id: Id
    title: Said
    total: Points
    default: bool = False
    reference: Said
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    optional_imports: list[Module] = []
    record: list[Name] = []


class LimitsTable(Table):
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


class MarkingTable(Table):
    """`[marking]`: what students are told of marks."""

    show_markers: bool = False
    regrade_until: Moment = ""
    regrade_how: Text = ""


class CheckTable(Table):
    """`[[item.check]]`; params are validated by the check's own model."""

    code: Said
    points: Points
    public: bool = False
    needs: list[Said] = []
    params: dict[str, Any] = {}


class CriterionTable(Table):
    """`[[item.criterion]]`: points may be below 0, to be taken off."""

    id: Id
    text: Said
    points: SignedPoints
    keywords: list[Said] = []


class ItemTable(Table):
    """`[[item]]`."""

    id: Id
    title: Said
    points: Points
    kind: Literal["auto", "written"]
    source: Literal["handout", "course"]
    prompt: Text = ""
    good_answer: Text = ""
    why: Text = ""
    examples: bool = False
    example_words: list[Said] = []
    check: list[CheckTable] = []
    criterion: list[CriterionTable] = []


class RubricFile(Table):
    """The whole file; its schema number is looked at before."""

    rubric_schema: Annotated[int, Field(alias="schema", ge=1)]
    assignment: AssignmentTable
    limits: LimitsTable = LimitsTable()
    marking: MarkingTable = MarkingTable()
    item: Annotated[list[ItemTable], Field(min_length=1)]
