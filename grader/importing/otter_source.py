"""Reads what otter-grader generated: an autograder's zip, beside a solved notebook."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from grader.authoring.editable_notebook import EditableNotebook, read_editable_notebook
from grader.authoring.mutation_operators import imported_modules, make_edits
from grader.errors import UsageError
from grader.importing import cell_code
from grader.importing.imported_assignment import ImportedAssignment, ImportedNotebook
from grader.importing.nbgrader_source import plain_id
from grader.importing.otter_items import QuestionReader
from grader.importing.otter_master import MasterNotebook, read_master
from grader.importing.otter_tests import OtterTest, read_test
from grader.importing.test_writing import NotebookNames, TestHead, TestWriter
from grader.model import Unsettled

MAX_ENTRY_BYTES = 100_000_000
MAX_ENTRIES = 2_000
CONFIG = "otter_config.json"


def read_autograder(
    path: Path, *, solution: Path, assignment_id: str | None = None
) -> ImportedAssignment:
    """Return the assignment of an autograder's zip.

    Args:
        path: What `otter assign` or `otter generate` made.
        solution: The solved notebook, which passes its tests.
        assignment_id: Its id here; without it the solution's name.

    Raises:
        UsageError: It is none, or for R.
    """
    files = _read_zip(path)
    config = json.loads(files.get(CONFIG, b"{}") or b"{}")
    if str(config.get("lang", "python")).lower() not in {"python", "py"}:
        raise UsageError(f"{path}: it grades {config['lang']}; only Python is graded here")
    if any(name.endswith((".R", ".Rmd", ".r")) for name in files if name.startswith("tests/")):
        raise UsageError(f"{path}: its tests are in R; only Python is graded here")
    notebook = read_editable_notebook(solution)
    sources = [
        cell.source
        for cell in notebook.cells
        if cell.kind == "code" and cell_code.parse_cell(cell.source)
    ]
    name = assignment_id or solution.stem
    head = TestHead()
    reader = QuestionReader(
        notebook=name, writer=TestWriter(names=NotebookNames.from_sources(sources), head=head)
    )
    for file, test in _read_tests(files, reader):
        reader.read(test, file=file)
    if not reader.items:
        raise UsageError(f"{path}: no tests are in it")
    provided = {
        name.removeprefix("files/"): data
        for name, data in files.items()
        if name.startswith("files/") and not name.endswith(".ipynb")
    }
    return ImportedAssignment(
        id=name,
        title=name,
        source="otter",
        notebooks=(_with_given(name, notebook),),
        items=tuple(reader.items),
        test_head=head.text(),
        provided=provided,
        unsettled=(*reader.unsettled, *_unread_options(config)),
    )


def read_master_assignment(path: Path, *, assignment_id: str | None = None) -> ImportedAssignment:
    """Return the assignment of a master notebook.

    Args:
        path: The notebook that `otter assign` would take.
        assignment_id: Its id here; without it the notebook's name.

    Raises:
        UsageError: It is none, or for R, or in the format before version 5.
    """
    if path.suffix.lower() in {".rmd", ".qmd"}:
        raise UsageError(f"{path}: it is R Markdown; only notebooks of Python are graded here")
    master = read_master(path)
    name = plain_id(assignment_id or path.stem)
    solved = master.solved()
    sources = [
        cell.source
        for cell in solved.cells
        if cell.kind == "code" and cell_code.parse_cell(cell.source)
    ]
    head = TestHead()
    writer = TestWriter(names=NotebookNames.from_sources(sources), head=head)
    reader = QuestionReader(notebook=name, writer=writer)
    for question in master.questions:
        if question.cases:
            reader.read(question.test(), file=path.name)
            if question.is_manual:
                reader.tell(path.name, f"{question.name}: a person marks it, too: add an item")
        elif question.is_manual:
            reader.add_manual(question)
        elif question.options.get("points"):
            reader.tell(path.name, f"{question.name}: it has points, and nothing that gives them")
    if not reader.items:
        raise UsageError(f"{path}: no question of it is worth points")
    generated = master.config.get("generate")
    options = generated if isinstance(generated, dict) else {}
    return ImportedAssignment(
        id=name,
        title=str(master.config.get("name") or name),
        source="otter",
        notebooks=(_with_given(name, solved),),
        items=tuple(reader.items),
        test_head=head.text(),
        provided=dict(_listed_files(master, path.parent, reader)),
        unsettled=(
            *(Unsettled(file=path.name, cell=cell, text=text) for cell, text in master.problems),
            *reader.unsettled,
            *_unread_options({**master.config, **options}),
        ),
    )


def _listed_files(
    master: MasterNotebook, folder: Path, reader: QuestionReader
) -> Iterator[tuple[str, bytes]]:
    """Yield the files that the configuration lists, by path; those of a folder one by one."""
    for key in ("files", "autograder_files"):
        listed = master.config.get(key)
        for name in listed if isinstance(listed, list) else ():
            path = folder / str(name)
            inside = path.resolve().is_relative_to(folder.resolve())
            paths = [path] if path.is_file() else sorted(path.rglob("*"))
            if not inside or not any(file.is_file() for file in paths):
                reader.tell(str(name), f"{key} names it, and it is not there")
                continue
            if key != "files":
                reader.tell(str(name), "students got it from nobody, and now they get it: see docs")
            for file in paths:
                if file.is_file() and file.stat().st_size <= MAX_ENTRY_BYTES:
                    yield file.relative_to(folder).as_posix(), file.read_bytes()


def _read_zip(path: Path) -> dict[str, bytes]:
    """Return the files of an archive, by name."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_ENTRIES or any(e.file_size > MAX_ENTRY_BYTES for e in entries):
                raise UsageError(f"{path}: it holds more than an autograder does")
            return {
                entry.filename: archive.read(entry)
                for entry in entries
                if ".." not in PurePosixPath(entry.filename).parts
                and not entry.filename.startswith("/")
            }
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: it is no autograder's zip ({error})") from error


def _read_tests(files: dict[str, bytes], reader: QuestionReader) -> Iterator[tuple[str, OtterTest]]:
    """Yield the tests of the zip, in the order of their names, numbers by size."""
    names = [n for n in files if re.fullmatch(r"tests/[^/]+\.py", n) and n != "tests/__init__.py"]
    for file in sorted(names, key=_by_number):
        try:
            text = files[file].decode("utf-8")
            yield file, read_test(text, name=PurePosixPath(file).stem)
        except (UnicodeDecodeError, UsageError) as error:
            reader.tell(file, f"it was not understood ({error})")


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _with_given(name: str, notebook: EditableNotebook) -> ImportedNotebook:
    """Return the solved notebook: code without a question above it is given, and not asked for."""
    modules = frozenset(
        module
        for cell in notebook.cells
        if cell.kind == "code" and cell_code.parse_cell(cell.source)
        for module in imported_modules(cell.source)
    )
    given = tuple(
        cell.id
        for cell in notebook.cells
        if cell.kind == "code"
        and re.search(r"\botter\b|\bgrader\.", cell.source)
        and make_edits(cell.source, modules=modules)
    )
    return ImportedNotebook(id=name, notebook=notebook, given=given)


def _unread_options(config: dict[str, object]) -> Iterator[Unsettled]:
    """Yield the options of the autograder that change points, and have no counterpart here."""
    for key in ("points_possible", "score_threshold", "plugins", "grade_from_log", "seed"):
        if config.get(key):
            yield Unsettled(file=CONFIG, text=f"{key} = {json.dumps(config[key])} was left out")
