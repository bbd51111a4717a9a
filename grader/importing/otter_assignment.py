"""Makes an assignment of a master notebook of otter-grader's, and of the files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.errors import UsageError
from grader.importing.imported_assignment import ImportedAssignment
from grader.importing.nbgrader_source import plain_id
from grader.importing.otter_archive import MAX_ENTRY_BYTES
from grader.importing.otter_items import QuestionReader
from grader.importing.otter_marks import with_variable
from grader.importing.otter_master import MasterNotebook, read_master
from grader.importing.otter_options import OtterOptions, unknown_keys
from grader.importing.otter_source import code_sources, make_reader, names_file, with_given
from grader.importing.test_writing import TestHead
from grader.model import Unsettled

_OPTIONS = ("name", "manual", "points", "check_cell", "export", "all_or_nothing")
_TESTS_KEYS = ("files", "ok_format", "url_prefix")
_RESERVED = frozenset({"tests.py", "checks.py", "cases", "provided", "withheld"})
"""Names beside `tests.py` that mean something here."""
Files = dict[str, bytes]


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
    head = TestHead()
    reader = make_reader(name, solved, head)
    _read_questions(master, reader, file=path.name)
    if not reader.items:
        raise UsageError(f"{path}: no question of it is worth points")
    options = _read_options(master, path)
    if options.seed_variable and (given := _student_value(master)) is not None:
        solved = with_variable(solved, options.seed_variable, given)
    provided, withheld, beside_tests = _listed_files(master, path.parent, reader)
    left_out = ", ".join(sorted(options.left_out))
    return ImportedAssignment(
        id=name,
        title=str(master.config.get("name") or name),
        source="otter",
        notebooks=(with_given(name, solved),),
        items=tuple(reader.items),
        test_head=head.text(),
        test_files=beside_tests,
        provided=provided,
        withheld=withheld,
        cell_seed=options.seed,
        seed_variable=options.seed_variable,
        unsettled=(
            *(Unsettled(file=path.name, cell=cell, text=text) for cell, text in master.problems),
            *reader.unsettled,
            *options.unsettled,
        ),
        left_out=(f"no score depends on {left_out}: left out",) if left_out else (),
    )


def _read_questions(master: MasterNotebook, reader: QuestionReader, *, file: str) -> None:
    for question in master.questions:
        name, cell = question.name, question.cell
        if question.cases:
            reader.read(question.test(), file=file, cell=cell)
            if question.is_manual:
                reader.tell(file, f"{name}: a person marks it, too: add an item", cell=cell)
        elif question.is_manual:
            reader.add_manual(question)
        elif question.options.get("points"):
            reader.tell(file, f"{name}: it has points, and nothing that gives them", cell=cell)
        for text in unknown_keys(question.options, *_OPTIONS):
            reader.tell(file, f"{name}: {text} was left out", cell=cell)


def _read_options(master: MasterNotebook, path: Path) -> OtterOptions:
    options = OtterOptions(file=path.name)
    options.read_master(master.config)
    tests = master.config.get("tests")
    for text in unknown_keys(tests, *_TESTS_KEYS) if isinstance(tests, dict) else ():
        options.tell(f"tests: {text} was left out")
    requirements = master.config.get("requirements")
    if isinstance(requirements, list):
        options.read_requirements(map(str, requirements), file=path.name)
    elif isinstance(requirements, str) and (text := _read_text(path, requirements, options)):
        options.read_requirements(text.splitlines(), file=requirements)
    environment = master.config.get("environment")
    if isinstance(environment, str) and (text := _read_text(path, environment, options)):
        options.read_environment(text, file=environment)
    return options


def _read_text(path: Path, name: str, options: OtterOptions) -> str:
    file = path.parent / name
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        options.tell("the configuration names it, and it could not be read", file=name)
        return ""


def _student_value(master: MasterNotebook) -> int | None:
    """Return the seed that students are given in the place of the autograder's."""
    seed = master.config.get("seed")
    value = seed.get("student_value") if isinstance(seed, dict) else None
    return value if isinstance(value, int) else None


def _listed_files(
    master: MasterNotebook, folder: Path, reader: QuestionReader
) -> tuple[Files, Files, Files]:
    """Return the files that the configuration lists: given, withheld, and beside the tests.

    Of those that students don't get, what the notebook names lies beside notebooks when they are
    graded, and what tests alone may read lies where no notebook reads it.
    """
    provided = dict(_read_files(master, "files", folder, reader))
    sources = code_sources(master.solved())
    withheld: Files = {}
    beside_tests: Files = {}
    for name, data in _read_files(master, "autograder_files", folder, reader):
        if name in provided:
            continue
        parts = name.split("/")
        is_ours = parts[0] in _RESERVED or name.endswith(".toml")
        named = names_file(sources, name) or any(part in "\n".join(sources) for part in parts[:-1])
        (withheld if is_ours or named else beside_tests)[name] = data
    listed = master.config.get("student_files")
    for name in map(str, listed if isinstance(listed, list) else ()):
        reader.tell(name, "students make it, and tests that need it find none with the reference")
    return provided, withheld, beside_tests


def _read_files(
    master: MasterNotebook, key: str, folder: Path, reader: QuestionReader
) -> Iterator[tuple[str, bytes]]:
    """Yield the files that an option lists, by path; those of a folder one by one."""
    listed = master.config.get(key)
    for name in listed if isinstance(listed, list) else ():
        path = folder / str(name)
        inside = path.resolve().is_relative_to(folder.resolve())
        paths = [path] if path.is_file() else sorted(path.rglob("*"))
        if not inside or not any(file.is_file() for file in paths):
            reader.tell(str(name), f"{key} names it, and it is not there")
            continue
        for file in paths:
            if file.is_file() and file.stat().st_size > MAX_ENTRY_BYTES:
                reader.tell(str(name), f"{file.name} is too large, and was left out")
            elif file.is_file():
                yield file.relative_to(folder).as_posix(), file.read_bytes()
