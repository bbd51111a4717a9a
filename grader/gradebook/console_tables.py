"""What people who mark need beside the ledger: who they are, who does what, and what waits."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from grader.gradebook.tables import SCHEMA

leases = Table(
    "leases",
    SCHEMA,
    Column("submission", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("marker", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    comment="Who has which answer before them, until when in seconds of Unix time: nobody else is "
    "given it meanwhile. A holder is one browser.",
)
markers = Table(
    "markers",
    SCHEMA,
    Column("name", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    comment="Who may mark in a shared console; `secret` is a salted hash of a password.",
)
shares = Table(
    "shares",
    SCHEMA,
    Column("marker", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("section", Text, primary_key=True),
    comment="Who is to mark which item, of which section ('' for all).",
)
flags = Table(
    "flags",
    SCHEMA,
    Column("submission", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("marker", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    comment="Answers that somebody wants another look at.",
)
trial_answers = Table(
    "trial_answers",
    SCHEMA,
    Column("item", Text, primary_key=True),
    Column("submission", Text, primary_key=True),
    Column("place", Integer, nullable=False),
    comment="Answers that all mark, each without seeing the others, before marking begins.",
)
trials = Table(
    "trials",
    SCHEMA,
    Column("item", Text, primary_key=True),
    Column("submission", Text, primary_key=True),
    Column("marker", Text, primary_key=True),
    Column("criteria", Text, nullable=False),
    Column("adjustment", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    comment="What each gave on trial; it counts for no student. `criteria` is JSON: ids.",
)
regrades = Table(
    "regrades",
    SCHEMA,
    Column("request", Text, primary_key=True),
    Column("entry", Integer, nullable=False),
    Column("marker", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    comment="Requests for another look that were answered, and the entry of the ledger that "
    "answers; `request` is a digest of its words.",
)
