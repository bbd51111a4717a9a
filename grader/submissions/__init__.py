"""A folder, or one notebook, to the submissions in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError
from grader.model import Submission
from grader.submissions.flat import notebooks_below
from grader.submissions.naming import safe_names

__all__ = ["collect"]


def collect(path: Path, *, leave_out: Path | None = None) -> tuple[Submission, ...]:
    """Every submission at a path, by name.

    Args:
        path: a folder that is searched to the bottom, or one file.
        leave_out: a folder below it that holds our own output.

    Raises:
        UsageError: there is no notebook.
    """
    if path.is_file():
        found: Mapping[str, Path] = {path.name: path}
    else:
        found = notebooks_below(path, leave_out=leave_out)
    if not found:
        raise UsageError(f"{path}: no notebook (.ipynb) in this folder")
    names = safe_names(found)
    return tuple(
        Submission(
            name=names[shown], path=found[shown], shown=shown, attachments=_beside(found[shown])
        )
        for shown in sorted(found, key=lambda shown: names[shown].lower())
    )


def _beside(path: Path) -> tuple[Path, ...]:
    """Files of the same name with another ending."""
    try:
        others = sorted(path.parent.iterdir())
    except OSError:
        return ()
    return tuple(
        other
        for other in others
        if other.stem == path.stem and other != path and other.is_file() and not other.is_symlink()
    )
