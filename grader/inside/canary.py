"""Try to break out of a sandbox, from where a student's code would be, and report what worked.

The targets come from outside: a file to read, a folder to write to, a process to signal, ports to
connect to. Each attempt either fails, as it must, or is reported by its name.
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
"""Processes to start, to see whether there is a limit."""
PROCESS_LIMIT = 20
"""The limit that is set before."""
VSOCK, NETLINK, PACKET = 40, 16, 17
"""Families of sockets, from <linux/socket.h>."""
CONNECT_SECONDS = 0.5
PTRACE_ATTACH = 16
"""From <sys/ptrace.h>."""
ORPHAN_SECONDS = 20.0
"""Seconds that the process lives that tries to outlive its sandbox."""


def attempt(action, *arguments):
    """Return whether something works that should not."""
    try:
        return bool(action(*arguments))
    except (OSError, ValueError, MemoryError):
        return False


def read_path(path):
    """Read a file, or any file in a folder, that is not empty."""
    if Path(path).is_dir():
        return any(attempt(read_path, child) for child in Path(path).iterdir())
    return bool(Path(path).read_bytes())


def open_for_writing(path):
    """Open a file for writing, without changing it."""
    os.close(os.open(path, os.O_WRONLY))
    return True


def leave_file(folder):
    """Create a file without a name in a folder; it is gone at once."""
    os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY))
    return True


def change_times(path):
    """Set the times of a file to what they are."""
    status = os.stat(path)  # noqa: PTH116 (as the next)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return True


def connect_to(family, address):
    """Connect to a listener."""
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(CONNECT_SECONDS)
        connection.connect(address)
    return True


def open_socket(family, kind):
    """Open a socket of a family."""
    socket.socket(family, kind).close()
    return True


def signal_process(pid):
    """Check the permission to signal a process."""
    os.kill(pid, 0)
    return True


def trace_process(pid):
    """Read the memory of a process, or attach to it."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb"):  # noqa: PTH123
        return True
    return linux.c_library().ptrace(PTRACE_ATTACH, ctypes.c_int(pid), None, None) == 0


def see_other_processes(own_pids):
    """Find processes outside this sandbox."""
    return any(name.isdigit() and int(name) not in own_pids for name in os.listdir("/proc"))  # noqa: PTH208


def make_namespace(kind):
    """Make a namespace, which would give rights in it."""
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
    """Map more memory than the address space may grow to."""
    import resource

    size = megabytes * walls.MEGABYTE
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    mmap.mmap(-1, 2 * size).close()
    return True


def leave_process():
    """Leave a process behind; the outside sees whether it is gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(ORPHAN_SECONDS)
        os._exit(0)
    return False


def find_broken():
    """Return what must work in a sandbox, and does not."""
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
    """Return all attempts by name, in an order in which none hinders the next."""
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
        "reads variables of the grader": (read_path, f"/proc/{grader}/environ"),
        "reads variables of its runner": (read_path, f"/proc/{parent}/environ"),
        "sees other processes": (see_other_processes, {os.getpid(), runner}),
        "makes namespaces": (make_namespace, linux.CLONE_NEWUSER),
        "starts processes without end": (exceed_process_limit,),
        "leaves processes behind": (leave_process,),
        "takes memory without end": (exceed_memory_limit, 4096),
    }


def serve_canary(results, order, folder, filters):
    """Try everything in a child behind the kernel's walls, report, and wait to be killed."""
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
