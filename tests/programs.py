"""Modules of the other side of the wall, for tests that look at them without starting a program."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import grader

PLACE = str(Path(grader.__file__).parent)


def module(name: str) -> ModuleType:
    """A module of `grader/inside`, found as its own programs find it."""
    sys.path.insert(0, PLACE)
    try:
        return importlib.import_module(f"inside.{name}")
    finally:
        sys.path.remove(PLACE)


seccomp = module("seccomp")
watch = module("resource_watch")
idle_installer = module("idle_installer")
installers = module("installers")
hosted_folders = module("hosted_folders")
hosted_notebooks = module("hosted_notebooks")
