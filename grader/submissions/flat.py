"""The plainest layout: notebooks in a folder, or in folders below it, under any name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SKIPPED = frozenset({".ipynb_checkpoints", "__MACOSX", "__pycache__", "node_modules"})
"""Folders that programs leave behind."""


def notebooks_below(folder: Path, *, leave_out: Path | None = None) -> Mapping[str, Path]:
    """Notebook files by their path below the folder; links are not followed."""
    avoided = leave_out.resolve() if leave_out is not None else None
    found = {}
    for place, folders, files in os.walk(folder, followlinks=False):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED
            and not name.startswith(".")
            and (here / name).resolve() != avoided
        )
        for name in sorted(files):
            path = here / name
            hidden = name.startswith(".")
            if name.lower().endswith(".ipynb") and not hidden and not path.is_symlink():
                found[path.relative_to(folder).as_posix()] = path
    return found
