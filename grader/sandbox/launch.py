"""Prepare the environment variables and the pipes that a notebook's process is given."""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

INHERITED_VARIABLES = (
    *("LANG", "LC_ALL", "TZ"),
    *("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
"""Variables of the grader's environment that a notebook needs to run as it would elsewhere."""
MALLOC_TUNABLES = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=67108864:"
    "glibc.malloc.trim_threshold=134217728:glibc.malloc.top_pad=4194304"
)
"""How glibc hands out memory: in huge pages, and kept; page faults cost more than they save."""
PIPE_BYTES = 1024 * 1024
"""Capacity of a pipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPipes:
    """The grader's ends of the pipes to one runner."""

    read_fd: int
    write_fd: int


def sandbox_environment(folder: Path) -> dict[str, str]:
    """Return a small environment, without secrets and without what differs between runs."""
    inherited = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    return inherited | {
        "HOME": str(folder),
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": str(folder),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONHASHSEED": "0",
        "GLIBC_TUNABLES": MALLOC_TUNABLES,
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


def wide_pipe() -> tuple[int, int]:
    """Make a pipe that holds a megabyte where Linux allows it: large frames take fewer turns."""
    reading, writing = os.pipe()
    if sys.platform == "linux":
        with suppress(OSError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reading, writing
