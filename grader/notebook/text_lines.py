"""Lays a notebook out as lines of text, with the handout's code as walls between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.model import Cell, Notebook
from grader.notebook.handout import Handout
from grader.notebook.markdown_words import visible_lines
from grader.notebook.student_code import is_blank, parse_source

_MAX_TEXT = 300_000
_MAY_BE_STRING = re.compile(r"(?:\s+|#[^\n]*\n|\\\n)*+[rRuUbBfF]{0,2}[\"'(]")
"""How a cell begins that holds nothing but a string; only such a cell is parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A line of text; a wall is a cell of the handout's code, which ends every answer."""

    cell: int
    text: str
    ends_answer: bool = False


def text_lines(notebook: Notebook, *, handout: Handout) -> list[TextLine]:
    """The lines that may hold prompts and answers.

    Args:
        notebook: The notebook.
        handout: What is the handout's.

    Returns:
        The lines of its text cells, and of code cells that hold only comments or a string.
    """
    lines: list[TextLine] = []
    remaining = _MAX_TEXT
    for cell in notebook.cells:
        for line in _cell_lines(cell, handout=handout):
            remaining -= len(line.text) + 1
            if remaining < 0:
                return lines
            lines.append(line)
    return lines


def _cell_lines(cell: Cell, *, handout: Handout) -> Iterator[TextLine]:
    if cell.kind != "code":
        texts = visible_lines(cell.source)
    else:
        texts = _prose_in_code(cell, handout=handout)
        if not texts and not is_blank(cell) and handout.has_code(cell.source):
            yield TextLine(cell=cell.index, text="", ends_answer=True)
    for text in texts:
        yield TextLine(cell=cell.index, text=text)


def _prose_in_code(cell: Cell, *, handout: Handout) -> list[str]:
    """What a student wrote into a code cell instead of a text cell."""
    if cell.source.lstrip().startswith("%%markdown"):
        return visible_lines(cell.source.lstrip().partition("\n")[2])
    if is_blank(cell):
        comments = [line.strip().lstrip("#").strip() for line in cell.source.splitlines()]
        student_comments = [line for line in comments if not handout.has_comment(line)]
        return (
            student_comments
            if any(student_comments) and not _is_code("\n".join(student_comments))
            else []
        )
    tree = parse_source(cell.source) if _MAY_BE_STRING.match(cell.source) else None
    match tree.body if tree else []:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return visible_lines(text)
        case _:
            return []


def _is_code(text: str) -> bool:
    """Whether comments are code that was switched off, rather than words."""
    tree = parse_source(text)
    return tree is not None and not all(_is_word(statement) for statement in tree.body)


def _is_word(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(
        statement.value, ast.Name | ast.Constant | ast.Tuple
    )
