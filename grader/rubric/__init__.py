"""Turns a rubric, one TOML file for each assignment, into records; or says what to mend in it."""

from grader.rubric.finding import find
from grader.rubric.loading import load

__all__ = ["find", "load"]
