"""OUT: what the submitted file itself shows, before anything is run."""

from __future__ import annotations

import re
from fractions import Fraction

from grader.checks.check import (
    RECORDING,
    Check,
    Draws,
    Evidence,
    Opinion,
    Params,
    failed,
    passed,
)
from grader.model import Cell, Question

_NUMBER = re.compile(r"(?<![\d.\w+-])[-+]?(?:0|1)\.\d{2,}(?![\d.]|[a-zA-Z])")
_PICTURES = ("image/png", "image/jpeg", "image/svg+xml")


class NumbersParams(Params):
    """How many results must be shown."""

    count: int
    """How many numbers."""
    what: str
    """What they are, for the report: 'similarities'."""


class FigureParams(Params):
    """The figure that must be shown."""

    what: str = "a figure"
    """What it is called in the report."""


def cleared(evidence: Evidence) -> bool:
    """Whether no code cell of the file has any saved output."""
    return not any(cell.outputs for cell in evidence.notebook.code())


def handed_in_otherwise(evidence: Evidence, *, expected: str) -> Opinion | None:
    """Outputs cleared but a PDF attached: for a person to look at."""
    if cleared(evidence) and ".pdf" in evidence.attachments:
        return Opinion(
            share=Fraction(0),
            expected=expected,
            found="the notebook's outputs are cleared, but a PDF was handed in beside it",
            pending=True,
        )
    return None


class ShowsNumbers(Check[NumbersParams]):
    """The saved outputs show the results: at least so many numbers between -1 and 1 as text.

    Half of the points if at least half of them are there. If all outputs were cleared and a PDF
    was handed in beside the notebook, a person decides.
    """

    code = "OUT001"
    params = NumbersParams
    of_file = True

    def title(self, params: NumbersParams) -> str:
        """What it checks."""
        return f"the file shows the {params.count} {params.what}"

    def judge(self, params: NumbersParams, evidence: Evidence) -> Opinion:
        """Counts numbers in saved text."""
        expected = f"{params.count} {params.what} in the saved outputs"
        seen = sum(
            len(_NUMBER.findall(o.text)) for c in evidence.notebook.code() for o in c.outputs
        )
        if seen >= params.count:
            return passed(expected=expected, found="they are shown")
        other = handed_in_otherwise(evidence, expected=expected)
        if other is not None:
            return other
        hint = "Run all cells, save, and hand in the file with its outputs."
        if 2 * seen >= params.count:
            found = f"{seen} numbers"
            return Opinion(share=Fraction(1, 2), expected=expected, found=found, hint=hint)
        found = "no saved outputs at all" if cleared(evidence) else f"{seen} numbers"
        return failed(expected=expected, found=found, hint=hint)


class ShowsFigure(Check[FigureParams]):
    """The saved outputs show a figure, in the cell that trains or after it.

    Any png, jpeg, svg or HTML figure. Where nothing was trained, a figure anywhere counts.
    """

    code = "OUT002"
    params = FigureParams
    of_file = True

    def title(self, params: FigureParams) -> str:
        """What it checks."""
        return f"the file shows {params.what}"

    def questions(self, params: FigureParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for the recording, which tells where training was."""
        return (RECORDING,)

    def judge(self, params: FigureParams, evidence: Evidence) -> Opinion:
        """Looks for pictures in saved outputs."""
        expected = f"{params.what} in the saved outputs, after training"
        cells = [cell for cell in evidence.notebook.code() if _has_figure(cell)]
        recording = evidence.recording
        trained = [e.cell for e in recording.steps] + [e.cell for e in recording.calls]
        first = min(trained, default=0)
        if any(cell.index >= first for cell in cells):
            return passed(expected=expected, found="it is shown")
        other = handed_in_otherwise(evidence, expected=expected)
        if other is not None:
            return other
        found = "a figure, but only before training" if cells else "no figure"
        hint = "Run all cells, save, and hand in the file with its outputs."
        return failed(expected=expected, found=found, hint=hint)


def _has_figure(cell: Cell) -> bool:
    return any(
        output.html_has_figure or any(mime in _PICTURES for mime in output.mimes)
        for output in cell.outputs
    )
