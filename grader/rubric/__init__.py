"""Reads rubrics, one file for each assignment, into `model.Rubric` or says what to mend in them."""

from grader.rubric.loading import load_rubric
from grader.rubric.rubric_search import find_rubric

__all__ = ["find_rubric", "load_rubric"]
