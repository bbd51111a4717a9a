"""Three hundred submissions, a third of them hostile, and a grader that is killed again and again.

`make soak` alone runs it, for a quarter of an hour. What is left must be what a run without
disturbance leaves: every submission graded once, honest ones with their points, nothing behind.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import scene
from attack import Attack
from bases import attacking
from corpus import ATTACKS

from benchmarks import notebooks
from grader import gradebook

pytestmark = [pytest.mark.soak, pytest.mark.kernel]

HONEST = int(os.environ.get("SOAK_HONEST", "200"))
HOSTILE = HONEST // 2
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
"""What hostile submissions there are, and when the grader is killed; printed, to be repeated."""
KILLS = 6
LEVEL = "full"
STEADY = 30.0
"""Seconds after which the grader has all it needs."""
PATIENCE = 10.0
"""Seconds in which all that a killed grader had started is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the grader has at a moment."""

    at: float
    descriptors: int
    threads: int
    megabytes: float


def hand_in(stage: scene.Scene, rng: random.Random) -> tuple[list[str], list[str]]:
    """Honest and hostile notebooks in a random order; their names."""
    written = notebooks.write(stage.root / "honest", count=HONEST)
    stage.submissions.mkdir()
    numbers = list(range(HONEST + HOSTILE))
    rng.shuffle(numbers)
    honest = [f"s{number:03}-honest" for number in numbers[:HONEST]]
    for source, name in zip(written, honest, strict=True):
        shutil.copy(source, stage.submissions / f"{name}.ipynb")
    held: list[Attack] = [a for a in ATTACKS if LEVEL in a.holds_at and not a.known]
    hostile = []
    for number in numbers[HONEST:]:
        attack = rng.choice(held)
        hostile.append(name := f"s{number:03}-{attack.name}")
        book = attacking(attack, world=stage.world(name, number))
        scene.put(stage, name, book)
    return honest, hostile


def start(stage: scene.Scene, out: str) -> subprocess.Popen[bytes]:
    """The real command over all of them."""
    (stage.root / "tmp").mkdir(exist_ok=True)
    words = [sys.executable, "-m", "grader", str(stage.submissions), "--out", out]
    return subprocess.Popen(
        [*words, "--isolation", LEVEL, "-q"],
        cwd=stage.course,
        env=scene.surroundings(stage),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def sample(pid: int, at: float) -> Sample | None:
    """Look at the grader process; None when it is gone."""
    place = Path(f"/proc/{pid}")
    try:
        status = dict(
            line.split(":", 1)
            for line in (place / "status").read_text(encoding="ascii").splitlines()
        )
        return Sample(
            at=at,
            descriptors=len(list((place / "fd").iterdir())),
            threads=int(status["Threads"]),
            megabytes=int(status["VmRSS"].split()[0]) / 1024,
        )
    except (OSError, KeyError):
        return None


def followed(process: subprocess.Popen[bytes]) -> list[Sample]:
    """Wait for the end, and look every second."""
    began, seen = time.monotonic(), []
    while process.poll() is None:
        if found := sample(process.pid, time.monotonic() - began):
            seen.append(found)
        time.sleep(1)
    return seen


def stored(stage: scene.Scene, out: str) -> dict[str, str]:
    """When each submission that is in the store was graded."""
    place = stage.course / out / "gradebook.db"
    if not place.exists():
        return {}
    with gradebook.open_gradebook(place) as book:
        names = tuple(book.cache_keys())
        return {
            graded.submission.name: graded.provenance.time
            for graded in book.all_graded(names)
            if graded.provenance is not None
        }


def ours(place: Path) -> str:
    """The words of a process that this checkout's grader started; '' for any other."""
    try:
        words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        mounts = (place / "mountinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    inside = f"{scene.ROOT}/grader/inside"
    return (
        words[:80]
        if inside in words or ("/inside/fork_server.py" in words and inside in mounts)
        else ""
    )


def shared(stage: scene.Scene) -> list[str]:
    """Shared memory by name, without what attacks of another stage leave at level `none`."""
    names = [place.name for place in Path("/dev/shm").iterdir()]  # noqa: S108
    world = str(stage.world("", 0)["world"])
    return [name for name in names if not name.startswith("escaped-") or world in name]


def behind(stage: scene.Scene) -> dict[str, list[str]]:
    """What could be left behind, by kind; compared before and after."""
    processes = [words for place in Path("/proc").glob("[0-9]*") if (words := ours(place))]
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    memory = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return {
        "processes": sorted(processes),
        "mounts": sorted(mounts),
        "shared memory": sorted([*memory, *shared(stage)]),
        "temporary files": sorted(p.name for p in (stage.root / "tmp").glob("*")),
    }


def gone(stage: scene.Scene, before: Mapping[str, list[str]]) -> Mapping[str, list[str]]:
    """What is still there that was not before, once it had time to go."""
    end = time.monotonic() + PATIENCE
    while (now := behind(stage)) != before and time.monotonic() < end:
        time.sleep(0.2)
    left = {kind: [x for x in now[kind] if x not in before[kind]] for kind in now}
    return {kind: found for kind, found in left.items() if found}


def points(stage: scene.Scene, out: str, names: list[str]) -> dict[str, object]:
    """Automatic points, from the files that programs read."""
    return {name: scene.result(stage.course / out, name)["score"]["auto"] for name in names}


def disturb(stage: scene.Scene, rng: random.Random, before: Mapping[str, list[str]]) -> None:
    """Kill the grader again and again, then let it end; what was done must stay as it was."""
    done: dict[str, str] = {}
    for _ in range(KILLS):
        process = start(stage, "disturbed")
        try:
            process.wait(timeout=rng.uniform(4, 40))
        except subprocess.TimeoutExpired:
            process.send_signal(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGINT]))
        process.wait()
        assert gone(stage, before) == {}
        now = stored(stage, "disturbed")
        assert {name: now.get(name) for name in done} == done, "what was done is done once"
        done = now
    assert start(stage, "disturbed").wait() in {0, 1}
    assert gone(stage, before) == {}


def test_three_hundred_submissions_and_a_grader_that_is_killed(tmp_path: Path) -> None:
    print(f"SOAK_SEED={SEED}")  # noqa: T201 -- pytest shows it when the test fails
    rng = random.Random(SEED)  # noqa: S311 -- variety that repeats, no secret
    with scene.staged(tmp_path) as stage:
        honest, hostile = hand_in(stage, rng)
        (stage.root / "tmp").mkdir(exist_ok=True)
        before = behind(stage)

        steady = [s for s in followed(start(stage, "steady")) if s.at > STEADY]
        assert gone(stage, before) == {}

        disturb(stage, rng, before)

        assert sorted(stored(stage, "disturbed")) == sorted([*honest, *hostile])
        assert points(stage, "disturbed", honest) == dict.fromkeys(honest, 40)
        assert points(stage, "disturbed", honest) == points(stage, "steady", honest)
        assert_flat(steady)


def assert_flat(samples: list[Sample]) -> None:
    """No growth of descriptors, threads and memory over a run."""
    third = len(samples) // 3
    assert third > 5, "the run was too short to tell"
    early, late = samples[:third], samples[-third:]
    assert max(s.descriptors for s in late) <= max(s.descriptors for s in early) + 8
    assert max(s.threads for s in late) <= max(s.threads for s in early) + 2
    assert min(s.megabytes for s in late) <= max(s.megabytes for s in early) * 1.1
