"""OUT: judges the saved outputs of the submitted file: results, figures, order of the run."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from grader.checks.check import (
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    failed,
    passed,
)
from grader.checks.memo import memoized
from grader.checks.numbers_in_text import TextNumber, read_decimals
from grader.checks.reproduction import collect_saved_evidence
from grader.model import SavedEvidence, list_some
from grader.notebook.saved_outputs import shows_figure

SAVE_HINT = "Run all cells, save, and submit the file with its outputs."
_MAX_LISTED_CELLS = 8
_SECOND_DECIMAL = 0.0101
"""The coarsest unit of a number with two decimals."""


def looks_like_share(number: TextNumber) -> bool:
    """Return whether a number is between -1 and 1, with two decimals or more."""
    return abs(number.value) <= 1 + number.unit / 2 and number.unit <= _SECOND_DECIMAL


def outputs_cleared(evidence: Evidence) -> bool:
    """Return whether no code cell of the file has any saved output."""
    return not any(cell.outputs for cell in evidence.notebook.code_cells())


def judge_attached_pdf(evidence: Evidence, *, expected: str) -> CheckOutcome | None:
    """Return a pending outcome if outputs are cleared and a PDF is attached, else None."""
    if not outputs_cleared(evidence) or ".pdf" not in evidence.attachments:
        return None
    observed = "the notebook's outputs are cleared, but a PDF was submitted beside it"
    return failed(expected=expected, observed=observed, pending=True)


class ShowsNumbers(Check):
    """The saved outputs show the results: at least so many numbers between -1 and 1 as text.

    Each has two decimals or more, in whatever spelling: `-.06`, `9.19e-01`, `0,92`, `91.9 %`. Half
    of the points if at least half of them are there. If all outputs were cleared and a PDF was
    handed in beside the notebook, a person decides.
    """

    code = "OUT001"
    title = "the file shows the {count} {what}"
    depends_on_run = False
    judges_file = True

    count: int
    """How many numbers."""
    what: str
    """The report's word for them: 'similarities'."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        number_count = sum(
            looks_like_share(number)
            for cell in evidence.notebook.code_cells()
            for output in cell.outputs
            for number in read_decimals(output.text)
        )
        plural = "" if number_count == 1 else "s"
        observed = f"the saved outputs show {number_count or 'no'} such number{plural}"
        return self.judge_count(evidence, number_count, observed=observed)

    def judge_count(
        self, evidence: Evidence, number_count: int, *, observed: str, hint: str = SAVE_HINT
    ) -> CheckOutcome:
        """Return the outcome for a file that shows so many of the numbers."""
        expected = f"{self.count} {self.what} in the saved outputs"
        if number_count >= self.count:
            return passed(
                expected=expected, observed=f"the saved outputs show the {self.count} {self.what}"
            )
        pdf_outcome = judge_attached_pdf(evidence, expected=expected)
        if pdf_outcome is not None:
            return pdf_outcome
        cleared = outputs_cleared(evidence)
        return CheckOutcome(
            share=Fraction(1, 2) if 2 * number_count >= self.count else Fraction(0),
            expected=expected,
            observed="the file holds no saved outputs" if cleared else observed,
            hint=SAVE_HINT if cleared else hint,
        )


class ShowsFigure(Check):
    """The saved outputs show a figure, in the cell that trains or after it.

    Any picture, video, plotly or vega figure, or one in HTML or Markdown. Where nothing was
    trained, a figure anywhere counts.
    """

    code = "OUT002"
    title = "the file shows {what}"
    depends_on_run = False
    judges_file = True
    fixed_questions = (RECORDING_QUESTION,)  # it tells where training was

    what: str = "a figure"
    """The report's words for it: 'a chart'."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = f"{self.what} in the saved outputs, after training"
        cells = [
            cell
            for cell in evidence.notebook.code_cells()
            for output in cell.outputs
            if shows_figure(output)
        ]
        recording = evidence.recording
        training_cells = [step.cell for step in recording.steps]
        training_cells += [call.cell for call in recording.calls]
        first_cell = min(training_cells, default=0)
        if any(cell.index >= first_cell for cell in cells):
            return passed(expected=expected, observed=f"the saved outputs show {self.what}")
        pdf_outcome = judge_attached_pdf(evidence, expected=expected)
        if pdf_outcome is not None:
            return pdf_outcome
        observed = "the saved outputs show no figure"
        if cells:
            observed = "the saved outputs show a figure, but only before training"
        return failed(expected=expected, observed=observed, hint=SAVE_HINT)


class RunInOrder(Check):
    """The cells had run from top to bottom when the file was saved, by their execution counts.

    Each cell that must be left out for the others to be in order, and each that was never run
    while others were, takes its share of all code cells. A file without any counts (cleared, or
    written by a tool that keeps none) passes if it shows outputs, and fails otherwise.
    """

    code = "OUT003"
    title = "the file was run from top to bottom before it was saved"
    depends_on_run = False

    at_most: int = 0
    """Number of cells that may have run out of order, or not at all, at no cost."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = "the cells were run from top to bottom, and none was left out"
        hint = "Restart the kernel, run all cells, save, and submit that file."
        saved = _saved_evidence(evidence)
        if not saved.numbered:
            if outputs_cleared(evidence):
                return failed(
                    expected=expected,
                    observed="no cell was run before the file was saved",
                    hint=hint,
                )
            observed = "the file does not say in which order its cells were run"
            return passed(expected=expected, observed=observed)
        misplaced = sorted({*saved.out_of_order, *saved.never_run})
        if len(misplaced) <= self.at_most:
            observed = "the cells were run from top to bottom"
            if misplaced:
                observed += f", but for {_list_cells(misplaced)}"
            return passed(expected=expected, observed=observed)
        cell_count = max(len(misplaced), len(evidence.notebook.code_cells()))
        verb = "was" if len(misplaced) == 1 else "were"
        return CheckOutcome(
            share=1 - Fraction(len(misplaced), cell_count),
            expected=expected,
            observed=f"{_list_cells(misplaced)} {verb} run out of order, or never",
            hint=hint,
            cells=tuple(misplaced),
        )


class OutputsReproduced(Check):
    """A fresh run prints the numbers and makes the pictures that the file shows.

    For notebooks that set a seed; numbers drawn without one differ in any correct notebook. Numbers
    are the same within 0.1 %, or 1.5 units of the last digit shown, whole numbers exactly. Each
    cell that differs takes its share of those compared. What the fresh run printed comes from the
    notebook's own process: a forgery gains the points of this check, and no others.
    """

    code = "OUT004"
    title = "a fresh run shows what the file shows"

    at_most: int = 0
    """Number of cells whose saved output a fresh run need not reproduce."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = "a fresh run shows the numbers and pictures that the file shows"
        saved = _saved_evidence(evidence)
        if not saved.compared:
            observed = "the file holds no saved outputs to compare"
            return failed(expected=expected, observed=observed, hint=SAVE_HINT)
        cells = tuple(difference.cell for difference in saved.differences)
        same, count = (
            saved.compared - len(cells),
            f"{saved.compared} cell{'' if saved.compared == 1 else 's'}",
        )
        if len(cells) <= self.at_most:
            return passed(
                expected=expected,
                observed=f"a fresh run reproduced the saved output of {same} of {count}",
            )
        return CheckOutcome(
            share=1 - Fraction(len(cells), saved.compared),
            expected=expected,
            observed=f"a fresh run showed something else in {len(cells)} of {count}",
            hint="Set a seed, restart the kernel, run all cells, and save.",
            cells=cells,
        )


def _list_cells(indexes: Sequence[int]) -> str:
    """Return 'cell 3, cell 5 and 2 more'."""
    return list_some([f"cell {index}" for index in indexes], most=_MAX_LISTED_CELLS)


@memoized
def _saved_evidence(evidence: Evidence) -> SavedEvidence:
    return collect_saved_evidence(evidence.notebook, record=evidence.record, answers={})
