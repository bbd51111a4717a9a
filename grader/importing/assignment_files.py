"""Writes an imported assignment as ours: rubric, tests, solved notebooks and the files beside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from grader.authoring.new_assignment import default_value
from grader.errors import UsageError
from grader.importing.imported_assignment import ImportedAssignment, ImportedItem, ImportedTest
from grader.model import DEFAULT_BLANK

TESTS_FILE = "tests.py"


def write_assignment(assignment: ImportedAssignment, *, root: Path) -> tuple[Path, ...]:
    """Write the files of an imported assignment, and return their paths.

    Args:
        assignment: What was read.
        root: The folder that holds `rubrics/` and `reference/`, or is to hold them.

    Raises:
        UsageError: There is something of the assignment already, or it can't be written.
    """
    files = compose_files(assignment, default=default_value(root))
    existing = [str(root / path) for path in files if (root / path).exists()]
    if existing:
        raise UsageError(f"{', '.join(existing)}: there already; nothing was changed")
    try:
        for path, data in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{error.filename}: cannot be written ({error.strerror})") from error
    return tuple(root / path for path in files)


def compose_files(assignment: ImportedAssignment, *, default: str) -> Mapping[str, bytes]:
    """Return the contents of the files, by the path below the folder."""
    folder = f"rubrics/{assignment.id}"
    rubric = "\n".join(_rubric_lines(assignment, default=default)) + "\n"
    files = {rubric_path(assignment): rubric.encode()}
    if any(test.form == "function" for item in assignment.items for test in item.tests):
        files[f"{folder}/{TESTS_FILE}"] = compose_tests(assignment).encode()
    for notebook, path in zip(assignment.notebooks, reference_paths(assignment), strict=True):
        files[path] = notebook.notebook.to_json().encode()
    files |= {f"{folder}/{name}": data for name, data in assignment.test_files.items()}
    files |= {f"{folder}/provided/{name}": data for name, data in assignment.provided.items()}
    files |= {f"{folder}/withheld/{name}": data for name, data in assignment.withheld.items()}
    for notebook, part in zip(assignment.notebooks, _plan_folders(assignment), strict=True):
        if notebook.given:
            files[f"{folder}/{part}mutants.toml"] = _given_tables(notebook.given).encode()
    return files


def rubric_path(assignment: ImportedAssignment) -> str:
    """Return the path of the rubric, below the folder of the course."""
    return f"rubrics/{assignment.id}.toml"


def _plan_folders(assignment: ImportedAssignment) -> list[str]:
    if len(assignment.notebooks) == 1:
        return [""]
    return [f"{notebook.id}/" for notebook in assignment.notebooks]


def reference_paths(assignment: ImportedAssignment) -> tuple[str, ...]:
    """Return the paths of the solved notebooks, below the folder of the course."""
    if len(assignment.notebooks) == 1:
        return (f"reference/{assignment.id}.ipynb",)
    return tuple(f"reference/{assignment.id}/{part.id}.ipynb" for part in assignment.notebooks)


def compose_tests(assignment: ImportedAssignment) -> str:
    """Return the text of `tests.py`: its head, and each function once."""
    functions = dict.fromkeys(
        test.code.strip("\n")
        for item in assignment.items
        for test in item.tests
        if test.form == "function"
    )
    head = f'"""Tests of {assignment.id}, as they were imported: see docs/tests.md."""'
    parts = [head, *([assignment.test_head.strip("\n")] if assignment.test_head.strip() else [])]
    return "\n\n".join(parts) + "\n\n\n" + "\n\n\n".join(functions) + "\n"


# ---------------------------------------------------------------- the rubric


def _rubric_lines(assignment: ImportedAssignment, *, default: str) -> Iterator[str]:
    paths = reference_paths(assignment)
    yield from _assignment_lines(assignment, paths=paths, default=default)
    if len(paths) > 1:
        for part, path in zip(assignment.notebooks, paths, strict=True):
            yield from ("", "[[notebook]]", f"id = {quote(part.id)}", f"reference = {quote(path)}")
    for entry in assignment.unsettled:
        yield from ("", "[[unsettled]]", f"file = {quote(entry.file)}")
        yield from (f"cell = {quote(entry.cell)}", f"text = {quote(entry.text)}")
    for item in assignment.items:
        yield from _item_lines(item, has_notebooks=len(paths) > 1)


def _assignment_lines(
    assignment: ImportedAssignment, *, paths: tuple[str, ...], default: str
) -> Iterator[str]:
    yield f"# {assignment.id}: imported by `grade import`; every key: docs/rubric.md."
    yield ""
    yield "schema = 1"
    yield ""
    yield "[assignment]"
    yield f"id = {quote(assignment.id)}"
    yield f"title = {quote(assignment.title)}"
    yield f"total = {_number(sum((i.points for i in assignment.items), Fraction(0)))}"
    yield f"default = {default}"
    yield f"imported_from = {quote(assignment.source)}"
    if len(paths) == 1:
        yield f"reference = {quote(paths[0])}"
    if assignment.seed is not None:
        yield f"seed = {assignment.seed}"
    if assignment.cell_seed is not None:
        yield f"cell_seed = {assignment.cell_seed}"
    if assignment.seed_variable:
        yield f"seed_variable = {quote(assignment.seed_variable)}"
    if assignment.provided:
        yield f"provided = {quote(f'rubrics/{assignment.id}/provided')}"
    if assignment.blank != DEFAULT_BLANK:
        yield f"blank = {quote(assignment.blank)}"


def _item_lines(item: ImportedItem, *, has_notebooks: bool) -> Iterator[str]:
    yield from ("", "[[item]]", f"id = {quote(item.id)}", f"title = {quote(item.title)}")
    if has_notebooks:
        yield f"notebook = {quote(item.notebook)}"
    yield f"points = {_number(item.points)}"
    yield f"kind = {quote(item.kind)}"
    yield 'source = "handout"'
    if item.prompt:
        yield f"prompt = {_quote_lines(item.prompt)}"
    if item.answer != "text":
        yield f"answer = {quote(item.answer)}"
    if item.untouched:
        yield f"untouched = {quote(item.untouched)}"
    if item.good_answer:
        yield f"good_answer = {_quote_lines(item.good_answer)}"
    for test in item.tests:
        yield from _check_lines(test)


def _check_lines(test: ImportedTest) -> Iterator[str]:
    is_function = test.form == "function"
    yield from ("", "[[item.check]]", f"code = {quote('TST001' if is_function else 'VAL001')}")
    yield f"points = {_number(test.points)}"
    if test.public:
        yield "public = true"
    if test.ask:
        yield f"ask = {quote(test.ask)}"
    if test.needs:
        yield f"needs = [{', '.join(map(quote, test.needs))}]"
    key, value = ("test", test.name) if is_function else ("ask", test.code)
    params = [
        f"{key} = {quote(value)}",
        *([f"says = {quote(test.says)}"] if test.says else []),
    ]
    params += [f"success = {quote(test.success)}"] if test.success else []
    params += [f"at = {quote(test.at)}"] if test.at else []
    params += [f"digits = {test.digits}"] if test.digits is not None else []
    yield f"params = {{ {', '.join(params)} }}"


def _given_tables(cells: Iterable[str]) -> str:
    tables = (
        f'[[given]]\ncell = {quote(cell)}\nline = "*"\nwhy = "It is given, and not asked for."\n'
        for cell in cells
    )
    return "# Code that nobody is asked to write.\n\n" + "\n".join(tables)


def _number(points: Fraction) -> str:
    decimal = repr(float(points))
    if points.denominator == 1:
        return str(points.numerator)
    return decimal if Fraction(decimal) == points else quote(str(points))


def quote(text: str) -> str:
    """Return a text as TOML writes it in one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _quote_lines(text: str) -> str:
    """Return a text of several lines as TOML writes it, readably."""
    lines = (quote(line)[1:-1].replace("\\t", "\t") for line in text.strip().split("\n"))
    return '"""\n' + "\n".join(lines) + '"""'
