"""Words in, exit code out."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from in_process import run_command

from grader.cli import cli

ROOT = Path(__file__).parent.parent


def grade(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Call the command in this process."""
    return subprocess.CompletedProcess(args, *run_command(*args, folder=cwd))


def test_help_answers_at_once_and_names_the_exit_codes() -> None:
    words = [sys.executable, "-m", "grader", "--help"]
    subprocess.run(words, check=True, capture_output=True, cwd=ROOT)  # so that files are cached
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=ROOT)

    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < 1.5
    assert done.returncode == 0
    assert "    130  interrupted\n" in done.stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom grader.cli import cli\n"
        "try:\n    cli(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'jinja2', 'matplotlib', 'rich', 'pydantic', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nowhere/",), "no such file or folder"),
        (("run", "nowhere/"), "no such file or folder"),
        (("examples", "--assignment", "hw9"), "hw5"),
        (("run",), "Missing argument"),
        (("examples/", "--jobs", "0"), "jobs"),
        (("--nonsense", "examples/"), "nonsense"),
    ],
)
def test_a_usage_error_says_what_is_wrong_and_exits_with_2(
    args: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = grade(*args, *(() if "run" in args[:1] else ("--out", str(tmp_path / "out"))))

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args", [("no\x1b[2J\u202ewhere\x9b/",), ("--no\x1b]0;x\x07\u202ewhere", "examples/")]
)
def test_an_error_names_a_file_without_what_a_terminal_obeys(args: tuple[str, ...]) -> None:
    done = grade(*args)

    assert done.returncode == 2
    assert "where" in done.stderr
    assert all(letter == "\n" or letter.isprintable() for letter in done.stderr)


def test_a_folder_without_rubrics_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("{}", encoding="utf-8")

    done = grade(".", cwd=tmp_path)

    assert done.returncode == 2
    assert "rubric" in done.stderr


def test_no_argument_at_all_shows_the_help() -> None:
    done = grade()

    assert "Usage" in done.stdout + done.stderr


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
def test_output_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    done = grade("reference", "--out", str(tmp_path / "file" / "graded"))

    assert done.returncode == 2
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize(
    ("word", "meant"), [("exprt", "export"), ("vaildate", "validate"), ("realease", "release")]
)
def test_a_mistyped_command_is_met_with_what_was_meant(word: str, meant: str) -> None:
    code, _, err = run_command(word, "graded", folder=Path())

    assert code == 2
    assert f"'{word}'. Did you mean '{meant}'?" in err


def test_a_folder_whose_name_is_nearly_a_command_is_graded(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    _, _, err = run_command("exports", folder=tmp_path)

    assert "Did you mean" not in err
    assert "Did you mean" not in run_command("submissions", folder=tmp_path)[2]


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_no_help_shows_a_mark_of_its_layout(command: str) -> None:
    _, out, _ = run_command(command, "--help", folder=Path())

    assert out.startswith("Usage:")
    assert "\\b" not in out
