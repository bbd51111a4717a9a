"""Write the folder that stands first in PATH: installers that do nothing, and this Python.

`pip`, `conda`, `sudo` and the like are short scripts that start `idle_installer`, in whatever way
a notebook calls them; `python -m pip` finds a module of that name there. After the folder comes
that of the interpreter, so that `!python` is the notebook's own.
"""

import os
import shlex
import sys
from pathlib import Path

from inside.idle_installer import FOLDER_VARIABLE, LEFT_OUT_VARIABLE, MODULES, NAMES

PROGRAM = Path(__file__).resolve().parent / "idle_installer.py"
OPTIONS = ("-E", "-P", "-S")
"""Options with which that program starts at once, and whatever variables a notebook sets."""
INTERPRETER_FOLDER = Path(sys.executable).parent  # no links are followed: an environment is one
MODULE_SOURCE = """\
import os, sys
name = os.path.splitext(os.path.basename(__file__))[0]
if __name__ == "__main__":
    import subprocess
    sys.exit(subprocess.call([sys.executable, *{options!r}, {program!r}, name, *sys.argv[1:]]))
import importlib
folder = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if path != folder]
del sys.modules[name]
importlib.import_module(name)
"""
"""A module that is an installer when it is run, and gives way to the real one when imported."""


SUBSTITUTES_SOURCE = """\
import importlib, sys
sys.path.insert(0, {programs!r})
from inside import fifo_semaphores
del sys.path[0]
fifo_semaphores.substitute_shared_memory()
for name in [name for name in sys.modules if name.partition(".")[0] == "inside"]:
    del sys.modules[name]
own, paths = sys.modules.pop(__name__), sys.path[:]
sys.path[:] = [path for path in paths if path != {folder!r}]
try:
    importlib.import_module(__name__)
except ModuleNotFoundError:
    sys.modules[__name__] = own
finally:
    sys.path[:] = paths
"""
"""A `sitecustomize` that gives each Python that is started what its parent has, and gives way."""


def write_commands(folder, *, with_substitutes=False):
    """Write the programs and modules into a new folder, which everyone may read.

    with_substitutes: whether Pythons that a notebook starts need those of shared memory.
    """
    folder.mkdir()
    folder.chmod(0o755)
    names = [*NAMES, f"pip{sys.version_info[0]}.{sys.version_info[1]}"]
    if os.name == "nt":
        options = " ".join(OPTIONS)
        script = f'@"{sys.executable}" {options} "{PROGRAM}" %~n0 %*\r\n'
        write_links(folder, script, [f"{name}.cmd" for name in names])
    else:
        start = shlex.join([sys.executable, *OPTIONS, str(PROGRAM)])
        write_links(folder, f'#!/bin/sh\nexec {start} "${{0##*/}}" "$@"\n', names)
        python = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
        missing = [n for n in ("python", "python3") if not (INTERPRETER_FOLDER / n).exists()]
        write_links(folder, python, missing)
    source = MODULE_SOURCE.format(program=str(PROGRAM), options=OPTIONS)
    write_links(folder, source, [f"{name}.py" for name in MODULES])
    if with_substitutes:
        programs = str(PROGRAM.parent.parent)
        source = SUBSTITUTES_SOURCE.format(folder=str(folder), programs=programs)
        write_links(folder, source, ["sitecustomize.py"])


def write_links(folder, text, names):
    """Write one file under several names: links cost less than files."""
    for position, name in enumerate(names):
        path = folder / name
        if position and link_file(folder / names[0], path):
            continue
        path.write_bytes(text.encode())
        path.chmod(0o755)  # whatever the umask


def link_file(first, path):
    """Return whether a file could be given a second name; not every file system has links."""
    try:
        path.hardlink_to(first)
    except OSError:
        return False
    return True


def put_first_in_path(folder, *, scratch):
    """Let this process, and all it starts, find the commands first, then its own Python.

    scratch: a folder for the file that tells what was left out.
    """
    os.environ[FOLDER_VARIABLE] = str(folder)
    os.environ[LEFT_OUT_VARIABLE] = str(Path(scratch) / ".left-out")
    os.environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    os.environ |= commands_first(os.environ)


def commands_first(environment):
    """Return the variables of an environment as they put the commands first."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return {}
    first = {"PATH": [folder, str(INTERPRETER_FOLDER)], "PYTHONPATH": [folder]}
    variables = {name: os.environ.get(name, "") for name in (FOLDER_VARIABLE, LEFT_OUT_VARIABLE)}
    for name, folders in first.items():
        rest = environment.get(name, os.defpath if name == "PATH" else "").split(os.pathsep)
        variables[name] = os.pathsep.join([*folders, *(p for p in rest if p not in {"", *folders})])
    return variables
