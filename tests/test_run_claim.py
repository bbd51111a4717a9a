"""One run at a time on one store: the second is refused, and a run that died lets go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_course

from grader import gradebook
from grader.errors import UsageError
from grader.gradebook.run_claim import CLAIM_FILE, claim_run

HOLDER = """
import sys, time
from pathlib import Path
from grader import gradebook
from grader.gradebook.run_claim import claim_run
with gradebook.open_gradebook(Path(sys.argv[1])) as book, claim_run(book):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    course = tiny_course.made(tmp_path / "course")
    course.hand_in("ada")
    course.out.mkdir()
    store = course.out / "gradebook.db"
    command = [sys.executable, "-c", HOLDER, str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        code, told = course.grade()

        assert code == 2
        assert "another run is at work here (" in told
        assert f" on {os.uname().nodename} since 20" in told
        with gradebook.open_gradebook(store) as book:
            assert book.roll() == ()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with gradebook.open_gradebook(store) as book:
        with claim_run(book), pytest.raises(UsageError, match="another run"), claim_run(book):
            pass
        assert not (course.out / CLAIM_FILE).exists()
        with claim_run(book):
            assert (course.out / CLAIM_FILE).read_text(encoding="utf-8").count(" since ") == 1
