"""nbgrader: `nbgrader autograde`, which runs each notebook in a fresh kernel, one after another."""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import nbformat

from benchmarks.bare_nbclient import pictures_of, problems_of
from benchmarks.environments import environment, venv
from benchmarks.measuring import Job, Usage
from benchmarks.notebooks import notebook
from benchmarks.peer_checks import CHECKS
from benchmarks.variant import Order

PACKAGE = "nbgrader==0.9.6"
COURSE = "course"


class Nbgrader:
    """The grader of the Jupyter project."""

    name = "nbgrader"
    does = "runs each notebook in a fresh kernel, with four cells of assertions; points in SQLite"
    leaves_out = "reports (`generate_feedback`), reference, isolation; one notebook at a time"

    def job(self, order: Order) -> Job:
        """A course with the assignment released and one submission a student; then autograde."""
        python = venv("nbgrader", package=PACKAGE)
        own = environment(Path(order.environment["HOME"]), python=python)
        course = order.out / COURSE
        _write(notebook(0), course / "source" / "hw5" / "hw5.ipynb")
        for path in order.notebooks():
            book = nbformat.read(path, as_version=4)
            _write(book, course / "submitted" / path.stem / "hw5" / "hw5.ipynb")
        program = (str(python), "-m", "nbgrader")
        release = [*program, "generate_assignment", "hw5", "--create"]
        done = subprocess.run(  # noqa: S603 -- the peer's own command
            release, cwd=course, env=dict(own), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"nbgrader generate_assignment failed:\n{done.stderr[-2000:]}")
        return Job(
            commands=((*program, "autograde", "hw5", "--create"),),
            cwd=course,
            environment=own,
            folder=order.out,
            results=f"{COURSE}/autograded/*/hw5/hw5.ipynb",
            start=(*program, "autograde", "--help"),
            ripe=2,  # each is written before it is run, too
        )

    def usage(self, order: Order, *, usage: Usage) -> Usage:  # noqa: ARG002 -- as others need it
        """All of it."""
        return usage

    def problems(self, order: Order) -> Sequence[str]:
        """A notebook that was not autograded, or a cell, or an assertion, that raised."""
        return problems_of(order, _autograded(order))

    def pictures(self, order: Order) -> Sequence[int] | None:
        """Of the autograded notebooks."""
        return pictures_of(sorted(_autograded(order).values()))


def with_checks(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with a locked cell of assertions for each check."""
    for name, source in CHECKS.items():
        cell = nbformat.v4.new_code_cell(source, id=f"check-{name}")
        cell.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade": True,
            "grade_id": name,
            "locked": True,
            "points": 1,
            "solution": False,
            "task": False,
        }
        book.cells.append(cell)
    return book


def _write(book: nbformat.NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(with_checks(book)), encoding="utf-8")


def _autograded(order: Order) -> dict[str, Path]:
    found = (order.out / COURSE / "autograded").glob("*/hw5/hw5.ipynb")
    return {path.parent.parent.name: path for path in found}
