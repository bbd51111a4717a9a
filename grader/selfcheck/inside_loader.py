"""Imports what runs beyond the wall into the student's own process, where nothing counts."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from grader import course_tests, inside

_PACKAGES = ("inside", "course_tests")
_loaded_modules: dict[str, ModuleType] = {"inside": inside, "course_tests": course_tests}


def load_inside(name: str) -> Any:
    """Return a module of `inside`."""
    return _load(f"inside.{name}")


def load_course_tests(name: str) -> Any:
    """Return a module of `course_tests`."""
    return _load(f"course_tests.{name}")


def _load(name: str) -> Any:
    """Return a module of one of the packages.

    They are called so only while it is imported: a student may have an `inside.py`.
    """
    with _importable():
        return importlib.import_module(name)


@contextmanager
def _importable() -> Iterator[None]:
    student_modules = _remove_modules()
    sys.modules.update(_loaded_modules)
    try:
        yield
    finally:
        _loaded_modules.update(_remove_modules())
        sys.modules.update(student_modules)


def _remove_modules() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]
    return {name: sys.modules.pop(name) for name in names}
