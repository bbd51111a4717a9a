"""Reads what is otter-grader's: an autograder's zip, a notebook with tests, a master notebook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path, PurePosixPath

from grader.authoring.editable_notebook import EditableNotebook
from grader.authoring.mutation_operators import imported_modules, make_edits
from grader.errors import UsageError
from grader.importing import cell_code
from grader.importing.imported_assignment import (
    ImportedAssignment,
    ImportedItem,
    ImportedNotebook,
)
from grader.importing.nbgrader_source import plain_id
from grader.importing.otter_archive import read_archive
from grader.importing.otter_items import QuestionReader
from grader.importing.otter_options import (
    CONFIG,
    ENVIRONMENT,
    REQUIREMENTS,
    OtterOptions,
    read_config,
)
from grader.importing.otter_solution import SolvedNotebook, read_solution
from grader.importing.otter_tests import OtterTest, read_test
from grader.importing.test_writing import NotebookNames, TestHead, TestWriter
from grader.model import Unsettled

_SCRIPTS = frozenset({"run_autograder", "run_otter.py", "setup.sh"})
"""What starts an autograder elsewhere."""


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
    files = read_archive(path)
    config = read_config(_decode(files.get(CONFIG, b"{}")), file=CONFIG)
    if str(config.get("lang", "python")).lower() not in {"python", "py"}:
        raise UsageError(f"{path}: it grades {config['lang']}; only Python is graded here")
    if any(name.endswith((".R", ".Rmd", ".r")) for name in files if name.startswith("tests/")):
        raise UsageError(f"{path}: its tests are in R; only Python is graded here")
    solved = read_solution(solution)
    name = plain_id(assignment_id or solution.stem)
    head = TestHead()
    reader = make_reader(name, solved.notebook, head)
    for file, test in _read_tests(files, reader):
        reader.read(test, file=file)
    if not reader.items:
        raise UsageError(f"{path}: no tests are in it")
    known = {item.id for item in reader.items}
    for test in solved.tests:
        if test.name not in known:
            reader.tell(solution.name, f"{test.name}: it has tests here, and none in the zip")
    options = OtterOptions(file=CONFIG)
    options.read_autograder(config)
    options.read_requirements(_lines(files.get(REQUIREMENTS, b"")), file=REQUIREMENTS)
    options.read_environment(_decode(files.get(ENVIRONMENT, b"")))
    provided, withheld = _sort_files(files, notebook=solved.notebook, reader=reader)
    return ImportedAssignment(
        id=name,
        title=str(config.get("assignment_name") or name),
        source="otter",
        notebooks=(with_given(name, solved.notebook),),
        items=(*reader.items, *_take_manual(solved, reader, file=solution.name)),
        test_head=head.text(),
        provided=provided,
        withheld=withheld,
        cell_seed=options.seed,
        seed_variable=options.seed_variable,
        unsettled=(*reader.unsettled, *options.unsettled, *_unknown_files(files)),
        left_out=tuple(_notes(options, withheld)),
    )


def read_tested_notebook(
    path: Path, *, solution: Path | None = None, assignment_id: str | None = None
) -> ImportedAssignment:
    """Return the assignment of a notebook with tests in its metadata, as `otter assign` writes it.

    Args:
        path: The notebook with the tests.
        solution: A solved notebook; without it the same one.
        assignment_id: Its id here; without it the notebook's name.

    Raises:
        UsageError: A test in it is none.
    """
    tested = read_solution(path)
    solved = read_solution(solution) if solution is not None else tested
    name = plain_id(assignment_id or path.stem)
    head = TestHead()
    reader = make_reader(name, solved.notebook, head)
    for test in tested.tests:
        reader.read(test, file=path.name)
    return ImportedAssignment(
        id=name,
        title=name,
        source="otter",
        notebooks=(with_given(name, solved.notebook),),
        items=(*reader.items, *_take_manual(solved, reader, file=path.name)),
        test_head=head.text(),
        unsettled=tuple(reader.unsettled),
    )


def make_reader(name: str, notebook: EditableNotebook, head: TestHead) -> QuestionReader:
    """Return what reads the questions of a solved notebook."""
    names = NotebookNames.from_sources(code_sources(notebook))
    return QuestionReader(notebook=name, writer=TestWriter(names=names, head=head))


def code_sources(notebook: EditableNotebook) -> list[str]:
    """Return the code of a notebook's cells that are Python."""
    return [
        cell.source
        for cell in notebook.cells
        if cell.kind == "code" and cell_code.parse_cell(cell.source)
    ]


def names_file(sources: Iterable[str], path: str) -> bool:
    """Return whether code names a file, or imports it."""
    text = "\n".join(sources)
    name = PurePosixPath(path)
    if name.suffix == ".py" and re.search(rf"\bimport\b.*\b{re.escape(name.stem)}\b", text):
        return True
    is_imported = rf"\bfrom\s+[\w.]*\b{re.escape(name.stem)}\s+import\b"
    return name.name in text or (name.suffix == ".py" and bool(re.search(is_imported, text)))


def _take_manual(
    solved: SolvedNotebook, reader: QuestionReader, *, file: str
) -> Iterator[ImportedItem]:
    """Yield an item for each part of the notebook that has no tests: a person marks it."""
    for part in solved.manual:
        if not part.checks:
            if part.points is None:
                reader.tell(
                    file,
                    f"{part.name}: a person marks it; its name and its points are nowhere, so it "
                    "is called so, and worth 1",
                    cell=part.cell,
                )
            yield ImportedItem(
                id=part.name,
                title=part.name,
                points=Fraction(1) if part.points is None else part.points,
                kind="written",
                notebook=reader.notebook,
                answer=part.answer,
                prompt=part.prompt,
                good_answer="\n\n".join(part.solution),
            )


def _sort_files(
    files: Mapping[str, bytes], *, notebook: EditableNotebook, reader: QuestionReader
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files beside notebooks that students get, and those that they don't.

    The zip does not say which is which: who solves the notebook needs what it names.
    """
    provided: dict[str, bytes] = {}
    withheld: dict[str, bytes] = {}
    sources = code_sources(notebook)
    for entry, data in files.items():
        if not entry.startswith("files/"):
            continue
        name = entry.removeprefix("files/")
        if name.endswith(".ipynb"):
            reader.tell(entry, "a notebook beside students' notebooks was left out")
        elif names_file(sources, name):
            provided[name] = data
        else:
            withheld[name] = data
    return provided, withheld


def _notes(options: OtterOptions, withheld: Mapping[str, bytes]) -> Iterator[str]:
    """Yield sentences on what was left out, or kept from students."""
    if options.left_out:
        yield f"no score depends on {_list(options.left_out)}: left out"
    if withheld:
        yield (
            f"the notebook does not name {_list(withheld)}: they are there when notebooks are "
            "graded, and students do not get them (withheld/)"
        )


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _unknown_files(files: Mapping[str, bytes]) -> Iterator[Unsettled]:
    """Yield the files of a zip that nobody reads."""
    known = {CONFIG, REQUIREMENTS, ENVIRONMENT, *_SCRIPTS}
    for name in files:
        is_test = re.fullmatch(r"tests/[^/]+\.py", name) is not None
        if name not in known and not is_test and not name.startswith("files/"):
            yield Unsettled(file=name, text="it is not a file of an autograder's, and was left out")


def _decode(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _lines(data: bytes) -> list[str]:
    return _decode(data).splitlines()


def _read_tests(
    files: Mapping[str, bytes], reader: QuestionReader
) -> Iterator[tuple[str, OtterTest]]:
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


def with_given(name: str, notebook: EditableNotebook) -> ImportedNotebook:
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
