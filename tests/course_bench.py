"""Runs a course's tests against code, both as plain programs with pipes: no walls and no kernel."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader import wire
from grader.kernel.file_frames import compose_file_frames

HERE = Path(__file__).parent
TEST_PROCESS = HERE.parent / "grader" / "course_tests" / "test_process.py"


class Program:
    """A program that speaks frames over its standard streams."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-Wignore", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
        )

    def send(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(wire.frame_of(body))
        self.process.stdin.flush()

    def receive(self) -> bytes:
        assert self.process.stdout is not None
        head = self.process.stdout.read(8)
        if len(head) < 8:
            return compose({"gone": "died"})
        (length,) = struct.unpack("<Q", head)
        return self.process.stdout.read(length)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def compose(header: Mapping[str, Any]) -> bytes:
    return wire.compose_frame(header)[8:]


def header_of(body: bytes) -> dict[str, Any]:
    (length,) = struct.unpack("<I", body[:4])
    header: dict[str, Any] = json.loads(body[4 : 4 + length])
    return header


def run_tests(  # noqa: PLR0913 (what a run has)
    folder: Path,
    *,
    tests: str,
    notebook: str,
    reference: str = "",
    seed: Sequence[int] = (1, 2, 3),
    files: Mapping[str, str] = {},
    values: Mapping[str, Any] = {},
    changes: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return what came of each case of some tests, by its name."""
    room = folder / "room"
    room.mkdir()
    course = {"tests.py": tests, **files}
    for name, text in {"nb.py": notebook, "ref.py": reference, **course}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    bench = Program(str(TEST_PROCESS), folder=room)
    server = str(HERE / "conversation_server.py")
    parties = {
        name: Program(server, str(folder / file), folder=own_folder(folder / name))
        for name, file in {"notebook": "nb.py", "reference": "ref.py"}.items()
    }
    try:
        bench.send(compose({"order": "load", "file": "tests.py", "files": len(course)}))
        for frame in compose_file_frames({name: folder / name for name in course}):
            bench.send(frame[8:])
        loaded = header_of(bench.receive())
        assert loaded["frame"] == "loaded", loaded.get("error")
        order = {
            "order": "run",
            "tests": list(loaded["tests"]),
            "seed": list(seed),
            "cells": [notebook],
            "values": dict(values),
            "done": [],
            "changes": changes,
        }
        bench.send(compose(order))
        return relay(bench, parties)
    finally:
        for program in (bench, *parties.values()):
            program.close()


def own_folder(folder: Path) -> Path:
    """Make the working folder of one notebook."""
    folder.mkdir()
    return folder


def relay(bench: Program, parties: Mapping[str, Program]) -> dict[str, dict[str, Any]]:
    """Hand requests and replies on until the run ends."""
    outcomes: dict[str, dict[str, Any]] = {}
    asked: set[str] = set()
    while True:
        message = header_of(bench.receive())
        match message.get("frame"):
            case "ask":
                party = parties[message["party"]]
                party.send(bench.receive())
                asked.add(message["party"])
                reply = party.receive()
                if "gone" in header_of(reply):
                    asked.discard(message["party"])
                bench.send(reply)
            case "begin":
                if not message["keeps"]:
                    end_conversations(parties, asked)
            case "outcome":
                outcomes[message["outcome"]["case"]] = message["outcome"]
            case _:
                end_conversations(parties, asked)
                return outcomes


def end_conversations(parties: Mapping[str, Program], asked: set[str]) -> None:
    """End the forks that were asked."""
    for name in list(asked):
        parties[name].send(compose({"op": "end"}))
        parties[name].receive()
    asked.clear()
