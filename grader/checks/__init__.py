"""Rules about observations: a family of checks in each file, each check with a code."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping

from grader.checks.check import RECORDING_QUESTION, Check, Evidence, RandomDraws
from grader.checks.evaluation import (
    BoundRubric,
    Judgment,
    Registry,
    RubricCheck,
    bind_rubric,
    resolve_checks,
)
from grader.checks.execution import NotebookRuns
from grader.checks.functions import (
    FunctionGradients,
    FunctionMask,
    FunctionShapes,
    FunctionSums,
    FunctionValues,
)
from grader.checks.modules import ModuleOutputShape, ModuleOutputValues
from grader.checks.outputs import OutputsReproduced, RunInOrder, ShowsFigure, ShowsNumbers
from grader.errors import RubricError

__all__ = [
    "CHECKS",
    "RECORDING_QUESTION",
    "BoundRubric",
    "Evidence",
    "Judgment",
    "RandomDraws",
    "Registry",
    "RubricCheck",
    "bind_rubric",
    "load_checks",
    "resolve_checks",
]

CHECKS: Registry = {
    "EXE001": NotebookRuns,
    "FUN001": FunctionShapes,
    "FUN002": FunctionValues,
    "FUN003": FunctionSums,
    "FUN004": FunctionMask,
    "FUN005": FunctionGradients,
    "MOD001": ModuleOutputShape,
    "MOD002": ModuleOutputValues,
    "OUT001": ShowsNumbers,
    "OUT002": ShowsFigure,
    "OUT003": RunInOrder,
    "OUT004": OutputsReproduced,
}
"""The checks that every rubric can call, by code."""


def load_checks(modules: Iterable[str]) -> Registry:
    """Return the checks that a rubric can call: the general ones and those of its own modules.

    Args:
        modules: Importable modules, each with a `CHECKS` mapping from code to `Check` subclass.

    Raises:
        RubricError: A module can't be imported, has no such mapping, or repeats a code.
    """
    registry = dict(CHECKS)
    for module in modules:
        for code, check in _module_checks(module).items():
            if code in registry:
                raise RubricError(f"'{module}' has a check '{code}', and so has another module")
            registry[code] = check
    return registry


def _module_checks(name: str) -> Registry:
    try:
        module = importlib.import_module(name)
    except Exception as error:  # importing runs the course's own code, which may raise anything
        raise RubricError(f"'{name}' can't be imported: {type(error).__name__}: {error}") from error
    checks = getattr(module, "CHECKS", None)
    if not isinstance(checks, Mapping) or not all(
        isinstance(code, str) and isinstance(check, type) and issubclass(check, Check)
        for code, check in checks.items()
    ):
        raise RubricError(f"'{name}' has no mapping CHECKS from codes to subclasses of Check")
    return checks
