"""The box in a notebook: what it says of a live namespace, and that it leaves that as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import selfchecking
from selfchecking import in_shell

from grader import wire
from grader.model import Question
from grader.selfcheck import live_questions

RIGHT = (
    "import grader",
    "import numpy as np",
    "one = np.random.standard_normal(50)\nthree = np.random.standard_normal(50)",
    "two = one + 0.5 * np.random.standard_normal(50)",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A student's folder for the tiny course."""
    return selfchecking.publish_tiny(tmp_path)


def test_the_box_says_what_passed_in_html_and_in_plain_text(folder: Path) -> None:
    shown = in_shell(folder, *RIGHT, "grader.check_all()")[-1]

    assert "✓ A  The vectors: 2 of 2 checks passed" in shown["text"]
    assert "B looks at the saved file" in shown["text"]
    assert shown["text"].endswith(
        "public checks passed: 2 of 2; 0 more run after you submit; 0 answers are read by a "
        "person. This is not your grade; nothing left this computer."
    )
    assert "<b>A</b> The vectors" in shown["html"]
    assert "<style" not in shown["html"]


def test_a_wrong_value_is_told_with_what_was_expected_and_what_it_costs(folder: Path) -> None:
    wrong = (*RIGHT[:3], "two = one + 9 * np.random.standard_normal(50)")
    shown = in_shell(folder, *wrong, 'grader.check("A")', 'bool(grader.check("A"))')

    assert "Expected: a standard deviation of two \u2212 one from 0.1 to 2." in shown[-2]["text"]
    assert "\u22122 points." in shown[-2]["text"]
    assert "(In [4])" in shown[-2]["text"]
    assert shown[-1]["text"] == "False"


def test_a_cell_that_was_run_again_counts_as_it_ran_last(folder: Path) -> None:
    shown = in_shell(folder, *RIGHT[:3], "two = one + 1 / 0", RIGHT[3], 'grader.check("A")')

    assert "2 of 2 checks passed" in shown[-1]["text"]


def test_what_a_failed_cell_did_not_make_is_said_by_name(folder: Path) -> None:
    shown = in_shell(folder, *RIGHT[:2], "three = 1 / 0\none = three", 'grader.check("A")')

    assert "In [3]" in shown[-1]["text"]
    assert "ZeroDivisionError" in shown[-1]["text"]


def test_a_grader_imported_last_says_where_it_belongs(folder: Path) -> None:
    shown = in_shell(folder, *RIGHT[1:], RIGHT[0], "grader.check_all()")

    assert "put `import grader` in the first cell, then Restart and run all" in shown[-1]["text"]


def test_asking_for_what_is_not_there_is_answered_and_never_raised(folder: Path) -> None:
    shown = in_shell(folder, *RIGHT, 'grader.check("a")', 'grader.check("B")')

    assert [one["error"] for one in shown] == ["''"] * len(shown)
    assert "There is no item a: did you mean" in shown[-2]["text"]
    assert "B looks at the saved file" in shown[-1]["text"]


def test_a_folder_without_the_rubric_says_what_is_missing(tmp_path: Path) -> None:
    shown = in_shell(tmp_path, "import grader", "grader.check_all()")

    assert "no *.rubric.json beside the notebook" in shown[-1]["text"]


def test_asking_leaves_the_random_state_and_the_students_own_modules(folder: Path) -> None:
    (folder / "inside.py").write_text("mine = 41\n", encoding="utf-8")
    state = "before = (np.random.get_state()[1].tolist(), np.random.get_state()[2])"
    same = "before == (np.random.get_state()[1].tolist(), np.random.get_state()[2])"
    shown = in_shell(
        folder, *RIGHT, state, "grader.check_all()", same, "import inside\ninside.mine"
    )

    assert shown[-2]["text"] == "True"
    assert shown[-1]["text"] == "41"


def test_markup_of_the_notebook_stays_text(folder: Path) -> None:
    bad = "one = int('<img src=x onerror=alert(1)> \\x1b[31m')"
    shown = in_shell(folder, *RIGHT[:2], bad, "grader.check_all()")[-1]

    assert "&lt;img" in shown["html"]
    assert "<img" not in shown["html"]
    assert "\x1b" not in shown["text"]


def test_an_answer_that_is_refused_is_invalid_and_the_next_is_read() -> None:
    questions = tuple(Question(id=name, kind="arrays") for name in ("a", "b", "c"))
    nonces = {"a": "1", "b": "2", "c": "3"}
    answer = {"id": "b", "nonce": "2", "status": "ok", "data": {}}
    bodies = (b"no frame", wire.compose_frame(answer)[8:])

    answers = live_questions.parse_answers(bodies, questions, nonces=nonces)

    assert {name: seen.status for name, seen in answers.items()} == {
        "a": "invalid",
        "b": "ok",
        "c": "died",
    }


def test_the_self_check_needs_no_unix_and_the_box_no_more_than_colab_has() -> None:
    lacking = (
        "import sys\n"
        "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'): sys.modules[name] = None\n"
    )
    box = (
        "for name in ('nbclient', 'jupyter_client', 'ipykernel', 'nbformat', 'click',\n"
        "             'platformdirs', 'rich', 'sqlalchemy', 'sklearn', 'torch'):\n"
        "    sys.modules[name] = None\n"
        "import grader.selfcheck.live_check"
    )
    for code in (f"{lacking}import grader.selfcheck.file_check", f"{lacking}{box}"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=selfchecking.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_importing_the_grader_costs_nothing_outside_of_a_notebook_and_little_inside() -> None:
    heavy = "{m for m in ('numpy', 'pydantic', 'click', 'torch', 'jinja2') if m in sys.modules}"
    outside = f"import sys, grader; print({heavy}, 'IPython' in sys.modules)"
    inside = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\nbefore = set(sys.modules)\n"
        "shell.run_cell('import grader')\n"
        f"print({heavy} - before, hasattr(shell, '_grader_session'))"
    )

    def said(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=selfchecking.ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert said(outside) == "set() False"
    assert said(inside) == "set() True"
