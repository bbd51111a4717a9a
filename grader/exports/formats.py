"""Lists the export formats."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from grader.exports.canvas_export import export_canvas
from grader.exports.code_export import export_dolos, export_jplag
from grader.exports.export import Export, ExportOptions, Grades
from grader.exports.feedback import export_feedback
from grader.exports.gradescope_export import export_gradescope
from grader.exports.moodle_export import export_moodle
from grader.exports.nbgrader_export import export_nbgrader
from grader.exports.plain_tables import export_csv, export_json


class ExportWriter(Protocol):
    """The signature of a format's function."""

    def __call__(self, grades: Grades, *, options: ExportOptions) -> Export:
        """Return the export of a class."""
        ...


FORMATS: Mapping[str, ExportWriter] = MappingProxyType(
    {
        "csv": export_csv,
        "json": export_json,
        "canvas": export_canvas,
        "moodle": export_moodle,
        "gradescope": export_gradescope,
        "nbgrader": export_nbgrader,
        "feedback": export_feedback,
        "jplag": export_jplag,
        "dolos": export_dolos,
    }
)
