"""Writes a page that is made from the code; with `--check` it only compares."""

from __future__ import annotations

import sys
from pathlib import Path


def write_or_compare(path: Path, text: str) -> int:
    """Write the page, or compare; return the exit code, 1 where it is not current."""
    if "--check" in sys.argv:
        return 0 if path.read_text(encoding="utf-8") == text else 1
    path.write_text(text, encoding="utf-8")
    return 0
