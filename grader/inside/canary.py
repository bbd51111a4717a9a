"""Tries to break out of a room, from where a student's code would be, and tells what it reached.

What to try comes from outside: a file to be read, a folder to be written to, a process to be
signalled, ports to connect to. Each attempt either fails, as it must, or is told by name.
"""

import contextlib
import ctypes
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from inside import frames, landlock, linux, walls

FORKS = 40
"""Processes that are started to see whether there is a limit."""
FEW = 20
"""The limit that is set for that."""
VSOCK, NETLINK, PACKET = 40, 16, 17
"""Families of sockets, from <linux/socket.h>."""
PATIENCE = 0.5
PTRACE_ATTACH = 16
"""From <sys/ptrace.h>."""
ENDURANCE = 20.0
"""Seconds that the process lives which tries to outlive its room."""


def attempt(tried, *arguments):
    """Whether something works that should not."""
    try:
        return bool(tried(*arguments))
    except (OSError, ValueError, MemoryError):
        return False


def reads(path):
    """Read a file, or one in a folder, that is not empty."""
    if Path(path).is_dir():
        return any(attempt(reads, place) for place in Path(path).iterdir())
    return bool(Path(path).read_bytes())


def writes(path):
    """Open a file for writing; it stays as it is."""
    os.close(os.open(path, os.O_WRONLY))
    return True


def leaves(folder):
    """Make a file in a folder, one without a name that is gone at once."""
    os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    return True


def changes(path):
    """Change the times of a file, to what they are."""
    now = os.stat(path)  # noqa: PTH116 (as the next)
    os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns))
    return True


def connects(family, address):
    """Reach a listener."""
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(PATIENCE)
        made.connect(address)
    return True


def opens(family, kind):
    """Have a socket of a family."""
    socket.socket(family, kind).close()
    return True


def signals(pid):
    """Be allowed to signal a process."""
    os.kill(pid, 0)
    return True


def traces(pid):
    """Read the memory of a process, or attach to it."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb"):  # noqa: PTH123
        return True
    return linux.library().ptrace(PTRACE_ATTACH, ctypes.c_int(pid), None, None) == 0


def sees_an_environment(pid):
    """Read the variables of a process."""
    return bool(Path(f"/proc/{pid}/environ").read_bytes())


def sees_strangers(own):
    """Find processes that are not of this room."""
    return any(name.isdigit() and int(name) not in own for name in os.listdir("/proc"))  # noqa: PTH208


def separates(kind):
    """Make a namespace, which brings rights in it."""
    pid = os.fork()
    if pid == 0:
        refused = 1
        with contextlib.suppress(BaseException):
            linux.unshare(kind)
            refused = 0
        os._exit(refused)
    return os.waitpid(pid, 0)[1] == 0


def outgrows():
    """Start more processes than a limit allows."""
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (FEW, FEW))
    children = []
    with contextlib.suppress(OSError):
        for _ in range(FORKS):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(children) == FORKS


def swells(megabytes):
    """Have more memory than the address space may grow to."""
    import resource

    size = megabytes * walls.MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    mmap.mmap(-1, 2 * size).close()
    return True


def outlives():
    """Leave a process behind."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(ENDURANCE)
        os._exit(0)
    return False  # whether it is gone is seen from outside


def works():
    """What must work in a room, and does not."""
    broken = []
    try:
        Path("here").write_text("x", encoding="ascii")
        Path(os.environ["TMPDIR"], "here").write_text("x", encoding="ascii")
        first, second = socket.socketpair()
        first.close()
        second.close()
    except OSError as error:
        broken.append(f"files and sockets of its own ({error.strerror})")
    try:
        told = [sys.executable, "-Ic", "import decimal"]
        done = subprocess.run(told, capture_output=True, timeout=20, check=False)  # noqa: S603
        if done.returncode:
            broken.append("a Python of its own")
    except (OSError, subprocess.SubprocessError) as error:
        broken.append(f"a Python of its own ({type(error).__name__})")
    return broken


def attempts(facts):
    """All that is tried, by name, in an order in which one does not hinder the next."""
    grader, parent, runner = facts["grader"], os.getppid(), os.getppid()
    inet = socket.AF_INET
    return {
        "reads files of the person who grades": (reads, facts["file"]),
        "writes files of the person who grades": (writes, facts["file"]),
        "leaves files with the person who grades": (
            lambda: any(attempt(leaves, folder) for folder in facts["folders"]),
        ),
        "changes times of files": (changes, facts["file"]),
        "reads what is protected": (lambda: any(attempt(reads, p) for p in facts["protected"]),),
        "connects to this computer": (connects, inet, ("127.0.0.1", facts["port"])),
        "connects to a unix socket": (connects, socket.AF_UNIX, facts["socket"]),
        "has internet sockets": (opens, inet, socket.SOCK_DGRAM),
        "has sockets of virtual machines": (opens, VSOCK, socket.SOCK_STREAM),
        "has sockets of the kernel": (opens, NETLINK, socket.SOCK_RAW),
        "has raw sockets": (opens, PACKET, socket.SOCK_RAW),
        "signals the grader": (signals, grader),
        "signals its runner": (signals, runner),
        "reads the memory of its runner": (traces, runner),
        "reads variables of the grader": (sees_an_environment, grader),
        "reads variables of its runner": (sees_an_environment, parent),
        "sees other processes": (sees_strangers, {os.getpid(), runner}),
        "makes namespaces": (separates, linux.CLONE_NEWUSER),
        "starts processes without end": (outgrows,),
        "leaves processes behind": (outlives,),
        "takes memory without end": (swells, 4096),
    }


def serve(results, order, folder, filters):
    """Try everything in a child behind the kernel's walls, and tell; then wait for the end."""
    pid = os.fork()
    if pid == 0:
        try:
            walls.around_kernel(order["plan"], folder, filters)
            facts = order["canary"]
            broken = works()
            reached = [name for name, tried in attempts(facts).items() if attempt(*tried)]
            told = {"reached": reached, "broken": broken, "landlock": landlock.abi()}
            frames.send(results, told)
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
            frames.send(results, {"frame": "failed", "error": told[:300]})
        finally:
            os._exit(0)
    walls.around_runner_once_forked(filters)
    os.waitpid(pid, 0)
    os.close(results)
    signal.pause()
