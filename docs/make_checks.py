"""Writes docs/checks.md from the checks' own docstrings; `--check` only compares."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from grader.checks import CHECKS

PAGE = Path(__file__).parent / "checks.md"
TOP = """# Checks

Made from the docstrings by `make docs`; a test holds it current. A rubric calls a check by its
code and gives it the parameters listed; another homework uses them by naming them.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([TOP, *(entry(code) for code in sorted(CHECKS))])


def entry(code: str) -> str:
    """One check."""
    check = CHECKS[code]
    text = inspect.cleandoc(type(check).__doc__ or "")
    lines = [
        f"## {code}",
        "",
        text,
        "",
        "| parameter | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in check.params.model_fields.items():
        kind = inspect.formatannotation(field.annotation).replace("|", "\\|")
        default = "needed" if field.is_required() else f"`{field.default!r}`"
        lines.append(f"| `{name}` | `{kind}` | {default} | {field.description or ''} |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Write, or compare."""
    if "--check" in sys.argv:
        return 0 if PAGE.read_text(encoding="utf-8") == page() else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
