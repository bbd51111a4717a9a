"""Attacks on the computer: files, network, other processes, and what outlives the run."""

from __future__ import annotations

from attack import FILTERED, SEPARATED, WALLED, Attack

MACHINE = (
    Attack(
        rows=(13,),
        name="results-overwritten",
        tries="its own result is written and locked before the grader writes it",
        holds_at=WALLED,
        tells=True,
        code="""
import os, pathlib
place = pathlib.Path(WORLD["out"], "results", WORLD["name"] + ".json")

def write():
    place.write_text('{"score": {"auto": 80}}')
    place.chmod(0o400)

attempt("result", write)
attempt("beside", lambda: pathlib.Path(WORLD["out"], "escaped-" + WORLD["name"]).write_text("80"))
""",
    ),
    Attack(
        rows=(14,),
        name="gradebook-edited",
        tries="the gradebook is opened and written to while the class is graded",
        holds_at=WALLED,
        tells=True,
        code="""
import sqlite3

def edit():
    with sqlite3.connect("file:" + WORLD["out"] + "/gradebook.db?mode=rw", uri=True) as book:
        entry = ["escaped-" + WORLD["name"], "80"]
        book.execute("INSERT INTO meta (name, value) VALUES (?, ?)", entry)

attempt("gradebook", edit)
""",
    ),
    Attack(
        rows=(14, 28),
        name="gradebook-edited-later",
        tries="a daemon waits until the notebook is graded and then edits the gradebook",
        code="""
import subprocess, sys
later = (
    "import sqlite3, sys, time; time.sleep(4)\\n"
    "book = sqlite3.connect('file:' + sys.argv[1] + '/gradebook.db?mode=rw', uri=True)\\n"
    "book.execute('INSERT INTO meta (name, value) VALUES (?, ?)', [sys.argv[2], '80'])\\n"
    "book.commit()"
)
subprocess.Popen(
    [sys.executable, "-c", later, WORLD["out"], "escaped-" + WORLD["name"]],
    start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
""",
    ),
    Attack(
        rows=(15,),
        name="hidden-files-read",
        tries="the reference, the rubric and the secret seed are read from disk",
        holds_at=WALLED,
        tells=True,
        code="""
import os, pathlib, re
SECRET = re.compile("canary[0-9a-f]{32}")

def search(folder):
    hits = set()
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                text = pathlib.Path(place, name).read_text(errors="replace")
            except OSError:
                continue
            hits.update(SECRET.findall(text))
    if not hits:
        raise FileNotFoundError("nothing secret below")
    return sorted(hits)

attempt("reference", lambda: search(WORLD["root"] + "/reference"))
attempt("rubric", lambda: search(WORLD["root"] + "/rubrics"))
attempt("seed", lambda: len(pathlib.Path(WORLD["out"], ".seed").read_text()))
""",
    ),
    Attack(
        rows=(25,),
        name="others-read",
        tries="a neighbour's files and the home folder are read",
        holds_at=WALLED,
        tells=True,
        code="""
import os, pathlib
attempt("neighbour", lambda: pathlib.Path(WORLD["submissions"], "m-innocent.txt").read_text())
attempt("neighbours", lambda: os.listdir(WORLD["submissions"])[0])
attempt("home", lambda: pathlib.Path(WORLD["home"], "diary.txt").read_text())
""",
    ),
    Attack(
        rows=(26,),
        name="submissions-changed",
        tries="its own and its neighbours' folder is written to, for the next stage to read",
        holds_at=WALLED,
        tells=True,
        code="""
import pathlib
place = pathlib.Path(WORLD["submissions"])
attempt("own", lambda: open(place / (WORLD["name"] + ".ipynb"), "ab").close())
attempt("beside", lambda: (place / ("escaped-" + WORLD["name"])).write_text("80"))
""",
    ),
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
        code="import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
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
        rows=(28,),
        name="daemons-left",
        tries="daemons of three makes are left running: nohup, double fork, a thread that forks",
        code="""
import os, subprocess, threading, time

sleep = ["sleep", WORLD["marker"]]
subprocess.Popen(sleep, start_new_session=True)
subprocess.Popen(["sh", "-c", "trap '' HUP TERM INT; exec sleep " + WORLD["marker"]])
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", sleep)
    os._exit(0)

def again():
    for _ in range(5):
        subprocess.Popen(sleep, start_new_session=True)
        time.sleep(0.2)

threading.Thread(target=again, daemon=True).start()
""",
    ),
    Attack(
        rows=(57,),
        name="left-for-the-next",
        tries="files are left for the next notebook in every shared folder there is",
        holds_at=WALLED,
        code="""
import pathlib
for folder in ("/tmp", "/var/tmp", "/dev/shm", WORLD["home"]):
    try:
        pathlib.Path(folder, "escaped-" + WORLD["world"] + WORLD["name"]).write_text("80")
    except OSError:
        pass
""",
    ),
    Attack(
        rows=(57,),
        name="left-in-its-own-folder",
        tries="files are left in its own home, temporary and working folder",
        code="""
import os, pathlib, tempfile
for folder in (os.environ["HOME"], tempfile.gettempdir(), "."):
    pathlib.Path(folder, "escaped-" + WORLD["name"]).write_text("80")
""",
    ),
    Attack(
        rows=(50,),
        name="modules-hijacked",
        tries="files named like modules lie in every folder that it may write to",
        code="""
import os, pathlib, tempfile
for folder in (os.environ["HOME"], tempfile.gettempdir(), "."):
    for name in ("numpy", "json", "sitecustomize", "usercustomize", "torch", "ipython_config"):
        pathlib.Path(folder, name + ".py").write_text("raise SystemExit('hijacked')")
""",
    ),
    Attack(
        rows=(59,),
        name="typed-into-the-terminal",
        tries="characters are pushed into the grader's terminal",
        tells=True,
        code="""
import fcntl
TIOCSTI = 0x5412

def push(open_it):
    fcntl.ioctl(open_it(), TIOCSTI, b"x")

for fd in (0, 1, 2):
    attempt(f"descriptor {fd}", lambda: push(lambda: fd))
attempt("tty", lambda: push(lambda: open("/dev/tty")))
""",
    ),
    Attack(
        rows=(60,),
        name="kernel-doors",
        tries="the doors of kernel exploits are tried: user namespaces, io_uring, bpf, keyctl",
        holds_at=FILTERED,
        tells=True,
        code="""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)

def in_a_fork(call):
    pid = os.fork()
    if pid == 0:
        result = call()
        os._exit(0 if result >= 0 else min(ctypes.get_errno(), 255) or 255)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, "not allowed")

is_arm = os.uname().machine == "aarch64"
NEW_USER, KEYCTL = 0x10000000, 219 if is_arm else 250
BPF, URING = 280 if is_arm else 321, 425
attempt("user namespace", lambda: in_a_fork(lambda: libc.unshare(NEW_USER)))
attempt("keyctl", lambda: in_a_fork(lambda: libc.syscall(KEYCTL, 0, -3, 1)))
attempt("io_uring", lambda: in_a_fork(
    lambda: libc.syscall(URING, 1, ctypes.create_string_buffer(256))))
attempt("bpf", lambda: in_a_fork(
    lambda: libc.syscall(BPF, 0, ctypes.create_string_buffer(
        (2).to_bytes(4, "little") + (4).to_bytes(4, "little") * 2 + (1).to_bytes(4, "little"), 120
    ), 120)))
""",
    ),
)
