"""Writes docs/checks.md from the checks' own docstrings; `--check` only compares."""

from __future__ import annotations

import inspect
import operator
import sys
from functools import reduce
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from generated_page import write_or_compare

from grader import contrastive
from grader.checks import CHECKS, Registry

PAGE = Path(__file__).parent / "checks.md"
TOP = """# Checks

Made from the docstrings by `make docs`; a test holds it current. A rubric calls a check by its
code and gives it the parameters listed; another homework uses them by naming them.
"""
FAMILY = """# Checks for contrastive learning

A rubric calls these after `checks = ["grader.contrastive"]` in its `[assignment]`, as it would call
checks of a course's own: see [authoring.md](authoring.md).
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([TOP, *entries(CHECKS), FAMILY, *entries(contrastive.CHECKS)])


def entries(registry: Registry) -> list[str]:
    """Return a section for each check, by code."""
    return [entry(registry, code) for code in sorted(registry)]


def entry(registry: Registry, code: str) -> str:
    """Return the section of one check."""
    check = registry[code]
    text = inspect.cleandoc(check.__doc__ or "")
    lines = [
        f"## {code}",
        "",
        text,
        "",
        "| parameter | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in check.model_fields.items():
        kind = inspect.formatannotation(without_bounds(field.annotation)).replace("|", "\\|")
        value = field.get_default(call_default_factory=True, validated_data={})
        default = "needed" if field.is_required() else f"`{value!r}`"
        lines.append(f"| `{name}` | `{kind}` | {default} | {field.description or ''} |")
    return "\n".join([*lines, ""])


def without_bounds(annotation: Any) -> Any:
    """Return an annotation without what bounds its values."""
    if get_origin(annotation) is Annotated:
        return without_bounds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return reduce(operator.or_, map(without_bounds, get_args(annotation)))
    if get_origin(annotation) is tuple:
        return tuple[tuple(map(without_bounds, get_args(annotation)))]
    return annotation


if __name__ == "__main__":
    sys.exit(write_or_compare(PAGE, page()))
