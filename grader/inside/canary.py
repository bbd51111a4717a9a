"""Tries to break out of a room, from where a student's code would be, and tells what it reached.

What to try comes from outside: a file to be read, a folder to be written to, a process to be
signaled, ports to connect to. Each attempt either fails, as it must, or is told by name.
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

FORK_ATTEMPTS = 40
"""Processes that are started to see whether there is a limit."""
PROCESS_LIMIT = 20
"""The limit that is set for that."""
VSOCK, NETLINK, PACKET = 40, 16, 17
"""Families of sockets, from <linux/socket.h>."""
CONNECT_SECONDS = 0.5
PTRACE_ATTACH = 16
"""From <sys/ptrace.h>."""
ORPHAN_SECONDS = 20.0
"""Seconds that the process lives which tries to outlive its room."""


def attempt(action, *arguments):
    """Whether something works that should not."""
    try:
        return bool(action(*arguments))
    except (OSError, ValueError, MemoryError):
        return False


def read_path(path):
    """Read a file, or one in a folder, that is not empty."""
    if Path(path).is_dir():
        return any(attempt(read_path, child) for child in Path(path).iterdir())
    return bool(Path(path).read_bytes())


def open_for_writing(path):
    """Open a file for writing; it stays as it is."""
    os.close(os.open(path, os.O_WRONLY))
    return True


def leave_file(folder):
    """Make a file in a folder, one without a name that is gone at once."""
    os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    return True


def change_times(path):
    """Change the times of a file, to what they are."""
    status = os.stat(path)  # noqa: PTH116 (as the next)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return True


def connect_to(family, address):
    """Reach a listener."""
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(address)
    return True


def open_socket(family, kind):
    """Have a socket of a family."""
    socket.socket(family, kind).close()
    return True


def signal_process(pid):
    """Be allowed to signal a process."""
    os.kill(pid, 0)
    return True


def trace_process(pid):
    """Read the memory of a process, or attach to it."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb"):  # noqa: PTH123
        return True
    return linux.c_library().ptrace(PTRACE_ATTACH, ctypes.c_int(pid), None, None) == 0


def read_environment(pid):
    """Read the variables of a process."""
    return bool(Path(f"/proc/{pid}/environ").read_bytes())


def see_other_processes(own_pids):
    """Find processes that are not of this room."""
    return any(name.isdigit() and int(name) not in own_pids for name in os.listdir("/proc"))  # noqa: PTH208


def make_namespace(kind):
    """Make a namespace, which brings rights in it."""
    pid = os.fork()
    if pid == 0:
        exit_code = 1
        with contextlib.suppress(BaseException):
            linux.unshare(kind)
            exit_code = 0
        os._exit(exit_code)
    return os.waitpid(pid, 0)[1] == 0


def exceed_process_limit():
    """Start more processes than a limit allows."""
    import resource

    resource.setrlimit(resource.RLIMIT_NPROC, (PROCESS_LIMIT, PROCESS_LIMIT))
    children = []
    with contextlib.suppress(OSError):
        for _ in range(FORK_ATTEMPTS):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(children) == FORK_ATTEMPTS


def exceed_memory_limit(megabytes):
    """Have more memory than the address space may grow to."""
    import resource

    size = megabytes * walls.MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    mmap.mmap(-1, 2 * size).close()
    return True


def leave_process():
    """Leave a process behind."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(ORPHAN_SECONDS)
        os._exit(0)
    return False  # whether it is gone is seen from outside


def find_broken():
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
        command = [sys.executable, "-Ic", "import decimal"]
        result = subprocess.run(command, capture_output=True, timeout=20, check=False)  # noqa: S603
        if result.returncode:
            broken.append("a Python of its own")
    except (OSError, subprocess.SubprocessError) as error:
        broken.append(f"a Python of its own ({type(error).__name__})")
    return broken


def list_attempts(facts):
    """All that is tried, by name, in an order in which one does not hinder the next."""
    grader, parent, runner = facts["grader"], os.getppid(), os.getppid()
    inet = socket.AF_INET
    return {
        "reads files of the person who grades": (read_path, facts["file"]),
        "writes files of the person who grades": (open_for_writing, facts["file"]),
        "leaves files with the person who grades": (
            lambda: any(attempt(leave_file, folder) for folder in facts["folders"]),
        ),
        "changes times of files": (change_times, facts["file"]),
        "reads what is protected": (
            lambda: any(attempt(read_path, p) for p in facts["protected"]),
        ),
        "connects to this computer": (connect_to, inet, ("127.0.0.1", facts["port"])),
        "connects to a unix socket": (connect_to, socket.AF_UNIX, facts["socket"]),
        "has internet sockets": (open_socket, inet, socket.SOCK_DGRAM),
        "has sockets of virtual machines": (open_socket, VSOCK, socket.SOCK_STREAM),
        "has sockets of the kernel": (open_socket, NETLINK, socket.SOCK_RAW),
        "has raw sockets": (open_socket, PACKET, socket.SOCK_RAW),
        "signals the grader": (signal_process, grader),
        "signals its runner": (signal_process, runner),
        "reads the memory of its runner": (trace_process, runner),
        "reads variables of the grader": (read_environment, grader),
        "reads variables of its runner": (read_environment, parent),
        "sees other processes": (see_other_processes, {os.getpid(), runner}),
        "makes namespaces": (make_namespace, linux.CLONE_NEWUSER),
        "starts processes without end": (exceed_process_limit,),
        "leaves processes behind": (leave_process,),
        "takes memory without end": (exceed_memory_limit, 4096),
    }


def serve_canary(results, order, folder, filters):
    """Try everything in a child behind the kernel's walls, and tell; then wait for the end."""
    pid = os.fork()
    if pid == 0:
        try:
            walls.confine_kernel(order["plan"], folder, filters)
            facts = order["canary"]
            broken = find_broken()
            reached = [name for name, action in list_attempts(facts).items() if attempt(*action)]
            report = {"reached": reached, "broken": broken, "landlock": landlock.abi_version()}
            frames.send(results, report)
        except BaseException as error:
            report = f"{type(error).__name__}: {error}"
            frames.send(results, {"frame": "failed", "error": report[:300]})
        finally:
            os._exit(0)
    walls.confine_forked_runner(filters)
    os.waitpid(pid, 0)
    os.close(results)
    signal.pause()
