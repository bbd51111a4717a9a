"""Makes the notebooks of HW 5 that are committed: template, reference and invented submissions.

    python examples/make.py             builds and runs them all (a few minutes)
    python examples/make.py NAME ...    only those whose path holds one of these words
    python examples/make.py --check     runs nothing; fails if a committed notebook's sources
                                        are not what these scripts say

It needs what students need (torch, matplotlib, scikit-learn), nbformat and nbclient; torchvision
and Colab are stood in for while a notebook runs.
"""
# ruff: noqa: INP001 -- this folder is scripts, no package
# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import nbformat
from building import reference, submission, template
from running import run
from stories import NOT_A_NOTEBOOK, STORIES

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS = "examples/submissions"
HTML_PAGE = f"{SUBMISSIONS}/hw5_submission_lina.ipynb"


def main() -> int:
    """Build or check; the exit code is 1 if a check found a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="words of the paths to build; all if none")
    parser.add_argument("--check", action="store_true", help="compare the sources, run nothing")
    asked = parser.parse_args()
    books = {
        path: book
        for path, book in notebooks().items()
        if not asked.names or any(name in path for name in asked.names)
    }
    if asked.check:
        return check(books)
    for path, (book, runs) in books.items():
        build(path, book=book, runs=runs)
    (ROOT / HTML_PAGE).write_text(NOT_A_NOTEBOOK, encoding="utf-8")
    return 0


def notebooks() -> dict[str, tuple[nbformat.NotebookNode, bool]]:
    """Every notebook by its path below the repository, and whether outputs are saved in it."""
    books = {
        "tests/notebooks/hw5-template.ipynb": (template(), False),
        "reference/hw5.ipynb": (reference(), True),
    }
    for story in STORIES:
        books[f"{SUBMISSIONS}/{story.file}"] = (submission(story), story.ran)
    return books


def build(path: str, *, book: nbformat.NotebookNode, runs: bool) -> None:
    """Run the notebook if it has outputs, and write it."""
    if runs:
        run(book)
    nbformat.validate(book)
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(nbformat.writes(book) + "\n", encoding="utf-8")
    say(f"made {path}")


def check(books: dict[str, tuple[nbformat.NotebookNode, bool]]) -> int:
    """Name the committed notebooks whose sources differ from these scripts."""
    stale = [path for path, (book, _) in books.items() if not is_current(ROOT / path, book=book)]
    if (ROOT / HTML_PAGE).read_text(encoding="utf-8") != NOT_A_NOTEBOOK:
        stale.append(HTML_PAGE)
    for path in stale:
        say(f"not what examples/make.py makes: {path}")
    return 1 if stale else 0


def is_current(path: Path, *, book: nbformat.NotebookNode) -> bool:
    """Whether the committed notebook has these cells; outputs are left aside."""
    if not path.is_file():
        return False
    return cells_of(nbformat.read(path, as_version=4)) == cells_of(book)


def cells_of(book: nbformat.NotebookNode) -> list[tuple[str, str, str, object, object]]:
    """What of a notebook's cells was written by a person."""
    return [
        (cell.id, cell.cell_type, cell.source, cell.metadata, cell.get("attachments", {}))
        for cell in book.cells
    ]


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
