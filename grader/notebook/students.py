"""Reads from the first text cells who made a notebook, in the many forms people write it.

Each line becomes a row of names and ids, in the order in which they stand; names and ids are
then paired within a line where they can be, else with the lines before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby

from grader.model import Cell, Notebook, Student
from grader.notebook.markdown_words import shown_lines
from grader.notebook.name_tokens import Piece, is_full_name, is_prose, pieces

MOST = 6
"""Students of one team that are read."""
_SEARCHED_CELLS = 10
_CELLS_BELOW_LABEL = 2
_MAX_LINES = 200
_MAX_LINE = 400


def students(notebook: Notebook) -> tuple[Student, ...]:
    """Who the notebook says made it.

    Args:
        notebook: The notebook.

    Returns:
        At most six students, in the order named; empty where nobody is.
    """
    found = _team(notebook)
    return found[1] if found else ()


def names_cells(notebook: Notebook) -> frozenset[int]:
    """The cells that say who made the notebook, so that they are nobody's answer.

    Args:
        notebook: The notebook.

    Returns:
        Their indexes.
    """
    labels = {cell.index for cell in _text_cells(notebook) if _label_line(_lines(cell)) is not None}
    found = _team(notebook)
    return frozenset(labels | set(found[0] if found else ()))


def _team(notebook: Notebook) -> tuple[tuple[int, ...], tuple[Student, ...]] | None:
    """The cells that name students, and the students."""
    cells = _text_cells(notebook)
    for place, cell in enumerate(cells):
        start = _label_line(_lines(cell))
        if start is None:
            continue
        rows = _labelled_rows(_lines(cell)[start:])
        team = _paired(rows)
        if team:
            return (cell.index,), team
        for below in cells[place + 1 : place + 1 + _CELLS_BELOW_LABEL]:
            team = _paired(_bare_rows(_lines(below)))
            if team:
                return (cell.index, below.index), team
    return _unlabelled(cells)


def _unlabelled(cells: list[Cell]) -> tuple[tuple[int, ...], tuple[Student, ...]] | None:
    """Names that stand without a label; only ones with an id are believed."""
    for cell in cells[: _SEARCHED_CELLS // 2]:
        rows = [row for row in map(pieces, _lines(cell)) if _names_somebody(row)]
        team = tuple(who for who in _paired(rows) if who.name and who.id)
        if team:
            return (cell.index,), team
    return None


def _names_somebody(row: list[Piece]) -> bool:
    kinds = {piece.kind for piece in row}
    return {"name", "id"} <= kinds and "other" not in kinds


def _text_cells(notebook: Notebook) -> list[Cell]:
    return [cell for cell in notebook.cells if cell.kind != "code"][:_SEARCHED_CELLS]


def _lines(cell: Cell) -> list[str]:
    return [line[:_MAX_LINE] for line in shown_lines(cell.source)[:_MAX_LINES]]


def _label_line(lines: Iterable[str]) -> int | None:
    """The first line that asks for names or ids."""
    for number, line in enumerate(lines):
        if _asks(line):
            return number
    return None


@lru_cache(maxsize=256)  # the lines of most first cells are the handout's
def _asks(line: str) -> bool:
    return not is_prose(line) and any(piece.kind == "label" for piece in pieces(line))


def _labelled_rows(lines: list[str]) -> list[list[Piece]]:
    """The rows from the label down to the first sentence."""
    rows = []
    for line in lines:
        if is_prose(line):
            break
        row = pieces(line)
        kinds = {piece.kind for piece in row}
        if "label" in kinds or _stands_alone(row) or {"name", "id"} <= kinds:
            rows.append(row)
    return rows


def _bare_rows(lines: list[str]) -> list[list[Piece]]:
    """The rows of a cell below the label, if the cell holds nothing but names and ids."""
    rows = [pieces(line) for line in lines if line.strip()]
    return rows if all(_stands_alone(row) for row in rows) else []


def _stands_alone(row: list[Piece]) -> bool:
    """Whether a line without a label can be trusted to be names and ids."""
    kinds = {piece.kind for piece in row}
    if "other" in kinds:
        return False
    names = [piece.text for piece in row if piece.kind == "name"]
    return bool(kinds & {"id", "label"}) or all(is_full_name(name) for name in names)


def _paired(rows: list[list[Piece]]) -> tuple[Student, ...]:
    """Names and ids put together."""
    roster = _Roster()
    for row in rows:
        known = [piece for piece in row if piece.kind in ("name", "id")]
        roster.add_row(known)
    return roster.students()


class _Roster:
    """The team as far as it was read: names that wait for an id, ids that wait for a name."""

    def __init__(self) -> None:
        self._team: list[list[str]] = []

    def add_row(self, row: list[Piece]) -> None:
        """Add the names and ids of one line."""
        blocks = [(kind, [p.text for p in block]) for kind, block in groupby(row, lambda p: p.kind)]
        waiting_names = any(not who[1] for who in self._team)
        ids_first = bool(blocks) and blocks[0][0] == "id" and not waiting_names
        for names, ids in _couples(blocks, ids_first=ids_first):
            self._add(names, ids=ids)

    def _add(self, names: list[str], *, ids: list[str]) -> None:
        """Add a run of names and the run of ids beside it."""
        if not ids:
            self._fill(1, filler=0, values=names)
        elif not names:
            self._fill(0, filler=1, values=ids)
        else:
            missing = max(0, len(names) - len(ids))
            padded = [""] * missing + ids
            self._team.extend([name, padded[place]] for place, name in enumerate(names))

    def _fill(self, has: int, *, filler: int, values: list[str]) -> None:
        """Give values to those who have only the other word, in order; the rest are new."""
        waiting = [who for who in self._team if who[has] and not who[filler]]
        for value in values:
            if waiting:
                waiting.pop(0)[filler] = value
            else:
                who = ["", ""]
                who[filler] = value
                self._team.append(who)

    def students(self) -> tuple[Student, ...]:
        """The team, without repetitions."""
        unique = dict.fromkeys((name, mark) for name, mark in self._team)
        ids_of = {name: mark for name, mark in unique if mark}
        kept = [(n, m) for n, m in unique if m or n not in ids_of]
        return tuple(Student(name=name, id=mark) for name, mark in kept[:MOST])


def _couples(
    blocks: list[tuple[str, list[str]]], *, ids_first: bool
) -> Iterator[tuple[list[str], list[str]]]:
    """Neighbouring runs of names and of ids as couples; a run may stay alone."""
    place = 0
    first, second = ("id", "name") if ids_first else ("name", "id")
    while place < len(blocks):
        kind, texts = blocks[place]
        after = blocks[place + 1] if place + 1 < len(blocks) else ("", [])
        if kind == first and after[0] == second:
            yield (after[1], texts) if ids_first else (texts, after[1])
            place += 2
        else:
            yield (texts, []) if kind == "name" else ([], texts)
            place += 1
