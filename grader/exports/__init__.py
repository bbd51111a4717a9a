"""Turns graded submissions into what other programs read: a gradebook as CSV, results as JSON."""

from grader.exports.gradebook_csv import gradebook_csv
from grader.exports.results_json import class_json, from_json, to_json

__all__ = ["class_json", "from_json", "gradebook_csv", "to_json"]
