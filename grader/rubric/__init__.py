"""Turns a rubric, one TOML file for each assignment, into records; or says what to mend in it."""

from grader.rubric.loading import load_rubric
from grader.rubric.rubric_search import find_rubric

__all__ = ["find_rubric", "load_rubric"]
