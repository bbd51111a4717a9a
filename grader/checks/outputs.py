"""OUT: what the submitted file itself shows: results, figures, and the run it was saved from."""

from __future__ import annotations

import re
from fractions import Fraction

from grader.checks.check import (
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    Params,
    RandomDraws,
    failed,
    passed,
)
from grader.checks.reproduction import collect_saved_evidence
from grader.model import Cell, Question, SavedEvidence

_NUMBER = re.compile(r"(?<![\d.\w+-])[-+]?(?:0|1)\.\d{2,}(?![\d.]|[a-zA-Z])")
_PICTURE_TYPES = ("image/png", "image/jpeg", "image/svg+xml")


class ShowsNumbersParams(Params):
    """How many results must be shown."""

    count: int
    """How many numbers."""
    what: str
    """What they are, for the report: 'similarities'."""


class ShowsFigureParams(Params):
    """The figure that must be shown."""

    what: str = "a figure"
    """What it is called in the report."""


def outputs_cleared(evidence: Evidence) -> bool:
    """Whether no code cell of the file has any saved output."""
    return not any(cell.outputs for cell in evidence.notebook.code_cells())


def judge_attached_pdf(evidence: Evidence, *, expected: str) -> CheckOutcome | None:
    """Outputs cleared but a PDF attached: for a person to look at."""
    if outputs_cleared(evidence) and ".pdf" in evidence.attachments:
        return CheckOutcome(
            share=Fraction(0),
            expected=expected,
            observed="the notebook's outputs are cleared, but a PDF was handed in beside it",
            pending=True,
        )
    return None


class ShowsNumbers(Check[ShowsNumbersParams]):
    """The saved outputs show the results: at least so many numbers between -1 and 1 as text.

    Half of the points if at least half of them are there. If all outputs were cleared and a PDF
    was handed in beside the notebook, a person decides.
    """

    code = "OUT001"
    params = ShowsNumbersParams
    judges_file = True

    def title(self, params: ShowsNumbersParams) -> str:
        """What it checks."""
        return f"the file shows the {params.count} {params.what}"

    def judge(self, params: ShowsNumbersParams, evidence: Evidence) -> CheckOutcome:
        """Counts numbers in saved text."""
        expected = f"{params.count} {params.what} in the saved outputs"
        number_count = sum(
            len(_NUMBER.findall(o.text)) for c in evidence.notebook.code_cells() for o in c.outputs
        )
        if number_count >= params.count:
            return passed(expected=expected, observed="they are shown")
        pdf_outcome = judge_attached_pdf(evidence, expected=expected)
        if pdf_outcome is not None:
            return pdf_outcome
        hint = "Run all cells, save, and hand in the file with its outputs."
        if 2 * number_count >= params.count:
            observed = f"{number_count} numbers"
            return CheckOutcome(
                share=Fraction(1, 2), expected=expected, observed=observed, hint=hint
            )
        observed = (
            "no saved outputs at all" if outputs_cleared(evidence) else f"{number_count} numbers"
        )
        return failed(expected=expected, observed=observed, hint=hint)


class ShowsFigure(Check[ShowsFigureParams]):
    """The saved outputs show a figure, in the cell that trains or after it.

    Any png, jpeg, svg or HTML figure. Where nothing was trained, a figure anywhere counts.
    """

    code = "OUT002"
    params = ShowsFigureParams
    judges_file = True

    def title(self, params: ShowsFigureParams) -> str:
        """What it checks."""
        return f"the file shows {params.what}"

    def questions(self, params: ShowsFigureParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for the recording, which tells where training was."""
        return (RECORDING_QUESTION,)

    def judge(self, params: ShowsFigureParams, evidence: Evidence) -> CheckOutcome:
        """Looks for pictures in saved outputs."""
        expected = f"{params.what} in the saved outputs, after training"
        cells = [cell for cell in evidence.notebook.code_cells() if _has_figure(cell)]
        recording = evidence.recording
        training_cells = [e.cell for e in recording.steps] + [e.cell for e in recording.calls]
        first_cell = min(training_cells, default=0)
        if any(cell.index >= first_cell for cell in cells):
            return passed(expected=expected, observed="it is shown")
        pdf_outcome = judge_attached_pdf(evidence, expected=expected)
        if pdf_outcome is not None:
            return pdf_outcome
        observed = "a figure, but only before training" if cells else "no figure"
        hint = "Run all cells, save, and hand in the file with its outputs."
        return failed(expected=expected, observed=observed, hint=hint)


class RunInOrderParams(Params):
    """How far from top to bottom is near enough."""

    at_most: int = 0
    """Cells that may have run out of order, or not at all, at no cost."""


class RunInOrder(Check[RunInOrderParams]):
    """Its cells had run from top to bottom when the file was saved, by the numbers it has for them.

    Cells that must be left out for the others to be in order, and cells that were never run while
    others were, each take one part in all code cells. A file without any numbers (cleared, or
    written by a tool that keeps none) says nothing of order: if it shows outputs it passes,
    if not it fails.
    """

    code = "OUT003"
    params = RunInOrderParams

    def title(self, params: RunInOrderParams) -> str:
        """What it checks."""
        return "the file was run from top to bottom before it was saved"

    def judge(self, params: RunInOrderParams, evidence: Evidence) -> CheckOutcome:
        """Looks at the numbers of the cells' last runs."""
        expected = "cells run from top to bottom, none left out"
        hint = "Restart the kernel, run all cells, save, and hand in that file."
        saved = _saved_evidence(evidence)
        if not saved.numbered:
            if outputs_cleared(evidence):
                return failed(expected=expected, observed="no cell has run", hint=hint)
            return passed(expected=expected, observed="the file does not say in which order")
        misplaced = sorted({*saved.out_of_order, *saved.never_run})
        if len(misplaced) <= params.at_most:
            return passed(expected=expected, observed="they are")
        cell_list = ", ".join(map(str, misplaced[:8])) + (" …" if len(misplaced) > 8 else "")  # noqa: PLR2004 -- enough to find them
        share = 1 - Fraction(
            len(misplaced), max(len(misplaced), len(evidence.notebook.code_cells()))
        )
        observed = f"out of order, or never run: cell {cell_list}"
        return CheckOutcome(
            share=share, expected=expected, observed=observed, hint=hint, cells=tuple(misplaced)
        )


class OutputsReproducedParams(Params):
    """What may differ."""

    at_most: int = 0
    """Cells whose saved output a fresh run need not reproduce."""


class OutputsReproduced(Check[OutputsReproducedParams]):
    """A fresh run prints the numbers and makes the pictures that the file shows.

    For notebooks that set a seed; numbers drawn without one differ without any fault. Numbers are
    the same within 0.1 %, or one and a half of the last digit shown, whole numbers exactly. Cells
    that differ each take one part in those compared. What the fresh run printed is taken on the
    word of the notebook's side: one who forges it gains the points of this check, no others.
    """

    code = "OUT004"
    params = OutputsReproducedParams

    def title(self, params: OutputsReproducedParams) -> str:
        """What it checks."""
        return "a fresh run shows what the file shows"

    def judge(self, params: OutputsReproducedParams, evidence: Evidence) -> CheckOutcome:
        """Holds saved outputs against those of the run."""
        expected = "the numbers and pictures that the file shows"
        saved = _saved_evidence(evidence)
        if not saved.compared:
            hint = "Run all cells, save, and hand in the file with its outputs."
            return failed(expected=expected, observed="no saved outputs to compare", hint=hint)
        cells = tuple(difference.cell for difference in saved.differences)
        if len(cells) <= params.at_most:
            return passed(expected=expected, observed=f"the same in {saved.compared} cells")
        return CheckOutcome(
            share=1 - Fraction(len(cells), saved.compared),
            expected=expected,
            observed=f"something else in {len(cells)} of {saved.compared} cells",
            hint="Set a seed, restart the kernel, run all cells, and save.",
            cells=cells,
        )


def _saved_evidence(evidence: Evidence) -> SavedEvidence:
    """What the saved outputs say, worked out once for a submission."""
    return evidence.memo.get_or_compute(
        "saved",
        lambda: collect_saved_evidence(evidence.notebook, record=evidence.record, answers={}),
    )


def _has_figure(cell: Cell) -> bool:
    return any(
        output.html_has_figure or any(mime in _PICTURE_TYPES for mime in output.mimes)
        for output in cell.outputs
    )
