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


def kernel_config() -> Config:
    """What ipykernel and IPython are told: nothing of the user's own."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.IPKernelApp.exec_PYTHONSTARTUP = False
    return config


def main(connection_file: str, job: Path) -> None:
    """Be the kernel until told to stop."""
    job_settings = json.loads(job.read_text(encoding="utf-8"))
    app = IPKernelApp.instance(connection_file=connection_file, config=kernel_config())
    app.initialize([])  # type: ignore[no-untyped-call] # traitlets types it in part
    prepare_kernel(app.shell, app.kernel, job_settings)
    app.start()  # type: ignore[no-untyped-call] # as above


def prepare_kernel(shell: Any, kernel: Any, job_settings: dict[str, Any]) -> None:
    """Put stand-ins, recorder, seeds and the way to ask in place, as for a graded notebook."""
    stubs, recorder, seeding = (
        inside_loader.load_inside(name) for name in ("stubs", "recorder", "seeding")
    )
    notes = stubs.Notes()
    notebook_recorder = recorder.Recorder(job_settings["record"], notes)
    stubs.install_stubs(
        shell, kernel, optional_imports=job_settings["optional_imports"], notes=notes
    )
    notebook_recorder.install(shell)
    seeding.call_before_first_cell(shell, lambda: seeding.seed_everything(job_settings["seed"]))
    notebook = live_questions.make_notebook(shell.user_ns, recorder=notebook_recorder, notes=notes)
    setattr(
        builtins,
        live_questions.BUILTIN_NAME,
        lambda questions_path, answers_path: answer_question_file(
            notebook, questions_path, answers_path
        ),
    )


def answer_question_file(notebook: Any, questions_path: str, answers_path: str) -> None:
    """Answer the batch of questions in one file into another, frame by frame."""
    header, arrays = inside_loader.load_inside("frames").unpack_body(
        Path(questions_path).read_bytes()[8:]
    )
    with Path(answers_path).open("wb") as out:
        for body in live_questions.answer_questions(
            notebook, batch=header["questions"], arrays=arrays
        ):
            out.write(struct.pack("<Q", len(body)) + body)
            out.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
