"""Reads an .ipynb file that any program may have written, and notes what had to be repaired.

The few keys that matter here are read one by one instead of by nbformat: a damaged cell then costs
only itself, cells keep the ids that they have (nbformat draws new ones at random when it converts
an older format), and a hostile file is neither copied nor validated.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.errors import NotebookError
from grader.model import Cell, Json, Notebook, Picture
from grader.notebook.attachments import PictureCollector
from grader.notebook.decoding import decode_text, parse_json_object
from grader.notebook.saved_outputs import saved_outputs
from grader.notebook.submitted_file import read_submitted_file

MAX_CELLS = 2000
MAX_SOURCE = 5_000_000
"""The most characters of all cells together, without outputs: a million takes a second of work."""
MAX_NOTES = 50
MAX_FIGURES = 40
"""The most pictures of a notebook's outputs that are read."""
OLDEST_FORMAT, NEWEST_FORMAT = 2, 4
MAX_EXECUTION_COUNT = 10**9
"""An `execution_count` from this number on is taken for damage."""
CELL_KINDS = frozenset({"code", "markdown", "raw"})
_MAX_ID_LENGTH = 200
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) \S", re.MULTILINE)
"""Matches the lines that a merge of versions leaves in a cell."""


def read_notebook(path: Path, *, figures: bool = False, first: int = 0) -> Notebook:
    """Read a submitted file, whatever its name; the notebook may have no cells.

    Args:
        path: The file.
        figures: Whether to read the pictures in outputs of code, which only some answers need.
        first: Index of its first cell: so many empty cells stand for those of other notebooks.

    Raises:
        NotebookError: The file cannot be used as a notebook; the message says why.
    """
    data = read_submitted_file(path)
    notes: list[str] = []
    tree = parse_json_object(decode_text(data, notes=notes))
    figure_collector = PictureCollector(notes=notes, limit=MAX_FIGURES) if figures else None
    cells = _read_cells(tree, notes=notes, figures=figure_collector, first=first)
    kernel = _table(_table(tree.get("metadata")).get("kernelspec")).get("name")
    if isinstance(kernel, str) and kernel not in ("", "python3"):
        kernel_name = kernel.encode("ascii", "replace").decode()[:60]
        notes.append(f"The file asks for the kernel '{kernel_name}'; the grader's Python is used.")
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"There were {len(notes) - MAX_NOTES} more notes like these."]
    return Notebook(
        cells=(*pad_cells(first), *cells),
        sha256=hashlib.sha256(data).hexdigest(),
        notes=tuple(notes),
        without_figures=not figures,
    )


def pad_cells(count: int) -> tuple[Cell, ...]:
    """Return empty cells that stand for those of other notebooks, so that indexes hold."""
    return tuple(Cell(index=index, kind="raw", source="") for index in range(count))


def _read_cells(
    tree: dict[str, Json], *, notes: list[str], figures: PictureCollector | None, first: int
) -> tuple[Cell, ...]:
    """Read the cells of a notebook of any version from 2 to 4.5."""
    raw_cells = _raw_cells(tree, notes=notes)
    if len(raw_cells) > MAX_CELLS:
        raise NotebookError(
            f"The notebook has {len(raw_cells)} cells; at most {MAX_CELLS} are read."
        )
    collector = PictureCollector(notes=notes)
    cells = tuple(
        _read_cell(raw, index=index, collector=collector, figures=figures, notes=notes)
        for index, raw in enumerate(raw_cells, first)
    )
    if sum(len(cell.source) for cell in cells) > MAX_SOURCE:
        raise NotebookError(
            f"The text of all cells together is longer than {MAX_SOURCE:,} characters, the most "
            "that is read. Keep data in files, not in cells, and submit it again."
        )
    return cells


def _raw_cells(tree: dict[str, Json], *, notes: list[str]) -> list[Json]:
    """Return the list of cells as JSON, wherever this notebook format has it."""
    version = tree.get("nbformat")
    if isinstance(version, int) and not OLDEST_FORMAT <= version <= NEWEST_FORMAT:
        raise NotebookError(
            f"The notebook is in format {version}; "
            f"formats {OLDEST_FORMAT} to {NEWEST_FORMAT} are read. "
            "Open it in a current Jupyter, save it, and submit it again."
        )
    cells, worksheets = tree.get("cells"), tree.get("worksheets")
    if isinstance(cells, list):
        if not isinstance(version, int):
            notes.append("The file does not say its notebook format; format 4 was assumed.")
        return cells
    if isinstance(worksheets, list):
        assumed_format = version if isinstance(version, int) else NEWEST_FORMAT - 1
        notes.append(f"The notebook is in format {assumed_format} and was converted to format 4.")
        sheets = [sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict)]
        return [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    raise NotebookError(
        "The file holds JSON, but no notebook: it has no list of cells. "
        "Submit the .ipynb file itself."
    )


def _read_cell(
    raw: Json,
    *,
    index: int,
    collector: PictureCollector,
    figures: PictureCollector | None,
    notes: list[str],
) -> Cell:
    """Read a cell; an entry that is no cell becomes an empty raw cell, so that indexes hold."""
    if not isinstance(raw, dict):
        notes.append(f"Cell {index} is not a cell and was left empty.")
        return Cell(index=index, kind="raw", source="")
    kind = _cell_kind(raw, index=index, notes=notes)
    source = _cell_source(raw, index=index)
    images: tuple[Picture, ...] = ()
    if _CONFLICT.search(source):
        notes.append(
            f"Cell {index} has merge conflict marks (<<<<<<< and >>>>>>>) in it: two versions of "
            "it were merged, and nobody chose one."
        )
    if kind != "code":
        source, images = collector.extract_pictures(
            source, attachments=raw.get("attachments"), cell=index
        )
    elif figures is not None:
        images = figures.collect_outputs(raw.get("outputs"), cell=index)
    return Cell(
        index=index,
        kind=kind,
        source=source,
        tags=_cell_tags(raw),
        outputs=saved_outputs(raw.get("outputs"), cell=index, notes=notes)
        if kind == "code"
        else (),
        images=images,
        count=_execution_count(raw) if kind == "code" else None,
        ids=tuple(_cell_ids(raw)),
        is_locked=_is_locked(_table(_table(raw.get("metadata")).get("nbgrader"))),
    )


def _is_locked(metadata: Mapping[str, Json]) -> bool:
    """Return whether nbgrader gives a cell its own text again: tests always, answers never."""
    if metadata.get("solution") is True:
        return False
    return metadata.get("grade") is True or metadata.get("locked") is True


def _cell_kind(raw: dict[str, Json], *, index: int, notes: list[str]) -> str:
    kind = raw.get("cell_type")
    if isinstance(kind, str) and kind in CELL_KINDS:
        return kind
    if kind in ("heading", "html"):  # format 3
        return "markdown"
    guessed = "code" if "outputs" in raw else "raw"
    notes.append(f"Cell {index} is of no known kind and was read as a {guessed} cell.")
    return guessed


def _cell_source(raw: dict[str, Json], *, index: int) -> str:
    """Return the text of a cell with uniform line ends."""
    source = raw.get("source", raw.get("input"))
    if source is None:
        source = ""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        lacks_line_ends = len(source) > 1 and not any("\n" in ln or "\r" in ln for ln in source)
        source = ("\n" if lacks_line_ends else "").join(source)
    if not isinstance(source, str):
        raise NotebookError(
            f"The source of cell {index} is neither text nor a list of lines, so the file was "
            "damaged or written by hand. Open it in Jupyter, save it, and submit it again."
        )
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise NotebookError(
            f"Cell {index} holds half a character (a lone surrogate), which no program can save. "
            "Retype the emoji or symbol there, and submit it again."
        ) from error
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    level = raw.get("level")
    if raw.get("cell_type") == "heading":
        return "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1) + " " + source  # noqa: PLR2004 -- Markdown has six levels
    return source


def _cell_tags(raw: dict[str, Json]) -> tuple[str, ...]:
    metadata = _table(raw.get("metadata"))
    tags = metadata.get("tags")
    tag_list = [*(tags if isinstance(tags, list) else ())]
    if _table(metadata.get("otter")).get("ignore"):
        tag_list.append("otter_ignore")  # otter-grader takes either
    return tuple(tag for tag in tag_list if isinstance(tag, str) and tag.isprintable())


def _execution_count(raw: dict[str, Json]) -> int | None:
    """Return the number of a cell's last run; format 3 calls it `prompt_number`."""
    count = raw.get("execution_count", raw.get("prompt_number"))
    if not isinstance(count, int) or isinstance(count, bool):
        return None
    return count if 0 < count < MAX_EXECUTION_COUNT else None


def _cell_ids(raw: dict[str, Json]) -> Iterator[str]:
    """Yield the ids of a cell: nbformat's own, Colab's, nbgrader's, and otter's of its tests."""
    metadata = _table(raw.get("metadata"))
    grade_id = _table(metadata.get("nbgrader")).get("grade_id")
    tests = _table(metadata.get("otter")).get("tests")
    questions = [("otter", test) for test in tests] if isinstance(tests, list) else ()
    ids = (("id", raw.get("id")), ("colab", metadata.get("id")), ("nbgrader", grade_id), *questions)
    for kind, value in ids:
        if isinstance(value, str) and value.isprintable() and 0 < len(value) <= _MAX_ID_LENGTH:
            yield f"{kind}:{value}"


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
