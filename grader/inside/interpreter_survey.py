"""Tells what an interpreter is and has, as one line of JSON; imports nothing beyond the stdlib."""

import importlib.util
import json
import os
import platform
import sys
from pathlib import Path

NEEDED = ("ipykernel", "nbclient", "numpy", "safetensors")
"""Packages without which no notebook can be run and asked."""
ENDINGS = (".dist-info", ".egg-info")


def distributions():
    """Names and versions of what is installed, as folders tell them: no metadata is opened."""
    found = set()
    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 (names only)
        except OSError:
            continue
        found |= {name.rpartition(".")[0] for name in names if name.endswith(ENDINGS)}
    return sorted(found)


def folders():
    """The folders that this interpreter and its packages live in, links followed one by one."""
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    found |= {place for place in sys.path[1:] if Path(place).is_dir()}
    step = Path(sys.executable)
    while step.is_symlink():
        step = step.parent / step.readlink()
        found.add(str(step.parent.parent))
    return sorted({os.path.normpath(path) for path in found} | {os.path.realpath(p) for p in found})


def main():
    """Print it."""
    told = {
        "executable": sys.executable,
        "folders": folders(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
        "missing": [name for name in NEEDED if importlib.util.find_spec(name) is None],
        "distributions": distributions(),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
