"""Print what an interpreter is and has, as one line of JSON; imports the standard library only."""

import importlib.util
import json
import os
import platform
import sys
from pathlib import Path

NEEDED_PACKAGES = ("ipykernel", "nbclient", "numpy", "safetensors")
"""Packages without which no notebook can be run and asked."""
METADATA_SUFFIXES = (".dist-info", ".egg-info")


def list_distributions():
    """Return names and versions of what is installed, by names of folders alone."""
    installed = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 (names only)
        except OSError:
            continue
        installed |= {name.rpartition(".")[0] for name in names if name.endswith(METADATA_SUFFIXES)}
    return sorted(installed)


def list_modules():
    """Return the names of all top-level modules, by names of files alone."""
    modules = set(sys.builtin_module_names)
    for finder in sys.meta_path:  # of packages that are installed in place
        mapping = getattr(sys.modules.get(getattr(finder, "__module__", "")), "MAPPING", None)
        modules.update(mapping if isinstance(mapping, dict) else ())
    for folder in sys.path[1:]:  # the first is that of this program
        try:
            names = os.listdir(folder)  # noqa: PTH208 (names only)
        except OSError:
            continue
        modules |= {name.partition(".")[0] for name in names if is_module_file(name)}
    return sorted(name for name in modules if name.isidentifier())


def is_module_file(name):
    """Return whether a file or folder of that name may be a module."""
    return "." not in name or name.endswith((".py", ".so", ".pyd", ".pyc"))


def list_folders():
    """Return the folders of this interpreter and its packages, following links one by one."""
    paths = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    paths |= {entry for entry in sys.path[1:] if Path(entry).is_dir()}
    step = Path(sys.executable)
    while step.is_symlink():
        step = step.parent / step.readlink()
        paths.add(str(step.parent.parent))
    return sorted({os.path.normpath(path) for path in paths} | {os.path.realpath(p) for p in paths})


def main():
    """Print the survey."""
    facts = {
        "executable": sys.executable,
        "folders": list_folders(),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": f"{platform.system()} {platform.machine()}",
        "missing": [name for name in NEEDED_PACKAGES if importlib.util.find_spec(name) is None],
        "distributions": list_distributions(),
        "modules": list_modules(),
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
