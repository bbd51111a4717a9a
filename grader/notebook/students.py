"""Reads who made a notebook from its first text cells, in the many forms people write it.

Each line becomes a row of names and ids, in order; these are then paired within a line where
possible, else with the lines before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from grader.model import Cell, Notebook, Student
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
    team = _find_team(notebook)
    return team[1] if team else ()


def find_name_cells(notebook: Notebook) -> frozenset[int]:
    """Return the indexes of the cells that name students, so that they are nobody's answer."""
    label_cells = {
        cell.index for cell in _text_cells(notebook) if _label_line(_lines(cell)) is not None
    }
    team = _find_team(notebook)
    return frozenset(label_cells | set(team[0] if team else ()))


def _find_team(notebook: Notebook) -> tuple[tuple[int, ...], tuple[Student, ...]] | None:
    """Return the cells that name students, and the students."""
    cells = _text_cells(notebook)
    for index, cell in enumerate(cells):
        start = _label_line(_lines(cell))
        if start is None:
            continue
        rows = _labeled_rows(_lines(cell)[start:])
        team = _pair_students(rows)
        if team:
            return (cell.index,), team
        for next_cell in cells[index + 1 : index + 1 + _CELLS_BELOW_LABEL]:
            team = _pair_students(_bare_rows(_lines(next_cell)))
            if team:
                return (cell.index, next_cell.index), team
    return _unlabeled_team(cells)


def _unlabeled_team(cells: list[Cell]) -> tuple[tuple[int, ...], tuple[Student, ...]] | None:
    """Find names that stand without a label; only those with an id are believed."""
    for cell in cells[: _SEARCHED_CELLS // 2]:
        rows = [row for row in map(read_name_tokens, _lines(cell)) if _has_name_and_id(row)]
        team = tuple(student for student in _pair_students(rows) if student.name and student.id)
        if team:
            return (cell.index,), team
    return None


def _has_name_and_id(row: list[NameToken]) -> bool:
    kinds = {token.kind for token in row}
    return {"name", "id"} <= kinds and "other" not in kinds


def _text_cells(notebook: Notebook) -> list[Cell]:
    return [cell for cell in notebook.cells if cell.kind != "code"][:_SEARCHED_CELLS]


def _lines(cell: Cell) -> list[str]:
    return [line[:_MAX_LINE] for line in visible_lines(cell.source)[:_MAX_LINES]]


def _label_line(lines: Iterable[str]) -> int | None:
    """Return the number of the first line that asks for names or ids."""
    for number, line in enumerate(lines):
        if _is_label_line(line):
            return number
    return None


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
        kinds = {token.kind for token in row}
        if "label" in kinds or _stands_alone(row) or {"name", "id"} <= kinds:
            rows.append(row)
    return rows


def _bare_rows(lines: list[str]) -> list[list[NameToken]]:
    """Return the rows of a cell below the label, if it holds nothing but names and ids."""
    rows = [read_name_tokens(line) for line in lines if line.strip()]
    return rows if all(_stands_alone(row) for row in rows) else []


def _stands_alone(row: list[NameToken]) -> bool:
    """Tell whether a line without a label can be trusted to be names and ids."""
    kinds = {token.kind for token in row}
    if "other" in kinds:
        return False
    names = [token.text for token in row if token.kind == "name"]
    return bool(kinds & {"id", "label"}) or all(is_full_name(name) for name in names)


def _pair_students(rows: list[list[NameToken]]) -> tuple[Student, ...]:
    builder = _TeamBuilder()
    for row in rows:
        builder.add_row([token for token in row if token.kind in ("name", "id")])
    return builder.build_team()


class _TeamBuilder:
    """A team under construction: names may wait for an id, and ids for a name."""

    def __init__(self) -> None:
        self._team: list[list[str]] = []

    def add_row(self, row: list[NameToken]) -> None:
        """Add the names and ids of one line."""
        blocks = [
            (kind, [token.text for token in block])
            for kind, block in groupby(row, lambda token: token.kind)
        ]
        waiting_names = any(not member[1] for member in self._team)
        ids_first = bool(blocks) and blocks[0][0] == "id" and not waiting_names
        for names, ids in _pair_blocks(blocks, ids_first=ids_first):
            self._add_run(names, ids=ids)

    def _add_run(self, names: list[str], *, ids: list[str]) -> None:
        """Add a run of names and the run of ids beside it."""
        if not ids:
            self._fill(1, absent=0, values=names)
        elif not names:
            self._fill(0, absent=1, values=ids)
        else:
            missing = max(0, len(names) - len(ids))
            padded = [""] * missing + ids
            self._team.extend([name, padded[index]] for index, name in enumerate(names))

    def _fill(self, present: int, *, absent: int, values: list[str]) -> None:
        """Give values to members who lack them, in order; the rest are new members."""
        incomplete = [member for member in self._team if member[present] and not member[absent]]
        for value in values:
            if incomplete:
                incomplete.pop(0)[absent] = value
            else:
                member = ["", ""]
                member[absent] = value
                self._team.append(member)

    def build_team(self) -> tuple[Student, ...]:
        """Return the team without repetitions."""
        unique = dict.fromkeys((name, student_id) for name, student_id in self._team)
        id_by_name = {name: student_id for name, student_id in unique if student_id}
        members = [(n, m) for n, m in unique if m or n not in id_by_name]
        return tuple(
            Student(name=name, id=student_id) for name, student_id in members[:MAX_STUDENTS]
        )


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
