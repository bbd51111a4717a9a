"""The bar of a run says how long it has taken and how long it will take, once that is known."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
import specimens
from specimen_assignment import rubric

from grader.report.progress import ProgressBar

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


def test_progress_says_elapsed_and_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with ProgressBar() as bar:
        bar.begin(rubric=rubric(), count=6, unchanged=11, judged=0)
        bar.ready()
        for number in range(3):
            bar.done(replace(specimens.full_marks(), reason=str(number)))
            time.sleep(0.15)
        shown = ESCAPES.sub("", capsys.readouterr().out)

    assert re.search(r"grading .* 3/6 0:00:0\d elapsed 0:00:0\d left", shown)
    assert "kept 11 submissions" in shown
    assert (bar.graded, bar.total) == (14, 17)


def test_there_is_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar() as bar:
        bar.begin(rubric=rubric(), count=6, unchanged=0, judged=0)
        bar.done(specimens.full_marks())

    assert capsys.readouterr().out == ""
