"""Our own command: `grade FOLDER --out OUT`, everything switched on that is on by default."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.measuring import Job, Usage
from benchmarks.notebooks import PUBLISHED, ROOT
from benchmarks.variant import Order

FULL = 40
"""Automatic points of a right notebook."""


class Ours:
    """The grader of this project."""

    does = (
        "runs the reference, then each notebook; asks it, compares with the reference, and writes "
        "points, a report for each team, class page, gradebook and JSON"
    )
    leaves_out = "nothing that is on by default"

    def __init__(self, name: str = "ours", *, jobs: int | None = None) -> None:
        self.name = name
        self.jobs = jobs

    def job(self, order: Order) -> Job:
        """One command for all."""
        jobs = order.jobs or self.jobs
        command = [sys.executable, "-m", "grader", str(order.books), "--out", str(order.out), "-q"]
        return Job(
            commands=((*command, *(["-j", str(jobs)] if jobs else [])),),
            cwd=ROOT,
            environment=order.environment,
            folder=order.out,
            results="results/*.json",
        )

    def judging(self, order: Order) -> Job:
        """`grade again` on what was graded before."""
        return Job(
            commands=((sys.executable, "-m", "grader", "again", str(order.out)),),
            cwd=ROOT,
            environment=order.environment,
            folder=order.out,
            results="results/*.json",
        )

    def usage(self, order: Order, *, usage: Usage) -> Usage:  # noqa: ARG002 -- as others need it
        """All of it: the grader's start and the reference's run are part of the price.

        Kernels end with their process namespace, and nobody is charged with them: so we are charged
        with all that the machine did.
        """
        return replace(usage, cpu=usage.machine_cpu)

    def problems(self, order: Order) -> Sequence[str]:
        """A notebook without a result, or with less than all automatic points."""
        found = results(order.out)
        missing = [p.stem for p in order.notebooks() if p.stem not in found]
        lost = [] if order.proof else [n for n, r in found.items() if r["score"]["auto"] != FULL]
        return [*(f"{n}: no result" for n in missing), *(f"{n}: lost points" for n in lost)]

    def pictures(self, order: Order) -> Sequence[int] | None:
        """The sizes that the proof cells told, in each result's list of cells."""
        if not order.proof:
            return None
        told = (PUBLISHED.findall(json.dumps(r["cells"])) for r in results(order.out).values())
        return [max(map(int, sizes), default=0) for sizes in told]


def results(out: Path) -> dict[str, dict[str, Any]]:
    """What was published about each notebook."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((out / "results").glob("*.json"))
    }
