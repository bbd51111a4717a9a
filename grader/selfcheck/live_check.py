"""Checks what a notebook holds now, in its own kernel, and shows a box; nothing is run again."""

from __future__ import annotations

import secrets
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
    Notebook,
    Observation,
    Rubric,
)
from grader.selfcheck import live_questions
from grader.selfcheck.live_session import LiveCell, Session, current
from grader.selfcheck.public_findings import Seen, judge
from grader.selfcheck.public_rubric import Public, find, load
from grader.selfcheck.result_box import Box
from grader.selfcheck.student_feedback import FIRST_CELL

LONG = 384
"""Events from which a recording has a gap in its middle."""
MODULES = 32
"""Modules from which new ones are not followed."""


def checked(item: str) -> Box:
    """A box with what the public checks make of the notebook, or of one of its items.

    Never raises: a cell that asks for it goes on.
    """
    try:
        return _checked(item)
    except GraderError as error:
        return Box(message=str(error))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is not the student's)
        told = f"The check itself failed ({type(error).__name__}): please report it. "
        return Box(message=f"{told}It says nothing about your notebook.")


def _checked(item: str) -> Box:
    session = current()
    if session is None:
        return Box(message="This works in a notebook. For a file: `grade check NOTEBOOK`.")
    public = load(find((session.folder, Path.cwd())))
    refusal = _refusal(item, public.rubric)
    if refusal:
        return Box(message=refusal)
    if session.late and not session.recorder.count:
        return Box(message=f"Nothing was recorded: {FIRST_CELL}.")
    result = judge(public, _seen(session, public), whole=False)
    hints = tuple(_hints(session))
    return Box(checked=result, only=item, hints=hints)


def _refusal(name: str, rubric: Rubric) -> str:
    """Why an item can't be checked here, or nothing."""
    item = next((one for one in rubric.items if one.id == name), None)
    if not name or (item is not None and item.checks):
        return ""
    if item is None:
        known = [one.id for one in rubric.items if one.checks]
        folded = {one.casefold(): one for one in known}
        near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.3)
        hint = f"did you mean {folded[near[0]]}?" if near else f"there are {', '.join(known)}"
        return f"There is no item {name}: {hint}"
    if item.kind == "written":
        return f"{name} is read by a person."
    return f"{name} is checked after you hand in."


def _hints(session: Session) -> Iterator[str]:
    """What makes the result less sure than after Restart and run all."""
    recorder = session.recorder
    if session.late:
        yield f"What ran before was not recorded: {FIRST_CELL}."
    elif recorder.count > LONG or len(recorder.modules) >= MODULES:
        yield "This session is long, and not all of it is kept: Restart and run all."


def _seen(session: Session, public: Public) -> Seen:
    cells = tuple(session.cells)
    last = _last_runs(cells)
    return Seen(
        notebook=Notebook(
            cells=tuple(
                Cell(index=place, kind="code", source=cell.source if place in last else "")
                for place, cell in enumerate(cells)
            ),
            sha256="",
        ),
        record=ExecutionRecord(
            cells=tuple(_run(place, cell, last=last) for place, cell in enumerate(cells))
        ),
        observations=_observations(session, public),
        places={place: f"In [{cell.number}]" for place, cell in enumerate(cells) if cell.number},
    )


def _last_runs(cells: tuple[LiveCell, ...]) -> frozenset[int]:
    """The places of runs that no later run of the same cell replaced."""
    by_cell = {cell.id or cell.source: place for place, cell in enumerate(cells)}
    return frozenset(by_cell.values())


def _run(place: int, cell: LiveCell, *, last: frozenset[int]) -> CellRun:
    """A run as a record has it; one that was replaced ran, and left nothing to explain."""
    if cell.error is None or place not in last:
        return CellRun(index=place, status=CellStatus.RAN)
    error = CellError(
        name=type(cell.error).__name__,
        message=wire.scrub(str(cell.error), most=1000),
        line=cell.line,
    )
    return CellRun(index=place, status=CellStatus.RAISED, error=error)


def _observations(session: Session, public: Public) -> Mapping[str, Observation]:
    asked = public.checks.questions
    nonces = {question.id: secrets.token_hex(4) for question in asked}
    notebook = live_questions.notebook_of(
        session.shell.user_ns, recorder=session.recorder, notes=session.notes
    )
    told, arrays = live_questions.as_told(asked, nonces=nonces)
    return live_questions.heard(
        live_questions.answers(notebook, asked=told, arrays=arrays), nonces=nonces
    )
