"""otter-grader: `otter run`, a command a notebook, each with a fresh kernel and no container."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

from benchmarks.environments import environment, venv
from benchmarks.measuring import Job, Usage
from benchmarks.notebooks import PUBLISHED
from benchmarks.peer_checks import CHECKS
from benchmarks.variant import Order

PACKAGE = "otter-grader==7.0.0"
AUTOGRADER = "autograder.zip"

TEST = """\
from otter.test_files import test_case

OK_FORMAT = False
name = "{name}"
points = 1

@test_case()
def test_{name}(env):
    for known in ("torch", "F", "images", "encoder", "initial_embeddings", "trained_embeddings"):
        globals()[known] = env[known]
{body}
"""
"""Assertions as a test file of otter's: they read what they need from the notebook's names."""

TELL = "raise AssertionError(f\"published a PNG of {max(env['sizes'], default=0)} bytes\")"
"""In the untimed pass, one more test: it fails with what the proof cells found."""


class Otter:
    """The grader of Berkeley's data science courses."""

    name = "otter"
    does = "runs each notebook in a fresh kernel, with four tests of the same assertions; JSON"
    leaves_out = "container (`otter grade` has one), reference, reports; one notebook at a time"

    def job(self, order: Order) -> Job:
        """A zip of tests, and then `otter run` for each notebook."""
        python = venv("otter", package=PACKAGE)
        own = environment(Path(order.environment["HOME"]), python=python)
        _make_autograder(order, python=python, env=own)
        commands = []
        for path in order.notebooks():
            (order.out / path.stem).mkdir()
            where = ("-a", AUTOGRADER, "-o", str(order.out / path.stem))
            commands.append((str(python), "-m", "otter", "run", *where, "--no-logo", str(path)))
        return Job(
            commands=tuple(commands),
            cwd=order.out,
            environment=own,
            folder=order.out,
            results="*/results.json",
        )

    def usage(self, order: Order, *, usage: Usage) -> Usage:  # noqa: ARG002 -- as others need it
        """All of it: a command a notebook is what `otter run` is."""
        return usage

    def problems(self, order: Order) -> Sequence[str]:
        """A notebook without a result, or with a test that failed."""
        lines = []
        for path in order.notebooks():
            result = order.out / path.stem / "results.json"
            if not result.is_file():
                lines.append(f"{path.stem}: no result")
                continue
            points = _points(json.loads(result.read_text(encoding="utf-8")))
            if any(points.get(name) != 1 for name in CHECKS):
                lines.append(f"{path.stem}: {points}")
        return lines

    def pictures(self, order: Order) -> Sequence[int] | None:
        """The sizes that the proof cells found, in each result's failed test."""
        if not order.proof:
            return None
        files = (order.out / path.stem / "results.json" for path in order.notebooks())
        told = (PUBLISHED.findall(f.read_text(encoding="utf-8")) for f in files if f.is_file())
        return [max(map(int, sizes), default=0) for sizes in told]


def test_files(*, proof: bool) -> dict[str, str]:
    """Each check as a test file."""
    return {
        f"{name}.py": TEST.format(name=name, body=indent(source, "    "))
        for name, source in {**CHECKS, **({"figure": TELL} if proof else {})}.items()
    }


def _points(result: dict[str, Any]) -> dict[str, float]:
    tests = result.get("tests", [])
    return {t["name"].split()[0]: t["score"] for t in tests if t.get("score") is not None}


def _make_autograder(order: Order, *, python: Path, env: Mapping[str, str]) -> None:
    tests = order.out / "tests"
    tests.mkdir()
    for name, source in test_files(proof=order.proof).items():
        (tests / name).write_text(source, encoding="utf-8")
    command = [python, "-m", "otter", "generate", "-t", "tests", "-o", AUTOGRADER]
    done = subprocess.run(  # noqa: S603 -- the peer's own command
        command, cwd=order.out, env=dict(env), capture_output=True, text=True, check=False
    )
    if done.returncode or not zipfile.is_zipfile(order.out / AUTOGRADER):
        raise RuntimeError(f"otter generate failed:\n{done.stderr[-2000:]}")
