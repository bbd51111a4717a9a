"""Handles one notebook as it was run: its cells and outputs, and all answers of the student."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from grader.errors import GraderError
from grader.model import Cell, CellRun, Graded, Notebook, Picture, Trace
from grader.notebook.answers import number_pictures
from grader.privacy.anonymization import assignment_words
from grader.privacy.identities import mentioned_students
from grader.privacy.redaction import Identity, Redactor, words_in_names
from grader.report.cell_labels import CellLabels
from grader.report.code_listing import highlight_code
from grader.report.markdown_html import render_markdown
from grader.report.student_report import picture_url
from grader.web.answer_index import IndexedSubmission
from grader.web.console import Visit
from grader.web.marking_queue import QueueItem
from grader.web.notebook_route import list_answers
from grader.web.page_rendering import render_page

MAX_OUTPUT = 20_000
"""Characters of one cell's output that are shown."""
MapText = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookCell:
    """One cell as it is shown: what it holds, what a fresh run did with it, what was saved."""

    index: int
    markdown: Markup | None
    code: Markup | None
    file: str = ""
    """The file that begins with this cell, where there are several."""
    run: CellRun | None = None
    """How the fresh run went; None where it is no code, or nothing was run."""
    error: str = ""
    output: str = ""
    """What the fresh run printed; what was saved where that was not kept."""
    saved_output: str = ""
    """What was saved, where the fresh run printed something else."""
    pictures: tuple[str, ...] = ()
    """Addresses of pictures of answers, drawn anew, that the text does not show."""
    left_out: int = 0
    """How many other pictures the cell has: only those of answers are stored for pages."""


def show_notebook(visit: Visit) -> Response:
    """Show a notebook, read-only; names in it are hidden while names are."""
    console = visit.console
    submissions = console.answer_index.by_code()
    codes = [submission.code for submission in submissions]
    if visit.path_params["code"] not in codes:
        raise HTTPException(404, "There is no such notebook.")
    position = codes.index(visit.path_params["code"])
    submission = submissions[position]
    graded, trace = console.book.graded(submission.name), console.book.trace(submission.name)
    hide = str if visit.session.names_shown else _hide_names(visit, graded)
    return render_page(
        visit,
        "notebook.html",
        number=position + 1,
        submission=submission,
        answers=list_answers(visit, submission),
        items={item.id: item for item in console.rubric.items},
        hide=hide,
        cells=tuple(_list_cells(graded, trace, hide)) if trace else (),
        labels=CellLabels(graded.record.cells),
        heard=trace is not None and trace.record.heard,
        back_to=_find_origin(visit, submission),
        on_route=visit.query_params.get("notebook") == submission.code,
        queue_filter=visit.queue_filter,
        team=submission.team_names if visit.session.names_shown else "",
    )


def _find_origin(visit: Visit, submission: IndexedSubmission) -> QueueItem | None:
    """Return the answer that the visitor came from."""
    answer = submission.answers.get(visit.query_params.get("from", ""))
    return visit.console.queue_item(answer.item, answer.code) if answer else None


def _hide_names(visit: Visit, graded: Graded) -> MapText:
    """Return what takes the names and ids of the class out of a text."""
    console = visit.console
    indexed = console.answer_index.submissions().values()
    students = (*mentioned_students(graded), *(s for each in indexed for s in each.students))
    identities = (
        Identity(records=(student,), replacement_name="[name]", replacement_id="[id]")
        for student in students
    )
    words = console.cache.get(("assignment words",), "", lambda: _own_words(visit))
    redactor = Redactor(identities, assignment_words=words)
    own_words = words_in_names(mentioned_students(graded))
    return lambda text: redactor.redact(text, own_words=own_words)


def _own_words(visit: Visit) -> frozenset[str]:
    """Return the assignment's words; without those of a reference that is not here any more."""
    try:
        return assignment_words(visit.console.rubric)
    except (GraderError, OSError):
        return assignment_words(visit.console.rubric, with_reference=False)


def _list_cells(graded: Graded, trace: Trace, hide: MapText) -> Iterator[NotebookCell]:
    runs = {run.index: run for run in trace.record.cells}
    files = {part.first: part.id for part in trace.notebook.parts}
    redrawn = _redrawn_pictures(graded, trace.notebook)
    for cell in trace.notebook.cells:
        run = runs.get(cell.index) if cell.kind == "code" else None
        shown = _show_cell(cell, hide=hide, redrawn=redrawn)
        if run is not None:
            shown = _add_run(shown, run, heard=trace.record.heard, hide=hide)
        yield replace(shown, file=files.get(cell.index, ""))


def _redrawn_pictures(graded: Graded, notebook: Notebook) -> Mapping[Picture, Picture]:
    """Return the pictures of answers, by what the file holds: no page shows a student's own bytes.

    They were drawn anew when the answers were found. Where it is not clear which is which, none is.
    """
    cells = {cell.index: cell for cell in notebook.cells}
    redrawn: dict[Picture, Picture] = {}
    for answer in graded.answers.values():
        own_cells = (cells[index] for index in answer.cells if index in cells)
        originals = dict.fromkeys(picture for cell in own_cells for picture in cell.images)
        if len(originals) == len(answer.images):
            redrawn.update(zip(originals, answer.images, strict=True))
    return redrawn


def _show_cell(cell: Cell, *, hide: MapText, redrawn: Mapping[Picture, Picture]) -> NotebookCell:
    """Return a cell as its file has it."""
    is_code, source = cell.kind == "code", hide(cell.source)
    urls = [picture_url(redrawn[each]) if each in redrawn else "" for each in cell.images]
    saved = "\n".join(text for text in (output.text.strip("\n") for output in cell.outputs) if text)
    markdown = None if is_code else render_markdown(number_pictures(source), pictures=urls)
    return NotebookCell(
        index=cell.index,
        markdown=markdown,
        code=highlight_code(source) if is_code else None,
        output=_cut(hide(saved)),
        pictures=tuple(url for url in urls if url and f'src="{url}"' not in (markdown or "")),
        left_out=urls.count(""),
    )


def _add_run(shown: NotebookCell, run: CellRun, *, heard: bool, hide: MapText) -> NotebookCell:
    """Return a cell with what a fresh run made of it, and what was saved where that differs."""
    saved, fresh = shown.output, _cut(hide(run.shown.strip("\n")))
    drawn = sum(kind.startswith("image/") for kind in run.media)
    return replace(
        shown,
        run=run,
        error=hide(run.error.traceback or run.error.message) if run.error else "",
        output=fresh if heard else saved,
        saved_output=saved if heard and saved.split() != fresh.split() else "",
        left_out=shown.left_out or max(drawn - len(shown.pictures), 0),
    )


def _cut(text: str) -> str:
    if len(text) <= MAX_OUTPUT:
        return text
    return f"{text[:MAX_OUTPUT]}\n… {len(text) - MAX_OUTPUT} more characters"
