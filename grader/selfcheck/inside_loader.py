"""Imports `grader.inside` into the student's own process, where no wall is and nothing counts."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from grader import inside

_NAME = "inside"
_loaded_modules: dict[str, ModuleType] = {_NAME: inside}


def load_inside(name: str) -> Any:
    """Return a module of `inside`.

    Its package is called `inside` only while it is imported: a student may have an `inside.py`.
    """
    with _inside_importable():
        return importlib.import_module(f"{_NAME}.{name}")


@contextmanager
def _inside_importable() -> Iterator[None]:
    student_modules = _remove_inside_modules()
    sys.modules.update(_loaded_modules)
    try:
        yield
    finally:
        _loaded_modules.update(_remove_inside_modules())
        sys.modules.update(student_modules)


def _remove_inside_modules() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]
    return {name: sys.modules.pop(name) for name in names}
