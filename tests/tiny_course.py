"""A course with one small assignment of NumPy alone, so that the command runs in a second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from in_process import run_command

from grader import gradebook
from grader.gradebook import course_records

RUBRIC = """
schema = 1

[assignment]
id = "tiny"
title = "Two vectors"
total = 10
default = true
reference = "reference/tiny.ipynb"
seed = 7
optional_imports = []
record = []
checks = ["grader.contrastive"]

[limits]
cell_s = 20
submission_s = 60
question_s = 5

[[item]]
id = "A"
title = "The vectors"
points = 4
kind = "auto"
source = "handout"

[[item.check]]
code = "ARR001"
points = {vectors}
public = true
needs = []
[item.check.params]
labels = ["one", "two", "three"]
shape = [50]
check = ["one", "two"]

[[item.check]]
code = "ARR003"
points = {noise}
public = true
needs = ["ARR001"]
[item.check.params]
labels = ["one", "two", "three"]
shape = [50]
one = "one"
other = "two"
low = {low}
high = 2.0

[[item]]
id = "B"
title = "It runs"
points = 6
kind = "auto"
source = "course"
why = \"\"\"
Others must be able to run it.\"\"\"

[[item.check]]
code = "EXE001"
points = 6
public = true
needs = []
[item.check.params]
at_most = "5/6"
"""

SOLUTION = (
    "import numpy as np",
    "one = np.random.standard_normal(50)\nthree = np.random.standard_normal(50)",
    "two = one + {scale} * np.random.standard_normal(50)",
    "print('done {number}')",
)


def notebook(*sources: str) -> dict[str, Any]:
    """Code cells as the JSON of a notebook."""
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell{place}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for place, source in enumerate(sources)
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@dataclass(frozen=True, slots=True)
class Course:
    """The course's folder."""

    root: Path

    @property
    def out(self) -> Path:
        """Where `grade` writes."""
        return self.root / "graded"

    def rubric(self, *, vectors: int = 2, noise: int = 2, low: float = 0.1) -> None:
        """Write the rubric."""
        text = RUBRIC.format(vectors=vectors, noise=noise, low=low)
        (self.root / "rubrics" / "tiny.toml").write_text(text, encoding="utf-8")

    def hand_in(self, name: str, *sources: str, scale: float = 0.5, number: int = 0) -> Path:
        """Put a notebook among the submissions: these cells, or else a right solution."""
        cells = sources or tuple(s.format(scale=scale, number=number) for s in SOLUTION)
        place = self.root / "submissions" / f"{name}.ipynb"
        place.write_text(json.dumps(notebook(*cells)), encoding="utf-8")
        return place

    def start(
        self,
        *options: str,
        command: str = "submissions",
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start `grade COMMAND` as a process of its own, for tests that end it."""
        return subprocess.Popen(
            [sys.executable, "-m", "grader", command, *options],
            cwd=self.root,
            env={**os.environ, **self._environment(), **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def grade(self, *options: str, command: str = "submissions") -> tuple[int, str]:
        """Run `grade COMMAND` to its end in this process; its exit code and all it printed."""
        code, output, errors = run_command(
            command, *options, folder=self.root, environment=self._environment()
        )
        return code, output + errors

    def _environment(self) -> dict[str, str]:
        return {"XDG_CACHE_HOME": str(self.root / "cache"), "COLUMNS": "200"}

    def results(self) -> dict[str, str]:
        """The results, by submission, as text."""
        places = sorted((self.out / "results").glob("*.json"))
        return {place.stem: place.read_text(encoding="utf-8") for place in places}

    def seed(self) -> bytes:
        """The assignment's secret seed."""
        with gradebook.open_gradebook(self.out / "gradebook.db") as book:
            return course_records.load_seed(book, "tiny") or b""

    def commitment(self, name: str) -> str:
        """What the result of a submission says of the seed."""
        told: str = json.loads(self.results()[name])["provenance"]["seed_commitment"]
        return told

    def earned(self, name: str) -> float:
        """What a submission earned."""
        points: float = json.loads(self.results()[name])["score"]["earned"]
        return points


def made(root: Path) -> Course:
    """A course with its rubric and its reference, and nobody's work yet."""
    for part in ("rubrics", "reference", "submissions"):
        (root / part).mkdir(parents=True)
    course = Course(root)
    course.rubric()
    solution = (source.format(scale=0.5, number=0) for source in SOLUTION)
    (root / "reference" / "tiny.ipynb").write_text(
        json.dumps(notebook(*solution)), encoding="utf-8"
    )
    return course
