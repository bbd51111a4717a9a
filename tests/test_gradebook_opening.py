"""Opening a book: made whole, migrated in steps, and what is not ours stays untouched."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from specimens import ungradable
from sqlalchemy import Connection, text

from grader.errors import UsageError
from grader.gradebook import StoredSubmission, open_gradebook, schema_version, team

NEWEST = schema_version.newest_version(schema_version.MIGRATIONS)
REFUSED = "is not a gradebook|can't be read as a gradebook"
State = Mapping[str, tuple[bytes, int]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


def state(folder: Path) -> State:
    """Every file with its bytes and the time it was written."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


def add_color(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE submissions ADD COLUMN color TEXT DEFAULT 'red'"))


def paint(connection: Connection) -> None:
    connection.execute(text("UPDATE submissions SET color = color || 'dish'"))


def fail(connection: Connection) -> None:
    paint(connection)
    raise RuntimeError("no")


def test_flags_that_were_raised_before_they_had_notes_are_there(place: Path) -> None:
    kept(place, steps=schema_version.MIGRATIONS[:1])
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("ALTER TABLE flags DROP COLUMN note")
        connection.execute("INSERT INTO flags VALUES ('ada', 'Q1.1', 'Mo', 't')")
        connection.commit()

    with open_gradebook(place) as book:
        assert team.answer_flags(book, "Q1.1") == {"ada": team.AnswerFlag(by="Mo", note="")}
        team.set_flag(book, "ada", "Q1.1", by="Kim", raised=True, note="See Q2.")
        assert team.answer_flags(book, "Q1.1")["ada"].note == "See Q2."


def versions(place: Path) -> tuple[int, str]:
    with closing(sqlite3.connect(place)) as connection:
        (header,) = connection.execute("PRAGMA user_version").fetchone()
        (table,) = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    return header, table


def kept(
    place: Path, *, steps: tuple[schema_version.Migration, ...] = schema_version.MIGRATIONS
) -> None:
    """A book with one submission in it; of the version that these steps lead to."""
    with open_gradebook(place, migrations=steps) as book:
        book.save_submission(StoredSubmission(cache_key="k", graded=ungradable(), trace=None))


def colors(place: Path) -> list[str]:
    with closing(sqlite3.connect(place)) as connection:
        return [row[0] for row in connection.execute("SELECT color FROM submissions")]


def test_a_new_book_says_its_version_where_others_look(place: Path) -> None:
    with open_gradebook(place):
        pass

    assert NEWEST > 1
    assert versions(place) == (NEWEST, str(NEWEST))


def test_an_older_book_goes_forward_step_by_step(place: Path) -> None:
    kept(place, steps=())

    with open_gradebook(place, migrations=(add_color,)):
        pass
    assert versions(place) == (2, "2")
    with open_gradebook(place, migrations=(add_color, paint)) as book:
        assert list(book.cache_keys().values()) == ["k"]

    assert versions(place) == (3, "3")
    assert colors(place) == ["reddish"]


def test_a_step_that_fails_leaves_the_book_as_it_was(place: Path) -> None:
    kept(place, steps=())

    with pytest.raises(RuntimeError), open_gradebook(place, migrations=(add_color, fail)):
        pass

    assert versions(place) == (1, "1")
    with open_gradebook(place, migrations=()) as book:
        assert list(book.cache_keys().values()) == ["k"]


def test_steps_are_taken_once_by_whoever_comes_first(place: Path) -> None:
    kept(place, steps=())
    with open_gradebook(place, migrations=()) as book, book.reading() as early:
        assert schema_version.read_version(early) == 1
        with open_gradebook(place, migrations=(add_color,)) as other:
            schema_version.migrate(
                other.writing,
                reading=lambda: nullcontext(early),
                migrations=(add_color,),
                location="book",
            )

    assert colors(place) == ["red"]


def test_a_newer_book_is_refused_in_one_sentence_and_untouched(place: Path) -> None:
    with open_gradebook(place, migrations=(lambda _: None,)) as book:
        book.save_submission(StoredSubmission(cache_key="k", graded=ungradable(), trace=None))
    before = state(place.parent)

    with pytest.raises(UsageError, match=r"newer grader \(version 2 .* knows 1\)"):
        open_gradebook(place, migrations=()).__enter__()

    assert state(place.parent) == before


def test_a_newer_book_is_refused_when_only_its_log_says_so(place: Path, tmp_path: Path) -> None:
    kept(place)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA user_version = 9")
        connection.commit()
        for path in place.parent.glob("book.db*"):
            shutil.copy2(path, crashed)
    assert (crashed / "book.db-wal").stat().st_size
    before = state(crashed)

    with pytest.raises(UsageError, match="version 9"), open_gradebook(crashed / "book.db"):
        pass

    after = state(crashed)
    assert after["book.db"] == before["book.db"]
    assert after["book.db-wal"] == before["book.db-wal"]


@pytest.mark.parametrize("version", ["0", "-1", "six", ""])
def test_a_book_of_no_known_version_is_refused_in_one_sentence_and_untouched(
    place: Path, version: str
) -> None:
    kept(place)
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE meta SET value = ?", (version,))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = place.read_bytes()

    with pytest.raises(UsageError, match=rf"no version .* knows \(1 to {NEWEST}\)") as refused:
        open_gradebook(place).__enter__()

    assert "\n" not in str(refused.value)
    assert place.read_bytes() == before


def make_text(place: Path) -> None:
    place.write_text("id,points\nada,7\n" * 200, encoding="utf-8")


def make_empty(place: Path) -> None:
    place.write_bytes(b"")


def make_other(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")
        connection.commit()


def make_other_logged(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE cookies (name TEXT)")
        connection.commit()


@pytest.mark.parametrize("make", [make_text, make_empty, make_other, make_other_logged])
@pytest.mark.parametrize("name", ["book.db", "a ?#%41 ü book"])
def test_what_is_not_ours_is_refused_and_untouched(tmp_path: Path, make: object, name: str) -> None:
    place = tmp_path / name
    assert callable(make)
    make(place)
    before = state(tmp_path)

    with pytest.raises(UsageError, match=REFUSED) as refused, open_gradebook(place):
        pass

    assert state(tmp_path) == before
    assert str(place) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_is_no_book(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a file"), open_gradebook(tmp_path):
        pass


def test_a_book_in_no_folder_is_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="can't be made"),
        open_gradebook(tmp_path / "no" / "book.db"),
    ):
        pass


def test_a_strange_path_is_no_obstacle(tmp_path: Path) -> None:
    place = tmp_path / "a ?#%41 ü book"
    kept(place)

    with open_gradebook(place) as book:
        assert list(book.cache_keys().values()) == ["k"]
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


def test_a_damaged_book_is_told_in_one_sentence(place: Path) -> None:
    kept(place)
    whole = place.read_bytes()
    place.write_bytes(whole[:4096] + b"\x55" * (len(whole) - 4096))

    with pytest.raises(UsageError, match="can't be used") as refused, open_gradebook(place) as book:
        book.cache_keys()

    assert "\n" not in str(refused.value)


def test_a_crash_while_it_is_made_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: Connection, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(schema_version, "create_tables", crash)

    with pytest.raises(RuntimeError), open_gradebook(place):
        pass

    assert list(place.parent.iterdir()) == []


def test_a_file_system_without_links_will_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    kept(place)

    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_book_that_another_made_meanwhile_is_used(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = schema_version.create_tables

    def outrun(connection: Connection, *, migrations: tuple[schema_version.Migration, ...]) -> None:
        monkeypatch.setattr(schema_version, "create_tables", create)
        kept(place)
        create(connection, migrations=migrations)

    monkeypatch.setattr(schema_version, "create_tables", outrun)

    with open_gradebook(place) as book:
        assert list(book.cache_keys().values()) == ["k"]


def test_a_book_does_not_outlive_a_fork(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_gradebook(place) as book:
        ours = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: ours + 1)

        with pytest.raises(RuntimeError, match="process"):
            book.cache_keys()
        monkeypatch.undo()


class DriveWithoutSharedMemory(sqlite3.Connection):
    """A connection to a file on a drive that maps no shared memory beside it."""

    def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
        (mode,) = super().execute("PRAGMA journal_mode").fetchone()
        if mode == "wal" and sql.startswith("BEGIN"):
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *more)


@pytest.mark.parametrize(("drive", "mode"), [(DriveWithoutSharedMemory, "delete"), (None, "wal")])
def test_a_drive_without_shared_memory_has_a_gradebook_without_a_log(
    place: Path, monkeypatch: pytest.MonkeyPatch, drive: type[sqlite3.Connection] | None, mode: str
) -> None:
    real_connect = sqlite3.connect
    if drive is not None:
        monkeypatch.setattr(
            sqlite3, "connect", lambda *args, **more: real_connect(*args, factory=drive, **more)
        )
    with open_gradebook(place) as book:
        book.replace_roll(["s1"])
        assert book.roll() == ("s1",)

    monkeypatch.undo()
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == (mode,)
