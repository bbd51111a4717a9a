"""A process that runs a course's tests, in a sandbox of its own; it never runs a notebook.

The grader stands between it and the notebooks: what a test asks is handed on to a fork of the
notebook, or of the reference, and the reply is handed back. Both are kept, as the transcript.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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

    def names(self) -> tuple[str, ...]:
        """Return the names of all that is run."""
        return (*self.tests, *self.values)


@dataclass(slots=True)
class _Case:
    """One case of a test while it runs."""

    name: str = ""
    conversations: dict[str, Exchange | None] = field(default_factory=dict)
    transcript: list[TranscriptEntry] = field(default_factory=list)


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
        cases: dict[str, list[Json]] = {name: [] for name in run.names()}
        transcripts: dict[str, dict[str, TranscriptEntries]] = {name: {} for name in run.names()}
        try:
            self._run(run, converse, cases, transcripts)
        except WireError:
            self.close()  # it hangs, or died: another one is started for the next submission
        return {
            name: Observation(
                id=name,
                status="ok" if cases[name] else "not_asked",
                data={"cases": cases[name]},
                arrays=pack_transcript(transcripts[name]),
            )
            for name in run.names()
        }

    def _run(
        self,
        run: TestRun,
        converse: OpenConversation,
        cases: dict[str, list[Json]],
        transcripts: dict[str, dict[str, TranscriptEntries]],
    ) -> None:
        if self._channel is None:
            self.start()
        channel = self._channel
        if channel is None:
            raise KernelError("the process of the course's tests did not start")
        order: dict[str, Json] = {
            "order": "run",
            "tests": list(run.tests),
            "seed": list(run.seed),
            "cells": list(run.cells),
            "values": dict(run.values),
        }
        channel.send(wire.compose_frame(order), seconds=TEST_SECONDS)
        case = _Case()
        try:
            while True:
                header = channel.receive(seconds=TEST_SECONDS).header
                match header.get("frame"):
                    case "begin":
                        case = _next_case(case, header)
                    case "ask":
                        body = channel.receive_body(seconds=TEST_SECONDS)
                        reply = _relay(case, str(header.get("party")), body, converse)
                        channel.send(wire.frame_of(reply), seconds=TEST_SECONDS)
                    case "outcome":
                        _keep_outcome(header.get("outcome"), case, cases, transcripts)
                    case _:
                        return
        finally:
            _end_case(case)


def _relay(case: _Case, party: str, body: bytes, converse: OpenConversation) -> bytes:
    """Hand a request on and return the reply, or that there is none."""
    if party not in case.conversations:
        case.conversations[party] = converse(party, case.name)
    conversation = case.conversations[party]
    reply = None if conversation is None else conversation.exchange(body)
    if reply is None:
        gone = "died" if conversation is None else conversation.gone
        reply = wire.compose_frame({"gone": gone})[8:]
    case.transcript.append(TranscriptEntry(party=party, request=body, reply=reply))
    return reply


def _next_case(case: _Case, header: Mapping[str, Json]) -> _Case:
    """Return the next case; it goes on with the forks from which the last one only read."""
    kept = {
        party: conversation
        for party, conversation in case.conversations.items()
        if header.get("keeps") is True and conversation is not None and conversation.can_be_kept
    }
    ended = {party: c for party, c in case.conversations.items() if party not in kept}
    _end_case(replace(case, conversations=ended))
    return _Case(name=str(header.get("case")), conversations={**kept})


def _end_case(case: _Case) -> None:
    for conversation in case.conversations.values():
        if conversation is not None:
            conversation.close()
    case.conversations = {}


def _keep_outcome(
    outcome: Json,
    case: _Case,
    cases: dict[str, list[Json]],
    transcripts: dict[str, dict[str, TranscriptEntries]],
) -> None:
    if not isinstance(outcome, dict):
        return
    name, case_name = outcome.get("test"), outcome.get("case")
    if isinstance(name, str) and name in cases:
        # Values and messages were judged as they are; they are fit to be shown from here on.
        shown = {key: wire.scrub_value(value) for key, value in outcome.items()}
        cases[name].append({**shown, "test": name, "case": case_name})
        transcripts[name][case.name] = tuple(case.transcript)
