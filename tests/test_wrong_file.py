"""A file that is no attempt at the assignment is said to be one, and costs no automatic point."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from grading import ROOT

from grader.checks import SeededRandom
from grader.model import (
    Cell,
    CellRun,
    CellStatus,
    ExecutionRecord,
    FlagKind,
    Graded,
    Notebook,
    Rubric,
    Submission,
    Trace,
    Verdict,
)
from grader.notebook import read_notebook
from grader.pipeline.judge import Judge
from grader.pipeline.run_config import load_rubric
from grader.report.flag_text import flag_text
from grader.report.student_report import student_page
from grader.selfcheck.submission_warnings import _file_warnings

TEMPLATE = ROOT / "tests" / "notebooks" / "hw5-template.ipynb"
PROMPT = "Why are skip connections useful in CNN architectures like ResNet? (*Hint: think about "
PROMPT += "gradient propagation in very deep networks*)"
HABITS = """
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import matplotlib.pyplot as plt
random_seed = 16
random.seed(random_seed)
torch.manual_seed(random_seed)
np.random.seed(random_seed)
optimizer.zero_grad()
optimizer.step()
plt.show()
"""


@lru_cache
def hw5() -> tuple[Rubric, Judge]:
    rubric = load_rubric(ROOT, assignment="hw5")
    return rubric, Judge.for_rubric(rubric, rng=SeededRandom(seed=b"0" * 32))


def text(source: str) -> Cell:
    return Cell(index=0, kind="markdown", source=source)


def code(source: str) -> Cell:
    return Cell(index=0, kind="code", source=source)


def graded(*cells: Cell, file: Path | None = None) -> Graded:
    """A file judged as if all of its cells had run and left nothing."""
    cells = read_notebook(file).cells if file else cells
    numbered = tuple(
        Cell(index=index, kind=cell.kind, source=cell.source) for index, cell in enumerate(cells)
    )
    runs = tuple(
        CellRun(index=cell.index, status=CellStatus.RAN) for cell in numbered if cell.kind == "code"
    )
    trace = Trace(
        notebook=Notebook(cells=numbered, sha256=""),
        record=ExecutionRecord(cells=runs, heard=True),
        observations={},
        expected={},
    )
    _, judge = hw5()
    submission = Submission(name="team", path=Path("team.ipynb"), display_path="team.ipynb")
    return judge.conclude(submission, judge.evidence(submission, trace))


def kinds(result: Graded) -> tuple[set[FlagKind], set[FlagKind]]:
    ours = {kind for kind in FlagKind if "wrong_file" in kind or "untouched" in kind}
    return {f.kind for f in result.flags} & ours, {n.kind for n in result.notes} & ours


FOREIGN = {
    "another assignment of the course": (),
    "a training loop of any course": (text("# Lab 3\nName: Ada Example"), code(HABITS)),
    "a name alone": (text("Ada Example (ae10001)"),),
    "code alone": (code("x = 1\nprint(x)"),),
    "an essay": (text("Skip connections help gradients. Batch normalization helps, too."),),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_flagged_first_and_its_automatic_points_wait(name: str) -> None:
    cells = FOREIGN[name]
    result = graded(*cells, file=None if cells else ROOT / "reference" / "attention.ipynb")

    assert kinds(result) == ({FlagKind.WRONG_FILE}, {FlagKind.WRONG_FILE_NOTE})
    assert flag_text(result.flags[0]).startswith("this does not look like HW 5: none of its quest")
    assert result.score is not None
    assert result.score.total.pending == result.score.total.possible == 80
    assert {item.verdict for item in result.score.items} == {Verdict.PENDING}
    page = student_page(result, rubric=hw5()[0])
    assert page.index("This does not look like HW 5: none of its") < page.index("Your points")
    assert page.count("This does not look like HW 5") == 1


OWN = {
    "one question": (text(PROMPT), text("They help.")),
    "names of the handout": (code("C1 = f()\nB1 = g()\nclass SimpleEncoder: pass\npos_pair = 1"),),
}


@pytest.mark.parametrize("name", OWN)
def test_a_question_or_names_of_the_handout_make_an_attempt(name: str) -> None:
    result = graded(*OWN[name])

    assert kinds(result) == (set(), set())
    assert result.score is not None
    assert result.score.total.pending == 40


def test_an_attempt_may_have_no_text_and_an_attempt_may_have_no_code() -> None:
    cells = read_notebook(ROOT / "reference" / "hw5.ipynb").cells

    for kind in ("code", "markdown"):
        assert kinds(graded(*(cell for cell in cells if cell.kind == kind))) == (set(), set())


def test_code_given_without_a_blank_makes_an_attempt_without_any_name() -> None:
    cells = read_notebook(ROOT / "reference" / "hw5.ipynb").cells
    given = [c for c in cells if "def plot" in c.source or "def print" in c.source]

    assert kinds(graded(*given)) == (set(), set())
    assert kinds(graded(given[0])) != (set(), set())


def test_the_handout_as_it_was_given_out_is_flagged_and_judged() -> None:
    named = [text("Ada Example (ae10001)"), *read_notebook(TEMPLATE).cells]

    for result in (graded(file=TEMPLATE), graded(*named)):
        assert kinds(result) == ({FlagKind.UNTOUCHED_HANDOUT}, {FlagKind.UNTOUCHED_HANDOUT_NOTE})
        assert flag_text(result.flags[0]) == (
            "no question of HW 5 is answered, and 8 blanks in its code are still open"
        )
        assert result.score is not None
        assert result.score.total.pending == 40


@pytest.mark.parametrize("blank", ["None", "...", "", "pass"])
def test_a_handout_of_any_blanks_is_untouched(blank: str) -> None:
    cells = read_notebook(TEMPLATE).cells

    blanked = (code(c.source.replace("#FILLME", blank)) if c.kind == "code" else c for c in cells)

    assert kinds(graded(*blanked))[0]


def filled(count: int) -> list[Cell]:
    """The handout's cells with so many blanks filled in."""
    cells = []
    for cell in read_notebook(TEMPLATE).cells:
        source = cell.source
        while count and cell.kind == "code" and "#FILLME" in source:
            source, count = source.replace("#FILLME", "own()", 1), count - 1
        cells.append(code(source) if cell.kind == "code" else cell)
    return cells


def test_a_handout_with_an_answer_or_a_line_of_code_is_an_attempt() -> None:
    cells = read_notebook(TEMPLATE).cells
    place = next(n for n, cell in enumerate(cells) if "skip connections" in cell.source)
    answered = (*cells[: place + 1], text("Gradients get through."), *cells[place + 1 :])

    assert kinds(graded(*answered)) == (set(), set())
    assert kinds(graded(*filled(0))) != (set(), set())
    assert kinds(graded(*filled(1))) == (set(), set())


def test_one_blank_is_no_handout_as_it_was_given_out() -> None:
    cells = read_notebook(ROOT / "reference" / "hw5.ipynb").cells
    unanswered = [c for c in cells if not c.tags]
    emptied = [
        code(c.source.replace("initial_embeddings = encoder(images).detach()", "initial = None"))
        if c.kind == "code"
        else c
        for c in unanswered
    ]

    assert kinds(graded(*emptied)) == (set(), set())


def test_the_check_before_handing_in_says_the_same() -> None:
    rubric, judge = hw5()
    public: Any = SimpleNamespace(rubric=rubric, checks=judge.checks, handout=judge.handout)
    foreign = read_notebook(ROOT / "reference" / "attention.ipynb")

    (warning,) = _file_warnings(foreign, public)

    assert warning.startswith("This does not look like HW 5: none of its questions is here, ")
    assert not list(_file_warnings(judge.reference, public))
