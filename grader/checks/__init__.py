"""Rules about observations: a family of checks in each file, each check with a code."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from grader.checks import execution, functions, modules, outputs, own_tests
from grader.checks.check import RECORDING_QUESTION, Check, Evidence, SeededRandom
from grader.checks.evaluation import (
    BoundRubric,
    Judgment,
    Registry,
    RubricCheck,
    bind_rubric,
    resolve_checks,
)
from grader.errors import RubricError

__all__ = [
    "CHECKS",
    "RECORDING_QUESTION",
    "BoundRubric",
    "Evidence",
    "Judgment",
    "Registry",
    "RubricCheck",
    "SeededRandom",
    "bind_rubric",
    "is_own_file",
    "load_checks",
    "resolve_checks",
]

_OWN_PREFIX = "own_checks_"
"""How the names of modules begin that are made of an assignment's `checks.py`."""
CHECKS: Registry = {
    "EXE001": execution.NotebookRuns,
    "FUN001": functions.FunctionShapes,
    "FUN002": functions.FunctionValues,
    "FUN003": functions.FunctionSums,
    "FUN004": functions.FunctionMask,
    "FUN005": functions.FunctionGradients,
    "MOD001": modules.ModuleOutputShape,
    "MOD002": modules.ModuleOutputValues,
    "OUT001": outputs.ShowsNumbers,
    "OUT002": outputs.ShowsFigure,
    "OUT003": outputs.RunInOrder,
    "OUT004": outputs.OutputsReproduced,
    "TST001": own_tests.CourseTest,
    "VAL001": own_tests.ReferenceValue,
}
"""The checks that every rubric can call, by code."""


def load_checks(module_names: Iterable[str]) -> Registry:
    """Return the checks that a rubric can call: the general ones and those of its own modules.

    Args:
        module_names: Importable modules, each with a mapping `CHECKS` from code to `Check` class,
            or paths of files that end in `.py`.

    Raises:
        RubricError: A module can't be imported, has no such mapping, or repeats a code.
    """
    registry = dict(CHECKS)
    for name in module_names:
        for code, check in _module_checks(name).items():
            if code in registry:
                raise RubricError(f"'{name}' has a check '{code}', and so has another module")
            registry[code] = check
    return registry


def is_own_file(check: type[Check]) -> bool:
    """Return whether a check stands in an assignment's `checks.py`, which students don't get."""
    return check.__module__.startswith(_OWN_PREFIX)


def _import_file(path: Path) -> ModuleType:
    """Import a file of checks; the same contents once, so that its classes stay the same."""
    data = path.read_bytes()
    name = _OWN_PREFIX + hashlib.sha256(str(path).encode() + b"\n" + data).hexdigest()[:16]
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _module_checks(name: str) -> Registry:
    try:
        is_file = name.endswith(".py")
        module = _import_file(Path(name)) if is_file else importlib.import_module(name)
    except Exception as error:  # importing runs the course's own code, which may raise anything
        raise RubricError(f"'{name}' can't be imported: {type(error).__name__}: {error}") from error
    checks = getattr(module, "CHECKS", None)
    if not isinstance(checks, Mapping) or not all(
        isinstance(code, str) and isinstance(check, type) and issubclass(check, Check)
        for code, check in checks.items()
    ):
        raise RubricError(f"'{name}' has no mapping CHECKS from codes to subclasses of Check")
    return checks
