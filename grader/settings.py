"""The knobs of one run, read once and frozen."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from grader.errors import UsageError
from grader.model import Limits


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
    new_seed: bool
    """Whether to draw another secret seed, so that notebooks are asked with other numbers."""
    level: str | None
    """The level of isolation that must hold; None for the best there is."""
    unsandboxed: bool
    """Whether to grade without isolation where there is none."""
    store: str | None
    """The address of a gradebook on a server; None for the one that `out` has."""
    limits: Mapping[str, float]
    """Limits that count instead of the rubric's, by name."""


def read(  # noqa: PLR0913 (one for each option)
    *,
    path: Path,
    out: Path,
    assignment: str | None = None,
    jobs: int | None = None,
    python: str | None = None,
    force: bool = False,
    new_seed: bool = False,
    isolation: str | None = None,
    unsandboxed: bool = False,
    store: str | None = None,
    limits: Sequence[str] = (),
) -> Settings:
    """The settings of one run.

    Raises:
        UsageError: the path does not exist, or a limit is none.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    return Settings(
        path=path,
        out=out,
        assignment=assignment,
        jobs=jobs or usable_cores(),
        python=interpreter(python),
        root=Path.cwd(),
        cache=platformdirs.user_cache_path("notebook-grader", appauthor=False),
        force=force,
        new_seed=new_seed,
        level=isolation,
        unsandboxed=unsandboxed,
        store=store,
        limits=dict(_limit(word) for word in limits),
    )


def _limit(word: str) -> tuple[str, float]:
    """A limit and its value, from NAME=VALUE.

    Raises:
        UsageError: there is no such limit, or it can't have that value.
    """
    name, _, told = word.partition("=")
    known = asdict(Limits())
    if name not in known:
        raise UsageError(f"{name!r} is no limit; there are {', '.join(known)}")
    try:
        value = float(told)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"{word}: the limit {name} is a number above 0")
    return name, type(known[name])(value)


def interpreter(word: str | None) -> str:
    """An interpreter by path or by name, or ours; links stay: they tell the environment.

    Raises:
        UsageError: there is none.
    """
    if word is None:
        return sys.executable
    found = shutil.which(word)
    if found is None:
        raise UsageError(f"{word}: no such Python interpreter")
    return str(Path(found).absolute())


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
