"""Watch what a sandbox uses: memory and processes of all it started, and the files it leaves.

The fork server watches, since it alone sees all of a sandbox. It tells the runner through a pipe
which limit was exceeded, and by how much, before it kills the process that exceeded it.
"""

import contextlib
import json
import os
import signal
from pathlib import Path

MEGABYTE = 1024 * 1024
FILES_EVERY = 5
"""Files are counted at every fifth check, since it takes longer."""


class WatchedSandbox:
    """A running sandbox: its runner, its limits, and the pipe that alerts its runner."""

    def __init__(self, pid, alert_write_fd, limits, folder=None, baseline_bytes=0):
        self.pid = pid
        self.alert_write_fd = alert_write_fd
        self.limits = limits
        self.folder = folder
        self.baseline_bytes = baseline_bytes
        self.check_count = 0

    def as_state(self):
        """Return what is needed to go on watching in another interpreter."""
        folder = None if self.folder is None else str(self.folder)
        return [self.pid, self.alert_write_fd, self.limits, folder, self.baseline_bytes]

    def check_limits(self):
        """Measure; where a limit is exceeded, alert the runner and kill the culprit."""
        self.check_count += 1
        descendant_pids = descendants(self.pid)
        if not descendant_pids:
            return
        for limit, measured, culprit in self.measure_usage(descendant_pids):
            if measured > self.limits[limit]:
                self.send_alert({"limit": limit, "used": measured, "most": self.limits[limit]})
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(culprit, signal.SIGKILL)
                return

    def measure_usage(self, descendant_pids):
        """Yield each limit, how much of it is used, and which process would be killed."""
        all_pids = [self.pid, *descendant_pids]  # what a kernel sends without end fills its runner
        resident = {pid: private_memory(pid) for pid in all_pids}
        used = sum(resident.values()) // MEGABYTE
        if used > self.limits["memory_mb"]:  # pages that are shared count once for each: look again
            exact = {pid: proportional_memory(pid, resident[pid]) for pid in all_pids}
            used = max(0, sum(exact.values()) - self.baseline_bytes) // MEGABYTE
            yield "memory_mb", used, max(descendant_pids, key=exact.get)
        yield "processes", sum(thread_count(pid) for pid in descendant_pids), descendant_pids[0]
        if self.folder is not None and self.check_count % FILES_EVERY == 0:
            size, count = disk_usage(self.folder, most=self.limits["files"])
            yield "disk_mb", size // MEGABYTE, descendant_pids[0]
            yield "files", count, descendant_pids[0]

    def send_alert(self, alert):
        """Tell the runner; one that does not read its alerts misses them."""
        with contextlib.suppress(OSError):
            os.write(self.alert_write_fd, json.dumps(alert).encode() + b"\n")


def read_alert(descriptor):
    """Return the fork server's last alert to a runner, or None."""
    os.set_blocking(descriptor, False)
    with contextlib.suppress(OSError, ValueError):
        lines = os.read(descriptor, 4096).splitlines()
        if lines:
            return json.loads(lines[-1])
    return None


def descendants(pid):
    """Return all descendants of a process, its own children first; without recursion."""
    pids = children(pid)
    for child in pids:  # which grows meanwhile
        pids += children(child)
    return pids


def children(pid):
    """Return the children of a process, where the platform tells."""
    pids = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 (names only)
            text = Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii")
            pids += map(int, text.split())
    return pids


def private_memory(pid):
    """Return the bytes of a process's memory that are not files'; shared pages count in full."""
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
        memory_lines = [
            line for line in text.splitlines() if line.startswith(("RssAnon:", "RssShmem:"))
        ]
        return sum(int(line.split()[1]) for line in memory_lines) * 1024
    return 0


def address_space_bytes():
    """Return the bytes of this process's address space; None where that can't be seen."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def proportional_memory(pid, fallback):
    """Return the bytes of a process's memory, each page divided by those that share it."""
    with contextlib.suppress(OSError, ValueError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":") for line in lines[1:])
        return sum(int(fields[name].split()[0]) for name in ("Pss_Anon", "Pss_Shmem")) * 1024
    return fallback


def thread_count(pid):
    """Count the threads of a process, at least one."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 (names only)
    except OSError:
        return 1


def disk_usage(folder, *, most):
    """Return bytes and number of files below a folder; stop counting beyond `most` files."""
    size, count, pending_folders = 0, 0, [str(folder)]
    while pending_folders and count <= most:  # no recursion: folders may be nested very deep
        with contextlib.suppress(OSError), os.scandir(pending_folders.pop()) as entries:
            for entry in entries:
                count += 1
                if entry.is_dir(follow_symlinks=False):
                    pending_folders.append(entry.path)
                else:
                    with contextlib.suppress(OSError):
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
    return size, count


def remove_tree(folder):
    """Remove a folder, however deeply nested and protected its contents are, if that is possible.

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
    """Remove a file, or a folder after moving its contents up beside it."""
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
