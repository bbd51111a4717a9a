"""Defines the types of a rubric's fields, with their validators."""

from __future__ import annotations

import ast
import math
import re
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from grader.model.json_types import Json

_FRACTION = re.compile(r"[0-9]+/[1-9][0-9]*")
_DAY_HINT = "must be a day such as 2031-05-12, or a day and a time"


def read_number(value: Json, info: ValidationInfo) -> Fraction:
    """Read a number exactly as it is written: 2.5 is five halves, not a float near it.

    Args:
        value: A number of a rubric (JSON), the text '2/3', or the text '2' of a stored record.
        info: Tells the two apart: a rubric is read as JSON, where other text is no number.

    Raises:
        ValueError: The value is not a finite number.
    """
    if isinstance(value, str) and _FRACTION.fullmatch(value):
        return parse_fraction(value)
    if info.mode == "python" and isinstance(value, str | Fraction):
        return parse_fraction(str(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")  # noqa: TRY004 -- pydantic turns ValueError into a complaint
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return Fraction(repr(value))


def parse_fraction(text: str) -> Fraction:
    """Parse '5/2' or '2'; five times as fast as `Fraction(text)`, which takes many more forms."""
    numerator, _, denominator = text.partition("/")
    return Fraction(int(numerator), int(denominator or 1))


def _check_nonnegative(points: Fraction) -> Fraction:
    if points < 0:
        raise ValueError("must not be below 0")
    return points


def _read_seconds(value: Json, info: ValidationInfo) -> float:
    duration = read_number(value, info)
    if duration <= 0:
        raise ValueError("must be above 0")
    return float(duration)


def _read_pattern(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")  # noqa: TRY004 -- as above
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


def _read_moment(value: Json) -> str:
    """Return a day as it is, a day and a time as ISO 8601 with minutes; '' stays ''."""
    if not isinstance(value, str):
        raise ValueError(_DAY_HINT)  # noqa: TRY004 -- as above
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(_DAY_HINT) from None
    is_day = len(value) <= len("2031-05-12")
    return value if is_day else moment.isoformat(sep=" ", timespec="minutes")


def _check_code(code: str, info: ValidationInfo) -> str:
    """Refuse a code that the catalog, the context of a rubric's reader, does not have."""
    if info.context is not None and code not in info.context:
        raise PydanticCustomError("unknown_check", "there is no check '{code}'", {"code": code})
    return code


def _read_params(value: Json, info: ValidationInfo) -> Any:
    """Validate parameters by the model that the catalog has for the check's code.

    Stored records are read without a catalog and hold no parameters.
    """
    code = info.data.get("code")
    if info.context is None or code is None:
        return None
    if value is not None and not isinstance(value, dict):
        raise ValueError("must be a table")
    return info.context[code].model_validate(value or {})


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*$")]
Module = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
OptionalText = Annotated[str, StringConstraints(strip_whitespace=True)]
RequiredText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
SignedPoints = Annotated[Fraction, PlainValidator(read_number), PlainSerializer(str)]
Points = Annotated[SignedPoints, AfterValidator(_check_nonnegative)]
Seconds = Annotated[float, PlainValidator(_read_seconds)]
Moment = Annotated[str, PlainValidator(_read_moment)]


def _check_blank(blank: str) -> str:
    """Return what stands for a solution: a comment, or Python in one line."""
    if "\n" in blank or not blank.strip():
        raise ValueError("must be one line")
    try:
        ast.parse(blank)
    except SyntaxError:
        raise ValueError("must be Python, such as ... or raise NotImplementedError") from None
    return blank.strip()


Blank = Annotated[str, AfterValidator(_check_blank)]
Pattern = Annotated[str, PlainValidator(_read_pattern)]
CheckCode = Annotated[RequiredText, AfterValidator(_check_code)]
CheckParams = Annotated[Any, PlainValidator(_read_params)]
