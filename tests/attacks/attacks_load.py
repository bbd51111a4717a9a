"""Attacks by load: ends, loops, memory, disk, floods. Every load is bounded."""

from __future__ import annotations

from attack import FILTERED, WALLED, Attack

BROKEN_CELL = {"V1": 5.0}
"""The attack's own cell fails, which V1 counts."""

LOAD = (
    Attack(
        rows=(11,),
        name="exits",
        tries="the process ends itself in the middle of the notebook",
        where="encoder",
        code="import os; os._exit(0)",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(11,),
        name="sys-exit",
        tries="the notebook asks Python to exit",
        where="encoder",
        code="import sys; sys.exit(0)",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(11,),
        name="crashes",
        tries="the process reads where there is no memory",
        where="encoder",
        code="import ctypes; ctypes.string_at(0)",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(11,),
        name="exits-when-asked",
        tries="forward ends the process as soon as a question calls it",
        where="last",
        code="import os\nSimpleEncoder.forward = lambda self, x: os._exit(0)",
        costs={"V3": 1},  # for what the run itself showed
    ),
    Attack(
        rows=(29,),
        name="forks",
        tries="forty processes are forked, which stay",
        code="""
import os
for _ in range(40):
    try:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", WORLD["marker"]])
    except OSError:
        break
""",
    ),
    Attack(
        rows=(30,),
        name="memory-bomb",
        tries="more memory than the limit is asked for",
        tells=True,
        code='attempt("memory", lambda: len(bytearray((WORLD["memory_mb"] + 2048) * 2**20)))',
    ),
    Attack(
        rows=(31,),
        name="huge-files",
        tries="files larger than any notebook needs are made, with nothing in them",
        holds_at=WALLED,
        tells=True,
        code="""
import os

def make(size):
    with open("huge", "wb") as file:
        file.truncate(size)
    os.unlink("huge")

attempt("a TiB", lambda: make(2**40))
attempt("a GiB", lambda: make(2**30))
""",
    ),
    Attack(
        rows=(31,),
        name="many-files",
        tries="thousands of empty files are left",
        code="""
import pathlib
for number in range(3000):
    pathlib.Path(f"empty-{number}").touch()
""",
    ),
    Attack(
        rows=(32,),
        name="loops",
        tries="a cell never ends",
        where="encoder",
        code="while True: pass",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(32,),
        name="loops-when-asked",
        tries="forward never answers the grader's questions",
        where="last",
        code="""
def forward(self, x):
    while True: pass

SimpleEncoder.forward = forward
""",
        costs={"V3": 1},  # for what the run itself showed
    ),
    Attack(
        rows=(33,),
        name="swallows-the-interrupt",
        tries="a cell never ends and catches whatever should end it",
        where="encoder",
        code="""
import time
while True:
    try:
        while True: time.sleep(0.1)
    except BaseException:
        pass
""",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(34,),
        name="floods",
        tries="megabytes are printed, in many pieces, in one piece and as a picture",
        code="""
import base64, sys
from IPython.display import display, Image, HTML
for _ in range(4000):
    print("x" * 1000)
print("y" * 20_000_000)
sys.stderr.write("z" * 2_000_000)
display({"image/png": base64.b64encode(b"\\x89PNG" + bytes(6_000_000)).decode()}, raw=True)
display(HTML("<b>" * 500_000))
""",
    ),
    Attack(
        rows=(34,),
        name="floods-by-arrays",
        tries="the namespace holds as many numbers as may cross the wall",
        base="still",
        code="""
import numpy
for number in range(60):
    globals()[f"ballast{number}"] = numpy.random.default_rng(number).random(100_000)
""",
    ),
    Attack(
        rows=(35,),
        name="descriptors-exhausted",
        tries="files are opened until there are no more descriptors, and kept",
        where="last",
        code="""
import os
kept = []
try:
    for _ in range(5000):
        kept.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
""",
    ),
    Attack(
        rows=(35,),
        name="stack-overflow",
        tries="recursion without an end overruns the stack of the process",
        where="encoder",
        code="""
import sys
sys.setrecursionlimit(10**6)
nested = []
for _ in range(300_000):
    nested = [nested]
repr(nested)
""",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(36,),
        name="streams-and-builtins-gone",
        tries="standard streams and builtins that a grader in the same process needs are gone",
        base="still",
        code="""
import sys
sys.stdout.close()
sys.stdout = None
list = str = len = dict = isinstance = open = None
""",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(36, 38),
        name="open-removed",
        tries="Python's own open, which the probe needs, is taken away from the whole process",
        base="still",
        where="last",
        code="import builtins\nbuiltins.open = None",
    ),
    Attack(
        rows=(36,),
        name="descriptors-closed",
        tries="all descriptors are closed, those of the grader's pipes too",
        where="last",
        code="import os; os.closerange(3, 500)",
        costs=BROKEN_CELL,
    ),
    Attack(
        rows=(37,),
        name="global-state",
        tries="every global setting that changes numbers is turned",
        base="still",
        where="last",
        code="""
import os, random, signal, sys, warnings
warnings.simplefilter("error")
np.seterr(all="raise")
torch.set_default_dtype(torch.float64)
torch.set_grad_enabled(False)
torch.use_deterministic_algorithms(True)
torch.set_num_threads(8)
torch.manual_seed(0)
os.chdir("/")
os.environ.clear()
sys.setswitchinterval(5)
signal.signal(signal.SIGALRM, lambda *args: None)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
sys.settrace(lambda *args: None)
""",
    ),
    Attack(
        rows=(31,),
        name="folders-in-folders",
        tries="folders lie in folders, deeper than the stack of whoever counts or removes them",
        code="""
import os, time
here = os.getcwd()
for _ in range(1500):
    os.mkdir("a")
    os.chdir("a")
os.chdir(here)
time.sleep(2)
""",
    ),
    Attack(
        rows=(30,),
        name="memory-that-nobody-holds",
        tries="memory is taken that no process is seen to hold: in a nameless file and by System V",
        holds_at=FILTERED,
        tells=True,
        code="""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)

def segment():
    number = libc.shmget(0, 4096, 0o1600)
    if number < 0:
        raise OSError(ctypes.get_errno(), "shmget")
    libc.shmctl(number, 0, None)  # remove it

attempt("memfd", lambda: os.close(os.memfd_create("x")))
attempt("segment", segment)
""",
    ),
)
