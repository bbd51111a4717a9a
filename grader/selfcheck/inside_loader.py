"""Opens the other side of the wall in the student's own process, where nothing counts."""

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
    """A module of `inside`, which is named as over there only while it is imported.

    A student may have an `inside.py` of their own.
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
