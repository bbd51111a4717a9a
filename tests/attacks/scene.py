"""The scene of the attacks: secrets, listeners, bystanders, and one real run over all of them."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from attack import Attack, Base
from bases import BASES, attacking, plain

from benchmarks import notebooks
from grader import gradebook
from grader.gradebook import course_records

ROOT = Path(__file__).parent.parent.parent
LIMITS = {"cell_s": 5, "submission_s": 30, "question_s": 3, "memory_mb": 3072}
INNOCENTS = ("a-innocent", "m-innocent", "z-innocent")
SHARED = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 -- where attacks try to leave files
PLACES = ("env", "home", "neighbour", "reference", "rubric")
CANNOT = 2
"""The exit code of a command that refuses its environment or its options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What stands ready before the run."""

    root: Path
    secrets: Mapping[str, str]
    """Canaries by where they lie."""
    bystanders: Mapping[str, subprocess.Popen[bytes]]
    heard: list[bytes] = field(default_factory=list)
    """What reached a listener: one entry a contact."""
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def course(self) -> Path:
        """Where the command runs."""
        return self.root / "course"

    @property
    def home(self) -> Path:
        """The grading person's home."""
        return self.root / "home"

    @property
    def submissions(self) -> Path:
        """What was handed in."""
        return self.course / "submissions"

    def world(self, name: str, number: int) -> dict[str, object]:
        """What one attack is told of where things are: an attacker could find it out."""
        return {
            "name": name,
            "world": self.root.parent.name + self.root.name,
            "marker": f"{9740 + number}.{os.getpid()}",
            "memory_mb": LIMITS["memory_mb"],
            "home": str(self.home),
            "root": str(self.course),
            "submissions": str(self.submissions),
            "out": str(self.course / "graded"),
            "unix": str(self.root / "s"),
            "abstract": f"grader-test-{os.getpid()}-{self.root.name}",
            **self.ports,
            **{who: process.pid for who, process in self.bystanders.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is there after the run."""

    scene: Scene
    code: int
    said: str
    seconds: float
    peak_mb: float
    """The grader process's own largest resident size."""
    names: Mapping[str, str]
    """Submission by attack."""
    left: Mapping[str, int]
    """Processes by marker."""
    alive: frozenset[str]
    """Bystanders."""

    @property
    def out(self) -> Path:
        """What was written."""
        return self.scene.course / "graded"

    def result(self, name: str) -> dict[str, Any]:
        """The published result."""
        return result(self.out, name)

    def points(self, name: str) -> dict[str, float | None]:
        """Points of the automatic items but V2, which reads saved outputs alone."""
        items = self.result(name)["items"]
        return {i["id"]: i["earned"] for i in items if i["kind"] == "auto" and i["id"] != "V2"}

    def told(self, name: str) -> dict[str, str] | None:
        """What an attack said of its attempts."""
        for cell in self.result(name)["cells"]:
            error = cell["error"] or ""
            if error.startswith("Told: "):
                found: dict[str, str] = json.loads(error[6:].rpartition("}")[0] + "}")
                return found
        return None

    def published(self, name: str) -> str:
        """All that was written about one submission."""
        places = (self.out / "results" / f"{name}.json", self.out / "reports" / f"{name}.html")
        return "".join(place.read_text(encoding="utf-8") for place in places)

    def escaped(self, name: str) -> list[str]:
        """Files that an attack left outside its own folder."""
        folders = [self.scene.home, self.scene.submissions, self.out, self.out / "results"]
        found = [f for folder in folders for f in folder.glob("*") if _is_of(f.name, name)]
        world = self.scene.world(name, 0)["world"]
        found += [p for d in SHARED if (p := Path(d, f"escaped-{world}{name}")).exists()]
        return sorted(str(place) for place in found)


def result(out: Path, name: str) -> dict[str, Any]:
    """A result as programs read it."""
    text = (out / "results" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _is_of(file: str, name: str) -> bool:
    return file.startswith("escaped-") and file.endswith(name)


@contextmanager
def staged(root: Path) -> Iterator[Scene]:
    """A course, a home with a diary, listeners and bystanders; gone when the block is left."""
    scene = Scene(
        root=root,
        secrets={place: "canary" + secrets.token_hex(16) for place in PLACES},
        bystanders={
            "bystander": subprocess.Popen(["sleep", "9732"]),  # noqa: S607 -- found by PATH
            "traced": subprocess.Popen(["sleep", "9733"]),  # noqa: S607 -- found by PATH
        },
    )
    with ExitStack() as stack:
        for process in scene.bystanders.values():
            stack.callback(process.wait)
            stack.callback(process.kill)
        _write_course(scene)
        _listen(scene, stack)
        try:
            yield scene
        finally:
            for folder in SHARED:
                for place in Path(folder).glob(f"escaped-{root.parent.name}{root.name}*"):
                    place.unlink()


def _write_course(scene: Scene) -> None:
    for folder in (scene.home, scene.course / "rubrics", scene.course / "reference"):
        folder.mkdir(parents=True)
    (scene.home / "diary.txt").write_text(scene.secrets["home"], encoding="utf-8")
    lines = (ROOT / "rubrics" / "hw5.toml").read_text(encoding="utf-8").splitlines()
    limited = [
        f"{key} = {LIMITS[key]}" if (key := line.partition(" = ")[0]) in LIMITS else line
        for line in lines
    ]
    rubric = "\n".join([f"# {scene.secrets['rubric']}", *limited]) + "\n"
    (scene.course / "rubrics" / "hw5.toml").write_text(rubric, encoding="utf-8")
    book = json.loads((ROOT / "reference" / "hw5.ipynb").read_text(encoding="utf-8"))
    secret = f"\nreference_secret = '{scene.secrets['reference']}'\n"
    hidden = next(c for c in book["cells"] if "grader-only" in c["metadata"].get("tags", []))
    hidden["source"] = "".join(hidden["source"]) + secret
    (scene.course / "reference" / "hw5.ipynb").write_text(json.dumps(book), encoding="utf-8")


def _listen(scene: Scene, stack: ExitStack) -> None:
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    scene.ports.update(tcp=tcp.getsockname()[1], udp=udp.getsockname()[1])
    path, abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
    path.bind(str(scene.root / "s"))
    abstract.bind("\0" + str(scene.world("", 0)["abstract"]))
    for one in (path, abstract):
        one.listen()
    for one in (tcp, udp, path, abstract):
        stack.callback(one.close)
        one.settimeout(0.2)
        threading.Thread(target=_hear, args=(one, scene.heard), daemon=True).start()


def _hear(listener: socket.socket, heard: list[bytes]) -> None:
    """Note every contact until the socket is closed."""
    while listener.fileno() >= 0:
        try:
            if listener.type == socket.SOCK_DGRAM:
                heard.append(listener.recv(100))
            else:
                line, _ = listener.accept()
                with line:
                    line.settimeout(1)
                    heard.append(line.recv(100) or b"(nothing said)")
        except TimeoutError:
            continue
        except OSError:
            return


def hand_in(scene: Scene, attacks: Sequence[Attack]) -> dict[str, str]:
    """Innocents at both ends and in the middle, plain wrong solutions, and the attacks."""
    written = notebooks.write(scene.root / "innocents", count=len(INNOCENTS))
    scene.submissions.mkdir()
    for source, name in zip(written, INNOCENTS, strict=True):
        shutil.copy(source, scene.submissions / f"{name}.ipynb")
    secret = scene.secrets["neighbour"]
    (scene.submissions / "m-innocent.txt").write_text(secret, encoding="utf-8")
    hijack = f"open({str(scene.home / 'escaped-import')!r}, 'w')"
    for module in ("numpy", "sitecustomize", "grader"):
        (scene.submissions / f"{module}.py").write_text(hijack, encoding="utf-8")
    for base in BASES:
        put(scene, f"c-plain-{base}", plain(base))
    half = len(attacks) // 2
    names = {}
    for number, attack in enumerate(attacks):
        name = f"{'d' if number < half else 'n'}{number:02}-{attack.name}"
        names[attack.name] = name
        put(scene, name, attacking(attack, world=scene.world(name, number)))
    return names


def put(scene: Scene, name: str, book: nbformat.NotebookNode) -> None:
    """Hand in one notebook."""
    text = nbformat.writes(book)  # type: ignore[no-untyped-call]
    (scene.submissions / f"{name}.ipynb").write_text(text, encoding="utf-8")


def plain_name(base: Base) -> str:
    """The submission that is the wrong solution and no attack."""
    return f"c-plain-{base}"


def run(scene: Scene, attacks: Sequence[Attack], *, options: Sequence[str]) -> Aftermath:
    """Hand all in, grade, and look around."""
    names = hand_in(scene, attacks)
    _keep_seed(scene)
    temporary = scene.root / "tmp"
    temporary.mkdir()
    began = time.monotonic()
    with (scene.root / "said").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "grader", str(scene.submissions), "-j", "2", *options],
            cwd=scene.course,
            env=surroundings(scene),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        peak = _follow(process)
        said.seek(0)
        spoken = said.read()
    seconds = time.monotonic() - began
    time.sleep(1.0)
    markers = {str(scene.world("", number)["marker"]): number for number in range(len(attacks))}
    left = _running(markers)
    return Aftermath(
        scene=scene,
        code=process.returncode,
        said=spoken,
        seconds=seconds,
        peak_mb=peak,
        names=names,
        left=left,
        alive=frozenset(who for who, p in scene.bystanders.items() if p.poll() is None),
    )


def _keep_seed(scene: Scene) -> None:
    """Let every run draw the same numbers: one of the tests changes what comes of them."""
    (scene.course / "graded").mkdir(exist_ok=True)
    with gradebook.open_gradebook(scene.course / "graded" / "gradebook.db") as book:
        course_records.ensure_seed(book, "hw5", offered=hashlib.sha256(b"attacks").digest())


def surroundings(scene: Scene) -> dict[str, str]:
    """The command's variables: a home, temporary files and a cache of its own, and a secret."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HOME": str(scene.home),
        "TMPDIR": str(scene.root / "tmp"),
        "XDG_CACHE_HOME": str(scene.root / "cache"),
        "GRADER_SECRET": scene.secrets["env"],
    }


def _follow(process: subprocess.Popen[bytes]) -> float:
    """Wait for the grader, noting its largest resident size in MB."""
    peak = 0.0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        except OSError:
            status = ""
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]) / 1024)
        time.sleep(0.1)
    return peak


def _running(markers: Mapping[str, int]) -> dict[str, int]:
    """Sleepers with an attack's marker, which are ours to end; how many there were of each."""
    found: dict[str, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        if words[:1] == ["sleep"] and words[1] in markers:
            found[words[1]] = found.get(words[1], 0) + 1
            try:
                os.kill(int(place.name), 9)
            except ProcessLookupError:
                continue
    return found
