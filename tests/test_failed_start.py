"""A first run that fails or is stopped leaves nothing behind, and no grade is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
import tiny_course

from grader import fault_log
from grader.cli.run_command import describe_interruption
from grader.errors import UsageError
from grader.folder import OutputFolder
from grader.gradebook.run_claim import claim_run
from grader.pipeline.failed_start import remove_if_nothing_graded
from grader.report.progress import RunWatcher


def fail_after_setting_up(
    out: Path,
    *,
    then: Callable[[], object] = lambda: None,
    failure: type[BaseException] = UsageError,
) -> None:
    """Make what a run makes before it grades, do one more thing, and fail."""
    with remove_if_nothing_graded(out):
        with OutputFolder(out).open_gradebook():
            then()
        raise failure("roster.csv: no column is known")


@pytest.mark.parametrize("failure", [UsageError, KeyboardInterrupt, RuntimeError])
def test_a_failed_first_run_leaves_no_folder_and_none_of_its_parents(
    failure: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(failure):
        fail_after_setting_up(tmp_path / "fall" / "graded", failure=failure)

    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_that_was_there_stays_empty(tmp_path: Path) -> None:
    out = tmp_path / "graded"
    out.mkdir()

    with pytest.raises(UsageError):
        fail_after_setting_up(out)

    assert list(out.iterdir()) == []


def test_what_was_there_before_is_not_touched(tmp_path: Path) -> None:
    out = tmp_path / "graded"
    with OutputFolder(out).open_gradebook():
        pass
    before = sorted(out.rglob("*"))

    with pytest.raises(UsageError):
        fail_after_setting_up(out)

    assert sorted(out.rglob("*")) == before


@pytest.mark.parametrize(
    "file", ["reports/ada.html", "results/ada.json", fault_log.LOG_NAME, "notes.txt"]
)
def test_a_folder_that_holds_something_stays(file: str, tmp_path: Path) -> None:
    out = tmp_path / "graded"

    with pytest.raises(UsageError):
        fail_after_setting_up(out, then=lambda: (out / file).write_text("kept", encoding="utf-8"))

    assert (out / file).read_text(encoding="utf-8") == "kept"


def test_the_folder_of_another_run_at_work_stays(tmp_path: Path) -> None:
    out = tmp_path / "graded"
    with ExitStack() as other_run:

        def begin_other_run() -> None:
            book = other_run.enter_context(OutputFolder(out).open_gradebook())
            other_run.enter_context(claim_run(book))

        with pytest.raises(UsageError):
            fail_after_setting_up(out, then=begin_other_run)

        assert (out / OutputFolder.DATABASE_FILE).is_file()


@pytest.mark.kernel
def test_a_run_that_fails_keeps_what_an_earlier_one_graded(tmp_path: Path) -> None:
    course = tiny_course.made(tmp_path / "course")
    course.hand_in("ada")

    code, told = course.grade("--roster", "nosuch.csv")
    assert (code, "nosuch.csv" in told) == (2, True)
    assert not course.out.exists()

    assert course.grade()[0] in {0, 1}
    assert course.grade("--roster", "nosuch.csv")[0] == 2
    assert (course.out / "reports" / "ada.html").is_file()


def test_an_interruption_says_what_is_kept(tmp_path: Path) -> None:
    watcher = RunWatcher()
    assert "no file is left behind" in describe_interruption(watcher, out=tmp_path / "gone")
    assert "is as it was" in describe_interruption(watcher, out=tmp_path)

    watcher.graded, watcher.total = 12, 62
    told = describe_interruption(watcher, out=tmp_path)

    assert told.startswith("Interrupted after 12 of 62 submissions; what is graded is kept in ")
    assert os.fspath(tmp_path) in told
