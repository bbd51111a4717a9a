"""A stage for attacks on a course's own tests: the real road without walls and Jupyter."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

from grader import sandbox, wire
from grader.checks import own_tests
from grader.kernel.conversation import Conversation
from grader.kernel.test_bench import TestBench, TestRun
from grader.model import Limits, Observation

HERE = Path(__file__).parent
TEST_PROCESS = HERE.parent.parent / "grader" / "course_tests" / "test_process.py"
QUESTION_SECONDS = 1.5
START_SECONDS = 120.0
LIMITS = Limits(
    cell_s=5,
    submission_s=60,
    question_s=QUESTION_SECONDS,
    memory_mb=3072,
    disk_mb=512,
    files=1000,
    processes=64,
    cell_output_kb=64,
    output_kb=256,
)


@contextmanager
def started(program: Path, *arguments: str, folder: Path) -> Iterator[SimpleNamespace]:
    """Start a program, and provide the pipes to it."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-Wignore", str(program), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield SimpleNamespace(
            read_fd=os.dup(process.stdout.fileno()), write_fd=os.dup(process.stdin.fileno())
        )
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: forks of it, too
        process.communicate()


@dataclass(slots=True)
class Party:
    """A notebook that is asked by the course's tests, or the reference."""

    channel: wire.Channel
    usable: bool = True

    def converse(self) -> Conversation | None:
        """Open a conversation, as a live notebook does."""
        if not self.usable:
            return None
        return Conversation(self.channel, seconds=QUESTION_SECONDS, on_close=self.close)

    def close(self, *, usable: bool) -> None:
        """Keep whether it can be asked again."""
        self.usable = usable


@dataclass(slots=True)
class Stage:
    """A bench with some tests, and what comes of notebooks on it."""

    folder: Path
    tests: Sequence[str]
    bench: TestBench
    resources: ExitStack
    expected: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reference: Party | None = None

    def start(self, name: str, code: str) -> Party:
        """Start a notebook."""
        path = self.folder / f"{name}.py"
        path.write_text(code, encoding="utf-8")
        room = self.folder / f"room-{name}"
        room.mkdir()
        program = HERE / "notebook_stage.py"
        pipes = self.resources.enter_context(started(program, str(path), folder=room))
        channel = wire.Channel(read_fd=pipes.read_fd, write_fd=pipes.write_fd)
        channel.receive(seconds=START_SECONDS)  # its code ran
        return Party(channel)

    def run(self, party: Party, code: str) -> Mapping[str, Mapping[str, Any]]:
        """Return what came of each test with a notebook, by its name."""
        reference = self.reference or party

        shared: dict[str, Conversation | None] = {}

        def converse(name: str, case: str) -> Conversation | None:
            if self.reference is not None:
                return (reference if name == "reference" else party).converse()
            if case not in shared:  # the reference is both parties: one fork is both
                shared[case] = party.converse()
            return shared[case]

        observations = self.bench.run(self.plan(code), converse=converse)
        return {name: _case(observation) for name, observation in observations.items()}

    def plan(self, code: str) -> TestRun:
        """Return the run of the tests on a notebook."""
        changes = {name: case.get("changes", []) for name, case in self.expected.items()}
        return TestRun(
            tests=self.tests,
            seed=(1, 2, 3),
            cells=[code],
            changes=changes if self.reference else None,
        )

    def flaw(self, name: str, case: Mapping[str, Any], *, is_public: bool) -> str:
        """Return why a case did not pass, as the check words it; '' where it did."""
        (mine,) = own_tests.read_cases(_observation(case))
        (expected,) = own_tests.read_cases(_observation(self.expected[name]))
        return own_tests.find_flaw(mine, reference=expected, is_public=is_public)


def _case(observation: Observation) -> Mapping[str, Any]:
    cases = cast("list[dict[str, Any]]", observation.data["cases"])
    return cases[0] if cases else {"outcome": "lost", "given_up": observation.data["given_up"]}


def _observation(case: Mapping[str, Any]) -> Observation:
    return Observation(id="", status="ok", data={"cases": [dict(case)]})


@contextmanager
def staged(folder: Path, *, tests: str, reference: str) -> Iterator[Stage]:
    """Provide a stage where the reference came through the tests already."""
    (folder / "tests.py").write_text(tests, encoding="utf-8")
    room = folder / "bench"
    server = SimpleNamespace(
        open_sandbox=lambda *_, **__: started(TEST_PROCESS, folder=_fresh(room))
    )
    with ExitStack() as resources:
        bench = TestBench(
            cast("sandbox.ForkServer", server),
            files={"tests.py": folder / "tests.py"},
            file="tests.py",
            limits=LIMITS,
            stop=Event(),
        )
        resources.callback(bench.close)
        bench.start()
        names = re.findall(r"^def (test_\w+)", tests, re.MULTILINE)
        stage = Stage(folder=folder, tests=names, bench=bench, resources=resources)
        party = stage.start("reference", reference)
        stage.expected = stage.run(party, reference)
        stage.reference = party
        yield stage


def _fresh(room: Path) -> Path:
    """Return an empty folder for another process."""
    number = sum(1 for _ in room.parent.glob("bench*"))
    folder = room.with_name(f"bench{number}")
    folder.mkdir()
    return folder
