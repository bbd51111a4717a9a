"""The environment and the pipes of a room: what a notebook's process is given, and no more."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PASSED_ON = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables of our own environment that a notebook needs to run as it would elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The grader's ends of the pipes to one runner."""

    reading: int
    writing: int


def environment(folder: Path) -> dict[str, str]:
    """A small environment: no secret of ours, nothing that differs between runs."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
    }
