"""Turns graded submissions into what other programs read; a file for each format."""

from grader.exports.export import Download, Export, Grades, Line, Wish
from grader.exports.formats import FORMATS
from grader.exports.gradebook_csv import CsvRow, csv_rows, gradebook_csv, missing_row
from grader.exports.results_json import class_json, from_json, to_json

__all__ = [
    "FORMATS",
    "CsvRow",
    "Download",
    "Export",
    "Grades",
    "Line",
    "Wish",
    "class_json",
    "csv_rows",
    "from_json",
    "gradebook_csv",
    "missing_row",
    "to_json",
]
