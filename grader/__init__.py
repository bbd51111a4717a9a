"""Grades homework notebooks: runs them, asks them, compares them with a reference."""

__version__ = "0.1.0"
