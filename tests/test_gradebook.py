"""The book: what is kept comes back as it was, once, and nothing else changes."""

from __future__ import annotations

import ast
import math
import sqlite3
import stat
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from specimens import full_marks, half_right, hostile, ungradable, with_our_error

from grader.gradebook import Gradebook, StoredSubmission, open_gradebook
from grader.gradebook.mark_points import remove_marks
from grader.model import (
    Array,
    Cell,
    Flag,
    FlagKind,
    Graded,
    Json,
    Notebook,
    Observation,
    Picture,
    SavedOutput,
    Trace,
)
from grader.pipeline import cache_keys


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture
def book(place: Path) -> Iterator[Gradebook]:
    with open_gradebook(place) as made:
        yield made


def named(name: str, graded: Graded | None = None) -> Graded:
    made = graded or ungradable()
    return replace(made, submission=replace(made.submission, name=name))


def trace(arrays: dict[str, Array], *, data: Json = None) -> Trace:
    """A run that left these arrays behind."""
    cell = Cell(
        index=0,
        kind="code",
        source="print('\ud800 \x00 ünï')",
        tags=("a", "b"),
        outputs=(SavedOutput(text="ü", mimes=("image/png",), html_has_figure=True),),
        images=(Picture(mime="image/png", base64="AAAA"),),
    )
    seen = Observation(id="q", status="ok", data=data or {}, arrays=arrays)
    return Trace(
        notebook=Notebook(cells=(cell,), sha256="ab" * 32, notes=("mended",)),
        record=half_right().record,
        observations={"q": seen, "p": Observation(id="p", status="died", error="gone")},
        expected={"e": replace(seen, id="e")},
    )


def entry(name: str, *, key: str = "k", arrays: dict[str, Array] | None = None) -> StoredSubmission:
    return StoredSubmission(cache_key=key, graded=named(name), trace=trace(arrays or {}))


def weights(number: int) -> Array:
    """A large array."""
    return np.full((64, 1024), number, dtype=np.float32)


def spelled(value: Any) -> Any:
    """A record with its types and its arrays spelled out, so that == means the same."""
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    if is_dataclass(value):
        return (type(value), [(f.name, spelled(getattr(value, f.name))) for f in fields(value)])
    if isinstance(value, dict):
        return [(key, spelled(part)) for key, part in value.items()]
    if isinstance(value, tuple | list):
        return (type(value), [spelled(part) for part in value])
    return (type(value), value)


def count(place: Path, table: str) -> int:
    with closing(sqlite3.connect(place)) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 (our own words)
        return found


@pytest.mark.parametrize("made", [full_marks, half_right, hostile, ungradable, with_our_error])
def test_a_result_comes_back_exactly(book: Gradebook, made: Any) -> None:
    graded = made()

    book.save_submission(StoredSubmission(cache_key="k", graded=graded, trace=None))

    assert spelled(book.graded(graded.submission.name)) == spelled(remove_marks(graded))


def test_points_stay_fractions(book: Gradebook) -> None:
    graded = half_right()
    assert graded.score is not None
    total = replace(graded.score.total, auto=Fraction(1, 3), marked=Fraction(-7, 10**30))
    graded = replace(graded, score=replace(graded.score, total=total))

    book.save_submission(StoredSubmission(cache_key="k", graded=graded, trace=None))

    found = book.graded(graded.submission.name)
    assert found.score is not None
    assert found.score.total == total


@pytest.mark.parametrize(
    "array",
    [
        np.array(3.5),
        np.ones((), dtype=np.float16),
        np.zeros((0, 3), dtype=np.int64),
        np.arange(24, dtype=np.uint8).reshape(2, 3, 4).transpose(2, 0, 1),
        np.array([True, False]),
        np.array([np.nan, -0.0, np.inf]),
        np.arange(3, dtype=">i4"),
        weights(3),
        weights(3)[::2, ::3],
    ],
    ids=lambda array: f"{array.dtype.str}-{array.shape}",
)
def test_an_array_comes_back_with_its_type_and_shape(book: Gradebook, array: Array) -> None:
    kept = trace({"a": array, "again": array, "one": np.ones(1)})

    book.save_submission(StoredSubmission(cache_key="k", graded=named("ada"), trace=kept))

    assert spelled(book.trace("ada")) == spelled(kept)


def test_what_a_student_sends_is_kept_as_it_is(book: Gradebook) -> None:
    strange = {"\ud800": [math.inf, 10**400, None, {"": {"arrays": {"x": 0}}}], "\x00": "\u202e"}

    book.save_submission(
        StoredSubmission(cache_key="k", graded=named("ada"), trace=trace({}, data=strange))
    )

    found = book.trace("ada")
    assert found is not None
    assert found.observations["q"].data == strange


def test_an_answer_nested_without_end_is_lost_alone(book: Gradebook) -> None:
    bottomless: Json = {}
    for _ in range(100_000):
        bottomless = {"x": bottomless}
    kept = trace({"a": weights(1)}, data=bottomless)
    kept = replace(kept, expected={})

    book.save_submission(StoredSubmission(cache_key="k", graded=named("ada"), trace=kept))

    found = book.trace("ada")
    assert found is not None
    assert found.observations["q"].status == "invalid"
    assert found.observations["p"] == kept.observations["p"]


def test_keeping_again_replaces(book: Gradebook) -> None:
    book.save_submission(entry("ada", key="old", arrays={"a": weights(1)}))
    book.save_submission(
        StoredSubmission(cache_key="new", graded=named("ada", full_marks()), trace=None)
    )

    assert book.cache_keys() == {"ada": "new"}
    assert book.graded("ada").score is not None
    assert book.trace("ada") is None


def test_another_conclusion_leaves_the_trace(book: Gradebook) -> None:
    book.save_submission(entry("ada", key="old", arrays={"a": weights(1)}))

    book.replace_grade(named("ada", full_marks()), cache_key="new")

    found = book.trace("ada")
    assert book.cache_keys() == {"ada": "new"}
    assert book.graded("ada").score is not None
    assert found is not None
    assert found.observations["q"].arrays["a"][0, 0] == 1


def test_who_is_not_in_the_book_is_not_made_up(book: Gradebook) -> None:
    with pytest.raises(KeyError):
        book.graded("nobody")
    with pytest.raises(KeyError):
        book.replace_grade(named("nobody"), cache_key="k")

    assert book.trace("nobody") is None
    assert book.cache_keys() == {}


def test_equal_large_arrays_are_kept_once(book: Gradebook, place: Path) -> None:
    for name in ("ada", "ben", "cyd"):
        book.save_submission(entry(name, arrays={"before": weights(1), "same": weights(1).copy()}))

    assert count(place, "blobs") == 1


def test_a_blob_goes_with_its_last_holder(book: Gradebook, place: Path) -> None:
    book.save_submission(entry("ada", arrays={"a": weights(1), "b": weights(2)}))
    book.save_submission(entry("ben", arrays={"a": weights(1)}))
    book.save_submission(entry("ada", arrays={"b": weights(3)}))
    assert count(place, "blobs") == 2

    book.save_submission(StoredSubmission(cache_key="k", graded=named("ben"), trace=None))
    assert count(place, "blobs") == 1

    found = book.trace("ada")
    assert found is not None
    assert found.observations["q"].arrays["b"][0, 0] == 3


def test_items_are_kept_once_a_rubric(book: Gradebook, place: Path) -> None:
    for name in ("ada", "ben"):
        book.save_submission(
            StoredSubmission(cache_key="k", graded=named(name, full_marks()), trace=None)
        )
    assert count(place, "item_lists") == 1

    changed = _retitled(full_marks(), "Other words")
    book.replace_grade(named("ada", changed), cache_key="k")

    assert spelled(book.graded("ada")) == spelled(remove_marks(named("ada", changed)))
    assert spelled(book.graded("ben")) == spelled(remove_marks(named("ben", full_marks())))


def test_items_of_rubrics_long_gone_do_not_pile_up(book: Gradebook, place: Path) -> None:
    for number in range(5):
        graded = named("ada", _retitled(full_marks(), f"Version {number}"))
        book.save_submission(StoredSubmission(cache_key="k", graded=graded, trace=None))

    assert count(place, "item_lists") == 1


def _retitled(graded: Graded, title: str) -> Graded:
    assert graded.score is not None
    first, *rest = graded.score.items
    items = (replace(first, item=replace(first.item, title=title)), *rest)
    return replace(graded, score=replace(graded.score, items=items))


def test_the_roll_keeps_order_and_loses_nobody(book: Gradebook) -> None:
    for name in ("ada", "ben"):
        book.save_submission(entry(name))

    book.replace_roll(["cyd", "ada"])

    assert book.roll() == ("cyd", "ada")
    assert set(book.cache_keys()) == {"ada", "ben"}


def test_what_was_kept_is_there_when_the_book_is_opened_again(place: Path) -> None:
    kept = entry("ada", arrays={"a": weights(1), "b": np.ones(3)})
    with open_gradebook(place) as book:
        book.save_submission(kept)
        book.replace_roll(["ada"])

    with open_gradebook(str(place)) as book:
        assert spelled(book.trace("ada")) == spelled(kept.trace)
        assert spelled(book.graded("ada")) == spelled(kept.graded)
        assert book.roll() == ("ada",)


def test_a_closed_book_is_one_file_for_its_owner_alone(place: Path) -> None:
    with open_gradebook(place) as book:
        book.save_submission(entry("ada"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.parent.iterdir()}

    assert modes == dict.fromkeys(("book.db", "book.db-wal", "book.db-shm"), 0o600)
    assert [path.name for path in place.parent.iterdir()] == ["book.db"]


def test_threads_keep_at_once(book: Gradebook) -> None:
    def keep(number: int) -> None:
        name = f"s{number % 10}"
        book.save_submission(
            entry(name, key=name, arrays={"a": weights(number % 3), "b": weights(number)})
        )
        book.graded(name)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(60)))

    assert book.cache_keys() == {f"s{number}": f"s{number}" for number in range(10)}


def test_two_who_opened_one_book_keep_at_once(place: Path) -> None:
    def keep(name: str) -> None:
        with open_gradebook(place) as book:
            for number in range(20):
                graded = _retitled(named(name, full_marks()), str(number))
                book.save_submission(
                    StoredSubmission(
                        cache_key=str(number), graded=graded, trace=trace({"a": weights(number)})
                    )
                )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(keep, ("ada", "ben")))

    with open_gradebook(place) as book:
        assert book.cache_keys() == {"ada": "19", "ben": "19"}
    assert count(place, "blobs") == 1


def test_results_are_read_in_the_order_asked_for(book: Gradebook) -> None:
    for name in ("ada", "ben", "cyd"):
        book.save_submission(entry(name))

    found = [graded.submission.name for graded in book.all_graded(["cyd", "ada", "ben"])]

    assert found == ["cyd", "ada", "ben"]


def test_memory_does_not_grow_with_the_class(book: Gradebook) -> None:
    names = [f"s{number}" for number in range(1000)]
    for name in names:
        graded = replace(named(name), notes=(Flag(FlagKind.NOTEBOOK_NOTE, (name * 5000,)),))
        book.save_submission(StoredSubmission(cache_key=name, graded=graded, trace=None))

    tracemalloc.start()
    read = sum(len(graded.notes[0].args[0]) for graded in book.all_graded(names))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert read > 19_000_000
    assert most < 2_000_000


def test_reading_holds_up_no_writer(book: Gradebook) -> None:
    for name in ("ada", "ben"):
        book.save_submission(entry(name, key="old"))
    reading = book.all_graded(["ada", "ben"])
    next(reading)

    book.save_submission(entry("ben", key="new"))

    assert next(reading).submission.name == "ben"
    assert book.cache_keys()["ben"] == "new"


def test_the_rooms_that_keys_are_made_of_exist() -> None:
    rooms = {place.name for place in cache_keys.PACKAGE_FOLDER.iterdir()}

    assert rooms >= cache_keys.RUN_SOURCES
    assert rooms >= cache_keys.EXTRACTION_SOURCES


def imported_files(path: Path) -> set[Path]:
    """The files of the grader that a file imports, in whatever way it is written."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    package = cache_keys.PACKAGE_FOLDER
    own_names = [name.removeprefix("grader.").split(".") for name in names if "." in name]
    candidates = [package.joinpath(*parts) for parts in own_names]
    files = [path.with_suffix(".py") for path in candidates]
    return {
        file for file in (*files, *(path / "__init__.py" for path in candidates)) if file.exists()
    }


def test_a_run_is_made_again_when_a_room_changes_that_it_passes_through() -> None:
    package = cache_keys.PACKAGE_FOLDER
    started = [*(package / room for room in ("inside", "kernel", "sandbox"))]
    pending = [path for folder in started for path in folder.rglob("*.py")]
    reached: set[Path] = set()
    while pending:
        path = pending.pop()
        if path not in reached:
            reached.add(path)
            pending += imported_files(path)
    rooms = {path.relative_to(package).parts[0] for path in reached}

    # An error is a name and a sentence; `text_folding` folds the words of what `notebook` reads.
    assert {"wire.py", "notebook"} <= rooms
    assert rooms - {"errors.py"} == cache_keys.RUN_SOURCES - {"text_folding.py"}
