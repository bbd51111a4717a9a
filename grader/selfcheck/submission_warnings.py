"""Warns of what would cost points or a person's time although the code is right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from grader.model import (
    Answer,
    CellError,
    CellRun,
    CellStatus,
    Item,
    Json,
    Notebook,
    SavedOutput,
    Trace,
    list_some,
)
from grader.notebook import (
    find_students,
    is_blank,
    looks_foreign,
    read_submitted_file,
    written_answers,
)
from grader.notebook.decoding import decode_text, parse_json_object
from grader.notebook.missing_words import tells_use
from grader.notebook.saved_outputs import shows_figure
from grader.selfcheck.public_rubric import PublicRubric

Outputs = Mapping[int, tuple[SavedOutput, ...]]
"""Outputs by the number of their cell."""
MAX_NAMED_CELLS = 4
"""Cells that one warning names."""
MAX_REASONS, MAX_REASON = 3, 120
"""Failures of cells that are told, and characters of each message."""
MAX_COMMANDS = 3
"""Commands that one notice names."""
EMPTY_ADVICE = {
    "text": "write below the question",
    "code": "write the code below the question",
    "any": "write words or code below the question",
}
"""What to do where no answer was found, by what answers the item."""
_LEFT_OUT = re.compile(r"(?P<command>`.+`) was left out: (?P<reason>.+)")
_TOLERANCE = 0.01
"""Relative difference of a printed number that another computer may cause."""
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)


def find_notices(trace: Trace) -> tuple[str, ...]:
    """Return what was replaced or left out in the run, and costs nothing, with its cells."""
    notes = {
        note: cells
        for note, cells in _cells_by_note(trace.record.cells).items()
        if not tells_use(note)
    }
    left_out = {note: match for note in notes if (match := _LEFT_OUT.fullmatch(note))}
    reasons = dict.fromkeys(match["reason"] for match in left_out.values())
    worded = {note: cells for note, cells in notes.items() if note not in left_out}
    for reason in reasons:  # handouts begin with a list of installers
        alike = [note for note, match in left_out.items() if match["reason"] == reason]
        commands = list_some([left_out[note]["command"] for note in alike], most=MAX_COMMANDS)
        verb = "was" if len(alike) == 1 else "were"
        worded[f"{commands} {verb} left out: {reason}"] = set().union(*(notes[n] for n in alike))
    return tuple(f"{_list_cells(cells)}: {note}" for note, cells in worded.items())


def _lack_warnings(runs: Iterable[CellRun]) -> Iterator[str]:
    """Warn of cells that needed what is not there, and ran to their end all the same."""
    ran = (run for run in runs if run.status is CellStatus.RAN)
    for note, cells in _cells_by_note(ran).items():
        if tells_use(note):
            yield f"{_list_cells(cells)}: {note}"


def _cells_by_note(runs: Iterable[CellRun]) -> Mapping[str, set[int]]:
    cells: dict[str, set[int]] = {}
    for run in runs:
        for note in run.notes:
            cells.setdefault(note, set()).add(run.index)
    return cells


def find_warnings(
    path: Path, *, trace: Trace, new_outputs: Outputs, public: PublicRubric
) -> tuple[str, ...]:
    """Return what to look at before this file is submitted, most costly first.

    Args:
        path: The file.
        trace: The trace of its run.
        new_outputs: The outputs of its cells in that run.
        public: The public rubric.
    """
    notebook = trace.notebook
    raw = _raw_cells(path)
    saved_outputs = {cell.index: cell.outputs for cell in notebook.code_cells()}
    return (
        *_file_warnings(notebook, public),
        *_output_warnings(saved_outputs, new_outputs),
        *_lack_warnings(trace.record.cells),
        *_error_warnings(trace, raw, limit_s=public.rubric.limits.cell_s),
        *_order_warnings(notebook, raw),
        *_stale_warnings(saved_outputs, new_outputs),
        *_answer_warnings(notebook, public),
    )


def _raw_cells(path: Path) -> Mapping[int, Mapping[str, Json]]:
    """Return the cells of the file unprocessed, with errors and execution counts."""
    cells = parse_json_object(decode_text(read_submitted_file(path), notes=[])).get("cells")
    numbered = enumerate(cells if isinstance(cells, list) else [])
    return {index: cell for index, cell in numbered if isinstance(cell, dict)}


def _file_warnings(notebook: Notebook, public: PublicRubric) -> Iterator[str]:
    items, names = public.rubric.items, public.checks.all_names()
    if looks_foreign(notebook, items=items, handout=public.handout, names=names):
        yield (
            f"This does not look like {public.rubric.short_title}: none of its questions is here, "
            "and next to none of its code. Is it the right file?"
        )


def _output_warnings(saved: Outputs, new: Outputs) -> Iterator[str]:
    if any(new.values()) and not any(saved.values()):
        yield "The file holds no saved outputs: run all cells, save it, and submit that file."
        return
    charts = [index for index, outputs in new.items() if _has_chart(outputs)]
    if charts and not any(map(_has_chart, saved.values())):
        yield f"No chart is saved in the file, though cell {charts[0]} draws one: run all, save."


def _has_chart(outputs: Iterable[SavedOutput]) -> bool:
    return any(map(shows_figure, outputs))


def _error_warnings(
    trace: Trace, raw: Mapping[int, Mapping[str, Json]], *, limit_s: float
) -> Iterator[str]:
    runs = trace.record.cells
    failed = {run.index for run in runs if run.status not in {CellStatus.RAN, CellStatus.SKIPPED}}
    if failed:
        reasons = "; ".join(_failure_reasons(runs)[:MAX_REASONS])
        failing = f"{_list_cells(failed)} did not run to the end when all cells were run in order"
        yield f"{failing}: {reasons}." if reasons else f"{failing}."
    code_cells = trace.notebook.code_cells()
    saved = {cell.index for cell in code_cells if _has_saved_error(raw.get(cell.index, {}))}
    if saved := saved - failed:
        yield f"{_list_cells(saved)} shows an error in the saved file, but runs now: run all, save."
    slow = {run.index for run in runs if run.status is CellStatus.RAN and run.seconds > limit_s}
    if slow:
        limit = f"the {limit_s:g} s that a cell has when it is graded"
        yield f"{_list_cells(slow)} took more than {limit}."


def _failure_reasons(runs: Sequence[CellRun]) -> list[str]:
    """Return why each cell failed that raised an error of its own."""
    return [
        f"cell {run.index}: {_tell_error(run.error)}"
        + (f" (line {run.error.line})" if run.error.line else "")
        for run in runs
        if run.status is not CellStatus.RAN and run.error is not None
    ]


def _tell_error(error: CellError) -> str:
    message = " ".join(error.message.split())[:MAX_REASON]
    blank = ", as a blank does" if error.name == "NotImplementedError" else ""
    return f"{error.name}{blank}" + (f": {message}" if message else "")


def _has_saved_error(cell: Mapping[str, Json]) -> bool:
    outputs = cell.get("outputs")
    return isinstance(outputs, list) and any(
        isinstance(output, dict) and output.get("output_type") == "error" for output in outputs
    )


def _order_warnings(notebook: Notebook, raw: Mapping[int, Mapping[str, Json]]) -> Iterator[str]:
    """Warn of the first two cells whose last runs were not in their order in the file."""
    counts = [
        count
        for cell in notebook.code_cells()
        if not is_blank(cell)
        and isinstance(count := raw.get(cell.index, {}).get("execution_count"), int)
    ]
    for first, second in pairwise(counts):
        if second < first:
            yield (
                f"Cells were run out of order: In [{first}] stands above "
                f"In [{second}]. Restart, run all, save."
            )
            return


def _stale_warnings(saved: Outputs, new: Outputs) -> Iterator[str]:
    stale = {index for index in saved if _numbers_differ(saved[index], new.get(index, ()))}
    if stale:
        predicate = (
            "holds an output that it does not print"
            if len(stale) == 1
            else "hold outputs that they do not print"
        )
        yield f"{_list_cells(stale)} {predicate} now: restart, run all, save."


def _numbers_differ(saved: Iterable[SavedOutput], printed: Iterable[SavedOutput]) -> bool:
    """Return whether the words are the same, but not the numbers."""
    saved_text, printed_text = (
        "\n".join(output.text for output in outputs) for outputs in (saved, printed)
    )
    if _NUMBER.sub("#", saved_text).split() != _NUMBER.sub("#", printed_text).split():
        return False
    pairs = zip(_NUMBER.findall(saved_text), _NUMBER.findall(printed_text), strict=True)
    numbers = ((float(old), float(new)) for old, new in pairs)
    return any(abs(a - b) > _TOLERANCE * max(1.0, abs(a), abs(b)) for a, b in numbers)


def _answer_warnings(notebook: Notebook, public: PublicRubric) -> Iterator[str]:
    answers = written_answers(
        notebook, items=public.rubric.items, handout=public.handout, outline=public.outline
    )
    empty = [name for name, answer in answers.items() if not answer.text and not answer.images]
    yield from _empty_answer_warnings(empty, items=public.rubric.items)
    yield from _code_answer_warnings(notebook, answers=answers, items=public.rubric.items)
    doubts: dict[tuple[bool, str], list[str]] = {}
    for name, answer in answers.items():
        if answer.concern:
            doubts.setdefault((name in empty, answer.concern), []).append(name)
    for (is_empty, concern), names in doubts.items():
        what = (
            "there is no answer to"
            if is_empty
            else "the whole answer, and nothing else, was found for"
        )
        yield f"We are not sure that {what} {', '.join(names)}: {concern}."
    prompts = {item.id: item.prompt for item in public.rubric.items}
    students = find_students(notebook, prompts=prompts)
    if not any(student.name or student.id for student in students):
        yield "No name was found: write your names and ids where the first cell asks for them."


def _empty_answer_warnings(empty: Sequence[str], *, items: Sequence[Item]) -> Iterator[str]:
    """Warn of items without an answer: by what answers them."""
    kinds = {item.id: item.answer for item in items}
    for kind, advice in EMPTY_ADVICE.items():
        if names := [name for name in empty if kinds.get(name) == kind]:
            written = "answer was" if len(names) == 1 else "answers were"
            yield f"No {written} found for {', '.join(names)}: {advice}."


def _code_answer_warnings(
    notebook: Notebook, *, answers: Mapping[str, Answer], items: Sequence[Item]
) -> Iterator[str]:
    """Warn of answers in code that hold none, and of those that were never run."""
    code_cells = {cell.index: cell for cell in notebook.code_cells()}
    without_code, never_run = [], []
    for item in items:
        answer = answers.get(item.id)
        if not item.takes_code or answer is None or answer.is_missing:
            continue
        cells = [code_cells[index] for index in answer.cells if index in code_cells]
        if item.answer == "code" and not cells:
            without_code.append(item.id)
        elif any(cell.count is None and not cell.outputs for cell in cells):
            never_run.append(item.id)
    if without_code:
        names = ", ".join(without_code)
        yield f"No code was found for {names}, only words: write it below the question."
    if never_run:
        names = ", ".join(never_run)
        yield f"The code for {names} was not run before the file was saved: run all, save."


def _list_cells(cells: set[int]) -> str:
    """Return 'Cell 3', 'Cells 3, 5' or 'Cells 3, 5, 7, 9 and 4 more'."""
    if len(cells) == 1:
        return f"Cell {min(cells)}"
    first = ", ".join(map(str, sorted(cells)[:MAX_NAMED_CELLS]))
    more = f" and {len(cells) - MAX_NAMED_CELLS} more" if len(cells) > MAX_NAMED_CELLS else ""
    return f"Cells {first}{more}"
