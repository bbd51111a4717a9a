"""A gradebook on a PostgreSQL server: what holds for a file holds there."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import postgres_server
import pytest
import test_criterion_edits
import test_exchange
import test_gradebook
import test_ledger
from edited_criteria import file_item, set_points
from specimens import half_right
from test_ledger import given, graded, keep, one

from grader.errors import CriteriaConflict, MarkConflict, UsageError
from grader.folder import OutputFolder
from grader.gradebook import (
    Gradebook,
    StoredSubmission,
    ledger,
    ledger_statements,
    open_gradebook,
    postgres,
    pushes,
    schema_version,
)
from grader.gradebook.criterion_ledger import criterion_edits, save_criteria
from grader.gradebook.marks_exchange import export_marks, import_marks
from grader.gradebook.run_claim import claim_run
from grader.submissions.fetch_manifest import CanvasSource


@pytest.fixture(scope="module")
def server() -> Iterator[postgres_server.Server]:
    with postgres_server.running() as made:
        yield made


@pytest.fixture
def address(server: postgres_server.Server) -> str:
    return server.fresh()


@pytest.fixture
def empty(address: str) -> Iterator[Gradebook]:
    with open_gradebook(address) as made:
        yield made


@pytest.fixture
def book(empty: Gradebook) -> Gradebook:
    keep(empty)
    return empty


@pytest.fixture
def other(server: postgres_server.Server) -> Iterator[Gradebook]:
    with open_gradebook(server.fresh()) as made:
        keep(made)
        yield made


def shared(module: ModuleType, *, using: set[str]) -> Iterator[Callable[..., None]]:
    """The tests that look at a book by its methods alone, whatever it is kept in."""
    for name, test in vars(module).items():
        if name.startswith("test_"):
            wanted = set(inspect.signature(test).parameters)
            if "book" in wanted and wanted - parameters(test) <= using:
                yield test


def parameters(test: Callable[..., None]) -> set[str]:
    """What `parametrize` gives a test."""
    names = [mark.args[0] for mark in getattr(test, "pytestmark", ())]
    lists = [name.split(",") if isinstance(name, str) else name for name in names]
    return {name.strip() for some in lists for name in some}


LEDGER = [
    *shared(test_ledger, using={"book"}),
    *shared(test_criterion_edits, using={"book", "tmp_path"}),
    *shared(test_exchange, using={"book", "other"}),
]
for _test in LEDGER:
    globals()[_test.__name__] = _test


class TestGradebook:
    """The tests of the book itself, which begin with an empty one."""

    @pytest.fixture
    def book(self, empty: Gradebook) -> Gradebook:
        return empty


SLOW = {"test_memory_does_not_grow_with_the_class"}
"""Says nothing that depends on the store, and keeps a thousand submissions."""
for _test in shared(test_gradebook, using={"book"}):
    if _test.__name__ in SLOW:
        continue
    setattr(TestGradebook, _test.__name__, staticmethod(_test))


def test_the_tests_of_files_are_run_here_too() -> None:
    assert len(LEDGER) > 40
    assert test_criterion_edits.test_of_two_who_edit_at_once_the_second_is_told in LEDGER
    assert sum(name.startswith("test_") for name in vars(TestGradebook)) > 8


def test_of_two_who_opened_one_book_and_mark_at_once_one_is_told(address: str) -> None:
    with open_gradebook(address) as made:
        keep(made)
        decided = given(made, points=Fraction(3))

    def mark(_: int) -> bool:
        with open_gradebook(address) as book:
            try:
                ledger.add_mark(book, decided, expected_current=None)
            except MarkConflict as refused:
                return refused.current is None
            return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(mark, range(12)))

    assert sum(done) == 1


def test_two_who_opened_one_book_keep_at_once(address: str) -> None:
    def work(name: str) -> None:
        with open_gradebook(address) as book:
            for number in range(20):
                arrays = {"a": test_gradebook.weights(number)}
                kept = test_gradebook.entry(name, key=str(number), arrays=arrays)
                book.save_submission(kept)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ("ada", "ben")))

    with open_gradebook(address) as book:
        assert book.cache_keys() == {"ada": "19", "ben": "19"}


def test_a_reader_sees_one_moment_and_holds_up_nobody(book: Gradebook) -> None:
    with book.reading() as connection:
        before = ledger_statements.load_all_marks(connection)
        ledger.add_mark(book, given(book, points=Fraction(3)), expected_current=None)
        assert ledger_statements.load_all_marks(connection) == before

    assert one(book).earned == 3


def test_marks_move_from_a_file_to_a_server(book: Gradebook, tmp_path: Path) -> None:
    with open_gradebook(tmp_path / "book.db") as file:
        keep(file)
        ledger.add_mark(file, given(file, points=Fraction(3)), expected_current=None)

        assert import_marks(book, export_marks(file)).added == 1
        assert export_marks(book) == export_marks(file)


def test_a_newer_book_is_refused(address: str) -> None:
    with open_gradebook(address, migrations=(*schema_version.MIGRATIONS, lambda _: None)):
        pass

    with pytest.raises(UsageError, match="newer grader"), open_gradebook(address):
        pass


def test_an_older_book_goes_forward(address: str) -> None:
    with open_gradebook(address, migrations=()) as book:
        keep(book)

    with (
        open_gradebook(address, migrations=(lambda _: None,)) as book,
        book.reading() as connection,
    ):
        assert schema_version.read_version(connection) == 2


V1_WEIGHTS = """
SET search_path = {schema};
DROP TABLE criterion_edits;
CREATE TABLE weights (assignment TEXT NOT NULL, item TEXT NOT NULL, criterion TEXT NOT NULL,
    "by" TEXT NOT NULL, at TEXT NOT NULL, number SERIAL PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    points TEXT NOT NULL, instead_of TEXT NOT NULL);
INSERT INTO weights VALUES ('hw', 'Q1.1', 'what', 'Mo', 't', 3, 'a', '2', '3'),
    ('hw', 'Q1.1', 'what', 'Mo', 't', 9, 'b', '1/2', '3')"""
"""What version 1 kept of points that were changed; numbers have gaps where a transaction failed."""


def test_points_that_the_first_version_stored_count_on(
    server: postgres_server.Server, address: str
) -> None:
    schema = address.rpartition("%3D")[2]
    with open_gradebook(address, migrations=()) as made:
        keep(made)
        ledger.add_mark(made, given(made, criteria=("what",)), expected_current=None)
    server.run(V1_WEIGHTS.format(schema=schema))

    with open_gradebook(address, migrations=schema_version.MIGRATIONS[:1]) as book:
        assert one(book).earned == Fraction(1, 2)
        set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Kim")
        assert one(book).earned == 1
        follows = [edit.follows for edit in criterion_edits(book, "hw")["Q1.1"]]
        assert follows == [0, 1, 2]
    with open_gradebook(server.fresh()) as fresh, fresh.reading() as connection:
        new_schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
    migrated, made_new = (edit_table(server, name) for name in (schema, new_schema))
    assert migrated == made_new
    assert len(migrated) == 16 + 3


def edit_table(server: postgres_server.Server, schema: str) -> list[tuple[object, ...]]:
    """The columns and constraints of the table of edits."""
    columns = server.run(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns "  # noqa: S608 (our own words)
        f"WHERE table_schema = '{schema}' AND table_name = 'criterion_edits' ORDER BY 1"
    )
    constraints = server.run(
        "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "  # noqa: S608 (as above)
        f"WHERE conrelid = '{schema}.criterion_edits'::regclass AND contype <> 'n' ORDER BY 1"
    )
    return [*columns, *constraints]


def test_of_two_who_opened_one_book_and_edit_at_once_one_is_told(address: str) -> None:
    with open_gradebook(address) as made:
        keep(made)
        item = file_item(made)
    lighter = [replace(criterion, points=Fraction(1)) for criterion in item.criteria]

    def edit(_: int) -> bool:
        with open_gradebook(address) as book:
            try:
                save_criteria(book, item, lighter, assignment="hw", by="Mo", expected_last=0)
            except CriteriaConflict:
                return False
            return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(edit, range(12)))

    assert sum(done) == 1
    with open_gradebook(address) as book:
        assert len(criterion_edits(book, "hw")["Q1.1"]) == len(lighter)


def test_a_book_of_the_first_version_gets_the_tables_of_what_was_sent(address: str) -> None:
    source = CanvasSource(url="https://canvas.example.edu", course=7, assignment=412)
    sent = pushes.PushedGrade(who="1042", submission="ada", score="8.00", progress="9")

    with open_gradebook(address) as book:
        with book.writing() as connection:
            for table in ("pushes", "lms_sources"):
                connection.exec_driver_sql(f"DROP TABLE {table}")
            schema_version.remember_pushes(connection)
        pushes.save_source(book, "tiny", source=source)
        pushes.save_pushes(book, "tiny", target="there", sent=[sent])

        assert pushes.load_source(book, "tiny") == source
        assert pushes.load_pushes(book, "tiny", target="there") == {"1042": sent}
        pushes.save_pushes(book, "tiny", target="there", sent=[], withdrawn=["1042"])
        assert pushes.load_pushes(book, "tiny", target="there") == {}


def test_tables_of_others_are_left_alone(server: postgres_server.Server, address: str) -> None:
    name = address.rpartition("%3D")[2]
    server.run(f"CREATE TABLE {name}.marks (number int)")

    with pytest.raises(UsageError, match="not a gradebook's"), open_gradebook(address):
        pass

    tables = server.run("SELECT schemaname, tablename FROM pg_tables")
    assert [table for schema, table in tables if schema == name] == ["marks"]


def test_a_wrong_password_is_told_and_never_shown(server: postgres_server.Server) -> None:
    address = server.address(password="let-me-in-3")  # noqa: S106 (it doesn't)

    with pytest.raises(UsageError, match="password authentication failed") as refused:
        open_gradebook(address).__enter__()

    assert "let-me-in-3" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_is_away_is_told_in_one_sentence() -> None:
    postgres_server.programs()
    address = "postgresql://ada:open-sesame@127.0.0.1:1/hw?connect_timeout=2"

    with pytest.raises(UsageError, match="1/hw: the gradebook can't be used") as refused:
        open_gradebook(address).__enter__()

    assert "sesame" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_who_may_not_make_tables_is_told_so(server: postgres_server.Server) -> None:
    server.run("CREATE ROLE guest LOGIN PASSWORD 'guest-pass'")
    address = server.address(password="guest-pass").replace("//postgres:", "//guest:")  # noqa: S106 (of a server that lives for one test run)

    with pytest.raises(UsageError, match="permission denied"), open_gradebook(address):
        pass


def test_a_folder_remembers_its_server_and_not_the_password(tmp_path: Path, address: str) -> None:
    folder = OutputFolder(tmp_path / "graded", store=address)
    with open_gradebook(folder.store) as book:
        book.save_submission(StoredSubmission(cache_key="k", graded=half_right(), trace=None))

    again = OutputFolder(tmp_path / "graded")

    told = (folder.path / OutputFolder.ADDRESS_FILE).read_text(encoding="utf-8")
    assert postgres_server.PASSWORD not in told
    assert str(again.store) == told.strip() == postgres.without_password(address)
    assert not (folder.path / OutputFolder.DATABASE_FILE).exists()
    assert graded().submission.name not in {p.name for p in folder.path.iterdir()}


def test_a_second_run_on_one_server_is_refused_and_other_databases_are_free(
    server: postgres_server.Server, address: str
) -> None:
    with open_gradebook(address) as first, open_gradebook(address) as second:
        refused = pytest.raises(UsageError, match=r"another run is at work here \(.* since 20")
        with claim_run(first), open_gradebook(server.fresh()) as other, claim_run(other):
            with refused, claim_run(second):
                pass
            assert first.roll() == ()
        with claim_run(second):
            assert second.roll() == ()
