"""A class judged by several processes: the same as by one, and no fault goes unsaid.

Each test runs in an interpreter of its own: `multiprocessing` starts a process that stays for as
long as its interpreter, and other tests count what is left below them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from test_again import ASKS, RAN, Class, class_of_one

from grader import gradebook
from grader.errors import UsageError
from grader.folder import OutputFolder
from grader.gradebook import StoredSubmission
from grader.pipeline import parallel_rejudging
from grader.pipeline.grading_worker import RunConfig
from grader.pipeline.parallel_rejudging import NameQueue, rejudge_in_parallel

NAMES = tuple(f"s{number}" for number in range(7))


def class_of_many(root: Path) -> Class:
    """A class that is shared out, however small."""
    parallel_rejudging.MIN_PER_PROCESS = 1
    made = class_of_one(root)
    ada = made.stored()
    with gradebook.open_gradebook(OutputFolder(made.work.out).store) as book:
        for name in NAMES:
            one = replace(ada, submission=replace(ada.submission, name=name))
            book.save_submission(StoredSubmission(cache_key="k.j", graded=one, trace=made.trace))
    return made


def share(root: Path) -> None:
    made = class_of_many(root)
    asked, runs = made.work.rubric.items
    harder = replace(runs, checks=(replace(RAN, points=Fraction(1)),))
    curious = replace(runs, checks=(ASKS,))

    for item, moved in ((harder, NAMES), (curious, ()), (runs, NAMES)):
        work = made.under(asked, item).work
        shared = rejudge_in_parallel(work, NAMES, jobs=3)

        assert tuple(dict.fromkeys(change.submission for change in shared.changes)) == moved
        assert tuple(brief.page_row.name for brief in shared.briefs) == NAMES
        assert shared.count == (0 if item is curious else len(NAMES))
        assert shared.needs_rerun == (NAMES if item is curious else ())
        assert rejudge_in_parallel(work, NAMES, jobs=1).briefs == shared.briefs


def killed(_work: RunConfig, _turns: NameQueue, _pipe: Connection) -> None:
    os._exit(9)


def full(_work: RunConfig, _turns: NameQueue, pipe: Connection) -> None:
    pipe.send(UsageError("no room on the disk"))


def fail(root: Path) -> None:
    work = class_of_many(root).work
    fates: dict[str, Callable[[RunConfig, NameQueue, Connection], None]]
    fates = {"was killed": killed, "no room": full}
    for told, fate in fates.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parallel_rejudging, "run_rejudging_worker", fate)
            with pytest.raises(UsageError, match=told):
                rejudge_in_parallel(work, NAMES, jobs=2)


def elsewhere(name: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Call a function of this file in another interpreter."""
    code = f"import pathlib, test_sharing as t; t.{name}(pathlib.Path({str(root)!r}))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_processes_that_share_a_class_come_to_what_one_comes_to(tmp_path: Path) -> None:
    done = elsewhere("share", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_that_fails_ends_the_command(tmp_path: Path) -> None:
    done = elsewhere("fail", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
