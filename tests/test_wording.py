"""What a student reads of a check is true in the odd case, too."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_checks_strange import seen

from grader.checks.finding_text import to_sentence
from grader.checks.recording import Recording
from grader.contrastive import CHECKS
from grader.kernel.cell_runs import NO_NETWORK, note_network
from grader.model import Cell, CellError, CellRun, CellStatus, Finding, Verdict
from grader.selfcheck.student_feedback import _main_cell

LABELS = ["one", "two", "other"]
RANDOM = np.random.default_rng(3)


def hint_of_order(anchor: Any, closer: Any, farther: Any) -> str:
    params = {
        "labels": LABELS,
        "shape": [4],
        "before": "early",
        "after": "late",
        "module": "Net",
        "train": "t",
        "layers": [[0]],
        "weights": [[1]],
        "counterpart": "f",
        "accepted": ["none"],
        "stage": "inputs",
        "anchor": "one",
        "closer": "two",
    }
    check = CHECKS["SIM001"].model_validate({**params, "farther": "other"})
    outcome = check.judge(seen(Recording(), one=anchor, two=closer, other=farther))
    assert outcome.share == 0
    return outcome.hint


def test_arrays_are_called_positive_only_where_they_are() -> None:
    positive = np.array([1.0, 2, 3, 4])
    less = np.array([4.0, 1, 1, 1])

    assert "all positive" in hint_of_order(positive, less, positive + 0.1)
    assert hint_of_order(-positive, less, -positive) == ""
    assert hint_of_order(positive, -less, positive) == ""


def test_nobody_is_told_that_an_array_was_made_from_another() -> None:
    """The same seed gives the same numbers, as does the same pattern."""
    params = {"labels": LABELS, "shape": [4], "one": "two", "other": "one", "below": 0.15}
    array = RANDOM.standard_normal(4)
    outcome = (
        CHECKS["ARR002"]
        .model_validate(params)
        .judge(seen(Recording(), one=array, two=array, other=-array))
    )

    assert outcome.share == 0
    assert outcome.hint.startswith("What have two and one in common: ")
    assert outcome.hint.endswith("?")


@pytest.mark.parametrize(
    ("name", "message", "said"),
    [
        ("URLError", "<urlopen error [Errno -3] Temporary failure in name resolution>", True),
        ("ConnectionError", "HTTPSConnectionPool(host='x', port=443): Max retries", True),
        ("OSError", "[Errno 101] Network is unreachable", True),
        ("gaierror", "[Errno -2] Name or service not known", True),
        ("OSError", "[Errno 95] Operation not supported", True),
        ("DistNetworkError", "The server socket has failed to bind. code: -95", True),
        ("OSError", "We couldn't connect to 'https://models.example' to load the files", True),
        ("CalledProcessError", "Command '['git', 'clone', 'x']' returned non-zero exit", True),
        ("ValueError", "no connection between layers", False),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'x.csv'", False),
    ],
)
def test_a_cell_that_fails_at_the_network_says_that_there_is_none(
    name: str, message: str, *, said: bool
) -> None:
    error = CellError(name=name, message=message)
    run = CellRun(index=0, status=CellStatus.RAISED, error=error, notes=("first",))
    well = CellRun(index=1, status=CellStatus.RAN)

    cells = [Cell(index=i, kind="code", source="x = 1") for i in range(2)]
    noted, unchanged = note_network((run, well), cells)

    assert noted.notes == (("first", NO_NETWORK) if said else ("first",))
    assert unchanged == well


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("!wget -q https://example.org/a.png", True),
        ("%%bash\nmkdir data && curl -sO https://example.org/a.png", True),
        ("out = !git clone https://example.org/utils", True),
        ("import os\nos.system('gdown 1abc -O a.zip')", True),
        ("subprocess.run(['git', 'clone', 'https://example.org/utils'])", True),
        ("# !wget https://example.org/a.png\nx = 1", False),
        ("!wget {URL}\n!curl $URL > a.png", True),
        ("import wget\ncurl = 1\nprint(curl * v.x, 'the curl of it')", False),
        ("!git status", False),
    ],
)
def test_a_cell_that_fetches_by_a_program_says_that_there_is_no_network(
    source: str, *, said: bool
) -> None:
    run = CellRun(index=0, status=CellStatus.RAN)
    [noted] = note_network((run,), [Cell(index=0, kind="code", source=source)])

    assert noted.notes == ((NO_NETWORK,) if said else ())


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        ("the file shows no figure", "The file shows no figure."),
        ("The loss is flat.", "The loss is flat."),
        ("is it so?", "Is it so?"),
        ("calling Net raised E: no …", "Calling Net raised E: no …"),
        ("one has mean 0", "one has mean 0."),  # a name of the notebook
        ("x[0] is 3", "x[0] is 3."),
        ("f(1) gave 2", "f(1) gave 2."),
        ("snake_case is 3", "snake_case is 3."),
        ("`loss` was not called", "`loss` was not called."),
        ("écart is 3", "Écart is 3."),
        ("3 of 4 rows", "3 of 4 rows."),
        ("left:\n  right", "Left:\n  right"),
        ("", ""),
    ],
)
def test_what_was_found_is_a_sentence(clause: str, sentence: str) -> None:
    assert to_sentence(clause, names={"one"}) == sentence
    assert to_sentence(sentence, names={"one"}) == sentence


def test_a_list_of_failed_cells_is_headed_by_its_first() -> None:
    finding = Finding(
        item="V",
        code="EXE001",
        title="runs",
        verdict=Verdict.PARTIAL,
        earned=Fraction(3),
        possible=Fraction(6),
        public=True,
        expected="",
        found="2 of 9 cells failed on their own: cell 3: E; cell 7: E",
        cells=(3, 7),
    )

    assert _main_cell(finding) == 3
    assert _main_cell(replace(finding, found="it does not")) == 7
    assert _main_cell(replace(finding, cells=())) is None
