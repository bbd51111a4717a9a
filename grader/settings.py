"""The knobs of one run, read once and frozen."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from grader.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a run reads, where it writes, and how wide it works."""

    path: Path
    """A folder of submissions, or one notebook."""
    out: Path
    assignment: str | None
    jobs: int
    python: str
    """The interpreter that notebooks run in."""
    root: Path
    """The folder that holds `rubrics/` and `reference/`."""
    cache: Path
    """The user's cache folder for this program."""
    force: bool
    """Whether to grade what did not change, too."""


def read(
    *,
    path: Path,
    out: Path,
    assignment: str | None = None,
    jobs: int | None = None,
    python: str | None = None,
    force: bool = False,
) -> Settings:
    """The settings of one run.

    Raises:
        UsageError: the path does not exist.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    return Settings(
        path=path,
        out=out,
        assignment=assignment,
        jobs=jobs or usable_cores(),
        python=_interpreter(python) if python else sys.executable,
        root=Path.cwd(),
        cache=platformdirs.user_cache_path("notebook-grader", appauthor=False),
        force=force,
    )


def _interpreter(word: str) -> str:
    """An interpreter by path or by name; links stay, since an environment is told by its link.

    Raises:
        UsageError: there is none.
    """
    found = shutil.which(word)
    if found is None:
        raise UsageError(f"{word}: no such Python interpreter")
    return str(Path(found).absolute())


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
