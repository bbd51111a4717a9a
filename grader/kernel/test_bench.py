"""A process that runs a course's tests, in a sandbox of its own; it never runs a notebook.

The grader stands between it and the notebooks: what a test asks is handed on to a fork of the
notebook, or of the reference, and the reply is handed back. Both are kept, as the transcript.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from grader import wire
from grader.errors import KernelError, RubricError, WireError
from grader.kernel.file_frames import compose_file_frames
from grader.kernel.transcripts import TranscriptEntries, TranscriptEntry, pack_transcript
from grader.model import Json, Limits, Observation

if TYPE_CHECKING:
    from grader import sandbox

LOAD_SECONDS = 300.0
"""Seconds that importing the tests and computing their wide fixtures may take."""
TEST_SECONDS = 120.0
"""Seconds that a test may work on our side between two requests."""
MAX_LOST = 3
"""Cases of one submission that may end the process, or keep it busy, until no more are run."""
GIVEN_UP = "given_up"
"""The key in an observation's data that says so."""


class Exchange(Protocol):
    """One test's way to a notebook, live or as it replied before."""

    gone: str
    """Why the notebook does not answer any more."""

    @property
    def can_be_kept(self) -> bool:
        """Whether another case may go on with it."""

    def exchange(self, body: bytes) -> bytes | None:
        """Send a request and return the reply; None once the notebook is gone."""

    def close(self) -> None:
        """End it."""


OpenConversation = Callable[[str, str], "Exchange | None"]
"""Opens a conversation with a party, 'notebook' or 'reference', for a case of a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """The tests to run for one submission."""

    tests: Sequence[str]
    seed: Sequence[int]
    cells: Sequence[str]
    """The source of the notebook's code cells."""
    values: Mapping[str, Json] = field(default_factory=dict)
    """The value checks to run beside, by the name under which each is told."""
    changes: Mapping[str, Json] | None = None
    """By case, the calls that changed in the reference what they were given; None for the reference
    itself."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all that is run."""
        return (*self.tests, *self.values)


@dataclass(slots=True)
class _Case:
    """One case of a test while it runs."""

    name: str
    test: str
    refused: list[str] = field(default_factory=list)
    """Parties that are no more."""
    transcript: list[TranscriptEntry] = field(default_factory=list)


class _Results:
    """What came of the cases of one submission so far."""

    def __init__(self, names: Sequence[str]) -> None:
        self.cases: dict[str, list[Json]] = {name: [] for name in names}
        self.transcripts: dict[str, dict[str, TranscriptEntries]] = {name: {} for name in names}
        self.done: list[str] = []
        self.current: _Case | None = None
        self.given_up = False
        self._forks: dict[str, Exchange] = {}

    def begin(self, header: Mapping[str, Json]) -> None:
        """Begin a case; it goes on with the forks from which the last one only read."""
        kept = {
            party: conversation
            for party, conversation in self._forks.items()
            if header.get("keeps") is True and conversation.can_be_kept
        }
        for party in self._forks.keys() - kept.keys():
            self._forks[party].close()
        self._forks = kept
        if self.current is not None and self.current.name == header.get("case"):
            return  # it is run once more, and its transcript goes on
        self.current = _Case(name=str(header.get("case")), test=str(header.get("test")))

    def relay(self, party: str, body: bytes, converse: OpenConversation) -> bytes:
        """Hand a request on and return the reply, or that there is none."""
        case = self.current
        if case is None:
            raise KernelError("a request outside of all tests")
        if party not in self._forks and party not in case.refused:
            conversation = converse(party, case.name)
            if conversation is None:
                case.refused.append(party)
            else:
                self._forks[party] = conversation
        fork = self._forks.get(party)
        reply = None if fork is None else fork.exchange(body)
        if reply is None:
            reply = wire.compose_frame({"gone": "died" if fork is None else fork.gone})[8:]
        case.transcript.append(TranscriptEntry(party=party, request=body, reply=reply))
        return reply

    def end_forks(self) -> None:
        """End the forks that are left."""
        for conversation in self._forks.values():
            conversation.close()
        self._forks = {}

    def keep(self, outcome: Json) -> None:
        """Keep what came of the case that runs, with texts of the notebook's fit to be shown."""
        case, self.current = self.current, None
        if case is None or not isinstance(outcome, dict) or case.test not in self.cases:
            return
        # Values and messages were judged as they are; they are fit to be shown from here on.
        shown = {key: wire.scrub_value(value) for key, value in outcome.items()}
        self.cases[case.test].append({**shown, "test": case.test, "case": case.name})
        self.transcripts[case.test][case.name] = tuple(case.transcript)
        self.done.append(case.name)

    def lose(self) -> None:
        """Keep that the case that ran ended the process, by what the notebook gave if it gave any.

        The reference passes the same test, so what it needs is no memory or time that nobody has.
        """
        case = self.current
        if case is None:
            return
        outcome: dict[str, Json] = {"outcome": "gone", "status": "unending"}
        if not case.transcript:
            outcome = {"outcome": "error", "message": "it ended its own process"}
        self.keep(outcome)


class TestBench:
    """The handle on the process; one submission at a time."""

    __test__ = False  # no test of pytest's, whatever its name

    def __init__(
        self,
        fork_server: sandbox.ForkServer,
        *,
        files: Mapping[str, Path],
        file: str,
        limits: Limits,
        stop: Event,
    ) -> None:
        self._fork_server = fork_server
        self._files = files
        self._file = file
        self._limits = limits
        self._stop = stop
        self._resources = ExitStack()
        self._channel: wire.Channel | None = None

    def close(self) -> None:
        """End the process."""
        self._channel = None
        self._resources.close()

    def start(self) -> None:
        """Start the process and load the tests."""
        self.close()
        pipes = self._resources.enter_context(
            self._fork_server.open_sandbox(self._limits, program="tests")
        )
        channel = wire.Channel(read_fd=pipes.read_fd, write_fd=pipes.write_fd, stop=self._stop)
        order: dict[str, Json] = {"order": "load", "file": self._file, "files": len(self._files)}
        try:
            channel.send(wire.compose_frame(order), seconds=LOAD_SECONDS)
            for frame in compose_file_frames(self._files):
                channel.send(frame, seconds=LOAD_SECONDS)
            answer = channel.receive(seconds=LOAD_SECONDS).header
        except WireError as error:
            raise KernelError(f"the course's tests could not be loaded: {error}") from error
        if answer.get("frame") != "loaded":
            reason = wire.sanitize_text(answer.get("error", ""), max_length=3000)
            raise RubricError(f"{self._file} can't be loaded:\n{reason}")
        self._channel = channel

    def run(self, run: TestRun, *, converse: OpenConversation) -> Mapping[str, Observation]:
        """Run tests for one submission; each gets an observation by its name, whatever happens.

        Its data has `cases`: what came of each, as the process says; its array `transcript` what
        was asked and replied.
        """
        results = _Results(run.names())
        for _ in range(MAX_LOST):
            try:
                self._run(run, converse, results)
            except WireError:
                self.close()  # it hangs, or died: another one is started for what is left
            else:
                if results.current is None:
                    break
            results.lose()
            if self._stop.is_set():
                break
        else:
            results.given_up = True
        data = {GIVEN_UP: True} if results.given_up else {}
        return {
            name: Observation(
                id=name,
                status="ok" if cases or results.given_up else "not_asked",
                data={"cases": cases, **data},
                arrays=pack_transcript(results.transcripts[name]),
            )
            for name, cases in results.cases.items()
        }

    def _run(self, run: TestRun, converse: OpenConversation, results: _Results) -> None:
        if self._channel is None:
            self.start()
        channel = self._channel
        if channel is None:
            raise KernelError("the process of the course's tests did not start")
        order: dict[str, Json] = {
            "order": "run",
            "tests": list(run.tests),
            "done": list(results.done),
            "seed": list(run.seed),
            "cells": list(run.cells),
            "values": dict(run.values),
            "changes": None if run.changes is None else dict(run.changes),
        }
        channel.send(wire.compose_frame(order), seconds=TEST_SECONDS)
        try:
            while True:
                header = channel.receive(seconds=TEST_SECONDS).header
                match header.get("frame"), results.current:
                    case "begin", _:
                        results.begin(header)
                    case "ask", _Case():
                        body = channel.receive_body(seconds=TEST_SECONDS)
                        reply = results.relay(str(header.get("party")), body, converse)
                        channel.send(wire.frame_of(reply), seconds=TEST_SECONDS)
                    case "outcome", _:
                        results.keep(header.get("outcome"))
                    case _:
                        return
        finally:
            results.end_forks()
