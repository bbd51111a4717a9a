"""Starts our programs that read what anyone may have made, each in a process of its own.

The program confines itself (`inside/confined_process.py`); here it gets no environment, no folder
and no descriptor but its input and its output.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

INSIDE = Path(__file__).resolve().parent / "inside"


def run_confined(
    program: Path, *words: str, source: IO[bytes], output: IO[bytes], timeout_s: float
) -> None:
    """Run a program of `inside` from one file to another.

    Args:
        program: its file.
        words: its arguments, of ours.
        source: a file with what it reads.
        output: a file for what it writes.
        timeout_s: the seconds after which it is ended.

    Raises:
        subprocess.CalledProcessError: It failed.
        subprocess.TimeoutExpired: It took too long.
    """
    subprocess.run(  # noqa: S603 (our own file, and words of ours)
        [sys.executable, "-P", "-E", str(program), *words],
        stdin=source,
        stdout=output,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        timeout=timeout_s,
        check=True,
    )
