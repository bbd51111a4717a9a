"""Runs the real command on a folder of notebooks and reads what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command."""

    code: int
    out: Path
    stdout: str
    stderr: str

    def result(self, name: str) -> dict[str, Any]:
        """The published result of one submission."""
        path = self.out / "results" / f"{name}.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def item(self, name: str, item: str) -> dict[str, Any]:
        """One item of one submission."""
        items: list[dict[str, Any]] = self.result(name)["items"]
        return next(one for one in items if one["id"] == item)


def grade(path: Path, *, out: Path, options: tuple[str, ...] = ()) -> Run:
    """`grade PATH --out OUT` from the repo root."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", str(path), "--out", str(out), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(code=done.returncode, out=out, stdout=done.stdout, stderr=done.stderr)
