"""OUT: what the submitted file itself shows: results, figures, and the run it was saved from."""

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
from grader.checks.reproduction import saved_evidence
from grader.model import Cell, Question, SavedEvidence

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


class OrderParams(Params):
    """How far from top to bottom is near enough."""

    at_most: int = 0
    """Cells that may have run out of order, or not at all, at no cost."""


class RunInOrder(Check[OrderParams]):
    """Its cells had run from top to bottom when the file was saved, by the numbers it has for them.

    Cells that must be left out for the others to be in order, and cells that were never run while
    others were, each take one part in all code cells. A file without any numbers (cleared, or
    written by a tool that keeps none) says nothing of order: if it shows outputs it passes,
    if not it fails.
    """

    code = "OUT003"
    params = OrderParams

    def title(self, params: OrderParams) -> str:
        """What it checks."""
        return "the file was run from top to bottom before it was saved"

    def judge(self, params: OrderParams, evidence: Evidence) -> Opinion:
        """Looks at the numbers of the cells' last runs."""
        expected = "cells run from top to bottom, none left out"
        hint = "Restart the kernel, run all cells, save, and hand in that file."
        seen = _seen(evidence)
        if not seen.numbered:
            if cleared(evidence):
                return failed(expected=expected, found="no cell has run", hint=hint)
            return passed(expected=expected, found="the file does not say in which order")
        out = sorted({*seen.out_of_order, *seen.never_run})
        if len(out) <= params.at_most:
            return passed(expected=expected, found="they are")
        named = ", ".join(map(str, out[:8])) + (" …" if len(out) > 8 else "")  # noqa: PLR2004 -- enough to find them
        share = 1 - Fraction(len(out), max(len(out), len(evidence.notebook.code())))
        found = f"out of order, or never run: cell {named}"
        return Opinion(share=share, expected=expected, found=found, hint=hint, cells=tuple(out))


class ReproducedParams(Params):
    """What may differ."""

    at_most: int = 0
    """Cells whose saved output a fresh run need not reproduce."""


class Reproduced(Check[ReproducedParams]):
    """A fresh run prints the numbers and makes the pictures that the file shows.

    For notebooks that set a seed; numbers drawn without one differ without any fault. Numbers are
    the same within 0.1 %, or one and a half of the last digit shown, whole numbers exactly. Cells
    that differ each take one part in those compared. What the fresh run printed is taken on the
    word of the notebook's side: one who forges it gains the points of this check, no others.
    """

    code = "OUT004"
    params = ReproducedParams

    def title(self, params: ReproducedParams) -> str:
        """What it checks."""
        return "a fresh run shows what the file shows"

    def judge(self, params: ReproducedParams, evidence: Evidence) -> Opinion:
        """Holds saved outputs against those of the run."""
        expected = "the numbers and pictures that the file shows"
        seen = _seen(evidence)
        if not seen.compared:
            hint = "Run all cells, save, and hand in the file with its outputs."
            return failed(expected=expected, found="no saved outputs to compare", hint=hint)
        cells = tuple(difference.cell for difference in seen.differences)
        if len(cells) <= params.at_most:
            return passed(expected=expected, found=f"the same in {seen.compared} cells")
        return Opinion(
            share=1 - Fraction(len(cells), seen.compared),
            expected=expected,
            found=f"something else in {len(cells)} of {seen.compared} cells",
            hint="Set a seed, restart the kernel, run all cells, and save.",
            cells=cells,
        )


def _seen(evidence: Evidence) -> SavedEvidence:
    """What the saved outputs say, worked out once for a submission."""
    return evidence.memo.once(
        "saved", lambda: saved_evidence(evidence.notebook, record=evidence.record, answers={})
    )


def _has_figure(cell: Cell) -> bool:
    return any(
        output.html_has_figure or any(mime in _PICTURES for mime in output.mimes)
        for output in cell.outputs
    )
