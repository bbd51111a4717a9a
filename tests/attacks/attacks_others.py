"""Attacks on others: the network, sockets, environments and processes outside."""

from __future__ import annotations

from attack import FILTERED, SEPARATED, WALLED, Attack

OTHERS = (
    Attack(
        rows=(21, 51),
        name="sends-by-tcp-and-udp",
        tries="data leaves by TCP and UDP, from the kernel and from a program it starts",
        holds_at=WALLED,
        tells=True,
        code="""
import socket, subprocess, sys

def tcp():
    with socket.create_connection(("127.0.0.1", WORLD["tcp"]), timeout=2) as line:
        line.sendall(WORLD["name"].encode())

def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(WORLD["name"].encode(), ("127.0.0.1", WORLD["udp"]))

def program():
    code = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2)"
    subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(WORLD["tcp"])],
        check=True, capture_output=True, timeout=3,
    )

attempt("tcp", tcp)
if WORLD["tcp"]:
    attempt("program", program)
try:
    udp()  # a datagram into an empty network is no escape: the listener tells
except OSError:
    pass
""",
    ),
    Attack(
        rows=(22,),
        name="rare-socket-families",
        tries="sockets of families that a network namespace does not stop are opened",
        holds_at=FILTERED,
        tells=True,
        code="""
import socket
for name, family, kind in (
    ("vsock", 40, socket.SOCK_STREAM),
    ("netlink", 16, socket.SOCK_RAW),
    ("alg", 38, socket.SOCK_SEQPACKET),
    ("packet", 17, socket.SOCK_RAW),
    ("bluetooth", 31, socket.SOCK_RAW),
):
    attempt(name, lambda: socket.socket(family, kind, 0).close())
""",
    ),
    Attack(
        rows=(23,),
        name="unix-sockets",
        tries="unix sockets outside, as of Docker, D-Bus or an ssh agent, are connected to",
        holds_at=WALLED,
        tells=True,
        code="""
import socket

def connect(place):
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(2)
        line.connect(place)
        line.sendall(WORLD["name"].encode())

attempt("by path", lambda: connect(WORLD["unix"]))
attempt("abstract", lambda: connect("\\0" + WORLD["abstract"]))
""",
    ),
    Attack(
        rows=(24,),
        name="own-environment",
        tries="secrets of the grader's environment are looked for in its own",
        tells=True,
        code="""
import os, pathlib, re
SECRET = re.compile("canary[0-9a-f]{32}")

def search(text):
    hits = SECRET.findall(text)
    if not hits:
        raise LookupError("no secret in it")
    return hits

attempt("environ", lambda: search(repr(dict(os.environ))))
attempt("proc", lambda: search(pathlib.Path("/proc/self/environ").read_text(errors="replace")))
""",
    ),
    Attack(
        rows=(24,),
        name="environments-above",
        tries="the environments of the processes that started it are read from /proc",
        holds_at=WALLED,
        tells=True,
        code="""
import pathlib, re
SECRET = re.compile("canary[0-9a-f]{32}")

def search():
    pid, hits = "self", []
    for _ in range(5):
        here = pathlib.Path("/proc", pid)
        if b"python" not in (here / "cmdline").read_bytes():
            break
        hits += SECRET.findall((here / "environ").read_text(errors="replace"))
        pid = (here / "stat").read_text().rpartition(")")[2].split()[1]
        if pid in ("0", "1") or hits:
            break
    if not hits:
        raise LookupError("no secret above")
    return hits

attempt("above", search)
""",
    ),
    Attack(
        rows=(24,),
        name="command-lines-read",
        tries="the command line of a process outside is read from /proc",
        holds_at=SEPARATED,
        tells=True,
        code="""
import pathlib

def read():
    told = pathlib.Path("/proc", str(WORLD["bystander"]), "cmdline").read_bytes()
    if b"sleep" not in told:
        raise LookupError("another process")
    return told

attempt("command line", read)
""",
    ),
    Attack(
        rows=(27,),
        name="others-killed",
        tries="a process outside is ended",
        holds_at=WALLED,
        code="""
import os, signal
try:
    os.kill(WORLD["bystander"], signal.SIGTERM)
except OSError:
    pass
""",
    ),
    Attack(
        rows=(27,),
        name="others-traced",
        tries="a process outside is traced and its memory read",
        holds_at=WALLED,
        tells=True,
        code="""
import ctypes, os, pathlib
libc = ctypes.CDLL(None, use_errno=True)
SEIZE = 0x4206

def trace():
    if b"9733" not in pathlib.Path("/proc", str(WORLD["traced"]), "cmdline").read_bytes():
        raise LookupError("another process")
    if libc.ptrace(SEIZE, WORLD["traced"], None, None):
        raise OSError(ctypes.get_errno(), "ptrace")

attempt("trace", trace)
attempt("memory", lambda: open(f"/proc/{WORLD['traced']}/mem", "rb").close())
""",
    ),
    Attack(
        rows=(27,),
        name="runner-killed",
        tries="the process that runs the notebook is killed from within",
        code="import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nraise SystemError",
        costs={"V1": 5},
    ),
    Attack(
        rows=(27,),
        name="parent-of-all-killed",
        tries="the process that all kernels are forked from is killed, again and again",
        holds_at=WALLED,
        alone=True,
        code="""
import os, pathlib, signal
try:
    pid = pathlib.Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1]
    if b"warm.py" in pathlib.Path("/proc", pid, "cmdline").read_bytes():
        os.kill(int(pid), signal.SIGKILL)
except OSError:
    pass
""",
    ),
    Attack(
        rows=(27,),
        name="others-limited",
        tries="a process outside is given new limits, so that it can open no file",
        holds_at=WALLED,
        tells=True,
        code="""
import os, resource

def limit():
    return resource.prlimit(WORLD["bystander"], resource.RLIMIT_NOFILE)

attempt("limits", limit)
attempt("priority", lambda: os.setpriority(os.PRIO_PROCESS, WORLD["bystander"], 1))
attempt("processor", lambda: os.sched_setaffinity(WORLD["bystander"], os.sched_getaffinity(0)))
""",
    ),
    Attack(
        rows=(27,),
        name="files-leased",
        tries="a lease on a file has everybody wait who opens it, for 45 seconds each",
        holds_at=FILTERED,
        tells=True,
        code="""
import fcntl, os

def lease():
    place = os.open("leased", os.O_CREAT | os.O_RDONLY, 0o600)
    fcntl.fcntl(place, 1024, fcntl.F_WRLCK)

attempt("lease", lease)
""",
    ),
)
