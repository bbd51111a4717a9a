"""A limit of the computer that stops a run is named in one line, and is no fault of the grader."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import selfchecking

from grader import cli, sandbox
from grader.errors import UsageError
from grader.gradebook import open_gradebook

OPEN_WITHIN = """
import resource, sys
from pathlib import Path
from grader.errors import UsageError
from grader.gradebook import open_gradebook
resource.setrlimit(resource.RLIMIT_FSIZE, (20_480, 20_480))
try: open_gradebook(Path(sys.argv[1])).__enter__()
except UsageError as error: print(error)
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(selfchecking.ROOT), "PYTHONUNBUFFERED": ""}


def test_too_few_open_files_are_refused_before_a_kernel_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (64, 64))
    environment = sandbox.survey_interpreter(sys.executable)

    with (
        pytest.raises(UsageError, match=r"64 files open on this computer \(`ulimit -n`\)"),
        sandbox.start_fork_server(environment),
    ):
        pass


def test_a_gradebook_that_may_not_grow_names_the_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_WITHIN, str(tmp_path / "b.db")]
    told = subprocess.check_output(command, env=ENVIRONMENT, text=True)

    assert told.endswith("; a file may have 20 kB at most here (`ulimit -f`)\n")
    assert told.count("\n") == 1


def test_a_gradebook_that_is_damaged_names_no_limit(tmp_path: Path) -> None:
    place = tmp_path / "b.db"
    place.write_bytes(b"no database" * 1000)

    with pytest.raises(UsageError) as refused, open_gradebook(place):
        pass
    assert "ulimit" not in str(refused.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [["--help"], ["init", "--help"], ["doctor"]])
def test_output_that_cannot_be_written_is_one_plain_line(words: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "grader", *words],
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    said = "grade: what is printed, or kept, can't be written: No space left on device\n"
    assert [done.returncode, done.stderr.decode()] == [2, said]


def test_an_error_of_files_that_no_limit_causes_is_still_our_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_options: object) -> None:
        raise errors.pop(0)

    errors: list[OSError] = [
        FileNotFoundError(2, "No such file", "x"),
        OSError(27, "File too large", "graded/x.html"),
    ]
    monkeypatch.setattr(cli, "cli", fail)

    for code, said in ((1, "please report this"), (2, "grade: graded/x.html: File too large\n")):
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == code
        assert said in capsys.readouterr().err
