"""The tables of the book, as of the newest version of its schema."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text

SCHEMA = MetaData()

meta = Table(
    "meta",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What the store says about itself; 'schema' is its version.",
)
notes = Table(
    "notes",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="Small things to remember between runs.",
)
seeds = Table(
    "seeds",
    SCHEMA,
    Column("assignment", Text, primary_key=True),
    Column("seed", Text, nullable=False),
    comment="The secret seed of each assignment, in hexadecimal: for nobody's eyes.",
)
roll = Table(
    "roll",
    SCHEMA,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    comment="The submissions of the last run in order, graded yet or not.",
)
roster = Table(
    "roster",
    SCHEMA,
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("member", Text, nullable=False),
    comment="Everyone in the course, as the last roster had them: JSON of a member.",
)
dates = Table(
    "dates",
    SCHEMA,
    Column("assignment", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("who", Text, primary_key=True),
    Column("moment", Text, nullable=False),
    comment="Kind 'due': until when somebody may hand in; 'at': when something was handed in. "
    "Never a reason.",
)
item_lists = Table(
    "item_lists",
    SCHEMA,
    Column("digest", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
    comment="The items of a rubric, once for all who are graded by them.",
)
submissions = Table(
    "submissions",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("item_list", ForeignKey(item_lists.c.digest), index=True),
    Column("result", LargeBinary, nullable=False),
    Column("pack", LargeBinary, nullable=False),
    comment="One row for good: updated, never replaced, so that marks can belong to it. Without "
    "an item list it is one that could not be graded.",
)
traces = Table(
    "traces",
    SCHEMA,
    Column("name", ForeignKey(submissions.c.name), primary_key=True),
    Column("document", LargeBinary, nullable=False),
    Column("pack", LargeBinary, nullable=False),
    comment="What a run left behind; its small arrays stand in the pack.",
)
blobs = Table(
    "blobs",
    SCHEMA,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
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
