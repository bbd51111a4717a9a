"""Killed at any moment, the book opens, and each submission is in it whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from specimens import ungradable

from grader.gradebook import StoredSubmission, open_gradebook
from grader.model import Flag, FlagKind, Notebook, Observation, Trace

KILLS = 20
WRITERS = 2
NAMES = 6


def entry(name: str, stamp: int) -> StoredSubmission:
    """An entry that says one number in every place."""
    graded = ungradable()
    arrays = {
        "small": np.full(8, stamp),
        "large": np.full(100_000, stamp),
        "shared": np.full(9_000, stamp % 3),
    }
    return StoredSubmission(
        cache_key=str(stamp),
        graded=replace(
            graded,
            submission=replace(graded.submission, name=name),
            flags=(Flag(FlagKind.COLLECTION_CONCERN, (str(stamp),)),),
        ),
        trace=Trace(
            notebook=Notebook(cells=(), sha256=str(stamp)),
            record=graded.record,
            observations={"q": Observation(id="q", status="ok", arrays=arrays)},
            expected={},
        ),
    )


def write_until_killed(place: Path, *, first: int, writer: int, begun: int) -> None:
    """Keep entries for ever; the writers write over each other."""
    with open_gradebook(place) as book:
        for number in count(first):
            stamp = 10 * time.monotonic_ns() + writer
            book.save_submission(entry(f"s{number % NAMES}", stamp))
            os.write(begun, b".")


def torn(place: Path) -> list[str]:
    """Entries that are neither whole nor absent, and blobs that nobody holds."""
    found = []
    with open_gradebook(place) as book:
        for name, key in book.cache_keys().items():
            trace = book.trace(name)
            says = {key, *(word for flag in book.graded(name).flags for word in flag.args)}
            if trace is not None:
                arrays = trace.observations["q"].arrays
                says |= {trace.notebook.sha256}
                says |= set(np.unique([*arrays["small"], *arrays["large"]]).astype(str))
            if len(says) != 1 or trace is None:
                found.append(f"{name} says {sorted(says)}")
    with closing(sqlite3.connect(place)) as connection:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            found.append("the file is damaged")
        orphans = "SELECT count(*) FROM blobs WHERE digest NOT IN (SELECT digest FROM trace_blobs)"
        if connection.execute(orphans).fetchone() != (0,):
            found.append("a blob that nobody holds")
    return found


def kill_in_a_loop(place: Path) -> None:
    """Start writers and kill them, again and again; say what was found torn.

    Every other time once both have kept something, else while they still open the book.
    """
    chance = random.Random(7)  # noqa: S311 (when to kill is no secret)
    for turn in range(KILLS):
        writers = [_started(place, first=turn // 2, writer=writer) for writer in range(WRITERS)]
        for _, begun in writers:
            if turn % 2:
                os.read(begun, 1)
        time.sleep(chance.uniform(0.0, 0.05))
        for pid, begun in writers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(begun)
        if place.exists():
            for line in torn(place):
                print(line)  # noqa: T201 (the test reads it)


def _started(place: Path, *, first: int, writer: int) -> tuple[int, int]:
    reading, begun = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            write_until_killed(place, first=first, writer=writer, begun=begun)
        except BaseException:  # noqa: BLE001 (a fork of the test must not go on as the test)
            traceback.print_exc()
        os._exit(1)
    os.close(begun)
    return pid, reading


@pytest.mark.slow
def test_killed_at_any_moment_each_entry_is_whole_or_absent(tmp_path: Path) -> None:
    place = tmp_path / "book.db"

    done = subprocess.run(
        [sys.executable, __file__, str(place)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with open_gradebook(place) as book:
        assert len(book.cache_keys()) == NAMES


if __name__ == "__main__":
    kill_in_a_loop(Path(sys.argv[1]))
