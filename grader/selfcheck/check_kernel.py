"""The kernel in which `grade check` runs a notebook: as when it is graded, but without walls.

A program of its own: `python -m grader.selfcheck.check_kernel CONNECTION_FILE JOB`. Once the cells ran,
`__observed__(asked, answered)` reads questions from one file and writes answers to another.
"""

from __future__ import annotations

import builtins
import json
import struct
import sys
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from grader.selfcheck import inside_loader, live_questions


def configuration() -> Config:
    """What ipykernel and IPython are told: nothing of the user's own."""
    told = Config()
    told.HistoryManager.enabled = False
    told.InteractiveShell.colors = "nocolor"
    told.IPKernelApp.exec_PYTHONSTARTUP = False
    return told


def main(connection_file: str, job: Path) -> None:
    """Be the kernel until told to stop."""
    told = json.loads(job.read_text(encoding="utf-8"))
    app = IPKernelApp.instance(connection_file=connection_file, config=configuration())
    app.initialize([])  # type: ignore[no-untyped-call] # traitlets types it in part
    prepare(app.shell, app.kernel, told)
    app.start()  # type: ignore[no-untyped-call] # as above


def prepare(shell: Any, kernel: Any, told: dict[str, Any]) -> None:
    """Put stand-ins, recorder, seeds and the way to ask in place, as for a graded notebook."""
    stand_ins, recorder, seeding = (
        inside_loader.opened(name) for name in ("stubs", "recorder", "seeding")
    )
    notes = stand_ins.Notes()
    watch = recorder.Recorder(told["record"], notes)
    stand_ins.install(shell, kernel, optional_imports=told["optional_imports"], notes=notes)
    watch.install(shell)
    seeding.before_the_first_cell(shell, lambda: seeding.seed_everything(told["seed"]))
    notebook = live_questions.notebook_of(shell.user_ns, recorder=watch, notes=notes)
    setattr(
        builtins,
        live_questions.OBSERVED,
        lambda asked, answered: observed(notebook, asked, answered),
    )


def observed(notebook: Any, asked: str, answered: str) -> None:
    """Answer the batch of questions in one file into another, frame by frame."""
    header, arrays = inside_loader.opened("frames").unpack_body(Path(asked).read_bytes()[8:])
    with Path(answered).open("wb") as out:
        for body in live_questions.answers(notebook, asked=header["questions"], arrays=arrays):
            out.write(struct.pack("<Q", len(body)) + body)
            out.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
