"""Reads, edits and writes the notebooks of a course, with their cells by id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from grader.errors import RubricError
from grader.model import Json

SOLUTION, GRADER_ONLY = "solution", "grader-only"
"""Tags of cells that students don't get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableCell:
    """One cell with its outputs and attachments."""

    id: str
    kind: str
    """'code', 'markdown' or 'raw'."""
    source: str
    tags: tuple[str, ...] = ()
    outputs: tuple[Json, ...] = ()
    attachments: Mapping[str, Json] = field(default_factory=dict)
    nbgrader: Mapping[str, Json] = field(default_factory=dict)
    """What nbgrader knows the cell by, in a notebook that was made for it."""

    @property
    def hidden(self) -> bool:
        """Whether it is tagged as a cell that students don't get."""
        return bool({SOLUTION, GRADER_ONLY} & set(self.tags))


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableNotebook:
    """A notebook's cells, and the kernel it is for."""

    cells: tuple[EditableCell, ...]
    kernel: Mapping[str, Json] = field(default_factory=dict)
    """The metadata `kernelspec` and `language_info`."""

    def cell(self, cell_id: str) -> EditableCell | None:
        """Return the cell of that id, or None."""
        return next((cell for cell in self.cells if cell.id == cell_id), None)

    def with_sources(self, sources: Mapping[str, str]) -> EditableNotebook:
        """Return the notebook with other sources, by cell id; saved outputs stay."""
        cells = (replace(cell, source=sources.get(cell.id, cell.source)) for cell in self.cells)
        return replace(self, cells=tuple(cells))

    def as_submitted(self) -> EditableNotebook:
        """Return the notebook as a student would submit it, without `grader-only` cells."""
        return replace(self, cells=tuple(c for c in self.cells if GRADER_ONLY not in c.tags))

    def with_outputs(self, treatment: str) -> EditableNotebook:
        """Return the notebook with its saved outputs 'kept', 'cleared' or 'without figures'."""
        if treatment == "kept":
            return self
        cells = []
        for cell in self.cells:
            texts = [o for o in cell.outputs if set(o.get("data", {})) <= {"text/plain"}]
            cells.append(replace(cell, outputs=() if treatment == "cleared" else tuple(texts)))
        return replace(self, cells=tuple(cells))

    def to_json(self) -> str:
        """Return the text of the file."""
        document = {
            "cells": [_cell_to_json(cell) for cell in self.cells],
            "metadata": dict(self.kernel),
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read_editable_notebook(path: Path) -> EditableNotebook:
    """Read a notebook of the course.

    Raises:
        RubricError: The file is no notebook, or two cells have the same id.
    """
    try:
        notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise RubricError(f"{path}: not a notebook ({type(error).__name__})") from error
    cells = tuple(_read_cell(cell, index) for index, cell in enumerate(notebook.cells))
    ids = [cell.id for cell in cells]
    duplicate = next((cell_id for cell_id in ids if ids.count(cell_id) > 1), None)
    if duplicate is not None:
        raise RubricError(f"{path}: two cells have the id {duplicate!r}")
    metadata = {
        key: notebook.metadata[key]
        for key in ("kernelspec", "language_info")
        if key in notebook.metadata
    }
    return EditableNotebook(cells=cells, kernel=json.loads(json.dumps(metadata)))


def _read_cell(cell: Any, index: int) -> EditableCell:
    return EditableCell(
        id=str(cell.get("id") or f"cell-{index}"),
        kind=str(cell.cell_type),
        source=str(cell.source),
        tags=tuple(map(str, cell.metadata.get("tags", ()))),
        outputs=tuple(json.loads(json.dumps(cell.get("outputs", [])))),
        attachments=json.loads(json.dumps(cell.get("attachments", {}))),
        nbgrader=json.loads(json.dumps(cell.metadata.get("nbgrader", {}))),
    )


def _cell_to_json(cell: EditableCell) -> dict[str, Json]:
    metadata: dict[str, Json] = {"tags": list(cell.tags)} if cell.tags else {}
    if cell.nbgrader:
        metadata["nbgrader"] = dict(cell.nbgrader)
    fields: dict[str, Json] = {
        "cell_type": cell.kind,
        "id": cell.id,
        "metadata": metadata,
        "source": cell.source.splitlines(keepends=True),
    }
    if cell.kind == "code":
        fields |= {"execution_count": None, "outputs": list(cell.outputs)}
    elif cell.attachments:
        fields["attachments"] = dict(cell.attachments)
    return fields
