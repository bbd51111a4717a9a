"""Runs a notebook that was made for nbgrader or otter-grader as these do: by what they note.

nbgrader's test cells are not the student's, so they are not run: what they ask is asked afterwards.
Locked cells run as they were handed out, and a cell of code that became text is code again. A cell
that otter-grader is told to ignore is not run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from grader.model import Cell, Item, Notebook, Rubric

PREFIX = "nbgrader:"
IGNORED = "otter_ignore"
"""The tag of a cell that otter-grader does not run."""
NOTHING = "pass"
"""What runs in place of a test cell: the moment is kept at which its test asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerCells:
    """What is known of the cells of a handout, by their ids there."""

    tests: frozenset[str] = frozenset()
    locked: Mapping[str, Cell]
    code: frozenset[str] = frozenset()
    ignores: bool = False
    """Whether cells that otter-grader ignores are not run."""

    @classmethod
    def of_rubric(cls, rubric: Rubric, *, reference: Notebook) -> PeerCells:
        """Return what an imported rubric and its reference say; nothing of any other."""
        if rubric.imported_from != "nbgrader":
            return cls(locked={}, ignores=rubric.imported_from == "otter")
        known = {key: cell for cell in reference.cells if (key := grade_id(cell))}
        return cls(
            tests=frozenset(_test_ids(rubric.items)),
            locked={key: cell for key, cell in known.items() if cell.is_locked},
            code=frozenset(key for key, cell in known.items() if cell.kind == "code"),
        )

    def cells_to_run(self, notebook: Notebook) -> tuple[Cell, ...]:
        """Return the code cells of a submission as they are run."""
        cells = (self._as_handed_out(cell) for cell in notebook.cells)
        return tuple(cell for cell in cells if cell.kind == "code")

    def _as_handed_out(self, cell: Cell) -> Cell:
        if self.ignores and IGNORED in cell.tags:
            return replace(cell, source=NOTHING) if cell.kind == "code" else cell
        key = grade_id(cell)
        if not key:
            return cell
        if key in self.tests:
            return replace(cell, source=NOTHING) if cell.kind == "code" else cell
        if key in self.locked:
            original = self.locked[key]
            return replace(cell, kind=original.kind, source=original.source)
        return replace(cell, kind="code") if key in self.code else cell


def answer_cells(notebook: Notebook, items: Iterable[Item]) -> Mapping[str, tuple[int, ...]]:
    """Return, by written item, the cells that nbgrader's ids say hold its answer."""
    cells: dict[str, list[int]] = {}
    for cell in notebook.cells:
        key = "" if cell.is_locked else grade_id(cell)
        if key:
            found_cells = cells.setdefault(key, [])
            found_cells += [] if cell.kind == "code" and is_stub(cell.source) else [cell.index]
    answers = {}
    for item in items:
        key = item.id if item.id in cells else item.id.removeprefix(f"{item.notebook}.")
        if item.kind == "written" and key in cells:
            # Each once: an item of another notebook may have the same id there.
            answers[item.id] = tuple(cells.pop(key))
    return answers


def untouched_cells(notebook: Notebook, items: Iterable[Item]) -> Mapping[str, frozenset[int]]:
    """Return, by written item, its cells, where all of them are as they were handed out."""
    untouched = {}
    for item in items:
        key = item.id.removeprefix(f"{item.notebook}.")
        own = [c for c in notebook.cells if not c.is_locked and grade_id(c) in {item.id, key}]
        if item.untouched and own and all(cell.source == item.untouched for cell in own):
            untouched[item.id] = frozenset(cell.index for cell in own)
    return untouched


def is_stub(source: str) -> bool:
    """Return whether code is no more than what nbgrader puts in place of a solution."""
    lines = (line.partition("#")[0].strip() for line in source.split("\n"))
    code = "".join(lines).replace(" ", "")
    return code in {"", "...", "pass", "raiseNotImplementedError()", "raiseNotImplementedError"}


def grade_id(cell: Cell) -> str:
    """Return the id that nbgrader gave a cell, or ''."""
    ids = (name for name in cell.ids if name.startswith(PREFIX))
    return next(ids, "").removeprefix(PREFIX)


def work_digest(notebook: Notebook, key: str) -> str:
    """Return a digest of what a student wrote in the cells of an id; without one, in all.

    Spaces at the ends of lines, and what is locked, don't matter. '' where there is no such cell.
    """
    cells = [c for c in notebook.cells if not c.is_locked and (not key or grade_id(c) == key)]
    hasher = hashlib.sha256()
    for cell in cells:
        lines = (line.rstrip() for line in cell.source.strip().splitlines())
        pictures = (part for image in cell.images for part in (image.mime, image.base64))
        for part in ("\n".join(lines), *pictures):
            data = part.encode("utf-8", "surrogatepass")
            hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest() if cells else ""


def _test_ids(items: Iterable[Item]) -> Iterable[str]:
    """Yield the ids of the cells of automatic items: 'q1', where an item is 'problem2.q1', too."""
    for item in items:
        if item.kind == "auto":
            yield item.id
            if item.notebook:
                yield item.id.removeprefix(f"{item.notebook}.")
