"""Defines a course's own tests: the file, what lies beside it, and the functions in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFunction:
    """A test as its file defines it."""

    __test__ = False  # no test of pytest's, whatever its name

    name: str
    """'test_small', or 'TestAccount.test_new' in a class."""
    sentence: str
    """The first sentence of its docstring, or its name in words."""
    names: tuple[str, ...]
    """The names of the notebook that it takes as arguments."""
    compares: bool
    """Whether it compares with the reference."""
    draws: bool
    """Whether it draws inputs from the secret seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseTests:
    """The tests of an assignment: `rubrics/<id>/tests.py`."""

    path: Path
    files: Mapping[str, Path]
    """The file and the data beside it, by the path below its folder."""
    functions: Mapping[str, TestFunction]
    """By name."""
    sha256: str
    """Digest of all the files."""
