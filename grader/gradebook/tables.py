"""The tables of the book, as of the newest version of its schema."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA = MetaData()

meta = Table(
    "meta",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What the store says about itself; 'schema' is its version.",
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
    Column("assignment", Text, nullable=False, server_default=""),
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
marks = Table(
    "marks",
    SCHEMA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("submission", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("follows", Integer, nullable=False),
    Column("replaced", Integer),
    Column("takes_back", Integer),
    Column("restores", Integer),
    Column("answer", Text, nullable=False),
    Column("criteria", Text, nullable=False),
    Column("adjustment", Text, nullable=False),
    Column("points", Text),
    Column("came_to", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("marker", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    UniqueConstraint("submission", "item", "follows", name="marks_in_a_row"),
    sqlite_autoincrement=True,
    comment="The ledger: rows are added, never changed or removed. It names submissions and holds "
    "on to none, so that a mark outlives whatever it was given to. `follows` is the entry before "
    "it on the same item of the same submission, or 0: of two who write at once, one is refused. "
    "`criteria` is JSON: the ids of those met, each with what it was worth then.",
)
weights = Table(
    "weights",
    SCHEMA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("assignment", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("criterion", Text, nullable=False),
    Column("points", Text, nullable=False),
    Column("instead_of", Text, nullable=False),
    Column("marker", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    sqlite_autoincrement=True,
    comment="What criteria are worth instead of what the rubric says; the last row of each counts, "
    "for as long as the rubric says what it said then.",
)
marked_answers = Table(
    "marked_answers",
    SCHEMA,
    Column("digest", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
    comment="Written answers as they were when somebody marked them, once each.",
)
rendered = Table(
    "rendered",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("stamp", Text, nullable=False),
    comment="With which marks the pages of a submission were made; none without marks.",
)
