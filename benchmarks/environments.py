"""Virtual environments of the peers' own, made once and kept in `.venvs`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.notebooks import ROOT

VENVS = Path(__file__).parent / ".venvs"
NEEDED = ("ipykernel", "matplotlib", "scikit-learn")
"""What the notebooks import beside torch."""
PASSED_ON = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables of this machine without which numerical libraries may not start."""


def venv(name: str, *, package: str, beside: tuple[str, ...] = ("torch",)) -> Path:
    """The interpreter of a peer's environment, built if it isn't there.

    The same torch, NumPy, matplotlib and kernel as ours, by the project's constraints.

    Args:
        name: of the environment.
        package: the peer, with its version.
        beside: what notebooks need there, too.
    """
    folder = VENVS / name
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == package:
        return python
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603 -- ours
    pip = [python, "-m", "pip", "-q", "install", "-c", ROOT / "constraints.txt"]
    subprocess.run([*pip, *beside], check=True)  # noqa: S603 -- ours
    subprocess.run([*pip, package, *NEEDED], check=True)  # noqa: S603 -- ours
    stamp.write_text(package, encoding="utf-8")
    return python


def environment(home: Path, *, python: Path) -> Mapping[str, str]:
    """The environment that every variant is given: nothing of the user's, one thread a library."""
    kept = {
        name: os.environ[name]  # noqa: TID251 -- commands are started with these and no more
        for name in PASSED_ON
        if name in os.environ  # noqa: TID251 -- the same
    }
    home.mkdir(parents=True, exist_ok=True)
    return kept | {
        "HOME": str(home),
        "PATH": f"{python.parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "MPLCONFIGDIR": str(home / "matplotlib"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_PLATFORM_DIRS": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
