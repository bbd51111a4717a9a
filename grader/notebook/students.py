"""Reads the students' names and ids from a notebook's first text cells, in many forms.

Each line becomes a row of names and ids, in order; these are then paired within a line where
possible, else with the lines before.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby

from grader.model import Notebook, Student
from grader.notebook.markdown_words import visible_lines
from grader.notebook.name_tokens import NameToken, is_full_name, is_prose, read_name_tokens

MAX_STUDENTS = 6
"""Students of one team that are read; others are ignored."""
_SEARCHED_CELLS = 10
_CELLS_BELOW_LABEL = 2
_MAX_LINES = 200
_MAX_LINE = 400


def find_students(notebook: Notebook) -> tuple[Student, ...]:
    """Return the students that a notebook names, at most six, in the order named."""
    return _read_team(notebook)[1]


def find_name_cells(notebook: Notebook) -> frozenset[int]:
    """Return the indexes of the cells that ask for or give students' names."""
    return _read_team(notebook)[0]


def _read_team(notebook: Notebook) -> tuple[frozenset[int], tuple[Student, ...]]:
    """Return the cells that ask for or give names, and the students."""
    text_cells = [cell for cell in notebook.cells if cell.kind != "code"][:_SEARCHED_CELLS]
    cells = [
        (cell.index, [line[:_MAX_LINE] for line in visible_lines(cell.source)[:_MAX_LINES]])
        for cell in text_cells
    ]
    label_lines = {
        index: next((number for number, line in enumerate(lines) if _is_label_line(line)), None)
        for index, lines in cells
    }
    name_cells = frozenset(index for index, number in label_lines.items() if number is not None)
    for position, (index, lines) in enumerate(cells):
        if index not in name_cells:
            continue
        candidates = [(index, _labeled_rows(lines[label_lines[index] :]))]
        cells_below = cells[position + 1 : position + 1 + _CELLS_BELOW_LABEL]
        candidates += [(below, _bare_rows(below_lines)) for below, below_lines in cells_below]
        for candidate, rows in candidates:
            if team := _pair_students(rows):
                return name_cells | {candidate}, team
    for index, lines in cells[: _SEARCHED_CELLS // 2]:  # no label: only names with an id count
        rows = [
            row
            for row in map(read_name_tokens, lines)
            if {"name", "id"} <= _kinds(row) <= {"name", "id", "label"}
        ]
        team = tuple(student for student in _pair_students(rows) if student.name and student.id)
        if team:
            return name_cells | {index}, team
    return name_cells, ()


def _kinds(row: list[NameToken]) -> set[str]:
    return {token.kind for token in row}


@lru_cache(maxsize=256)  # the lines of most first cells are the handout's
def _is_label_line(line: str) -> bool:
    return not is_prose(line) and any(token.kind == "label" for token in read_name_tokens(line))


def _labeled_rows(lines: list[str]) -> list[list[NameToken]]:
    """Return the rows from the label down to the first sentence."""
    rows = []
    for line in lines:
        if is_prose(line):
            break
        row = read_name_tokens(line)
        if "label" in _kinds(row) or _stands_alone(row) or {"name", "id"} <= _kinds(row):
            rows.append(row)
    return rows


def _bare_rows(lines: list[str]) -> list[list[NameToken]]:
    """Return the rows of a cell below the label, if it holds nothing but names and ids."""
    rows = [read_name_tokens(line) for line in lines if line.strip()]
    return rows if all(_stands_alone(row) for row in rows) else []


def _stands_alone(row: list[NameToken]) -> bool:
    """Return whether a line without a label can be trusted to be names and ids."""
    if "other" in _kinds(row):
        return False
    names = [token.text for token in row if token.kind == "name"]
    return bool(_kinds(row) & {"id", "label"}) or all(map(is_full_name, names))


def _pair_students(rows: list[list[NameToken]]) -> tuple[Student, ...]:
    """Pair names and ids, within a line if possible, else with those before; drop repetitions."""
    team: list[list[str]] = []  # of each member the name and the id, one of them perhaps missing
    for row in rows:
        tokens = [token for token in row if token.kind in ("name", "id")]
        blocks = [
            (kind, [token.text for token in block])
            for kind, block in groupby(tokens, lambda token: token.kind)
        ]
        has_unpaired_names = any(not student_id for _, student_id in team)
        ids_first = bool(blocks) and blocks[0][0] == "id" and not has_unpaired_names
        for names, ids in _pair_blocks(blocks, ids_first=ids_first):
            if names and ids:
                ids_of_last = [""] * max(0, len(names) - len(ids)) + ids
                team += [[name, ids_of_last[index]] for index, name in enumerate(names)]
            else:
                _fill_column(team, column=1 if ids else 0, values=ids or names)
    unique = dict.fromkeys((name, student_id) for name, student_id in team)
    names_with_id = {name for name, student_id in unique if student_id}
    members = [pair for pair in unique if pair[1] or pair[0] not in names_with_id]
    return tuple(Student(name=name, id=student_id) for name, student_id in members[:MAX_STUDENTS])


def _fill_column(team: list[list[str]], *, column: int, values: list[str]) -> None:
    """Add names (column 0) or ids (column 1) to members who lack them, else as new members."""
    incomplete = [member for member in team if member[1 - column] and not member[column]]
    for value in values:
        if not incomplete:
            team.append(["", ""])
        member = incomplete.pop(0) if incomplete else team[-1]
        member[column] = value


def _pair_blocks(
    blocks: list[tuple[str, list[str]]], *, ids_first: bool
) -> Iterator[tuple[list[str], list[str]]]:
    """Pair neighboring runs of names and of ids; a run may stay alone."""
    index = 0
    first, second = ("id", "name") if ids_first else ("name", "id")
    while index < len(blocks):
        kind, texts = blocks[index]
        next_block = blocks[index + 1] if index + 1 < len(blocks) else ("", [])
        if kind == first and next_block[0] == second:
            yield (next_block[1], texts) if ids_first else (texts, next_block[1])
            index += 2
        else:
            yield (texts, []) if kind == "name" else ([], texts)
            index += 1
