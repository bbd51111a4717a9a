"""Books as earlier versions of this program made them, table by table."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from grader.gradebook import StoredSubmission, open_gradebook
from grader.gradebook.sqlite import APPLICATION_ID
from grader.model import Graded

FIRST = """
CREATE TABLE meta (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
CREATE TABLE notes (name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name));
CREATE TABLE roll (
    place INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (place), UNIQUE (name));
CREATE TABLE item_lists (digest TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (digest));
CREATE TABLE blobs (digest TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (digest));
CREATE TABLE submissions (
    name TEXT NOT NULL, "key" TEXT NOT NULL, item_list TEXT, result BLOB NOT NULL,
    pack BLOB NOT NULL, PRIMARY KEY (name),
    FOREIGN KEY(item_list) REFERENCES item_lists (digest));
CREATE INDEX ix_submissions_item_list ON submissions (item_list);
CREATE TABLE traces (
    name TEXT NOT NULL, document BLOB NOT NULL, pack BLOB NOT NULL, PRIMARY KEY (name),
    FOREIGN KEY(name) REFERENCES submissions (name));
CREATE TABLE trace_blobs (
    name TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (name, digest),
    FOREIGN KEY(name) REFERENCES traces (name), FOREIGN KEY(digest) REFERENCES blobs (digest));
CREATE INDEX trace_blobs_by_digest ON trace_blobs (digest);
"""
SEEDS = """
CREATE TABLE seeds (assignment TEXT NOT NULL, seed TEXT NOT NULL, PRIMARY KEY (assignment))"""
COLUMNS = {
    "item_lists": "digest, document",
    "submissions": "name, key, item_list, result, pack",
    "roll": "place, name",
}
"""What the rows of a submission that never ran consist of."""


def make_old(place: Path, *, version: int, holding: Graded) -> None:
    """A book of version 1 or 2 with one submission in it."""
    beside = place.with_name("new.db")
    with open_gradebook(beside) as book:
        book.save_submission(StoredSubmission(cache_key="k", graded=holding, trace=None))
        book.replace_roll([holding.submission.name])
    with closing(sqlite3.connect(place)) as old:
        old.executescript(f"PRAGMA application_id = {APPLICATION_ID}; {FIRST}")
        if version > 1:
            old.execute(SEEDS)
        old.execute("ATTACH ? AS new", (str(beside),))
        for table, columns in COLUMNS.items():
            old.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")  # noqa: S608 (our own words)
        old.execute("INSERT INTO meta VALUES ('schema', ?)", (str(version),))
        old.execute(f"PRAGMA user_version = {version}")
        old.commit()
        old.execute("PRAGMA journal_mode = WAL")
    beside.unlink()


def make_first(place: Path) -> None:
    """Take a book back to version 1: what was added since goes."""
    kept = {"roll", "meta", "item_lists", "submissions", "traces", "blobs", "trace_blobs"}
    with closing(sqlite3.connect(place)) as book, book:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for (name,) in book.execute(tables).fetchall():
            if name not in kept:
                book.execute(f"DROP TABLE {name}")
        book.execute("ALTER TABLE submissions DROP COLUMN assignment")
        book.execute("CREATE TABLE notes (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)")
        book.execute("UPDATE meta SET value = '1' WHERE name = 'schema'")
        book.execute("PRAGMA user_version = 1")


def shape(place: Path) -> dict[str, object]:
    """The tables of a book: columns, keys and indexes, however they were written down."""
    with closing(sqlite3.connect(place)) as connection:
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = [row[0] for row in connection.execute(tables)]
        return {
            name: (
                connection.execute(f"PRAGMA table_info({name})").fetchall(),
                connection.execute(f"PRAGMA foreign_key_list({name})").fetchall(),
                sorted(
                    connection.execute(f"PRAGMA index_info('{index[1]}')").fetchall()
                    for index in connection.execute(f"PRAGMA index_list({name})")
                ),
            )
            for name in names
        }
