"""What the saved outputs of a submitted file say, for whoever reads it: no points hang on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedError:
    """An error that was saved with a cell."""

    cell: int
    text: str
    again: bool
    """Whether the cell failed in a fresh run, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedLine:
    """A line of output whose numbers are not those of a fresh run; either side may be empty."""

    label: str
    """What the line says, with # for each number."""
    then: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """A cell whose saved output a fresh run does not reproduce."""

    cell: int
    moved: tuple[ChangedLine, ...] = ()
    more: int = 0
    """Lines of the same kind that are not listed."""
    pictures_then: int = 0
    pictures_now: int = 0
    """Pictures that the file shows, and that a fresh run made."""
    why: str = ""
    """What became of the cell in the fresh run, where it did not run to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedNumber:
    """A figure that a written answer gives, and the cells that show it, as far as one was found."""

    item: str
    text: str
    """As the answer has it: '0.92', '93 %'."""
    saved: tuple[int, ...] = ()
    """Cells whose saved output shows it, rounded or cut to the digits quoted."""
    fresh: tuple[int, ...] = ()
    """Cells whose output in the fresh run shows it."""
    code: tuple[int, ...] = ()
    """Cells whose code holds it, such as a learning rate."""
    worked_out: str = ""
    """How it follows from two others of the answer: '0.9980 - 0.9193'."""

    @property
    def is_supported(self) -> bool:
        """Whether it appears anywhere in the notebook or follows from what does."""
        return bool(self.saved or self.fresh or self.code or self.worked_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEvidence:
    """What a submitted file shows of its own run, held against a fresh one."""

    numbered: bool = False
    """Whether the file says in which order its cells ran."""
    out_of_order: tuple[int, ...] = ()
    """Cells to leave out for the others to have run from top to bottom."""
    never_run: tuple[int, ...] = ()
    errors: tuple[SavedError, ...] = ()
    compared: int = 0
    """Cells whose saved output could be held against a fresh run's."""
    differences: tuple[OutputDifference, ...] = ()
    quotes: tuple[QuotedNumber, ...] = ()

    def quotes_for(self, item: str) -> tuple[QuotedNumber, ...]:
        """The figures that the answer to an item gives."""
        return tuple(quote for quote in self.quotes if quote.item == item)
