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

from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import NewMark, StoredSubmission, answer_digest, ledger, open_gradebook

KILLS = 12
NAMES = ("ada", "ben", "cleo")


def mark_until_killed(folder: OutputFolder, *, saved: int) -> None:
    """Give marks for ever, make pages, and say which number was saved as soon as it is."""
    number = 0
    with open_gradebook(folder.store) as book:
        publisher = ClassPublisher(folder, book=book, rubric=rubric())
        digests = {name: answer_digest(book.graded(name), "Q1.1") for name in NAMES}
        while True:
            number += 1
            name = NAMES[number % len(NAMES)]
            now = ledger.current_marks(book, "Q1.1").get((name, "Q1.1"))
            decided = NewMark(
                submission=name,
                item="Q1.1",
                answer_digest=digests[name],
                by="Mo",
                points=Fraction(number % 6),
                comment=str(number),
            )
            mark = ledger.add_mark(book, decided, expected_current=now.number if now else None)
            os.write(saved, f"{mark.number}\n".encode())
            publisher.publish_submission(name)


def kill_in_a_loop(path: Path) -> None:
    """Start a marker and kill it, again and again; say what was lost."""
    folder = OutputFolder(path)
    with open_gradebook(folder.store) as book:
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


def _started(folder: OutputFolder) -> tuple[int, int]:
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


def _lost(folder: OutputFolder, known: set[int]) -> list[str]:
    """Marks that were saved and aren't there, broken rows, pages that say something else."""
    found = []
    with open_gradebook(folder.store) as book:
        entries = [entry for name in NAMES for entry in ledger.mark_history(book, name, "Q1.1")]
        there = {entry.number for entry in entries}
        found += [f"mark {number} is lost" for number in sorted(known - there)]
        for name in NAMES:
            numbers = [e.number for e in ledger.mark_history(book, name, "Q1.1")]
            replaced = [e.replaced for e in ledger.mark_history(book, name, "Q1.1")]
            if replaced != [None, *numbers][: len(numbers)]:
                found.append(f"the marks of {name} are not in a row")
        ClassPublisher(folder, book=book, rubric=rubric()).publish()
        for name in NAMES:
            mark = one(book, name=name).mark
            page = folder.report_path(name)
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
    folder = OutputFolder(tmp_path / "graded")
    with open_gradebook(folder.store) as book:
        keep(book)
        publisher = ClassPublisher(folder, book=book, rubric=rubric())
        publisher.publish_submission("ada")
        assert book.stale_submissions() == ()

        ledger.add_mark(book, given(book, points=Fraction(4)), expected_current=None)

        assert book.stale_submissions() == ("ada",)
        publisher.publish()
        assert book.stale_submissions() == ()


def test_pages_that_two_made_at_once_are_stale_and_not_thought_current(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "graded")
    with open_gradebook(folder.store) as book:
        keep(book)
        publisher = ClassPublisher(folder, book=book, rubric=rubric())
        entry = StoredSubmission(cache_key="k", graded=graded(), trace=None)
        book.save_submission(entry, render_token="run")  # noqa: S106 (it stands for pages)
        seen = book.apply_stored_marks(graded())  # a run has read the marks, and is about to write
        ledger.add_mark(book, given(book, points=Fraction(4)), expected_current=None)
        publisher.publish_submission("ada")  # a console writes what is new
        assert book.stale_submissions() == ()
        folder.write_submission(seen.graded, rubric=rubric())  # the run writes what it had read

        assert not book.finish_rendering("ada", token="run", mark_revision=seen.mark_revision)  # noqa: S106 (as above)

        assert book.stale_submissions() == ("ada",)
        publisher.publish()
        assert book.stale_submissions() == ()
    assert "4 of 6 points" in folder.report_path("ada").read_text(encoding="utf-8")


if __name__ == "__main__":
    kill_in_a_loop(Path(sys.argv[1]))
