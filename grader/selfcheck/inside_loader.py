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
_opened: dict[str, ModuleType] = {_NAME: inside}


def opened(name: str) -> Any:
    """A module of `inside`, which is named as over there only while it is imported.

    A student may have an `inside.py` of their own.
    """
    with _named_as_over_there():
        return importlib.import_module(f"{_NAME}.{name}")


@contextmanager
def _named_as_over_there() -> Iterator[None]:
    theirs = _taken_out()
    sys.modules.update(_opened)
    try:
        yield
    finally:
        _opened.update(_taken_out())
        sys.modules.update(theirs)


def _taken_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == _NAME or name.startswith(f"{_NAME}.")]
    return {name: sys.modules.pop(name) for name in names}
