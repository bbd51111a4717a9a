"""Plain nbclient: a fresh kernel for each notebook, one after another; nothing is checked.

python -m benchmarks.bare_nbclient BOOKS OUT      runs them all; this is what is timed
"""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from benchmarks.measuring import Job, Usage
from benchmarks.notebooks import ROOT, errors, picture_sizes
from benchmarks.variant import Order


class BareNbclient:
    """What every grader built on nbclient takes before it has judged anything."""

    name = "nbclient"
    does = "runs each notebook in a fresh kernel and saves it"
    leaves_out = "checks, points, reports; one notebook at a time"

    def job(self, order: Order) -> Job:
        """This module as a program."""
        program = (sys.executable, "-m", "benchmarks.bare_nbclient")
        nothing = order.out / "nothing"
        nothing.mkdir()
        return Job(
            commands=((*program, str(order.books), str(order.out)),),
            cwd=ROOT,
            environment=order.environment,
            folder=order.out,
            results="*.ipynb",
            start=(*program, str(nothing), str(nothing)),
        )

    def usage(self, order: Order, *, usage: Usage) -> Usage:  # noqa: ARG002 -- as others need it
        """All of it."""
        return usage

    def problems(self, order: Order) -> Sequence[str]:
        """A notebook that was not saved, or a cell that raised."""
        return problems_of(order, {path.stem: path for path in order.out.glob("*.ipynb")})

    def pictures(self, order: Order) -> Sequence[int] | None:
        """Of the saved notebooks."""
        return pictures_of(sorted(order.out.glob("*.ipynb")))


def problems_of(order: Order, executed: dict[str, Path]) -> list[str]:
    """Notebooks that were not executed whole; the proof's last cell always raises."""
    missing = [f"{p.stem}: not executed" for p in order.notebooks() if p.stem not in executed]
    raised = [
        f"{name}: {error}"
        for name, path in executed.items()
        for error in errors(nbformat.read(path, as_version=4))
        if not order.proof
    ]
    return missing + raised


def pictures_of(executed: Sequence[Path]) -> list[int]:
    """The largest PNG of each executed notebook."""
    books = (nbformat.read(path, as_version=4) for path in executed)
    return [max(picture_sizes(book), default=0) for book in books]


def main() -> None:
    """Run and save each notebook of a folder."""
    from nbclient import NotebookClient  # noqa: PLC0415 -- this module describes it, too

    books, out = map(Path, sys.argv[1:3])
    for path in sorted(books.glob("*.ipynb")):
        book = nbformat.read(path, as_version=4)
        NotebookClient(book, kernel_name="python3", allow_errors=True, timeout=120).execute()
        (out / path.name).write_text(nbformat.writes(book), encoding="utf-8")


if __name__ == "__main__":
    main()
