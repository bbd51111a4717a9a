"""Turns graded submissions into what other programs read: a gradebook as CSV, results as JSON."""

from grader.exports.gradebook_csv import CsvRow, csv_rows, gradebook_csv, missing_row
from grader.exports.results_json import class_json, from_json, to_json

__all__ = [
    "CsvRow",
    "class_json",
    "csv_rows",
    "from_json",
    "gradebook_csv",
    "missing_row",
    "to_json",
]
