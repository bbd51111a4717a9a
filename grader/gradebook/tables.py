"""The tables of a gradebook, and the types of their columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

SCHEMA = MetaData()


class EncodedText(TypeDecorator[Any]):
    """A value that is kept as text.

    Args:
        encode: writes a value.
        decode: reads it again.
    """

    impl = Text
    cache_ok = True

    def __init__(self, encode: Callable[[Any], str], decode: Callable[[str], Any]) -> None:
        super().__init__()
        self.encode = encode
        self.decode = decode

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 (SQLAlchemy passes it)
        """Write a value."""
        return None if value is None else self.encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 (as above)
        """Read a value."""
        return None if value is None else self.decode(value)


FRACTION = EncodedText(str, Fraction)
"""An exact number, kept as text such as '5/2'."""
WORDS = EncodedText(json.dumps, lambda text: tuple(json.loads(text)))
"""Words, kept as a JSON list."""
FRACTIONS = EncodedText(
    lambda numbers: json.dumps([str(number) for number in numbers]),
    lambda text: tuple(Fraction(number) for number in json.loads(text)),
)
"""Exact numbers, kept as a JSON list of texts."""


def _key(name: str, kind: Any = Text, **options: Any) -> Column[Any]:
    return Column(name, kind, primary_key=True, **options)


def _required(name: str, kind: Any = Text, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


meta = Table(
    "meta",
    SCHEMA,
    _key("name"),
    _required("value"),
    comment="What the store says about itself; 'schema' is its version.",
)
seeds = Table(
    "seeds",
    SCHEMA,
    _key("assignment"),
    _required("seed"),
    comment="The secret seed of each assignment, in hexadecimal: for nobody's eyes.",
)
roll = Table(
    "roll",
    SCHEMA,
    _key("place", Integer, autoincrement=False),
    _required("name", unique=True),
    comment="The submissions of the last run in order, graded yet or not.",
)
roster = Table(
    "roster",
    SCHEMA,
    _key("place", Integer, autoincrement=False),
    _required("member"),
    comment="Everyone in the course, as the last roster had them: JSON of a member.",
)
dates = Table(
    "dates",
    SCHEMA,
    _key("assignment"),
    _key("kind"),
    _key("who"),
    _required("moment"),
    comment="Kind 'due': until when somebody may submit; 'at': when something was submitted. Never "
    "a reason.",
)
item_lists = Table(
    "item_lists",
    SCHEMA,
    _key("digest"),
    _required("document", LargeBinary),
    comment="The items of a rubric, once for all who are graded by them.",
)
submissions = Table(
    "submissions",
    SCHEMA,
    _key("name"),
    _required("key"),
    Column("item_list", ForeignKey(item_lists.c.digest), index=True),
    _required("result", LargeBinary),
    _required("pack", LargeBinary),
    _required("assignment", server_default=""),
    comment="One row for good: updated, never replaced, so that marks can belong to it. Without "
    "an item list it is one that could not be graded.",
)
traces = Table(
    "traces",
    SCHEMA,
    Column("name", ForeignKey(submissions.c.name), primary_key=True),
    _required("document", LargeBinary),
    _required("pack", LargeBinary),
    comment="What a run left behind; its small arrays stand in the pack.",
)
blobs = Table(
    "blobs",
    SCHEMA,
    _key("digest"),
    _required("data", LargeBinary),
    comment="The bytes of large arrays, under their SHA-256: equal arrays are kept once.",
)
trace_blobs = Table(
    "trace_blobs",
    SCHEMA,
    Column("name", ForeignKey(traces.c.name), primary_key=True),
    Column("digest", ForeignKey(blobs.c.digest), primary_key=True),
    Index("trace_blobs_by_digest", "digest"),
    comment="Which trace holds which blob; one that nobody holds goes with its last holder.",
)
location_overrides = Table(
    "location_overrides",
    SCHEMA,
    _key("assignment"),
    _key("submission"),
    _key("item"),
    _required("cells"),
    comment="In which cells a person says an item is answered, separated by spaces; '' says that "
    "there is no answer.",
)

# ---------------------------------------------------------------- marks

marks = Table(
    "marks",
    SCHEMA,
    _key("number", Integer, autoincrement=True),
    _required("id", unique=True),
    _required("submission"),
    _required("item"),
    _required("follows", Integer),
    Column("replaced", Integer),
    Column("takes_back", Integer),
    Column("restores", Integer),
    _required("answer_digest"),
    _required("criteria", WORDS),
    _required("criteria_points", FRACTIONS),
    _required("adjustment", FRACTION),
    Column("fixed_points", FRACTION),
    _required("points", FRACTION),
    _required("comment"),
    _required("reason"),
    _required("by"),
    _required("at"),
    UniqueConstraint("submission", "item", "follows", name="marks_in_a_row"),
    sqlite_autoincrement=True,
    comment="The ledger: a row is a `model.Mark`. Rows are added and never changed; forgetting "
    "a student alone removes any. They name submissions without a foreign key, so that a mark "
    "outlives what it was given to. Of two who follow the same row at once, one is refused.",
)
weights = Table(
    "weights",
    SCHEMA,
    _key("number", Integer, autoincrement=True),
    _required("id", unique=True),
    _required("assignment"),
    _required("item"),
    _required("criterion"),
    _required("points", FRACTION),
    _required("instead_of", FRACTION),
    _required("by"),
    _required("at"),
    sqlite_autoincrement=True,
    comment="What criteria are worth instead of what the rubric says; the last row of each counts, "
    "for as long as the rubric says what it said then.",
)
marked_answers = Table(
    "marked_answers",
    SCHEMA,
    _key("digest"),
    _required("document", LargeBinary),
    comment="Written answers as they were when somebody marked them, once each.",
)
rendered = Table(
    "rendered",
    SCHEMA,
    _key("name"),
    _required("revision"),
    comment="The revision of the marks that the pages of a submission show; no row without marks.",
)

# ---------------------------------------------------------------- graders

leases = Table(
    "leases",
    SCHEMA,
    _key("submission"),
    _key("item"),
    _required("holder"),
    _required("grader"),
    _required("until", BigInteger),
    comment="Who has which answer open, until when in seconds of Unix time: nobody else is given "
    "it meanwhile. A holder is one browser.",
)
graders = Table(
    "graders",
    SCHEMA,
    _key("name"),
    _required("secret"),
    comment="Who may mark in a shared console; `secret` is a salted hash of a password.",
)
shares = Table(
    "shares",
    SCHEMA,
    _key("grader"),
    _key("item"),
    _key("section"),
    comment="Who is to mark which item, of which section ('' for all).",
)
flags = Table(
    "flags",
    SCHEMA,
    _key("submission"),
    _key("item"),
    _required("by"),
    _required("at"),
    comment="Answers that a grader flagged.",
)
calibration_answers = Table(
    "calibration_answers",
    SCHEMA,
    _key("item"),
    _key("submission"),
    _required("place", Integer),
    comment="Answers that all mark, each without seeing the others, before marking begins.",
)
calibration_marks = Table(
    "calibration_marks",
    SCHEMA,
    _key("item"),
    _key("submission"),
    _key("by"),
    _required("answer_digest"),
    _required("criteria", WORDS),
    _required("adjustment", FRACTION),
    _required("comment"),
    comment="What each grader would give; it counts for no student.",
)
regrade_replies = Table(
    "regrade_replies",
    SCHEMA,
    _key("request"),
    _required("mark_number", Integer),
    _required("by"),
    _required("at"),
    comment="Regrade requests that were answered, and the mark that answers; `request` is a digest "
    "of its words.",
)
