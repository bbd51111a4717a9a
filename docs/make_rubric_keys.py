"""Writes docs/rubric.md from the records of a rubric file; `--check` only compares."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from generated_page import write_or_compare

from grader.model.assignment import (
    CheckSpec,
    Criterion,
    Item,
    Limits,
    Marking,
    NotebookSpec,
    Notice,
    Unsettled,
)
from grader.rubric.rubric_tables import AssignmentTable, LateTable

PAGE = Path(__file__).parent / "rubric.md"
TOP = """# The keys of a rubric

Made from the records by `make docs`; a test holds it current. A rubric is `rubrics/<id>.toml`:
`schema = 1`, then these tables. A key that is not listed is refused, with the nearest that is.
[authoring.md](authoring.md) walks the way from an empty folder to a tested assignment,
[checks.md](checks.md) lists the checks and their parameters.
"""
TABLES: Mapping[str, type] = {
    "[assignment]": AssignmentTable,
    "[limits]": Limits,
    "[late]": LateTable,
    "[[notice]]": Notice,
    "[marking]": Marking,
    "[[notebook]]": NotebookSpec,
    "[[item]]": Item,
    "[[item.check]]": CheckSpec,
    "[[item.criterion]]": Criterion,
    "[[unsettled]]": Unsettled,
}
NESTED = {"checks", "criteria"}
"""Fields of an item that are tables of their own."""
KINDS = {
    "Id": "id (letters, digits and . _ -)",
    "Name": "name in Python",
    "Module": "module",
    "OptionalText": "text",
    "RequiredText": "text",
    "str": "text",
    "bool": "true or false",
    "int": "whole number",
    "Points": "points",
    "SignedPoints": "points, below 0 to take some",
    "Seconds": "seconds",
    "Moment": "day, or day and time",
    "Pattern": "regular expression",
    "Blank": "Python in one line, or a comment",
    "CheckCode": "code of a check",
    "CheckParams": "table",
    "ItemKind": '"auto" or "written"',
    "AnswerKind": '"text", "code" or "any"',
    "Retired": '"kept" or "dropped"',
    "ItemSource": '"handout" or "course"',
}


def page() -> str:
    """Return the whole page."""
    return "\n".join([TOP, *(section(title, record) for title, record in TABLES.items())])


def section(title: str, record: type) -> str:
    """Return the table of one record's keys."""
    text = inspect.cleandoc(record.__doc__ or "").replace(f": `{title}`", "")
    text = text.removeprefix(f"`{title}`: ")
    lines = [f"## `{title}`", "", text[0].upper() + text[1:], ""]
    lines += ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    fields = {field.name: field for field in dataclasses.fields(record)}
    for name, kind, meaning in described_fields(record):
        if name not in NESTED or record is not Item:
            lines.append(f"| `{name}` | {kind} | {default(fields[name])} | {meaning} |")
    return "\n".join([*lines, ""])


def described_fields(record: type) -> Iterator[tuple[str, str, str]]:
    """Yield each field's name, kind of value and docstring."""
    module = ast.parse(inspect.getsource(record))
    body = [node for outer in module.body for node in ast.iter_child_nodes(outer)]
    for statement, behind in pairwise([*body, None]):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = behind.value if isinstance(behind, ast.Expr) else None
            meaning = str(text.value) if isinstance(text, ast.Constant) else ""
            yield statement.target.id, kind_of(statement.annotation), " ".join(meaning.split())


def kind_of(annotation: ast.expr) -> str:
    """Return what a value of this annotation is, for course staff."""
    match annotation:
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[first, _])):
            return f"list: {kind_of(first)}"
        case ast.Subscript(value=ast.Name(id="Literal"), slice=ast.Tuple(elts=words)):
            return " or ".join(f'"{ast.literal_eval(word)}"' for word in words)
        case (
            ast.BinOp(left=first)
            | ast.Subscript(  # ... or None
                value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[first, *_])
            )
        ):
            return kind_of(first)
    return KINDS.get(ast.unparse(annotation), "table")


def default(field: dataclasses.Field[object]) -> str:
    """Return a field's default in TOML's words."""
    value = field.default
    if value is dataclasses.MISSING:
        return "needed"
    if value is None or value in ("", ()):
        return ""
    words = {True: "true", False: "false"}
    return f"`{words[value] if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.exit(write_or_compare(PAGE, page()))
