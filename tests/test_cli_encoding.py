"""The command's output to a pipe of any encoding: nothing fails for want of a character."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import selfchecking
import tiny_course

from grader.cli.terminal_encoding import write_plainly


def tell(*arguments: str, folder: Path, encoding: str) -> tuple[int, str]:
    """Run the command with its output to a pipe of an encoding; its exit code and all it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONIOENCODING": encoding,
            "PYTHONPATH": str(selfchecking.ROOT),
            "XDG_CACHE_HOME": str(folder / "cache"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8", "✓ café → 漢 ≥ \ud800…"),
        ("cp1252", "+ café -> ? >= ?…"),
        ("ascii", "+ cafe -> ? >= ?..."),
    ],
)
def test_what_an_encoding_lacks_is_written_plainly(
    encoding: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    write_plainly()
    stream.write("✓ café → 漢 ≥ \ud800…")
    stream.flush()

    written = written.replace("\ud800", "?")
    assert stream.buffer.getvalue().decode(encoding) == written


def test_a_stream_that_is_no_file_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    write_plainly()
    stream.write("✓")

    assert stream.getvalue() == "✓"


@pytest.mark.kernel
@pytest.mark.slow
def test_a_self_check_tells_in_any_encoding(tmp_path: Path) -> None:
    folder = selfchecking.publish_tiny(tmp_path)
    selfchecking.write(
        folder,
        "import numpy as np",
        "one = np.random.standard_normal(50)\nthree = one + 1",
        "two = one + 0.5 * np.random.standard_normal(50)\nprint('✓ 漢')",
        "1 / 0  # 漢 é ✓",
        name="é漢.ipynb",
    )
    forms = ("text", "junit", "github", "json")
    told = {
        form: tell("check", "é漢.ipynb", "--format", form, folder=folder, encoding="cp1252")
        for form in forms
    }

    assert {form: code for form, (code, _) in told.items()} == dict.fromkeys(forms, 1)
    assert not any("Traceback" in text and "grader" in text for _, text in told.values())
    assert "+ " in told["text"][1]
    assert json.loads(told["json"][1])
    suites = ET.fromstring(told["junit"][1])  # noqa: S314 (our own)
    assert [suite.get("name") for suite in suites] == ["é漢.ipynb"]


@pytest.mark.slow
@pytest.mark.kernel
def test_staffs_commands_tell_in_any_encoding(tmp_path: Path) -> None:
    course = tiny_course.made(tmp_path)
    course.hand_in("é漢✓")
    course.hand_in("ada", "x = 1", "raise ValueError('✓ 漢')")
    commands = (
        ("run", "submissions"),
        ("validate",),
        ("doctor",),
        ("again", "graded"),
        ("run", "é漢.ipynb"),
    )
    told = [tell(*command, folder=tmp_path, encoding="cp1252") for command in commands]

    assert [code for code, _ in told] == [1, 1, 0, 1, 2]
    assert not any("Traceback" in text or "UnicodeEncode" in text for _, text in told)


@pytest.mark.parametrize("closed_early", [False, True])
def test_a_pipe_that_nobody_reads_changes_no_exit_code(*, closed_early: bool) -> None:
    code = (
        "import sys; from grader.cli.terminal_encoding import outlast_readers, write_plainly\n"
        "from rich.console import Console; import click; write_plainly(); outlast_readers()\n"
        "for i in range(2_000): click.echo('x' * 50); Console().print('y ✓')\n"
        "print('z', flush=True); sys.exit(3)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(selfchecking.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        rest = b"" if closed_early else process.stdout.read()
        process.stdout.close()
        told = process.stderr.read()

    assert (process.returncode, first, told) == (3, b"x" * 50 + b"\n", b"")
    assert closed_early or rest.endswith(b"z\n")
