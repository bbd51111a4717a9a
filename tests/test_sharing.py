"""A class judged by several processes: the same as by one, and no fault goes unsaid.

Each test runs in an interpreter of its own: `multiprocessing` starts a process that stays for as
long as its interpreter, and other tests count what is left below them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from test_again import ASKS, RAN, Class, class_of_one

from grader import gradebook
from grader.errors import UsageError
from grader.gradebook import StoredSubmission
from grader.model import Submission
from grader.pipeline import rejudging, workers
from grader.pipeline.cache_keys import CacheKeys
from grader.pipeline.rejudging import RejudgeResult, rejudge_in_parallel

NAMES = tuple(f"s{number}" for number in range(7))


def class_of_many(root: Path) -> Class:
    """A class that is shared out, however small."""
    rejudging.MIN_PER_PROCESS = rejudging.CHUNK = 1
    made = class_of_one(root)
    ada = made.stored()
    with gradebook.open_gradebook(made.work.folder.store) as book:
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
        assert tuple(shared.summaries) == (() if item is curious else NAMES)
        assert shared.count == (0 if item is curious else len(NAMES))
        assert shared.needs_rerun == (NAMES if item is curious else ())
        assert rejudge_in_parallel(work, NAMES, jobs=1).summaries == shared.summaries


def killed(_names: Sequence[str]) -> RejudgeResult:
    os._exit(9)


def full(_names: Sequence[str]) -> RejudgeResult:
    raise UsageError("no room on the disk")


def slowly(_rejudger: rejudging.Rejudger, _names: Sequence[str]) -> RejudgeResult:
    """Leave something to the other process, which takes a second to start."""
    time.sleep(1)
    return RejudgeResult()


def fail(root: Path) -> None:
    work = class_of_many(root).work
    fates: dict[str, Callable[[Sequence[str]], RejudgeResult]] = {
        "was killed": killed,
        "no room": full,
    }
    for told, fate in fates.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rejudging, "rejudge_chunk", fate)
            patch.setattr(rejudging.Rejudger, "rejudge", slowly)
            with pytest.raises(UsageError, match=told):
                rejudge_in_parallel(work, NAMES, jobs=2)


def killed_worker(*_arguments: object) -> None:
    os._exit(9)


def full_worker(*arguments: Any) -> None:
    arguments[3].put(("failed", UsageError("no room on the disk")))


def lose(root: Path) -> None:
    work = class_of_one(root).work
    submission = Submission(name="ada", path=root / "ada.ipynb", display_path="ada.ipynb")
    prepared = CacheKeys(work.build_judge()).prepare(submission)
    fates: dict[str, Callable[..., None]] = {"was killed": killed_worker, "no room": full_worker}
    for told, fate in fates.items():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(workers, "run_worker_process", fate)
            grades = workers.grade_all(
                [prepared] * 9, config=work, jobs=9, on_ready=pytest.fail, notify=pytest.fail
            )
            with pytest.raises(UsageError, match=told):
                list(grades)


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


@pytest.mark.slow
def test_processes_that_share_a_class_come_to_what_one_comes_to(tmp_path: Path) -> None:
    done = elsewhere("share", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_process_that_fails_ends_the_command(tmp_path: Path) -> None:
    done = elsewhere("fail", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_that_grades_and_is_lost_ends_the_command(tmp_path: Path) -> None:
    done = elsewhere("lose", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
