"""The knobs of one run, read once and frozen."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

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


def read(
    *, path: Path, out: Path, assignment: str | None = None, jobs: int | None = None
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
        python=sys.executable,
        root=Path.cwd(),
    )


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
