"""The main job as an instructor meets it: a folder in, reports and a gradebook out."""

import csv
import hashlib
import io
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import tiny_course
from grading import ROOT, Run, grade
from processes import command_line, descendants, holds_within, is_alive
from variants import VARIANTS, build

from grader.gradebook import course_records, open_gradebook

pytestmark = pytest.mark.kernel
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")

SOLVED = next(v for v in VARIANTS if not v.edits)


def solved() -> dict[str, Any]:
    """The solved copy's code as plain JSON, to be broken in many ways."""
    text: str = nbformat.writes(build(SOLVED))  # type: ignore[no-untyped-call]
    found: dict[str, Any] = json.loads(text)
    return found


def old_format(notebook: dict[str, Any]) -> dict[str, Any]:
    """The same in nbformat 3."""
    cells = [
        {"cell_type": "code", "input": cell["source"], "outputs": [], "language": "python"}
        if cell["cell_type"] == "code"
        else {"cell_type": cell["cell_type"], "source": cell["source"]}
        for cell in notebook["cells"]
    ]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A folder with a notebook for each way in which files differ."""
    folder = tmp_path_factory.mktemp("class")

    def put(name: str, notebook: dict[str, Any]) -> None:
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

    put("right", solved())
    put("format3", old_format(solved()))
    without_ids = solved() | {"nbformat_minor": 0}
    for cell in without_ids["cells"]:
        del cell["id"]
    put("noids", without_ids)
    put("kernel", solved() | {"metadata": {"kernelspec": {"name": "julia-9", "display_name": "J"}}})
    put("empty", solved() | {"cells": []})
    (folder / "page.ipynb").write_text("<html><body>Log in</body></html>", encoding="utf-8")
    hostile = solved()
    hostile["cells"][0]["source"] = "Name: <script>alert(1)</script> (xx10001)"
    hostile["cells"].append(
        {"cell_type": "code", "source": "raise ValueError('<img src=x onerror=alert(1)>')"}
        | {"outputs": [], "metadata": {}, "execution_count": None, "id": "x"}
    )
    put("hostile", hostile)
    (folder / "template.ipynb").write_bytes(
        (ROOT / "tests" / "notebooks" / "hw5-template.ipynb").read_bytes()
    )
    (folder / "reference.ipynb").write_bytes((ROOT / "reference" / "hw5.ipynb").read_bytes())
    return grade(folder, out=tmp_path_factory.mktemp("out") / "graded")


def auto(run: Run, name: str) -> float:
    """Automatic points."""
    points: float = run.result(name)["score"]["auto"]
    return points


def test_the_reference_earns_every_automatic_point(run: Run) -> None:
    assert auto(run, "reference") == 40
    assert run.result("reference")["score"]["possible"] == 80


def test_the_unfilled_template_earns_nothing_in_the_code_questions(run: Run) -> None:
    earned = {i["id"]: i["earned"] for i in run.result("template")["items"]}

    assert [earned[i] for i in ("Q2.3.0", "Q2.3.1", "Q2.3.2")] == [0, 0, 0]


@pytest.mark.parametrize("name", ["right", "format3", "noids", "kernel"])
def test_files_of_every_format_earn_the_same(name: str, run: Run) -> None:
    assert auto(run, name) == 36  # all but V2: nothing was saved


@pytest.mark.parametrize("name", ["empty", "page"])
def test_what_cannot_be_graded_is_a_row_that_says_why(name: str, run: Run) -> None:
    result = run.result(name)
    row = next(row for row in gradebook(run) if row["submission"] == name)

    assert result["status"] == "ungradable"
    assert result["reason"]
    assert result["items"] == []
    assert result["score"]["auto"] is None
    assert {row[c] for c in ("auto", "pending", "total", "final", "V1")} == {""}


def gradebook(run: Run) -> list[dict[str, str]]:
    """The gradebook's rows."""
    text = (run.out / "gradebook.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_a_run_that_needs_a_person_exits_with_1(run: Run) -> None:
    assert run.code == 1
    assert run.stderr == ""


def test_the_terminal_gets_no_control_codes_where_it_is_none(run: Run) -> None:
    assert "\x1b" not in run.stdout
    assert "gradebook" in run.stdout


def test_pending_is_empty_in_the_gradebook_and_null_in_the_result(run: Run) -> None:
    row = next(row for row in gradebook(run) if row["submission"] == "right")
    result = run.result("right")

    assert (row["Q1.1"], row["total"], row["final"]) == ("", "", "")
    assert (row["auto"], row["pending"]) == ("36", "40")
    assert result["score"]["final"] is None
    assert run.item("right", "Q1.1")["earned"] is None
    assert run.item("right", "Q1.1")["verdict"] == "pending"


def test_the_folder_is_private_and_keeps_itself_out_of_git(run: Run) -> None:
    assert (run.out / ".gitignore").read_text(encoding="utf-8") == "*\n"
    if os.name == "posix":
        assert run.out.stat().st_mode & 0o777 == 0o700


def test_reports_hold_the_commitment_and_never_the_seed(run: Run) -> None:
    with open_gradebook(run.out / "gradebook.db") as book:
        kept = course_records.load_seed(book, "hw5") or b""
    commitment = hashlib.sha256(b"hw5\0" + kept).hexdigest()
    texts = [p.read_text(encoding="utf-8") for p in run.out.rglob("*.html")]
    texts += [p.read_text(encoding="utf-8") for p in run.out.rglob("*.json")]

    assert kept
    assert not [text for text in texts if kept.hex() in text]
    assert commitment in (run.out / "reports" / "right.html").read_text(encoding="utf-8")


def test_reports_hold_no_path_of_this_machine(run: Run) -> None:
    texts = {p.name: p.read_text(encoding="utf-8") for p in (run.out / "reports").iterdir()}

    assert {n for n, text in texts.items() if str(ROOT) in text or str(run.out) in text} == set()


def test_what_a_student_wrote_is_never_live_in_a_page(run: Run) -> None:
    for page in ("reports/hostile.html", "index.html"):
        text = (run.out / page).read_text(encoding="utf-8")

        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", text)


def test_one_notebook_alone_can_be_graded(tmp_path: Path) -> None:
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(solved()), encoding="utf-8")

    run = grade(path, out=tmp_path / "graded", options=("--json",))

    whole = json.loads(run.stdout)
    assert [r["submission"] for r in whole["results"]] == ["mine"]
    assert whole["results"][0]["score"]["auto"] == 36


def signal_running_course(root: Path, sent: signal.Signals) -> tuple[int, list[int], str]:
    """Send a signal to `grade` while a notebook runs that would run for an hour.

    The notebook starts a program that can be seen from outside; that it is there shows that the
    signal reaches a run which is at work, whatever walls are around the notebook.

    Args:
        root: A folder for the course and for temporary files.
        sent: The signal.

    Returns:
        The exit code, the processes that `grade` had started, by their ids, and what it printed.
    """
    course = tiny_course.made(root / "course")
    rooms = root / "rooms"
    rooms.mkdir()
    marker = f"{3600 + os.getpid() / 10**8:.8f}"
    course.hand_in("sleeper", f"import subprocess\nsubprocess.run(['sleep', '{marker}'])")
    with course.start("--limit", "cell_s=3600", variables={"TMPDIR": str(rooms)}) as process:

        def sleepers() -> list[int]:
            started = descendants(process.pid)
            return [pid for pid in started if command_line(pid)[:2] == ["sleep", marker]]

        try:
            assert holds_within(120, lambda: sleepers() or process.poll() is not None)
            assert process.poll() is None, process.communicate()
            started = descendants(process.pid)
            process.send_signal(sent)
            output = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, started, " ".join(map(str, output))


@ON_LINUX
@pytest.mark.parametrize(
    "sent",
    [
        signal.SIGINT,
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_stopped_ends_soon_and_leaves_no_process(
    sent: signal.Signals, tmp_path: Path
) -> None:
    code, started, told = signal_running_course(tmp_path, sent)

    assert code == (130 if sent is signal.SIGINT else -sent)
    assert ("Interrupted before anything was graded; no file is left" in told) == (code == 130)
    assert (tmp_path / "course" / "graded").exists() == (code != 130)
    assert len(started) >= 3, "the process that forks, the notebook's, and the notebook's own"
    assert holds_within(30, lambda: not any(map(is_alive, started)))
    assert holds_within(30, lambda: list((tmp_path / "rooms").iterdir()) == [])
