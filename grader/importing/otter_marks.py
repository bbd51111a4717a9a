"""Rewrites otter-grader's marks of solutions as ours, line by line; nothing is run."""

from __future__ import annotations

import re

from grader.authoring.editable_notebook import EditableNotebook

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_BEGIN_BLOCK = re.compile(r"(\s*)# BEGIN SOLUTION( NO PROMPT)?")
_LINE = re.compile(r"(\s*).* ?# ?SOLUTION")
_LINE_MARK = re.compile(r"\s*# ?SOLUTION.*$")
_PROMPT_BEGIN = re.compile(r"\s*(?:\"{2,3}|'{2,3})?\s*# BEGIN PROMPT\s*$")
_DROPPED = ("# SEED", "# SOLUTION NO PROMPT")
"""Ends of lines that students don't get, and nothing in their place."""


def without_ignored(source: str) -> str:
    """Return code without the lines that nobody gets (`# IGNORE`, and blocks of them)."""
    kept: list[str] = []
    is_ignored = False
    for line in source.split("\n"):
        text = line.rstrip()
        if text.endswith("# END IGNORE"):
            is_ignored = False
        elif re.match(r"\s*#\s*BEGIN\s*IGNORE\b", line, re.IGNORECASE):
            is_ignored = True
        elif not is_ignored and not text.endswith("# IGNORE"):
            kept.append(line)
    return "\n".join(kept)


def with_our_marks(source: str, *, item: str) -> str:
    """Return the code of a solution cell with our marks around what students don't get.

    What otter shows in place of a block (`# BEGIN PROMPT`) is left out: our blanks say as much.
    """
    kept: list[str] = []
    in_block = in_prompt = False
    for line in source.split("\n"):
        text = line.rstrip()
        if in_prompt or _PROMPT_BEGIN.match(line):
            in_prompt = not text.endswith("# END PROMPT")
        elif in_block:
            in_block = not text.endswith("# END SOLUTION")
            kept.append(line if in_block else _indent(line) + END)
        elif (begin := _BEGIN_BLOCK.match(line)) is not None:
            in_block = True
            kept.append(f"{begin[1]}{BEGIN} {item}")
        elif text.endswith(_DROPPED) or _LINE.match(line):
            solved = re.sub(r"\s*# (?:SEED|SOLUTION NO PROMPT)$", "", text)
            solved = _LINE_MARK.sub("", solved)
            indent = _indent(line)
            kept += [f"{indent}{BEGIN} {item}", solved, f"{indent}{END}"]
        else:
            kept.append(line)
    return "\n".join(kept)


def with_variable(notebook: EditableNotebook, name: str, value: int) -> EditableNotebook:
    """Return a notebook that sets a variable to another number, as students' notebooks do."""
    line = re.compile(
        rf"^([ \t]*{re.escape(name)}\s*=\s*)(?!=)[^\n#]*?(?=\s*(?:#.*)?$)", re.MULTILINE
    )
    sources = {
        cell.id: line.sub(rf"\g<1>{value}", cell.source)
        for cell in notebook.cells
        if cell.kind == "code"
    }
    return notebook.with_sources(sources)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
