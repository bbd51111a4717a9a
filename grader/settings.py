"""Read the settings of one run from the command line and the environment."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from grader.errors import UsageError
from grader.model import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFiles:
    """The options of a run about people; None keeps what an earlier run stored."""

    roster: Path | None = None
    no_roster: bool = False
    """Whether to forget the roster of earlier runs."""
    extensions: Path | None = None
    times: Path | None = None
    show_ids: bool = False
    """Whether students' pages show whole ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a run reads and writes, and how."""

    path: Path
    """A folder or an archive of submissions, or one notebook."""
    out: Path
    jobs: int
    python: str
    """The interpreter that notebooks run in."""
    root: Path
    """The folder that holds `rubrics/` and `reference/`."""
    cache: Path
    """The user's cache folder for this program."""
    limit_overrides: Mapping[str, float]
    """Limits that replace the rubric's, by name."""
    assignment: str | None = None
    force: bool = False
    """Whether to grade unchanged submissions, too."""
    new_seed: bool = False
    """Whether to draw another secret seed, so that questions use other numbers."""
    isolation_level: str | None = None
    """The level of isolation that must hold; None for the best available."""
    unsandboxed: bool = False
    """Whether to grade without isolation where none is available."""
    layout: str | None = None
    """The layout of the submissions, by name; None to recognize it."""
    store: str | None = None
    """The address of a gradebook on a server; None for the one in `out`."""
    location_overrides: Path | None = None
    """A CSV file of the cells that answer items."""
    people: PeopleFiles = field(default_factory=PeopleFiles)


def read_settings(
    *,
    path: Path,
    out: Path,
    jobs: int | None = None,
    python: str | None = None,
    limits: Sequence[str] = (),
    **options: Any,
) -> Settings:
    """Check the options of a command, and return the settings of its run.

    Args:
        path: what is graded.
        out: the folder to write to.
        jobs: how many notebooks may run at once; None for one on each core.
        python: the path or name of an interpreter; None for the grader's own.
        limits: limits that replace the rubric's, each as NAME=VALUE.
        options: other fields of `Settings`.

    Raises:
        UsageError: the path or the interpreter does not exist, or a limit is not valid.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    return Settings(
        path=path,
        out=out,
        jobs=jobs or count_usable_cores(),
        python=find_interpreter(python),
        root=Path.cwd(),
        cache=platformdirs.user_cache_path("notebook-grader", appauthor=False),
        limit_overrides=dict(_parse_limit(option) for option in limits),
        **options,
    )


def _parse_limit(option: str) -> tuple[str, float]:
    """Parse a limit and its value from NAME=VALUE.

    Raises:
        UsageError: there is no such limit, or it can't have that value.
    """
    name, _, number = option.partition("=")
    known = asdict(Limits())
    if name not in known:
        raise UsageError(f"{name!r} is not a limit; the limits are {', '.join(known)}")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"{option}: the limit {name} is a number above 0")
    return name, type(known[name])(value)


def find_interpreter(word: str | None) -> str:
    """Find an interpreter by path or name; None means the grader's own.

    Links are not followed: a virtual environment is recognized by its link.

    Raises:
        UsageError: there is no such interpreter.
    """
    if word is None:
        return sys.executable
    path = shutil.which(word)
    if path is None:
        raise UsageError(f"{word}: no such Python interpreter")
    return str(Path(path).absolute())


def count_usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


_HIDDEN_PREFIXES = (
    *("GITHUB_", "ACTIONS_", "RUNNER_", "INPUT_", "GRADESCOPE_", "CI_JOB_TOKEN"),
    "CANVAS_",
)
"""Prefixes of variables of build machines and of tokens, which notebooks need not see."""


CLASSROOM50_VARIABLES = (
    *("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG"),
    *("COMMIT_URL", "RELEASE_URL", "REVIEW_URL"),
)
"""Variables that its runner sets."""


def self_check_environment(folder: Path) -> dict[str, str]:
    """Return the environment variables for a notebook that its owner checks.

    Args:
        folder: an empty folder for files of libraries.
    """
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN_PREFIXES)
    }
    return inherited | {
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "OMP_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(folder / "ipython"),
    }


def canvas_variables() -> tuple[str | None, str | None]:
    """Return the address of Canvas and the token for it that the environment holds."""
    return os.environ.get("CANVAS_URL"), os.environ.get("CANVAS_TOKEN")


def classroom50_variables() -> dict[str, str]:
    """Return what the runner of Classroom 50 says about a submission, as far as it does."""
    return {name: os.environ[name] for name in CLASSROOM50_VARIABLES if name in os.environ}


def step_summary_path() -> Path | None:
    """Return the file that GitHub shows as the summary of a step, or None."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(path) if path else None
