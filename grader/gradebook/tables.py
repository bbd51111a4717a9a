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
from sqlalchemy.schema import SchemaItem

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


def _table(
    name: str, comment: str, *extras: SchemaItem, keys: str = "", texts: str = "", **options: Any
) -> Table:
    """Define a table.

    Args:
        name: its name.
        comment: what its rows are.
        extras: columns of other types, and constraints.
        keys: names of the text columns of its primary key.
        texts: names of other text columns.
        options: what else SQLAlchemy takes.
    """
    columns = [Column(key, Text, primary_key=True) for key in keys.split()]
    columns += [Column(text, Text, nullable=False) for text in texts.split()]
    return Table(name, SCHEMA, *columns, *extras, comment=comment, **options)


def _required(name: str, kind: Any, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


def _position() -> Column[Any]:
    return Column("place", Integer, primary_key=True, autoincrement=False)


meta = _table(
    "meta", "What the store says about itself; 'schema' is its version.", keys="name", texts="value"
)
seeds = _table(
    "seeds",
    "The secret seed of each assignment, in hexadecimal: for nobody's eyes.",
    keys="assignment",
    texts="seed",
)
roll = _table(
    "roll",
    "The submissions of the last run in order, graded yet or not.",
    _position(),
    _required("name", Text, unique=True),
)
roster = _table(
    "roster",
    "Everyone in the course, as the last roster had them: JSON of a member.",
    _position(),
    texts="member",
)
dates = _table(
    "dates",
    "Kind 'due': until when somebody may submit; 'at': when something was submitted. Never a "
    "reason.",
    keys="assignment kind who",
    texts="moment",
)
item_lists = _table(
    "item_lists",
    "The items of a rubric, once for all who are graded by them.",
    _required("document", LargeBinary),
    keys="digest",
)
submissions = _table(
    "submissions",
    "One row for good: updated, never replaced, so that marks can belong to it. Without an item "
    "list it is one that could not be graded.",
    Column("item_list", ForeignKey(item_lists.c.digest), index=True),
    _required("result", LargeBinary),
    _required("pack", LargeBinary),
    _required("assignment", Text, server_default=""),
    keys="name",
    texts="key",
)
traces = _table(
    "traces",
    "What a run left behind; its small arrays stand in the pack.",
    Column("name", ForeignKey(submissions.c.name), primary_key=True),
    _required("document", LargeBinary),
    _required("pack", LargeBinary),
)
blobs = _table(
    "blobs",
    "The bytes of large arrays, under their SHA-256: equal arrays are kept once.",
    _required("data", LargeBinary),
    keys="digest",
)
trace_blobs = _table(
    "trace_blobs",
    "Which trace holds which blob; one that nobody holds goes with its last holder.",
    Column("name", ForeignKey(traces.c.name), primary_key=True),
    Column("digest", ForeignKey(blobs.c.digest), primary_key=True),
    Index("trace_blobs_by_digest", "digest"),
)
location_overrides = _table(
    "location_overrides",
    "In which cells a person says an item is answered, separated by spaces; '' says that there is "
    "no answer.",
    keys="assignment submission item",
    texts="cells",
)

# ---------------------------------------------------------------- marks

marks = _table(
    "marks",
    "The ledger: a row is a `model.Mark`. Rows are added and never changed; forgetting a student "
    "alone removes any. They name submissions without a foreign key, so that a mark outlives what "
    "it was given to. Of two who follow the same row at once, one is refused.",
    Column("number", Integer, primary_key=True, autoincrement=True),
    _required("id", Text, unique=True),
    _required("follows", Integer),
    Column("replaced", Integer),
    Column("takes_back", Integer),
    Column("restores", Integer),
    _required("criteria", WORDS),
    _required("criteria_points", FRACTIONS),
    _required("adjustment", FRACTION),
    Column("fixed_points", FRACTION),
    _required("points", FRACTION),
    UniqueConstraint("submission", "item", "follows", name="marks_in_a_row"),
    texts="submission item answer_digest comment reason by at",
    sqlite_autoincrement=True,
)
criterion_edits = _table(
    "criterion_edits",
    "What graders changed in criteria: a row is a `CriterionEdit`. Rows are added and never "
    "changed; of two who follow the same row at once, one is refused.",
    Column("number", Integer, primary_key=True, autoincrement=True),
    _required("id", Text, unique=True),
    _required("follows", Integer),
    Column("text", Text),
    _required("points", FRACTION),
    _required("sequence", WORDS),
    Column("file_text", Text),
    Column("file_points", FRACTION),
    _required("file_sequence", WORDS),
    UniqueConstraint("assignment", "item", "follows", name="criterion_edits_in_a_row"),
    texts="assignment item criterion retired file_retired by at",
    sqlite_autoincrement=True,
)
marked_answers = _table(
    "marked_answers",
    "Written answers as they were when somebody marked them, once each.",
    _required("document", LargeBinary),
    keys="digest",
)
rendered = _table(
    "rendered",
    "The revision of the marks that the pages of a submission show; no row without marks.",
    keys="name",
    texts="revision",
)

# ---------------------------------------------------------------- graders

leases = _table(
    "leases",
    "Who has which answer open, until when in seconds of Unix time: nobody else is given it "
    "meanwhile. A holder is one browser.",
    _required("until", BigInteger),
    keys="submission item",
    texts="holder grader",
)
graders = _table(
    "graders",
    "Who may mark in a shared console; `secret` is a salted hash of a password.",
    keys="name",
    texts="secret",
)
shares = _table(
    "shares",
    "Who is to mark which item, of which section ('' for all).",
    keys="grader item section",
)
flags = _table(
    "flags",
    "Answers that a grader flagged, and why; students never see it.",
    keys="submission item",
    texts="by at note",
)
calibration_answers = _table(
    "calibration_answers",
    "Answers that all mark, each without seeing the others, before marking begins.",
    _required("place", Integer),
    keys="item submission",
)
calibration_marks = _table(
    "calibration_marks",
    "What each grader would give; it counts for no student.",
    _required("criteria", WORDS),
    _required("adjustment", FRACTION),
    keys="item submission by",
    texts="answer_digest comment",
)
regrade_replies = _table(
    "regrade_replies",
    "Regrade requests that were answered, and the mark that answers; `request` is a digest of its "
    "words.",
    _required("mark_number", Integer),
    keys="request",
    texts="by at",
)

# ---------------------------------------------------------------- learning management systems

lms_sources = _table(
    "lms_sources",
    "Where the submissions of an assignment were fetched from, and grades go to: JSON.",
    keys="assignment",
    texts="document",
)
pushes = _table(
    "pushes",
    "What was last sent where, to whom by the system's own id: a score and the digest of a report, "
    "as text. 'shown' is what the system had afterwards; 'progress' is the number of a write that "
    "nobody has seen the end of.",
    keys="assignment target who",
    texts="submission score report shown progress at",
)
