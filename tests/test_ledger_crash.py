"""Killed at any moment, no mark that a person saw saved is lost, and none is half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import traceback
from fractions import Fraction
from pathlib import Path

from specimen_assignment import rubric
from test_ledger import given, graded, keep, one

from grader.folder import Folder, catch_up, refresh_one
from grader.gradebook import Given, answer_digest, ledger, opened

KILLS = 12
NAMES = ("ada", "ben", "cleo")


def mark_until_killed(folder: Folder, *, saved: int) -> None:
    """Give marks for ever, make pages, and say which number was saved as soon as it is."""
    number = 0
    with opened(folder.store) as book:
        digests = {name: answer_digest(book.graded(name), "Q1.1") for name in NAMES}
        while True:
            number += 1
            name = NAMES[number % len(NAMES)]
            now = ledger.current(book, "Q1.1").get((name, "Q1.1"))
            decided = Given(
                submission=name,
                item="Q1.1",
                answer=digests[name],
                by="Mo",
                points=Fraction(number % 6),
                comment=str(number),
            )
            mark = ledger.give(book, decided, over=now.mark.number if now else None)
            os.write(saved, f"{mark.number}\n".encode())
            refresh_one(folder, book, rubric(), name)


def kill_in_a_loop(path: Path) -> None:
    """Start a marker and kill it, again and again; say what was lost."""
    folder = Folder(path)
    with opened(folder.store) as book:
        for name in NAMES:
            keep(book, graded(name))
    chance = random.Random(7)  # noqa: S311 (when to kill is no secret)
    known: set[int] = set()
    for _ in range(KILLS):
        pid, saved = _started(folder)
        begun = os.read(saved, 64)
        time.sleep(chance.uniform(0.0, 0.2))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        known |= _said(begun, saved)
        for line in _lost(folder, known):
            print(line)  # noqa: T201 (the test reads it)


def _started(folder: Folder) -> tuple[int, int]:
    reading, saved = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            mark_until_killed(folder, saved=saved)
        except BaseException:  # noqa: BLE001 (a fork of the test must not go on as the test)
            traceback.print_exc()
        os._exit(1)
    os.close(saved)
    return pid, reading


def _said(begun: bytes, saved: int) -> set[int]:
    with os.fdopen(saved, "rb") as file:
        return {int(line) for line in (begun + file.read()).split()}


def _lost(folder: Folder, known: set[int]) -> list[str]:
    """Marks that were saved and aren't there, broken rows, pages that say something else."""
    found = []
    with opened(folder.store) as book:
        entries = [entry for name in NAMES for entry in ledger.history(book, name, "Q1.1")]
        there = {entry.mark.number for entry in entries}
        found += [f"mark {number} is lost" for number in sorted(known - there)]
        for name in NAMES:
            numbers = [e.mark.number for e in ledger.history(book, name, "Q1.1")]
            replaced = [e.replaced for e in ledger.history(book, name, "Q1.1")]
            if replaced != [None, *numbers][: len(numbers)]:
                found.append(f"the marks of {name} are not in a row")
        catch_up(folder, book, rubric())
        for name in NAMES:
            mark = one(book, name=name).mark
            page = folder.report(name)
            if mark and f"<p>{mark.comment}</p>" not in page.read_text(encoding="utf-8"):
                found.append(f"the page of {name} is not current")
    return found


def test_killed_at_any_moment_no_saved_mark_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path / "graded")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_page_that_was_not_made_in_time_is_known_and_made(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "graded")
    with opened(folder.store) as book:
        keep(book)
        refresh_one(folder, book, rubric(), "ada")
        assert book.stale() == ()

        ledger.give(book, given(book, points=Fraction(4)), over=None)

        assert book.stale() == ("ada",)
        assert catch_up(folder, book, rubric()) == ("ada",)
        assert book.stale() == ()


if __name__ == "__main__":
    kill_in_a_loop(Path(sys.argv[1]))
