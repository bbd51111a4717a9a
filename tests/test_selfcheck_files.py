"""`grade check` on saved notebooks: what it runs, what it says, and how it leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest
import selfchecking
import tiny_course
from selfchecking import grade_check, in_shell, write

pytestmark = pytest.mark.kernel

ONE = "one = np.random.standard_normal(50)\nthree = np.random.standard_normal(50)"
TWO = "two = one + 0.5 * np.random.standard_normal(50)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's folder for the tiny course."""
    return selfchecking.publish_tiny(tmp_path)


def test_a_right_notebook_passes_with_all_that_a_headless_run_lacks(folder: Path) -> None:
    (folder / "helper.py").write_text("import sys\nprint(sys.executable)\n", encoding="utf-8")
    write(
        folder,
        "!pip install nothing-at-all\nimport grader",
        "import helper\n%run helper.py\n!python helper.py",
        "import numpy as np\nfrom google.colab import drive\ndrive.mount('/x')\ninput('now? ')",
        ONE,
        TWO,
        "from grader import check, check_all\nassert check('A').passed and grader.check_all()\n"
        "for line in check('A'): print(line)\ncheck('A').checked.findings",
        "import sys\nassert sys.stdin.read() == ''\na, b = input().split()\nbreakpoint()",
        "import os\nassert not [name for name in os.environ if name.startswith('GITHUB_')]",
    )
    summary = folder / "summary.md"
    done = grade_check(folder, "work.ipynb", env={"GITHUB_STEP_SUMMARY": str(summary)})

    assert done.code == 0, done.out + done.err
    assert "public checks passed: 3 of 3; 0 more run after you submit; 0 answers are" in done.out
    assert "This is not your grade; nothing left this computer." in " ".join(done.out.split())
    assert not summary.exists()


INSTALLS = """
import os, subprocess, sys
!pip install x && mkdir out
!{sys.executable} -m pip install x | cat
%pip install x
os.system("pip3 install x")
subprocess.run(["pip", "install", "x"], env={})
subprocess.check_call([sys.executable, "-m", "pip", "install", "x"])
assert os.path.isdir("out")
"""


def test_no_installer_of_the_students_computer_runs(folder: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    write_installers(tmp_path / "programs", installed)
    write(folder, "import numpy as np", ONE, TWO, INSTALLS, "%%bash\npip install x")
    done = grade_check(
        folder,
        "work.ipynb",
        env={
            "PATH": f"{tmp_path / 'programs'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{selfchecking.ROOT}:{tmp_path / 'programs'}",
        },
    )

    assert done.code == 0, done.out + done.err
    assert not installed.exists()


def write_installers(folder: Path, installed: Path) -> None:
    """Write a pip, as a program and as a module, that would leave a file."""
    (folder / "pip").mkdir(parents=True)
    module = folder / "pip" / "__main__.py"
    module.write_text(f"open({str(installed)!r}, 'w')", encoding="utf-8")
    for name in ("pip3", "sudo"):
        program = folder / name
        program.write_text(f"#!/bin/sh\ntouch '{installed}'\n", encoding="utf-8")
        program.chmod(0o755)


def test_a_lost_point_is_told_and_exits_with_1(folder: Path) -> None:
    write(folder, "import numpy as np", ONE, "two = one + 9 * np.random.standard_normal(50)")
    done = grade_check(folder, "work.ipynb")

    assert done.code == 1, done.err
    assert "\u22122 points." in " ".join(done.out.split())
    assert "cell In [3], `two = one + 9 * np.random" in done.out
    assert "2 of 3" in done.out


def test_in_a_courses_own_folder_the_rubric_there_is_used(tmp_path: Path) -> None:
    course = tiny_course.made(tmp_path / "course")
    course.hand_in("ada")
    other = course.root / "rubrics" / "other.toml"
    text = (course.root / "rubrics" / "tiny.toml").read_text(encoding="utf-8")
    text = text.replace("default = true\n", "").replace('"tiny"', '"other"', 1)
    other.write_text(text.replace("public = true", "public = false", 1), encoding="utf-8")
    notebook = "submissions/ada.ipynb"

    by_default = grade_check(course.root, notebook)
    by_id = grade_check(course.root, notebook, "--assignment", "other")

    assert by_default.code == 0, by_default.err
    assert "public checks passed: 3 of 3" in by_default.out
    assert "without a sandbox" in by_default.err
    assert "public checks passed: 2 of 2" in by_id.out
    assert grade_check(course.root / "submissions", "ada.ipynb").code == 2
    assert "no rubric 'hw9'" in grade_check(course.root, notebook, "--assignment", "hw9").err
    assert sorted(path.name for path in course.root.iterdir()) == [
        *("reference", "rubrics", "submissions")
    ]


@pytest.mark.slow
def test_what_costs_points_at_hand_in_is_warned_of(folder: Path) -> None:
    path = write(folder, "import numpy as np", ONE, TWO, "print('mean 0.5')")
    assert any("holds no saved outputs" in warning for warning in json_of(folder)["warnings"])

    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    for place, count in enumerate((4, 2, 3, 1)):
        cells[place]["execution_count"] = count
    cells[3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "mean 0.9\n"}]
    cells[2]["outputs"] = [
        {"output_type": "error", "ename": "KeyError", "evalue": "1", "traceback": []}
    ]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    told = " ".join(json_of(folder)["warnings"])

    assert "In [4] stands above In [2]" in told
    assert "Cell In [4] holds an output that it does not print now" in told
    assert "Cell In [3] shows an error in the saved file, but runs now" in told
    assert "No name was found" in told


def test_what_is_missing_or_left_out_is_told_as_it_is_when_graded(folder: Path) -> None:
    uses = "try: pycaret.fit()\nexcept Exception: pass"
    write(folder, "import numpy as np, pycaret", ONE, TWO, uses, "!pip install x", INSTALLS)
    told = json_of(folder)

    place = "is not installed on this computer. The import was skipped, and it costs nothing."
    assert f"Cell In [1]: pycaret {place}" in told["notices"]
    left_out = [notice for notice in told["notices"] if "were left out" in notice]
    assert len(left_out) == 1
    assert left_out[0].startswith("Cells In [5] and In [6]: `!pip install x`, ")
    used = "Cell In [4]: pycaret.fit was used, but pycaret is not installed on this computer."
    assert used in told["warnings"]
    assert not any("GPU" in notice for notice in told["notices"])


def json_of(folder: Path) -> dict[str, list[str]]:
    done = grade_check(folder, "work.ipynb", "--format", "json")
    found: dict[str, list[str]] = json.loads(done.out)["notebooks"][0]
    return found


@pytest.mark.slow
def test_a_cell_that_ends_python_or_hangs_costs_itself(tmp_path: Path) -> None:
    folder = selfchecking.publish_tiny(tmp_path, cell_s=0.7)
    write(
        folder,
        "import numpy as np",
        ONE,
        "exit()",
        "import os\nos._exit(3)",
        "import time\ntime.sleep(60)",
        TWO,
        "import plots_of_mine\nplots_of_mine.draw()",
        "quit()",
    )
    done = grade_check(folder, "work.ipynb")
    told = " ".join(done.out.split())

    assert done.code == 1, done.err
    assert "✓ A  The vectors  2 of 2 checks passed" in done.out
    assert "4 of 8 cells failed on their own" in told
    assert "was stopped after 2 s" in told
    assert "there is no module plots_of_mine on this computer (no file plots_of_mine.py" in told


def test_a_warning_says_why_each_cell_failed(folder: Path) -> None:
    write(folder, "a = 1", "x = 1 / 0", "y = x + 1")
    told = " ".join(grade_check(folder, "work.ipynb").out.split())

    assert (
        "run in order: cell In [2]: ZeroDivisionError: division by zero (line 1); cell In [3]: Na"
        in told
    )


def test_what_can_not_be_checked_exits_with_2_and_says_why(folder: Path, tmp_path: Path) -> None:
    write(folder, "x = 1")
    (folder / "broken.ipynb").write_text("{", encoding="utf-8")
    elsewhere = write(tmp_path, "x = 1", name="alone.ipynb")

    broken = grade_check(folder, "broken.ipynb", "--format", "junit")
    alone = grade_check(tmp_path, str(elsewhere))
    missing = grade_check(folder, "nothing.ipynb")

    assert [broken.code, alone.code, missing.code] == [2, 2, 2]
    assert ET.fromstring(broken.out).find("testsuite/testcase/error") is not None  # noqa: S314 (ours)
    assert "no *.rubric.json beside the notebook" in alone.err
    assert "Traceback" not in broken.err + alone.err + missing.err


def test_github_gets_annotations_at_the_cell_and_a_summary(folder: Path) -> None:
    write(folder, "import numpy as np", "raise ValueError('50%\\n::error::no')", TWO)
    summary = folder / "summary.md"
    done = grade_check(
        folder, "work.ipynb", "--format", "github", env={"GITHUB_STEP_SUMMARY": str(summary)}
    )
    lines = done.out.splitlines()

    assert done.code == 1, done.err
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    assert any("file=work.ipynb,line=" in line and "cell 1" in line for line in lines)
    assert "50%25" in done.out
    assert "This is not your grade" in summary.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_interrupt_ends_the_box_at_once(tmp_path: Path) -> None:
    selfchecking.publish(tmp_path, selfchecking.loaded())
    slow = (
        "import torch, time, threading, os, signal\nfrom torch import nn\n"
        "class SimpleEncoder(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.fc = nn.Linear(2, 2)\n"
        "    def forward(self, x):\n        time.sleep(30)\n"
    )
    shown = in_shell(
        tmp_path,
        "import grader",
        slow,
        "threading.Timer(3, os.kill, (os.getpid(), signal.SIGINT)).start()\nbegan = time.time()\n"
        "grader.check_all()",
        "time.time() - began < 25",
    )

    assert "KeyboardInterrupt" in shown[2]["error"]
    assert shown[3]["text"] == "True"


def hw5(folder: Path) -> Path:
    """HW 5's public files and its solved notebook, with what only staff have cut out."""
    selfchecking.publish(folder, selfchecking.loaded())
    reference = selfchecking.ROOT / "reference" / "hw5.ipynb"
    notebook = nbformat.read(reference, as_version=4)  # type: ignore[no-untyped-call]
    notebook.cells = [c for c in notebook.cells if "grader-only" not in c.metadata.get("tags", [])]
    path = folder / "hw5.ipynb"
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return path


@pytest.mark.slow
def test_the_solved_homework_passes_every_public_check_and_loses_a_layer_by_name(
    tmp_path: Path,
) -> None:
    path = hw5(tmp_path)
    right = grade_check(tmp_path, "hw5.ipynb")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("x = self.fc(x)", "pass", 1), encoding="utf-8")
    wrong = grade_check(tmp_path, "hw5.ipynb")

    assert right.code == 0, right.out + right.err
    assert (
        "public checks passed: 19 of 19; 2 more run after you submit; 7 answers are read by a "
        "person. This is not your grade; nothing left this computer."
    ) in " ".join(right.out.split())
    assert "The handout's loss is nan as soon as the cosine of a negative pair" in right.out
    assert "Before you submit" not in right.out
    assert wrong.code == 1
    assert (
        "`SimpleEncoder` gave (3, 4096); (3, 128) was expected. Which layer of `__init__` takes "
        "4096 numbers in? \u22121 point."
    ) in " ".join(wrong.out.split())


@pytest.mark.slow
def test_the_box_finds_the_solved_homework_right_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    path = hw5(tmp_path)
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    cells = [c.source for c in notebook.cells if c.cell_type == "code"][1:]
    cells[0] = cells[0].replace("import torchvision.transforms.functional as TF", "")
    before = (
        "held = ([p.detach().clone() for p in encoder.parameters()], torch.get_rng_state(),\n"
        "        encoder.training, torch.get_num_threads(), torch.is_grad_enabled())\n"
        "calls = []\nencoder.register_forward_hook(lambda *a: calls.append(1))"
    )
    after = (
        "(all(torch.equal(a, b) for a, b in zip(held[0], encoder.parameters())),\n"
        " torch.equal(held[1], torch.get_rng_state()), held[2:] == (encoder.training,\n"
        " torch.get_num_threads(), torch.is_grad_enabled()))"
    )
    shown = in_shell(
        tmp_path, "import grader", *cells, before, "grader.check_all()", after, "grader.check_all()"
    )

    assert [one["error"] for one in shown] == ["''"] * len(shown)
    assert "public checks passed: 16 of 16; 2 more run" in shown[-3]["text"]
    assert shown[-2]["text"] == "(True, True, True)"
    assert shown[-1]["text"] == shown[-3]["text"]
