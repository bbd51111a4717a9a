"""The formats that grades are written in: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from grader.exports.canvas_export import canvas
from grader.exports.export import Export, Grades, Wish
from grader.exports.feedback import feedback
from grader.exports.gradescope_export import gradescope
from grader.exports.moodle_export import moodle
from grader.exports.nbgrader_export import nbgrader
from grader.exports.plain_tables import document, table


class Write(Protocol):
    """How a format is written."""

    def __call__(self, grades: Grades, *, wish: Wish) -> Export:
        """The files, and what must be known about them."""
        ...


FORMATS: Mapping[str, Write] = MappingProxyType(
    {
        "csv": table,
        "json": document,
        "canvas": canvas,
        "moodle": moodle,
        "gradescope": gradescope,
        "nbgrader": nbgrader,
        "feedback": feedback,
    }
)
