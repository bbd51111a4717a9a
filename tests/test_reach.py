"""What a notebook can reach: nothing of the reference's answers, the rubric, or the seed.

It looks through its own memory and objects, every file and process it can see, first when it has
run and once more while it answers a question. It must find what it planted itself, or the search
proves nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from grading import ROOT, Run, grade
from spying import solved, spy
from variants import build

from grader import checks, rubric
from grader.checks import SeededRandom
from grader.gradebook import course_records, open_gradebook
from grader.model import Array, Trace

pytestmark = pytest.mark.kernel
LIMITS = ("cell_s=400", "submission_s=900", "question_s=200", "output_kb=2000")
WINDOW = 6
"""Numbers in a row that nobody has by chance."""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a right notebook was graded: its seed and the reference's answers."""
    folder = tmp_path_factory.mktemp("reach")
    path = folder / "right.ipynb"
    path.write_text(nbformat.writes(build(solved())), encoding="utf-8")  # type: ignore[no-untyped-call]
    run = grade(path, out=folder / "graded")
    assert run.result("right")["score"]["auto"] > 30, run.stderr
    return run.out


def numbers_of(trace: Trace) -> Iterator[tuple[str, Array]]:
    """What the reference answered that no notebook computes by itself."""
    for seen in trace.expected.values():
        for name, array in seen.arrays.items():
            if array.dtype == np.float64 and len(array) == 3:
                yield f"{seen.id[:14]} {name}", array


def sought(out: Path) -> dict[str, bytes]:
    """What must not be found, by name, and 'inputs', which may be found once they were sent."""
    with open_gradebook(out / "gradebook.db") as book:
        seed = course_records.load_seed(book, "hw5")
        trace = book.trace("right")
    assert seed is not None
    assert trace is not None
    found = {"seed": seed, "seed in digits": seed.hex().encode()}
    for name, array in numbers_of(trace):
        flat = array.ravel()[array.size // 2 :][:WINDOW]
        found[f"{name} 64"] = flat.tobytes()
        found[f"{name} 32"] = flat.astype(np.float32).tobytes()
    assert len(found) > 4
    loaded = rubric.load_rubric(
        rubric.find_rubric(ROOT, assignment="hw5"), catalog=checks.load_checks
    )
    written = [item for item in loaded.items if item.good_answer][:3]
    for item in written:
        longest = max((criterion.text for criterion in item.criteria), key=len)
        found[f"rubric {item.id}"] = item.good_answer.strip().encode()[:60]
        found[f"criterion {item.id}"] = longest.encode()
    for name, line in lines_of_the_reference():
        found[name] = line.encode()
    drawn = SeededRandom(seed=seed).normal("x3", (3, 3, 32, 32)).ravel()
    found["inputs"] = drawn[drawn.size // 2 :][:WINDOW].tobytes()
    return found


def lines_of_the_reference() -> Iterator[tuple[str, str]]:
    """A line of two solutions and of the course's own code, which no student can have."""
    notebook = json.loads((ROOT / "reference" / "hw5.ipynb").read_text(encoding="utf-8"))
    for place in _hidden(notebook, "solution")[-2:] + _hidden(notebook, "grader-only")[:1]:
        source = "".join(notebook["cells"][place]["source"])
        yield f"reference {place}", max(source.splitlines(), key=len)[:60]


def _hidden(notebook: dict[str, Any], tag: str) -> list[int]:
    """The places of cells that students don't have."""
    cells = enumerate(notebook["cells"])
    found = [place for place, cell in cells if tag in cell["metadata"].get("tags", ())]
    assert found
    return found


def told(run: Run, name: str) -> dict[str, dict[str, set[str]]]:
    """What the spy found where, 'run' when the notebook had run and 'asked' in a question."""
    result: dict[str, Any] = run.result(name)
    asked = next(
        f["found"] for i in result["items"] for f in i["findings"] if f["code"] == "LAY001"
    )
    said = {"run": result["cells"][-1]["error"], "asked": asked}
    found = re.compile(r"(\w+): ([\w ,]+)(?=;|$| \()")
    return {
        when: {place: set(what.split(", ")) for place, what in found.findall(text)}
        for when, text in said.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("level", ["full", "reduced"])
def test_nothing_secret_is_within_reach(before: Path, tmp_path: Path, level: str) -> None:
    name = f"spy-{level}"
    path = tmp_path / f"{name}.ipynb"
    places = (ROOT / "reference", ROOT / "rubrics", ROOT / "tests", before, before.parent)
    notebook = spy(sought(before), places=places)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    limits = tuple(word for limit in LIMITS for word in ("--limit", limit))

    run = grade(path, out=before, options=("--isolation", level, *limits))

    if "isolation" in run.stderr and run.code == 2:
        pytest.skip(f"{level} does not hold here")
    found = told(run, name)
    assert found["run"]["memory"] == {"planted"}
    assert found["run"]["objects"] == {"planted"}
    assert found["run"]["files"] == {"planted"}
    assert found["run"]["processes"] <= {"nothing", "PermissionError"}
    assert found["asked"]["memory"] == {"planted", "inputs"}
    assert found["asked"]["objects"] <= {"planted", "inputs"}
