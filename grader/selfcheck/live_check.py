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
    Trace,
)
from grader.selfcheck import live_questions
from grader.selfcheck.live_session import LiveCell, LiveSession, current_session
from grader.selfcheck.public_findings import judge_public_checks
from grader.selfcheck.public_rubric import PublicRubric, find_public_rubric, load_public_rubric
from grader.selfcheck.public_tests import expect_all_to_pass
from grader.selfcheck.result_box import ResultBox
from grader.selfcheck.student_feedback import FIRST_CELL

LONG_SESSION_EVENTS = 384
"""Events from which a recording has a gap in its middle."""
MAX_MODULES = 32
"""Modules from which new ones are not followed."""


def check_live_notebook(item: str) -> ResultBox:
    """Judge the notebook of this process by the public checks.

    Never raises, so that the cell that asks for it goes on.

    Args:
        item: The id of the item to check; '' for all.
    """
    try:
        return _check_session(item)
    except GraderError as error:
        return ResultBox(message=str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is not the student's)
        sys.stderr.write(Fault.caught("grader.check", error).traceback)  # for a report
        message = f"The check itself failed ({type(error).__name__}): please report it. "
        return ResultBox(message=f"{message}It says nothing about your notebook.")


def _check_session(item: str) -> ResultBox:
    session = current_session()
    if session is None:
        return ResultBox(message="This works in a notebook. For a file: `grade check NOTEBOOK`.")
    folders = (session.folder, Path.cwd())
    notebook = Notebook(cells=tuple(_last_cells(session)), sha256="")
    public = load_public_rubric(find_public_rubric(folders, notebook=notebook, item=item))
    if refusal := _refusal(item, public.rubric):
        return ResultBox(message=refusal)
    if session.started_late and not session.recorder.count:
        return ResultBox(message=f"Nothing was recorded: {FIRST_CELL}.")
    numbers = {index: cell.number for index, cell in enumerate(session.cells)}
    result = judge_public_checks(
        public,
        _trace_session(session, public),
        cell_labels={index: f"In [{number}]" for index, number in numbers.items() if number},
        saved_file=False,
    )
    return ResultBox(result=result, only_item=item, hints=tuple(_hints(session)))


def _refusal(item_id: str, rubric: Rubric) -> str:
    """Return why an item can't be checked here; '' if it can."""
    items = {item.id: item for item in rubric.items}
    item = items.get(item_id)
    if not item_id or (item is not None and item.checks):
        return ""
    if item is not None and item.kind == "written":
        return f"{item_id} is read by a person."
    if item is not None:
        return f"{item_id} is checked after you submit."
    checked_ids = [item.id for item in rubric.items if item.checks]
    folded = {checked_id.casefold(): checked_id for checked_id in checked_ids}
    matches = get_close_matches(item_id.casefold(), folded, n=1, cutoff=0.3)
    hint = f"there are {', '.join(checked_ids)}"
    if matches:
        hint = f"did you mean {folded[matches[0]]}?"
    return f"There is no item {item_id}: {hint}"


def _hints(session: LiveSession) -> Iterator[str]:
    """Yield what makes the result less sure than after Restart and run all."""
    recorder = session.recorder
    if session.started_late:
        yield f"What ran before was not recorded: {FIRST_CELL}."
    elif recorder.count > LONG_SESSION_EVENTS or len(recorder.modules) >= MAX_MODULES:
        yield "This session is long, and not all of it is kept: Restart and run all."


def _last_cells(session: LiveSession) -> Iterator[Cell]:
    """Yield each run as a cell, without the code of those that were replaced."""
    last_runs = session.last_runs()
    for index, cell in enumerate(session.cells):
        yield Cell(index=index, kind="code", source=cell.source if index in last_runs else "")


def _trace_session(session: LiveSession, public: PublicRubric) -> Trace:
    """Return the session as a run: each run of a cell is a cell, in the order they ran."""
    cells, last_runs = tuple(session.cells), session.last_runs()
    observations = _ask_questions(session, public)
    return Trace(
        notebook=Notebook(cells=tuple(_last_cells(session)), sha256=""),
        record=ExecutionRecord(
            cells=tuple(
                _cell_run(index, cell, replaced=index not in last_runs)
                for index, cell in enumerate(cells)
            )
        ),
        observations=observations,
        expected={**public.expected, **expect_all_to_pass(observations)},
    )


def _cell_run(index: int, cell: LiveCell, *, replaced: bool) -> CellRun:
    if cell.error is None or replaced:  # an error that was fixed since explains nothing
        return CellRun(index=index, status=CellStatus.RAN)
    error = CellError(
        name=type(cell.error).__name__,
        message=wire.scrub_text(str(cell.error), max_length=1000),
        line=cell.line,
    )
    return CellRun(index=index, status=CellStatus.RAISED, error=error)


def _ask_questions(session: LiveSession, public: PublicRubric) -> Mapping[str, Observation]:
    session.figures.keep_runs(session.last_runs())
    questions = public.checks.questions
    nonces = {question_id: secrets.token_hex(4) for question_id in ("", *(q.id for q in questions))}
    notebook = live_questions.OwnNotebook(session.shell.user_ns, session.recorder, session.notes)
    notebook.tests = public.tests
    notebook.cells = [cell.source for cell in _last_cells(session)]
    frame = wire.compose_batch(wire.pack_questions(questions), nonces=nonces, seconds=0)
    bodies = live_questions.answer_batch(notebook, frame)
    return live_questions.parse_answers(bodies, questions, nonces=nonces)
