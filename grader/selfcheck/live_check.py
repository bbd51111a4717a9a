"""Checks what a notebook holds now, in its own kernel, and shows a box; nothing is run again."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from grader import wire
from grader.errors import GraderError
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Fault,
    Notebook,
    Observation,
    Rubric,
)
from grader.selfcheck import live_questions
from grader.selfcheck.live_session import LiveCell, LiveSession, current_session
from grader.selfcheck.public_findings import PublicEvidence, judge_public_checks
from grader.selfcheck.public_rubric import PublicRubric, find_public_rubric, load_public_rubric
from grader.selfcheck.result_box import ResultBox
from grader.selfcheck.student_feedback import FIRST_CELL

LONG_SESSION_EVENTS = 384
"""Events from which a recording has a gap in its middle."""
MAX_MODULES = 32
"""Modules from which new ones are not followed."""


def check_live_notebook(item: str) -> ResultBox:
    """A box with what the public checks make of the notebook, or of one of its items.

    Never raises: a cell that asks for it goes on.
    """
    try:
        return _check_session(item)
    except GraderError as error:
        return ResultBox(message=str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is not the student's)
        sys.stderr.write(Fault.caught("grader.check", error).traceback)  # what there is to report
        message = f"The check itself failed ({type(error).__name__}): please report it. "
        return ResultBox(message=f"{message}It says nothing about your notebook.")


def _check_session(item: str) -> ResultBox:
    session = current_session()
    if session is None:
        return ResultBox(message="This works in a notebook. For a file: `grade check NOTEBOOK`.")
    public = load_public_rubric(find_public_rubric((session.folder, Path.cwd())))
    refusal = _refusal(item, public.rubric)
    if refusal:
        return ResultBox(message=refusal)
    if session.started_late and not session.recorder.count:
        return ResultBox(message=f"Nothing was recorded: {FIRST_CELL}.")
    result = judge_public_checks(public, _observe_session(session, public), saved_file=False)
    hints = tuple(_hints(session))
    return ResultBox(result=result, only_item=item, hints=hints)


def _refusal(name: str, rubric: Rubric) -> str:
    """Why an item can't be checked here, or nothing."""
    item = next((rubric_item for rubric_item in rubric.items if rubric_item.id == name), None)
    if not name or (item is not None and item.checks):
        return ""
    if item is None:
        item_ids = [rubric_item.id for rubric_item in rubric.items if rubric_item.checks]
        folded = {rubric_item.casefold(): rubric_item for rubric_item in item_ids}
        matches = get_close_matches(name.casefold(), folded, n=1, cutoff=0.3)
        hint = (
            f"did you mean {folded[matches[0]]}?" if matches else f"there are {', '.join(item_ids)}"
        )
        return f"There is no item {name}: {hint}"
    if item.kind == "written":
        return f"{name} is read by a person."
    return f"{name} is checked after you hand in."


def _hints(session: LiveSession) -> Iterator[str]:
    """What makes the result less sure than after Restart and run all."""
    recorder = session.recorder
    if session.started_late:
        yield f"What ran before was not recorded: {FIRST_CELL}."
    elif recorder.count > LONG_SESSION_EVENTS or len(recorder.modules) >= MAX_MODULES:
        yield "This session is long, and not all of it is kept: Restart and run all."


def _observe_session(session: LiveSession, public: PublicRubric) -> PublicEvidence:
    cells = tuple(session.cells)
    last_runs = _last_runs(cells)
    return PublicEvidence(
        notebook=Notebook(
            cells=tuple(
                Cell(index=index, kind="code", source=cell.source if index in last_runs else "")
                for index, cell in enumerate(cells)
            ),
            sha256="",
        ),
        record=ExecutionRecord(
            cells=tuple(
                _cell_run(index, cell, last_runs=last_runs) for index, cell in enumerate(cells)
            )
        ),
        observations=_ask_questions(session, public),
        cell_labels={
            index: f"In [{cell.number}]" for index, cell in enumerate(cells) if cell.number
        },
    )


def _last_runs(cells: tuple[LiveCell, ...]) -> frozenset[int]:
    """The places of runs that no later run of the same cell replaced."""
    by_cell = {cell.id or cell.source: index for index, cell in enumerate(cells)}
    return frozenset(by_cell.values())


def _cell_run(index: int, cell: LiveCell, *, last_runs: frozenset[int]) -> CellRun:
    """A run as a record has it; one that was replaced ran, and left nothing to explain."""
    if cell.error is None or index not in last_runs:
        return CellRun(index=index, status=CellStatus.RAN)
    error = CellError(
        name=type(cell.error).__name__,
        message=wire.scrub_text(str(cell.error), max_length=1000),
        line=cell.line,
    )
    return CellRun(index=index, status=CellStatus.RAISED, error=error)


def _ask_questions(session: LiveSession, public: PublicRubric) -> Mapping[str, Observation]:
    questions = public.checks.questions
    nonces = {question.id: secrets.token_hex(4) for question in questions}
    notebook = live_questions.make_notebook(
        session.shell.user_ns, recorder=session.recorder, notes=session.notes
    )
    packed, arrays = live_questions.pack_questions(questions, nonces=nonces)
    return live_questions.parse_answers(
        live_questions.answer_questions(notebook, batch=packed, arrays=arrays), nonces=nonces
    )
