"""Describe for the page what the saved outputs of a file show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.model import OutputDifference, QuotedNumber, SavedEvidence
from grader.notebook.saved_outputs import UNNAMED_ERROR
from grader.report.text_format import capitalize_first, format_count

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesView:
    """The numbers that one answer quotes."""

    headline: str
    quotes: tuple[QuotedNumber, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """The part of the page about saved outputs."""

    headline: str
    remarks: tuple[str, ...]
    differences: tuple[OutputDifference, ...]


def quotes_view(evidence: SavedEvidence | None, item: str) -> QuotesView | None:
    """Return the numbers that the answer to an item quotes, or None."""
    quotes = evidence.quotes_for(item) if evidence else ()
    if not quotes:
        return None
    supported = sum(quote.is_supported for quote in quotes)
    which = "it is" if len(quotes) == 1 else "all are"
    share = f"{supported} of them" if supported < len(quotes) else which
    location = f"{share} in the notebook" if supported else "not in the notebook's outputs or code"
    amount = format_count(len(quotes), singular="number")
    return QuotesView(
        headline=f"This answer quotes {amount}: {location}",
        quotes=tuple(quotes),
    )


def quote_location(quote: QuotedNumber) -> str:
    """Describe in a few words where a quoted number appears."""
    if quote.saved and quote.fresh:
        return f"output of {format_cell_list(quote.saved)}"
    descriptions = (
        (quote.saved, f"saved with {format_cell_list(quote.saved)}, not printed by a fresh run"),
        (
            quote.fresh,
            f"printed by {format_cell_list(quote.fresh)} in a fresh run, not saved in the file",
        ),
        (quote.worked_out, quote.worked_out),
        (quote.code, f"code of {format_cell_list(quote.code)}"),
    )
    return next((text for evidence, text in descriptions if evidence), "in no output and no code")


def saved_outputs_view(evidence: SavedEvidence | None) -> SavedView | None:
    """Return the part about saved outputs, or None where the file has no traces of a run."""
    if evidence is None or not (evidence.numbered or evidence.compared or evidence.errors):
        return None
    remarks = tuple(_remarks(evidence))
    return SavedView(
        headline=_headline(evidence, quiet=not remarks),
        remarks=remarks,
        differences=evidence.differences,
    )


def _headline(evidence: SavedEvidence, *, quiet: bool) -> str:
    if evidence.differences:
        differing = format_count(len(evidence.differences), singular="cell")
        return f"a fresh run shows something else in {differing} of {evidence.compared}"
    if evidence.compared:
        amount = format_count(evidence.compared, singular="cell")
        same = f"a fresh run reproduces the saved outputs of {amount}"
        return same if quiet else f"{same}; how they were run needs a look"
    if quiet:
        return "it was run from top to bottom, and shows no outputs"
    if evidence.errors and not evidence.out_of_order:
        amount = format_count(len(evidence.errors), singular="cell")
        return f"it was saved with errors in {amount}"
    return "how it was run needs a look"


def _remarks(evidence: SavedEvidence) -> list[str]:
    remarks = []
    if evidence.out_of_order:
        single = len(evidence.out_of_order) == 1
        verb = "was" if single else "were"
        subject = capitalize_first(format_cell_list(evidence.out_of_order))
        remarks.append(
            f"{subject} {verb} last run out of order: the others ran from top to bottom."
        )
    if evidence.never_run:
        verb = "was" if len(evidence.never_run) == 1 else "were"
        subject = capitalize_first(format_cell_list(evidence.never_run))
        remarks.append(f"{subject} {verb} not run before the file was saved.")
    for error in evidence.errors[:_SHOWN]:
        end = "and fails in a fresh run, too" if error.again else "but runs in a fresh run"
        text = "" if error.text == UNNAMED_ERROR else f" ({error.text})"
        remarks.append(f"Cell {error.cell} was saved with an error{text}, {end}.")
    return remarks


def format_cell_list(indexes: Sequence[int]) -> str:
    """Return 'cell 3' or 'cells 3 and 7'."""
    names = [str(index) for index in indexes[:_SHOWN]]
    more = len(indexes) - len(names)
    if more:
        names.append(f"{more} more")
    if len(names) > 1:
        return f"cells {', '.join(names[:-1])} and {names[-1]}"
    return f"cell {' '.join(names)}"
