"""Runs commands and says what they took: wall time, CPU time, peak memory, time to the first file.

CPU is user + system of every process below the command, as the system accounts them to whoever
waits for them; this process adopts orphans, so that none escapes. What a process namespace kills
at its own end is accounted to nobody: `machine_cpu`, which is everything that ran on the machine
meanwhile, is the upper bound. A variant that makes such namespaces is charged with that; of the
others it is not to be trusted where the two differ much. `background` is what the machine did in
the moment before, when it had nothing to do for us.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""From <sys/prctl.h>."""
LOOK = 0.01
"""Seconds between two looks for the first result."""
WEIGH = 0.05
"""Seconds between two samples of memory, in passes that aren't timed."""
LULL = 1.0
"""Seconds in which the machine is looked at before a job begins."""
PATIENCE = 2.0
"""Seconds that orphans have to end by themselves."""
FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
BUSY = ("user", "nice", "system", "irq", "softirq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Commands to run one after another, and the files that are their results."""

    commands: tuple[tuple[str, ...], ...]
    cwd: Path
    environment: Mapping[str, str]
    folder: Path
    """Where results are written."""
    results: str
    """A pattern below the folder that results match."""
    start: tuple[str, ...] = ()
    """A command that starts and does nothing: what one command for a whole class pays once."""
    ripe: int = 1
    """How many matches show that the first is whole; 2 where a file appears before its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job took."""

    wall: float
    cpu: float
    machine_cpu: float
    background: float
    """CPU seconds a second that the machine used before the job began."""
    first: float | None
    """Seconds to the first result; None if none came."""
    codes: tuple[int, ...]
    orphans: int
    """Processes that outlived the commands and had to be killed."""


def measured(job: Job) -> Usage:
    """Run the job with nothing else in the way."""
    adopt_orphans()
    background = _background()
    before, machine = children_cpu(), machine_cpu()
    began = time.perf_counter()
    with _watched(lambda: _count(job) >= job.ripe) as seen:
        codes = tuple(_run(command, job) for command in job.commands)
    wall = time.perf_counter() - began
    orphans = reap_orphans()
    return Usage(
        wall=wall,
        cpu=children_cpu() - before,
        machine_cpu=machine_cpu() - machine,
        background=background,
        first=seen[0] if seen else None,
        codes=codes,
        orphans=orphans,
    )


def weighed(job: Job) -> int:
    """Run the job for its peak memory: the sum of its processes' proportional set sizes, bytes."""
    adopt_orphans()
    peak = [0]
    over = threading.Event()

    def weigh() -> None:
        while not over.wait(WEIGH):
            peak[0] = max(peak[0], sum(map(pss, descendants(os.getpid()))))

    thread = threading.Thread(target=weigh, daemon=True)
    thread.start()
    try:
        for command in job.commands:
            _run(command, job)
    finally:
        over.set()
        thread.join()
        reap_orphans()
    return peak[0]


def adopt_orphans() -> None:
    """Become the parent of processes below this one whose own parent ends first."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def reap_orphans() -> int:
    """Wait for adopted processes and kill those that stay; how many were killed."""
    deadline, killed = time.monotonic() + PATIENCE, 0
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return killed
        if pid:
            continue
        if time.monotonic() > deadline:
            for child in children(os.getpid()):
                killed += 1
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            deadline = time.monotonic() + PATIENCE
        time.sleep(LOOK)


def children_cpu() -> float:
    """CPU seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def machine_cpu() -> float:
    """CPU seconds that everything on this machine has used since it started."""
    line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    return busy_seconds(line)


def _background() -> float:
    """CPU seconds a second of whatever else there is."""
    before = machine_cpu()
    time.sleep(LULL)
    return (machine_cpu() - before) / LULL


def busy_seconds(line: str) -> float:
    """The first line of /proc/stat as seconds of work."""
    ticks = dict(zip(FIELDS, map(int, line.split()[1:]), strict=False))
    return sum(ticks[name] for name in BUSY) / os.sysconf("SC_CLK_TCK")


def pss(pid: int) -> int:
    """A process's proportional set size in bytes: shared pages are divided among their sharers."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return pss_of(text)


def pss_of(text: str) -> int:
    """The `Pss:` line of smaps_rollup, in bytes."""
    lines = (line.split() for line in text.splitlines() if line.startswith("Pss:"))
    return sum(int(line[1]) for line in lines) * 1024


def descendants(pid: int) -> list[int]:
    """Every process below this one."""
    below = children(pid)
    return below + [deeper for child in below for deeper in descendants(child)]


def children(pid: int) -> list[int]:
    """The processes that this one started or adopted."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text(encoding="ascii").split())
    return found


def _count(job: Job) -> int:
    return sum(1 for _ in islice(job.folder.glob(job.results), job.ripe))


def _run(command: tuple[str, ...], job: Job) -> int:
    with (job.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 -- the commands are this folder's own
            command,
            cwd=job.cwd,
            env=dict(job.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return process.wait()


@contextmanager
def _watched(happened: Callable[[], bool]) -> Iterator[list[float]]:
    """Note the seconds after which something had happened."""
    seen: list[float] = []
    over = threading.Event()
    began = time.perf_counter()

    def watch() -> None:
        while not over.wait(LOOK):
            if happened():
                seen.append(time.perf_counter() - began)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        if not seen and happened():
            seen.append(time.perf_counter() - began)
