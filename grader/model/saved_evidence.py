"""Defines how saved outputs compare with a fresh run; for graders only, no points depend on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedError:
    """An error that was saved in a cell's output."""

    cell: int
    text: str
    again: bool
    """Whether the cell failed in a fresh run, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLine:
    """A line of output whose numbers differ in a fresh run; either side may be empty."""

    label: str
    """The line with # for each number."""
    then: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """A cell whose saved output a fresh run does not reproduce."""

    cell: int
    moved: tuple[ChangedLine, ...] = ()
    more: int = 0
    """Number of further changed lines that are not listed."""
    pictures_then: int = 0
    pictures_now: int = 0
    """Number of pictures in the file, and in the fresh run."""
    why: str = ""
    """The reason why the cell stopped in the fresh run; empty if it did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedNumber:
    """A number that a written answer quotes, and the cells where it appears."""

    item: str
    text: str
    """The number as the answer writes it: '0.92', '93 %'."""
    saved: tuple[int, ...] = ()
    """Cells whose saved output shows it, rounded or cut to the digits quoted."""
    fresh: tuple[int, ...] = ()
    """Cells whose output in the fresh run shows it."""
    code: tuple[int, ...] = ()
    """Cells whose code holds it, such as a learning rate."""
    worked_out: str = ""
    """How it follows from two other numbers of the answer: '0.9980 - 0.9193'."""

    @property
    def is_supported(self) -> bool:
        """Return whether it appears in the notebook or follows from numbers that do."""
        return bool(self.saved or self.fresh or self.code or self.worked_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEvidence:
    """The saved outputs of a submitted file, compared with a fresh run."""

    numbered: bool = False
    """Whether the file says in which order its cells ran."""
    out_of_order: tuple[int, ...] = ()
    """The fewest cells without which the others ran from top to bottom."""
    never_run: tuple[int, ...] = ()
    errors: tuple[SavedError, ...] = ()
    compared: int = 0
    """Number of cells whose saved output could be compared with a fresh run's."""
    differences: tuple[OutputDifference, ...] = ()
    quotes: tuple[QuotedNumber, ...] = ()

    def quotes_for(self, item: str) -> tuple[QuotedNumber, ...]:
        """Return the numbers that the answer to an item quotes."""
        return tuple(quote for quote in self.quotes if quote.item == item)
