"""nbgrader and otter under attack: a wrong notebook with the attack in it, and what came of it."""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import csv
import json
import os
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nbformat

from benchmarks.attack_idioms import Idiom
from benchmarks.environments import environment, venv
from benchmarks.notebooks import notebook
from benchmarks.peer_checks import CHECKS
from benchmarks.peer_nbgrader import PACKAGE as NBGRADER
from benchmarks.peer_nbgrader import with_checks
from benchmarks.peer_otter import PACKAGE as OTTER
from benchmarks.peer_otter import test_files

PATIENCE = 150
"""Seconds that a grader has for one class of two; then it counts as hung."""
SETTLING = 2.5
"""Seconds after a run in which what survived it may do its work."""
RIGHT = "return F.normalize(x, p=2, dim=1)"
WRONG = "return x.new_zeros(len(x), 128).requires_grad_()"
NEIGHBOURS = "canary-neighbour-"
HIDDEN = "canary-hidden-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of an attack."""

    outcome: str
    what: str
    isolation: str = ""
    """What the grader says of its own isolation, where it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One folder in which a class of two is graded, and what lies around it."""

    folder: Path
    world: Mapping[str, object]
    hidden: str
    secret: str
    heard: list[bytes]

    @property
    def loot(self) -> Path:
        """Where an attack puts what it read."""
        return Path(str(self.world["loot"]))

    @property
    def escape(self) -> Path:
        """Where an attack leaves a file."""
        return Path(str(self.world["escape"]))


Grade = Callable[[Trial, nbformat.NotebookNode], "Points"]
Points = Mapping[str, float] | str
"""Points of `attacker` and, where it is graded along, `neighbour`; or why there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A grader under attack."""

    name: str
    folder: Path
    grade: Grade
    course: str
    """The folder that its own command runs in, below a trial's."""

    def deserved(self) -> float:
        """The points of the wrong notebook without an attack."""
        points = self.grade(self._trial("plain", heard=[], tcp=0), wrong())
        if isinstance(points, str):
            raise RuntimeError(f"{self.name} does not grade at all: {points}")  # noqa: TRY004 -- it is text where it failed
        return points["attacker"]

    def attacked(self, idiom: Idiom, *, deserved: float) -> Seen:
        """One attack, and what was seen of it."""
        code = {"nbgrader": idiom.nbgrader, "otter": idiom.otter}[self.name]
        if code is None:
            return Seen(outcome="not applicable", what="it has nothing of this kind")
        heard: list[bytes] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.2)
            threading.Thread(target=_hear, args=(listener, heard), daemon=True).start()
            trial = self._trial(idiom.ours, heard=heard, tcp=listener.getsockname()[1])
            book = wrong(code, where=idiom.where, world=trial.world)
            points = self.grade(trial, book)
        return _seen(trial, points, deserved=deserved)

    def _trial(self, name: str, *, heard: list[bytes], tcp: int) -> Trial:
        folder = self.folder / name
        outside = folder / "outside"
        for place in (outside, folder / "tmp"):
            place.mkdir(parents=True)
        world = {
            "course": str(folder / self.course),
            "result": str(folder / self.course / "attacker" / "results.json"),
            "neighbour": str(folder / self.course / "neighbour.txt"),
            "temporary": str(folder / "tmp"),
            "loot": str(outside / "loot"),
            "escape": str(outside / "escape"),
            "marker": f"97{secrets.randbelow(90) + 10}.{os.getpid()}",
            "tcp": tcp,
        }
        return Trial(
            folder=folder,
            world=world,
            hidden=HIDDEN + secrets.token_hex(8),
            secret="canary-secret-" + secrets.token_hex(8),
            heard=heard,
        )


def wrong(
    code: str = "", *, where: str = "first", world: Mapping[str, object] | None = None
) -> nbformat.NotebookNode:
    """A notebook whose forward returns zeros, and the attack in a cell of its own."""
    book = notebook(1)
    encoder = next(cell for cell in book.cells if RIGHT in cell.source)
    encoder.source = encoder.source.replace(RIGHT, WRONG)
    if code:
        told = f"import json as _json\nWORLD = _json.loads({json.dumps(dict(world or {}))!r})\n"
        cell = nbformat.v4.new_code_cell(told + code, id="attack")
        book.cells.insert(0 if where == "first" else len(book.cells), cell)
    return book


# -------------------------------------------------------------------- what is seen


def _seen(trial: Trial, points: Points, *, deserved: float) -> Seen:
    running = _ended(str(trial.world["marker"]))
    loot = trial.loot.read_text(encoding="utf-8", errors="replace") if trial.loot.exists() else ""
    known = (trial.hidden, trial.secret, NEIGHBOURS)
    if read := [word for word in known if word in loot]:
        return Seen(outcome="leaked", what=f"it read {read[0].rstrip('-0123456789abcdef')}")
    if trial.heard:
        return Seen(outcome="leaked", what="a listener outside was reached")
    if isinstance(points, str):
        return Seen(outcome="lost the run", what=points)
    left = "a process was still running" if running else ""
    left = left or ("a file was left outside" if trial.escape.exists() else "")
    return _graded(points, deserved=deserved, left=left)


def _graded(points: Mapping[str, float], *, deserved: float, left: str) -> Seen:
    told = ", ".join(f"{who} {value:g}" for who, value in sorted(points.items()))
    if points["attacker"] > deserved or points.get("neighbour", 4) > len(CHECKS):
        return Seen(outcome="points gained", what=f"{told}; deserved {deserved:g}")
    if left:
        return Seen(outcome="survived", what=left)
    return Seen(outcome="held", what=f"{told}; deserved {deserved:g}")


def _hear(listener: socket.socket, heard: list[bytes]) -> None:
    while listener.fileno() >= 0:
        try:
            line, _ = listener.accept()
            with line:
                line.settimeout(1)
                heard.append(line.recv(100))
        except TimeoutError:
            continue
        except OSError:
            return


def _ended(marker: str) -> int:
    """End the sleepers of this trial; how many there were."""
    count = 0
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            if words[:2] == [b"sleep", marker.encode()]:
                os.kill(int(place.name), 9)
                count += 1
        except OSError:
            continue
    return count


# -------------------------------------------------------------------- the two graders


def _run(command: list[str], *, trial: Trial, cwd: Path, python: Path) -> str:
    """Run one command of a grader's own; '' or why it failed."""
    own = environment(trial.folder.parent / "home", python=python)  # whose caches stay
    try:
        done = subprocess.run(  # noqa: S603 -- the peer's own command
            command,
            cwd=cwd,
            env={**own, "GRADER_SECRET": trial.secret, "TMPDIR": str(trial.world["temporary"])},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {PATIENCE} s"
    last = [line for line in done.stdout.strip().splitlines() if line.strip()][-1:]
    return f"it failed: {''.join(last)[:200]}" if done.returncode else ""


def nbgrader(folder: Path) -> Peer:
    """`nbgrader autograde` over a neighbour and the attacker, in this order."""
    python = venv("nbgrader", package=NBGRADER)

    def grade(trial: Trial, book: nbformat.NotebookNode) -> Points:
        course = trial.folder / "course"
        hidden = f"\n### BEGIN HIDDEN TESTS\n# {trial.hidden}\n### END HIDDEN TESTS"
        source = with_checks(notebook(0))
        source.cells[-1].source += hidden
        _save(source, course / "source" / "hw5" / "hw5.ipynb")
        neighbour = f"{NEIGHBOURS}{secrets.token_hex(8)}"
        (course / "neighbour.txt").write_text(neighbour, encoding="utf-8")
        for who, one in (("a-neighbour", notebook(2)), ("b-attacker", book)):
            _save(with_checks(one), course / "submitted" / who / "hw5" / "hw5.ipynb")
        program = [str(python), "-m", "nbgrader"]
        own = partial(_run, trial=trial, cwd=course, python=python)
        if told := own([*program, "generate_assignment", "hw5", "--create"]):
            raise RuntimeError(told)
        told = own([*program, "autograde", "hw5", "--create"])
        time.sleep(SETTLING)
        own([*program, "export", "--to=grades.csv"])
        return _nbgrader_points(course, told)

    return Peer(name="nbgrader", folder=folder, grade=grade, course="course")


def _nbgrader_points(course: Path, told: str) -> Points:
    graded = {path.parent.parent.name for path in course.glob("autograded/*/hw5/hw5.ipynb")}
    with (course / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row["score"] for row in csv.DictReader(file)}
    if "b-attacker" not in graded or not rows.get("b-attacker"):
        return told or "no grade for the attacker"
    names = {"a-neighbour": "neighbour", "b-attacker": "attacker"}
    return {names[who]: float(score or 0) for who, score in rows.items() if who in names}


def otter(folder: Path) -> Peer:
    """`otter run` on the attacker alone, since it grades one notebook at a time."""
    python = venv("otter", package=OTTER)

    def grade(trial: Trial, book: nbformat.NotebookNode) -> Points:
        course = trial.folder / "course"
        (course / "tests").mkdir(parents=True)
        (course / "attacker").mkdir()
        neighbour = f"{NEIGHBOURS}{secrets.token_hex(8)}"
        (course / "neighbour.txt").write_text(neighbour, encoding="utf-8")
        for name, source in test_files(proof=False).items():
            text = f"{source}\n# {trial.hidden}\n"
            (course / "tests" / name).write_text(text, encoding="utf-8")
        _save(book, course / "attacker.ipynb")
        program = [str(python), "-m", "otter"]
        own = partial(_run, trial=trial, cwd=course, python=python)
        if told := own([*program, "generate", "-t", "tests", "-o", "tests.zip"]):
            raise RuntimeError(told)
        shutil.rmtree(course / "tests")
        run = [*program, "run", "-a", "tests.zip", "-o", "attacker", "--no-logo", "attacker.ipynb"]
        told = own(run)
        time.sleep(SETTLING)
        place = course / "attacker" / "results.json"
        if told or not place.is_file():
            return told or "no results.json"
        tests = json.loads(place.read_text(encoding="utf-8"))["tests"]
        return {"attacker": float(sum(test.get("score") or 0 for test in tests))}

    return Peer(name="otter", folder=folder, grade=grade, course="course")


def _save(book: nbformat.NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(book), encoding="utf-8")
