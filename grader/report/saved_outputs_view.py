"""Puts what a file's saved outputs say into calm words, for whoever reads the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.model import Difference, Quote, SavedEvidence
from grader.report.text_format import counted

_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A figure that an answer quotes, and where it is."""

    text: str
    where: str
    found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The figures of one answer."""

    headline: str
    figures: tuple[Seen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """The part of the page about saved outputs."""

    headline: str
    remarks: tuple[str, ...]
    differences: tuple[Difference, ...]


def figures(evidence: SavedEvidence | None, item: str) -> Said | None:
    """The figures that the answer to an item quotes; None where it quotes none."""
    quotes = evidence.quotes_of(item) if evidence else ()
    if not quotes:
        return None
    found = sum(quote.found for quote in quotes)
    which = "it is" if len(quotes) == 1 else "all are"
    told = f"{found} of them" if found < len(quotes) else which
    where = f"{told} in the notebook" if found else "not in the notebook's outputs or code"
    amount = counted(len(quotes), one="figure", many="figures")
    return Said(
        headline=f"This answer quotes {amount}: {where}",
        figures=tuple(
            Seen(text=quote.text, where=place_of(quote), found=quote.found) for quote in quotes
        ),
    )


def place_of(quote: Quote) -> str:
    """Where a quoted figure is, in a few words."""
    if quote.saved and quote.fresh:
        return f"output of {cells(quote.saved)}"
    places = (
        (quote.saved, f"saved with {cells(quote.saved)}, not printed by a fresh run"),
        (quote.fresh, f"printed by {cells(quote.fresh)} in a fresh run, not saved in the file"),
        (quote.worked_out, quote.worked_out),
        (quote.code, f"code of {cells(quote.code)}"),
    )
    return next((told for there, told in places if there), "in no output and no code")


def saved(evidence: SavedEvidence | None) -> SavedView | None:
    """The part about saved outputs; None where the file says nothing of its run."""
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
        apart = counted(len(evidence.differences), one="cell", many="cells")
        return f"A fresh run shows something else in {apart} of {evidence.compared}"
    if evidence.compared:
        amount = counted(evidence.compared, one="cell", many="cells")
        same = f"A fresh run shows what was saved with {amount}"
        return same if quiet else f"{same}; how they were run needs a look"
    if quiet:
        return "It was run from top to bottom, and shows no outputs"
    if evidence.errors and not evidence.out_of_order:
        amount = counted(len(evidence.errors), one="cell", many="cells")
        return f"It was saved with errors in {amount}"
    return "How it was run needs a look"


def _remarks(evidence: SavedEvidence) -> list[str]:
    told = []
    if evidence.out_of_order:
        one = len(evidence.out_of_order) == 1
        verb = "was" if one else "were"
        named = _capital(cells(evidence.out_of_order))
        told.append(f"{named} {verb} last run out of order: the others ran from top to bottom.")
    if evidence.never_run:
        verb = "was" if len(evidence.never_run) == 1 else "were"
        named = _capital(cells(evidence.never_run))
        told.append(f"{named} {verb} not run before the file was saved.")
    for error in evidence.errors[:_SHOWN]:
        end = "and fails in a fresh run, too" if error.again else "but runs in a fresh run"
        told.append(f"Cell {error.cell} was saved with an error ({error.said}), {end}.")
    return told


def cells(indexes: Sequence[int]) -> str:
    """Cells by their numbers: 'cell 3', 'cells 3 and 7'."""
    shown = [str(index) for index in indexes[:_SHOWN]]
    more = len(indexes) - len(shown)
    if more:
        shown.append(f"{more} more")
    if len(shown) > 1:
        return f"cells {', '.join(shown[:-1])} and {shown[-1]}"
    return f"cell {' '.join(shown)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
