"""Lays a notebook out as lines of text, with the handout's code as walls between them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.model import Cell, Notebook
from grader.notebook.handout import Handout
from grader.notebook.markdown_words import shown_lines
from grader.notebook.student_code import is_blank, parsed

_MAX_TEXT = 300_000
_MAY_BE_STRING = re.compile(r"(?:\s+|#[^\n]*\n|\\\n)*+[rRuUbBfF]{0,2}[\"'(]")
"""How a cell begins that holds nothing but a string; only such a cell is parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text; a wall is a cell of the handout's code, which ends every answer."""

    cell: int
    text: str
    wall: bool = False


def text_lines(notebook: Notebook, *, handout: Handout) -> list[Line]:
    """The lines that may hold prompts and answers.

    Args:
        notebook: The notebook.
        handout: What is the handout's.

    Returns:
        The lines of its text cells, and of code cells that hold only comments or a string.
    """
    lines: list[Line] = []
    left = _MAX_TEXT
    for cell in notebook.cells:
        for line in _lines_of(cell, handout=handout):
            left -= len(line.text) + 1
            if left < 0:
                return lines
            lines.append(line)
    return lines


def _lines_of(cell: Cell, *, handout: Handout) -> Iterator[Line]:
    if cell.kind != "code":
        texts = shown_lines(cell.source)
    else:
        texts = _prose_in_code(cell, handout=handout)
        if not texts and not is_blank(cell) and handout.has_code(cell.source):
            yield Line(cell=cell.index, text="", wall=True)
    for text in texts:
        yield Line(cell=cell.index, text=text)


def _prose_in_code(cell: Cell, *, handout: Handout) -> list[str]:
    """What a student wrote into a code cell instead of a text cell."""
    if cell.source.lstrip().startswith("%%markdown"):
        return shown_lines(cell.source.lstrip().partition("\n")[2])
    if is_blank(cell):
        comments = [line.strip().lstrip("#").strip() for line in cell.source.splitlines()]
        kept = [line for line in comments if not handout.has_comment(line)]
        return kept if any(kept) and not _is_code("\n".join(kept)) else []
    tree = parsed(cell.source) if _MAY_BE_STRING.match(cell.source) else None
    match tree.body if tree else []:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return shown_lines(text)
        case _:
            return []


def _is_code(text: str) -> bool:
    """Whether comments are code that was switched off, rather than words."""
    tree = parsed(text)
    return tree is not None and not all(_is_word(statement) for statement in tree.body)


def _is_word(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(
        statement.value, ast.Name | ast.Constant | ast.Tuple
    )
