"""What a way of grading must tell to be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.measuring import Job, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Notebooks to grade, and where to."""

    books: Path
    """A folder that holds the notebooks and nothing else."""
    out: Path
    """An empty folder, for whatever is written."""
    environment: Mapping[str, str]
    jobs: int | None = None
    """Notebooks at once, where the variant can; its own default if None."""
    proof: bool = False
    """Whether the notebooks hold the cells that tell the size of their figure."""

    def notebooks(self) -> list[Path]:
        """The notebooks, in order."""
        return sorted(self.books.glob("*.ipynb"))


class Variant(Protocol):
    """One way of grading."""

    name: str
    does: str
    leaves_out: str

    def job(self, order: Order) -> Job:
        """Make ready all that isn't timed, and say what is."""
        ...

    def usage(self, order: Order, *, usage: Usage) -> Usage:
        """What it took, of what was measured around it."""
        ...

    def problems(self, order: Order) -> Sequence[str]:
        """What shows that some notebook was not graded as it should have been."""
        ...

    def pictures(self, order: Order) -> Sequence[int] | None:
        """Bytes of each notebook's figure, largest of each; None if this pass can't show it."""
        ...
