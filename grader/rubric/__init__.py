"""Turns a rubric, one TOML file for each assignment, into records; or says what to mend in it."""

from grader.rubric.loading import load
from grader.rubric.rubric_search import find

__all__ = ["find", "load"]
