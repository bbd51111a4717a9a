"""Turns a fork of the parent into the runner of one notebook, in a room behind the walls."""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from inside import canary, frames, linux, resource_watch, walls

RUNNER = Path(__file__).resolve().parent / "runner.py"
PARTS = ("work", "tmp")


def lead_standard_streams_to(path):
    """Send 0, 1 and 2 to a file, and keep nothing else of them."""
    place = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    for standard in (0, 1, 2):
        os.dup2(place, standard)
    if place > 2:
        os.close(place)


def make(folder):
    """The folders of a room that has no files of its own."""
    for part in PARTS:
        (folder / part).mkdir(parents=True)
        (folder / part).chmod(0o1777)


def settle(folder, order):
    """Give up what runners do not need, and work in the room; its folder then."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a kernel may not wake its runner
    lead_standard_streams_to(os.devnull)
    folder = walls.around_runner(order["plan"], order["limits"], folder)
    private = order["plan"]["namespaces"]
    temporary = "/tmp" if private else str(folder / "tmp")  # noqa: S108 (a private mount)
    os.environ |= {
        "HOME": str(folder / "home" if private else folder),
        "TMPDIR": temporary,
        "IPYTHONDIR": temporary + "/ipython",
    }
    tempfile.tempdir = None
    os.chdir(folder / "work")
    linux.die_with_the_parent()  # only now: a change of user undoes it
    return folder


def become_runner(folder, order, pipes, filters):
    """Run the notebook that comes, or try the walls; never returns.

    pipes: for requests, for results, and for what the parent tells. filters: see `walls.filters`.
    """
    requests, results, hear = pipes
    walls.keep_only(*pipes)
    taken = resource_watch.address_space()
    try:
        folder = settle(folder, order)
    except Exception as error:
        frames.send(results, {"frame": "failed", "error": f"{type(error).__name__}: {error}"})
        os._exit(70)
    if order["canary"] is not None:
        canary.serve(results, order, folder, filters)
    elif order["cold"]:
        start_afresh(folder, order, pipes)
    else:
        from inside import runner

        here = runner.Room(order["plan"], folder, hear, filters, taken)
        runner.serve(requests, results, here)
    os._exit(0)


def start_afresh(folder, order, pipes):
    """Become a runner in a fresh interpreter, behind the same walls."""
    requests, results, hear = pipes
    os.set_inheritable(hear, True)
    os.environ["MPLCONFIGDIR"] = os.environ["TMPDIR"] + "/matplotlib"
    os.dup2(requests, 0)
    os.dup2(results, 1)
    told = json.dumps({"plan": order["plan"], "folder": str(folder), "hear": hear})
    arguments = [sys.executable, "-P", "-Wignore", str(RUNNER), told]
    os.execv(sys.executable, arguments)  # noqa: S606 (our own interpreter, our own file)
