"""Watches what a room uses: memory and processes of all it started, and the files it leaves.

The parent looks, since it alone sees all of a room wherever it is; the runner is told through a
pipe which limit was passed, and by how much, before the process that passed it is killed.
"""

import contextlib
import json
import os
import signal
from pathlib import Path

MEGABYTE = 1024 * 1024
FILES_EVERY = 5
"""Files are counted at every fifth look: it takes longer."""


class Room:
    """A room that runs: its runner, what it may use, and where its runner hears of it."""

    def __init__(self, pid, told, limits, files=None, base=0):
        self.pid = pid
        self.told = told
        self.limits = limits
        self.files = files
        self.base = base
        self.looks = 0

    def as_state(self):
        """What is needed to go on watching in another interpreter."""
        files = None if self.files is None else str(self.files)
        return [self.pid, self.told, self.limits, files, self.base]

    def look(self):
        """Measure; where a limit is passed, tell it and kill who passes it."""
        self.looks += 1
        pids = below(self.pid)
        if not pids:
            return
        for limit, measured, culprit in self.measures(pids):
            if measured > self.limits[limit]:
                self.tell({"limit": limit, "used": measured, "most": self.limits[limit]})
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(culprit, signal.SIGKILL)
                return

    def measures(self, pids):
        """Each limit, what is used of it, and which process is to go."""
        everyone = [self.pid, *pids]  # what a kernel sends without end fills its runner
        resident = {pid: of_its_own(pid) for pid in everyone}
        used = sum(resident.values()) // MEGABYTE
        if used > self.limits["memory_mb"]:  # pages that are shared count once for each: look again
            exact = {pid: share(pid, resident[pid]) for pid in everyone}
            used = max(0, sum(exact.values()) - self.base) // MEGABYTE
            yield "memory_mb", used, max(pids, key=exact.get)
        yield "processes", sum(threads(pid) for pid in pids), pids[0]
        if self.files is not None and self.looks % FILES_EVERY == 0:
            size, count = on_disk(self.files, most=self.limits["files"])
            yield "disk_mb", size // MEGABYTE, pids[0]
            yield "files", count, pids[0]

    def tell(self, what):
        """Tell the runner; one that does not listen is told no more."""
        with contextlib.suppress(OSError):
            os.write(self.told, json.dumps(what).encode() + b"\n")


def heard(descriptor):
    """What the parent told a runner last, or None."""
    os.set_blocking(descriptor, False)
    with contextlib.suppress(OSError, ValueError):
        lines = os.read(descriptor, 4096).splitlines()
        if lines:
            return json.loads(lines[-1])
    return None


def below(pid):
    """The processes below one, those it started itself first; however long a line they make."""
    found = children(pid)
    for child in found:  # which grows meanwhile
        found += children(child)
    return found


def children(pid):
    """The processes that one started, where the platform tells."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 (names only)
            told = Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii")
            found += map(int, told.split())
    return found


def of_its_own(pid):
    """Bytes of memory that a process has and that are no file's; shared ones in full."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        ours = [line for line in lines.splitlines() if line.startswith(("RssAnon:", "RssShmem:"))]
        return sum(int(line.split()[1]) for line in ours) * 1024
    return 0


def address_space():
    """Bytes of address space that this process has; None where that can't be seen."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def share(pid, otherwise):
    """Bytes of memory of a process, each page divided by those that share it."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        told = dict(line.split(":") for line in lines[1:])
        return sum(int(told[name].split()[0]) for name in ("Pss_Anon", "Pss_Shmem")) * 1024
    return otherwise


def threads(pid):
    """Threads of a process, at least one."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 (names only)
    except OSError:
        return 1


def on_disk(folder, *, most):
    """Bytes and files below a folder, counted no further than is needed."""
    size, count, waiting = 0, 0, [str(folder)]
    while waiting and count <= most:  # no recursion: folders lie in folders as deep as one likes
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as there:
            for entry in there:
                count += 1
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
    return size, count


def remove(folder):
    """Remove a folder however deep it is and whatever may not be read in it; stays otherwise.

    What lies two levels down is moved up to the first, so that neither stack nor path overflow.
    """
    with contextlib.suppress(OSError):
        Path(folder).chmod(0o700)
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            while names := os.listdir(top):  # noqa: PTH208 (names below a descriptor)
                for name in names:
                    flatten(name, top)
        finally:
            os.close(top)
        Path(folder).rmdir()


def flatten(name, top):
    """Remove a file of a folder, or a folder once what it holds is beside it."""
    with contextlib.suppress(IsADirectoryError, PermissionError):
        os.unlink(name, dir_fd=top)
        return
    os.chmod(name, 0o700, dir_fd=top)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for child in os.listdir(inner):  # noqa: PTH208 (names below a descriptor)
            try:
                os.unlink(child, dir_fd=inner)
            except (IsADirectoryError, PermissionError):
                os.chmod(child, 0o700, dir_fd=inner)
                os.rename(child, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=top)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=top)
