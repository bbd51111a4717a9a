"""Grades assignments of both peers' formats with the peer and with us, and compares the points.

python -m benchmarks.migrating                 both, some minutes; peers are installed once
python -m benchmarks.migrating --only otter    one of them; the other's rows are kept

Writes `results/migrating.json`, and the tables of docs/migrating.md. Exit code 1: points differ
where nobody said why.
"""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from benchmarks import migrating_courses as courses
from benchmarks.environments import environment, venv
from benchmarks.migrating_courses import Case
from benchmarks.migrating_table import PAGE, RECORD, page, unexplained
from benchmarks.peer_nbgrader import PACKAGE as NBGRADER
from benchmarks.peer_otter import PACKAGE as OTTER

Scores = dict[str, dict[str, float | None]]
"""By submission and question; None where a person must decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One assignment, graded by a peer and by us."""

    title: str
    peer: str
    """Its package, with its version."""
    questions: tuple[str, ...]
    automatic: tuple[str, ...]
    cases: Sequence[Case]
    theirs: Scores
    ours: Scores
    seconds: Mapping[str, float]
    """A notebook: 'theirs', 'one' (ours, one at a time) and 'ours' (as it runs by default)."""
    cores: int = field(default_factory=lambda: os.cpu_count() or 1)


def main() -> int:
    """Run, write the record, and the tables in the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--only", choices=tuple(_COURSES), action="append")
    chosen = parser.parse_args().only or tuple(_COURSES)
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="migrating-") as folder:
        for name in chosen:
            place = Path(folder) / name
            place.mkdir()
            record[name] = [_plain(compared) for compared in _COURSES[name](place)]
            ordered = {name: record[name] for name in _COURSES if name in record}
            text = json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"
            RECORD.write_text(text, encoding="utf-8")
            PAGE.write_text(page(ordered), encoding="utf-8")
    sys.stdout.write(page(ordered).partition("<!-- made")[2])
    problems = list(unexplained(ordered))
    sys.stdout.writelines(f"not explained: {line}\n" for line in problems)
    return 1 if problems else 0


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Leaves the description's lines as they are."""


def _plain(compared: Compared) -> dict[str, Any]:
    rows = [
        {
            "case": case.name,
            "forged": case.is_forged,
            "differs": dict(case.differs),
            "theirs": compared.theirs[slug(case.name)],
            "ours": compared.ours[slug(case.name)],
        }
        for case in compared.cases
    ]
    kept = {key: value for key, value in asdict(compared).items() if key not in _NOT_KEPT}
    return {**kept, "rows": rows}


_NOT_KEPT = ("cases", "theirs", "ours")


def slug(name: str) -> str:
    """A name as a student's id."""
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")


def _run(words: Sequence[str | Path], *, cwd: Path, python: Path, codes: tuple[int, ...]) -> float:
    """Run a command; the seconds that it took."""
    own = environment(cwd.parent / f"home-{python.parent.parent.name}", python=python)
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 -- the graders' own commands
        [python, "-m", *words],
        cwd=cwd,
        env=dict(own),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    if done.returncode not in codes:
        raise RuntimeError(
            f"{words}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return time.perf_counter() - began


def _ours(folder: Path, submitted: str, *, assignment: str, cases: int) -> dict[str, float]:
    """Grade with our own command, one at a time and by default; seconds a notebook."""
    python = Path(sys.executable)
    seconds = {}
    for name, options in (("one", ("-j", "1")), ("ours", ())):
        words = ("grader", "run", submitted, "--assignment", assignment, "--out", name, *options)
        seconds[name] = _run(words, cwd=folder, python=python, codes=(0, 1)) / cases
    return seconds


def _our_scores(folder: Path, questions: Sequence[str]) -> Scores:
    with (folder / "ours" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["status"] not in {"graded", "needs_marks"}:
            raise RuntimeError(f"{row['submission']} is {row['status']}")
    return {
        row["submission"]: {q: float(row[q]) if row.get(q) else None for q in questions}
        for row in rows
    }


# -------------------------------------------------------------------- nbgrader


def compare_nbgrader(folder: Path) -> Iterator[Compared]:
    """Our assignment in nbgrader's format, by `nbgrader autograde` and by us."""
    from nbgrader_course import AUTO, CELLS, write_notebook  # noqa: PLC0415 -- of our tests

    from grader.importing.nbgrader_gradebook import read_peer_gradebook  # noqa: PLC0415 -- late

    # nose itself does not run on today's Python; pynose is it, kept alive.
    python = venv("nbgrader-migrating", package=NBGRADER, beside=("pynose", "numpy"))
    there, here = folder / "there", folder / "here"
    cases = courses.NBGRADER_CASES
    write_notebook(there / "source" / "ps1" / "p1.ipynb")
    here.mkdir()
    source = str(there / "source" / "ps1")
    _run(
        ("grader", "import", "nbgrader", source), cwd=here, python=Path(sys.executable), codes=(0,)
    )
    for case in cases:
        for place in (there, here):
            path = place / "submitted" / slug(case.name) / "ps1" / "p1.ipynb"
            write_notebook(path, replaced=case.cells, beside=case.beside)
    _run(
        ("nbgrader", "generate_assignment", "ps1", "--create"), cwd=there, python=python, codes=(0,)
    )
    # 1: a notebook that it could not grade is none of its points, and we see that below.
    wall = _run(
        ("nbgrader", "autograde", "ps1", "--create"), cwd=there, python=python, codes=(0, 1)
    )
    questions = tuple(name for name, cell in CELLS.items() if "points" in cell)
    theirs: Scores = {slug(case.name): {} for case in cases}
    for grade in read_peer_gradebook(there / "gradebook.db").grades:
        if grade.worth is not None:
            points = None if grade.points is None else float(grade.points)
            theirs[grade.student][grade.cell] = points
    seconds = _ours(here, "submitted/", assignment="ps1", cases=len(cases))
    yield Compared(
        title="nbgrader",
        peer=NBGRADER,
        questions=questions,
        automatic=AUTO,
        cases=cases,
        theirs=theirs,
        ours=_our_scores(here, questions),
        seconds={"theirs": wall / len(cases), **seconds},
    )


# -------------------------------------------------------------------- otter-grader


def compare_otter(folder: Path) -> Iterator[Compared]:
    """Our assignment in otter's two formats of tests, by `otter run` and by us."""
    for name, tests in (("ok", courses.OK_CASES), ("exceptions", courses.EXCEPTION_CASES)):
        place = folder / name
        place.mkdir()
        yield _compare_otter(place, tests, is_ok=name == "ok")


def _compare_otter(place: Path, tests: Mapping[str, Sequence[Any]], *, is_ok: bool) -> Compared:
    python, own = venv("otter-migrating", package=OTTER, beside=("numpy",)), Path(sys.executable)
    cases = courses.OTTER_CASES
    master = place / "hw.ipynb"
    _write_master(master, tests, is_ok=is_ok)
    assign = ("otter", "assign", "--no-run-tests", "--no-pdfs", "hw.ipynb", "dist")
    _run(assign, cwd=place, python=python, codes=(0,))
    (package,) = (place / "dist" / "autograder").glob("*.zip")
    solved = place / "dist" / "autograder" / "hw.ipynb"
    words = ["hw.ipynb"] if is_ok else [str(package), "--solution", str(solved)]
    _run(("grader", "import", "otter", *words, "--id", "hw"), cwd=place, python=own, codes=(0,))
    wall, theirs = 0.0, {}
    for case in cases:
        path = place / "submitted" / f"{slug(case.name)}.ipynb"
        _write_student(path, case)
        out = place / "results" / path.stem
        out.mkdir(parents=True)
        run = ("otter", "run", "-a", str(package), "-o", str(out), "--no-logo", str(path))
        wall += _run(run, cwd=place, python=python, codes=(0,))
        theirs[path.stem] = _otter_points(out / "results.json")
    seconds = _ours(place, "submitted/", assignment="hw", cases=len(cases))
    kind = (
        "doctests, from the master notebook" if is_ok else "exceptions, from the autograder's zip"
    )
    return Compared(
        title=f"otter-grader ({kind})",
        peer=OTTER,
        questions=tuple(courses.SOLUTIONS),
        automatic=tuple(tests),
        cases=cases,
        theirs=theirs,
        ours=_our_scores(place, tuple(courses.SOLUTIONS)),
        seconds={"theirs": wall / len(cases), **seconds},
    )


def _otter_points(path: Path) -> dict[str, float | None]:
    tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
    points = {t["name"].split()[0]: t.get("score") for t in tests}
    return {question: points.get(question) for question in courses.SOLUTIONS}


def _write_master(path: Path, tests: Mapping[str, Sequence[Any]], *, is_ok: bool) -> None:
    """Write the master notebook: questions, solutions and tests."""
    config = f"# ASSIGNMENT CONFIG\ntests:\n    ok_format: {str(is_ok).lower()}"
    cells = [v4.new_raw_cell(config), v4.new_code_cell("import numpy as np")]
    for question, solution in courses.SOLUTIONS.items():
        is_manual = question not in tests
        manual = "\nmanual: true" if is_manual else ""
        head = f"# BEGIN QUESTION\nname: {question}\npoints: {courses.POINTS[question]}{manual}"
        cells += [v4.new_raw_cell(head), v4.new_markdown_cell(courses.PROMPTS[question])]
        cells.append(v4.new_raw_cell("# BEGIN SOLUTION"))
        if is_manual:
            cells.append(v4.new_markdown_cell(solution))
        else:
            first, _, rest = solution.partition("\n")
            body = f"{first}\n    # BEGIN SOLUTION\n{rest}\n    # END SOLUTION"
            cells.append(v4.new_code_cell(body))
        cells.append(v4.new_raw_cell("# END SOLUTION"))
        if not is_manual:
            own = [_test_cell(test) for test in tests[question]]
            cells += [v4.new_raw_cell("# BEGIN TESTS"), *own, v4.new_raw_cell("# END TESTS")]
        cells.append(v4.new_raw_cell("# END QUESTION"))
    _write(path, cells)


def _test_cell(test: str | tuple[str, str]) -> Any:
    source, shown = (test, "") if isinstance(test, str) else test
    cell = v4.new_code_cell(source)
    if shown:
        result = {"text/plain": shown}
        cell.outputs = [v4.new_output("execute_result", data=result, execution_count=1)]
    return cell


def _write_student(path: Path, case: Case) -> None:
    """Write a submission as `otter assign` hands it out, with a student's answers."""
    head = "import otter\ngrader = otter.Notebook()"
    cells = [v4.new_code_cell(head), v4.new_code_cell("import numpy as np")]
    for question, solution in courses.SOLUTIONS.items():
        answer = case.cells.get(question, solution)
        cells.append(v4.new_markdown_cell(courses.PROMPTS[question]))
        if question in courses.OK_CASES:
            check = v4.new_code_cell(f'grader.check("{question}")')
            cells += [v4.new_code_cell(answer), check]
        else:
            cells.append(v4.new_markdown_cell(answer))
    _write(path, cells)


def _write(path: Path, cells: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    path.write_text(nbformat.writes(book), encoding="utf-8")


_COURSES: Mapping[str, Callable[[Path], Iterator[Compared]]] = {
    "nbgrader": compare_nbgrader,
    "otter": compare_otter,
}

if __name__ == "__main__":
    sys.exit(main())
