"""Reads what was written for nbgrader: a notebook, an assignment's folder, a whole course."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grader.errors import UsageError
from grader.importing.imported_assignment import ImportedAssignment
from grader.importing.nbgrader_cells import NbgraderNotebook, read_nbgrader_notebook
from grader.importing.nbgrader_config import FILE_NAME, NbgraderConfig, find_config, read_config
from grader.importing.nbgrader_items import AssignmentReader
from grader.importing.test_writing import TestHead
from grader.model import Unsettled

HEADERS = frozenset({"header.ipynb", "footer.ipynb"})
AUTOTESTS_FILE = "autotests.yml"
_LEFT_OUT = frozenset({".ipynb_checkpoints", "__pycache__", ".git"})
MAX_FILE_BYTES = 100_000_000


def read_nbgrader(
    source: Path, *, assignment_id: str | None = None
) -> tuple[ImportedAssignment, ...]:
    """Return the assignments of a notebook, of an assignment's folder, or of a course.

    Raises:
        UsageError: There is nothing of nbgrader's, it is in another language, or several
            assignments can't have one id.
    """
    config = read_config(find_config(source if source.is_dir() else source.parent))
    if source.is_file():
        beside = _mentioned_files(source)
        return (_read([source], beside, config=config, assignment_id=assignment_id or source.stem),)
    folders = _assignment_folders(source, config)
    if not folders:
        raise UsageError(f"{source}: no notebook is in it, nor in a folder source/ of it")
    if assignment_id is not None and len(folders) > 1:
        names = ", ".join(folder.name for folder in folders)
        raise UsageError(f"{source}: --id names one assignment, and there are {names}")
    return tuple(
        _read(
            _notebooks_in(folder),
            _other_files(folder),
            config=config,
            assignment_id=assignment_id or folder.resolve().name,
        )
        for folder in folders
    )


def course_folder(source: Path) -> Path:
    """Return the folder of the course that a source is in: where its other folders lie."""
    folder = source if source.is_dir() else source.parent
    config = find_config(folder)
    if config is not None:
        return config.parent
    folder = folder.resolve()
    name = NbgraderConfig().source_folder
    return next((f.parent for f in (folder, *folder.parents) if f.name == name), folder)


def _assignment_folders(source: Path, config: NbgraderConfig) -> list[Path]:
    """Return the folders of the assignments, each with a notebook of its own."""
    inner = source / config.source_folder
    is_course = (source / FILE_NAME).is_file() or inner.is_dir()
    if not is_course and _notebooks_in(source):
        return [source]
    parent = inner if inner.is_dir() else source
    folders = sorted(path for path in parent.iterdir() if path.is_dir())
    holding = [
        folder for folder in folders if folder.name not in _LEFT_OUT and _notebooks_in(folder)
    ]
    return holding or ([source] if _notebooks_in(source) else [])


def _notebooks_in(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*.ipynb")) if path.name not in HEADERS]


def _other_files(folder: Path) -> dict[str, bytes]:
    """Return the files beside an assignment's notebooks, which every student gets."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".ipynb"
        and path.name not in {AUTOTESTS_FILE, FILE_NAME, ".DS_Store"}
        and _LEFT_OUT.isdisjoint(path.relative_to(folder).parts)
        and path.stat().st_size <= MAX_FILE_BYTES
    }


def _mentioned_files(notebook: Path) -> dict[str, bytes]:
    """Return the files beside a lone notebook whose names stand in it."""
    text = notebook.read_text(encoding="utf-8", errors="replace")
    return {
        name: data
        for name, data in _files_beside(notebook)
        if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)
    }


def _files_beside(notebook: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(notebook.parent.iterdir()):
        is_data = path.is_file() and path.suffix != ".ipynb" and path.name != AUTOTESTS_FILE
        if is_data and path.stat().st_size <= MAX_FILE_BYTES:
            yield path.name, path.read_bytes()


def _read(
    paths: Sequence[Path], files: dict[str, bytes], *, config: NbgraderConfig, assignment_id: str
) -> ImportedAssignment:
    notebooks = [read_nbgrader_notebook(path) for path in paths]
    header = _read_header(paths[0], config)
    head = TestHead()
    reader = AssignmentReader(config=config, head=head, several=len(notebooks) > 1)
    for notebook in notebooks:
        reader.read(notebook, header=header)
    if not reader.items:
        raise UsageError(
            f"{', '.join(str(path) for path in paths)}: no cell is worth points by nbgrader's "
            "metadata; is this what students were given?"
        )
    name = plain_id(assignment_id)
    parts = reader.notebooks
    if len(parts) == 1:
        parts = [replace(parts[0], id=name)]
    return ImportedAssignment(
        id=name,
        title=assignment_id,
        source="nbgrader",
        name_there=paths[0].resolve().parent.name,
        notebooks=tuple(parts),
        items=tuple(replace(i, notebook=name) if len(parts) == 1 else i for i in reader.items),
        test_head=head.text(),
        provided=files,
        blank=config.blank,
        unsettled=(*config.unsettled, *_autotest_remarks(paths[0], reader), *reader.unsettled),
    )


def _read_header(notebook: Path, config: NbgraderConfig) -> NbgraderNotebook | None:
    """Return the notebook whose cells begin every other, if the course has one."""
    folder = notebook.resolve().parent
    named = [f / config.header for f in (folder, *list(folder.parents)[:3]) if config.header]
    beside = [folder.parent / "header.ipynb"] if folder.parent.name == config.source_folder else []
    path = next((path for path in (*named, *beside) if path.is_file()), None)
    return read_nbgrader_notebook(path) if path else None


def _autotest_remarks(notebook: Path, reader: AssignmentReader) -> Iterator[Unsettled]:
    """Yield what a person must know where AUTOTEST is used with templates of the course's own."""
    if not reader.has_autotests:
        return
    folder = notebook.resolve().parent
    path = next(
        (p for f in (folder, *list(folder.parents)[:3]) if (p := f / AUTOTESTS_FILE).is_file()),
        None,
    )
    text = path.read_text(encoding="utf-8", errors="replace") if path else ""
    rounding = set(re.findall(r"round\(\s*\{\{\s*snippet\s*\}\}\s*,\s*(\d+)", text))
    if rounding - {"2"}:
        yield Unsettled(
            file=AUTOTESTS_FILE,
            text=f"its templates round to {', '.join(sorted(rounding))} digits; here it is 2",
        )


def plain_id(name: str) -> str:
    """Return a name as an id here: letters, digits and . _ -."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "assignment"
    return plain[:64]
