"""Exports graded submissions for other programs, one module for each format."""

from grader.exports.export import (
    Download,
    Export,
    ExportOptions,
    Grades,
    ListedStudent,
    read_download,
)
from grader.exports.formats import FORMATS
from grader.exports.gradebook_csv import CsvRow, csv_rows, missing_row, render_gradebook_csv
from grader.exports.results_json import class_to_json, result_to_json

__all__ = [
    "FORMATS",
    "CsvRow",
    "Download",
    "Export",
    "ExportOptions",
    "Grades",
    "ListedStudent",
    "class_to_json",
    "csv_rows",
    "missing_row",
    "read_download",
    "render_gradebook_csv",
    "result_to_json",
]
