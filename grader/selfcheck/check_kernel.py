"""The kernel in which `grade check` runs a notebook: as when it is graded, but without walls.

A program of its own: `python -m grader.selfcheck.check_kernel CONNECTION_FILE JOB`. Once the cells
ran, the builtin `__observed__(questions, answers)` reads one file and writes the other.
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


def main(connection_file: str, job: Path) -> None:
    """Serve as the kernel until the client shuts it down."""
    config = Config()  # nothing of the user's own configuration
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.IPKernelApp.exec_PYTHONSTARTUP = False
    app = IPKernelApp.instance(connection_file=connection_file, config=config)
    command_folder = inside_loader.load_inside("command_folder")
    command_folder.write_commands(job.parent / "commands")
    command_folder.put_first_in_path(job.parent / "commands", scratch=job.parent)
    app.initialize([])  # type: ignore[no-untyped-call] # traitlets types it in part
    prepare_kernel(app.shell, app.kernel, json.loads(job.read_text(encoding="utf-8")))
    app.start()  # type: ignore[no-untyped-call] # as above


def prepare_kernel(shell: Any, kernel: Any, job_settings: dict[str, Any]) -> None:
    """Install stubs, recorder, seeds and the builtin that answers, as for a graded notebook."""
    stubs, recorder, seeding, kernel_exit = map(
        inside_loader.load_inside, ("stubs", "recorder", "seeding", "kernel_exit")
    )
    notes = stubs.Notes()
    notebook_recorder = recorder.Recorder(job_settings["record"], notes)
    stubs.install_stubs(
        shell,
        kernel,
        notes=notes,
        unknown=job_settings["unknown_modules"],
        where="on this computer",
    )
    kernel_exit.end_cells_only(shell, kernel, notes)
    notebook_recorder.install(shell)
    seeding.call_before_first_cell(shell, lambda: seeding.seed_everything(job_settings["seed"]))
    notebook = live_questions.OwnNotebook(shell.user_ns, notebook_recorder, notes)
    notebook.tests = Path(job_settings["tests"])
    notebook.cells = job_settings["cells"]
    if notebook.tests.is_file():
        inside_loader.load_inside("kept_figures").keep_figures()

    def answer_file(questions: str, answers: str) -> None:
        answer_question_file(notebook, Path(questions), Path(answers))

    setattr(builtins, live_questions.BUILTIN_NAME, answer_file)


def answer_question_file(notebook: Any, questions: Path, answers: Path) -> None:
    """Answer the batch of questions in one file into another, frame by frame."""
    with answers.open("wb") as out:
        for body in live_questions.answer_batch(notebook, questions.read_bytes()):
            out.write(struct.pack("<Q", len(body)) + body)
            out.flush()  # an answer that ends the process must not take earlier ones with it


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
