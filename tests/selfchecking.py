"""A student's folder, and what happens in it: public files, a live shell, the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tiny_course

from grader import checks, rubric
from grader.model import Array, Observation, Question, Rubric
from grader.selfcheck.public_files import build_public_files, reference_questions

ROOT = Path(__file__).parent.parent
HW5 = ROOT / "rubrics" / "hw5.toml"

SHELL = """
import contextlib, io, json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.history_manager.enabled = False
told = []
cells = json.loads(sys.stdin.read())
for cell in cells:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result = shell.run_cell(cell, store_history=True, cell_id=f"c{cells.index(cell)}")
    value = result.result
    told.append({
        "error": repr(result.error_before_exec or result.error_in_exec or ""),
        "printed": out.getvalue(),
        "text": "" if value is None else repr(value),
        "html": value._repr_html_() if hasattr(value, "_repr_html_") else "",
    })
sys.__stdout__.write(json.dumps(told))
"""


def loaded(path: Path = HW5) -> Rubric:
    """A rubric of the course."""
    return rubric.load_rubric(path, catalog=checks.load_checks)


def by_numpy(asked: Sequence[Question]) -> Mapping[str, Observation]:
    """What HW 5's reference answers, worked out without it."""
    return {
        one.id: Observation(id=one.id, status="ok", arrays={"out0": _embedded(one)})
        for one in asked
    }


def _embedded(asked: Question) -> Array:
    x, conv, conv_bias, fc, fc_bias = (
        np.asarray(asked.arrays[key], dtype=np.float64) for key in asked.params["args"]
    )
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    patches = np.stack(
        [padded[:, :, i : i + 31 : 2, j : j + 31 : 2] for i in range(3) for j in range(3)], axis=2
    ).reshape(len(x), 27, 256)
    made = np.einsum("of,nfp->nop", conv.reshape(16, 27), patches) + conv_bias[:, None]
    if asked.params["options"]["activation"] == "relu":
        made = np.maximum(made, 0)
    rows = made.reshape(len(x), -1) @ fc.T + fc_bias
    made_of: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made_of


def publish(folder: Path, loaded_rubric: Rubric) -> Path:
    """Put the public files of a rubric into a folder; the path of the rubric."""
    answers = by_numpy(reference_questions(loaded_rubric))
    for name, data in build_public_files(loaded_rubric, answers=answers).items():
        (folder / name).write_bytes(data)
    return folder / f"{loaded_rubric.id}.rubric.json"


def publish_tiny(root: Path, *, cell_s: float = 20) -> Path:
    """A student's folder for the tiny course, with nothing in it but the public files."""
    course = tiny_course.made(root / "course")
    path = course.root / "rubrics" / "tiny.toml"
    text = path.read_text(encoding="utf-8").replace("cell_s = 20", f"cell_s = {cell_s}")
    path.write_text(text, encoding="utf-8")
    folder = root / "student"
    folder.mkdir()
    publish(folder, loaded(path))
    return folder


@dataclass(frozen=True, slots=True)
class Done:
    """What the command did."""

    code: int
    out: str
    err: str


def grade_check(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> Done:
    """`grade check` in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", "check", *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def write(folder: Path, *sources: str, name: str = "work.ipynb") -> Path:
    """A notebook of code cells in a folder."""
    path = folder / name
    path.write_text(json.dumps(tiny_course.notebook(*sources), indent=1), encoding="utf-8")
    return path


def in_shell(folder: Path, *cells: str) -> list[dict[str, Any]]:
    """Run cells one after another in a live shell in a folder; what each gave."""
    done = subprocess.run(
        [sys.executable, "-c", SHELL],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / ".ipython")},
        input=json.dumps(cells),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return told
