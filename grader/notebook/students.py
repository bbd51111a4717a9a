"""Reads the students' names and ids from a notebook's first cells, in many forms.

Each line becomes a row of names and ids, in order; `team_pairing` then says whose id is whose.
Where no label asks for names, only lines above the first prompt count, and only full names with
an id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, islice, pairwise
from types import MappingProxyType

from grader.model import Cell, Notebook, Student
from grader.notebook.code_signatures import signature_lines
from grader.notebook.markdown_words import BREAK, plain_text, visible_lines
from grader.notebook.name_labels import asks_for_id, is_label
from grader.notebook.name_tokens import NameToken, is_certain_id, is_prose, read_name_tokens
from grader.notebook.person_names import is_full_name, is_title
from grader.notebook.prompt_search import find_anchors, stream_words
from grader.notebook.student_code import is_blank
from grader.notebook.team_names import is_team_label
from grader.notebook.team_pairing import pair_students

NO_PROMPTS: Mapping[str, str] = MappingProxyType({})
_LAST_CELLS = 2
"""Cells at the end that may be signed: 'Submitted by: Ada Example (ae10001)'."""
_SEARCHED_CELLS = 10
_CELLS_BELOW_LABEL = 2
_MAX_LINES = 200
_MAX_CELL = 20_000
_MAX_LINE = 400
_MIN_LABELED_COLUMNS = 2
_TABLE_CELL = re.compile(r"<(t[dh])\b[^<>]{0,200}>.{0,500}?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TABLE_LINE = re.compile(r"^[^\n]*\|[^\n]*\|[^\n]*$", re.MULTILINE)
_TABLE_ROW = re.compile(r"<tr\b.{0,1000}?</tr\s*>", re.IGNORECASE | re.DOTALL)

Row = list[NameToken]


@dataclass(frozen=True, kw_only=True)
class _Page:
    """The lines of one cell, either above the first prompt or below it."""

    cell: int
    lines: Sequence[str]

    @cached_property
    def label_line(self) -> int | None:
        """The number of the first line with a label."""
        numbers = (number for number, line in enumerate(self.lines) if _is_label_line(line))
        return next(numbers, None)


_Team = tuple[int, tuple[Student, ...]]
"""A cell, and the students whom it names."""


def find_students(
    notebook: Notebook, *, prompts: Mapping[str, str] = NO_PROMPTS
) -> tuple[Student, ...]:
    """Return the students that a notebook names, at most six, in the order named.

    Args:
        notebook: The submission.
        prompts: Item ids to prompts; names stand above the first.
    """
    return _read_team(notebook, prompts)[1]


def find_name_cells(
    notebook: Notebook, *, prompts: Mapping[str, str] = NO_PROMPTS
) -> frozenset[int]:
    """Return the indexes of the cells that ask for or give students' names."""
    return _read_team(notebook, prompts)[0]


def _read_team(
    notebook: Notebook, prompts: Mapping[str, str]
) -> tuple[frozenset[int], tuple[Student, ...]]:
    """Return the cells that ask for or give names, and the students."""
    cells = [
        (cell.index, lines)
        for cell in notebook.cells
        if cell.source.strip() and (lines := _name_lines(cell))
    ]
    above, below = _split_at_prompt(cells[:_SEARCHED_CELLS], prompts)
    further = _pages((index, line) for index, lines in cells[_SEARCHED_CELLS:] for line in lines)
    below += further[-_LAST_CELLS:] + list(filter(_asks_for_id, further[:-_LAST_CELLS]))
    name_cells = frozenset(page.cell for page in above if page.label_line is not None)
    signed = list(_signature_pages(notebook.code_cells()[:_SEARCHED_CELLS]))
    late = (_late_teams(below), _late_teams(signed), _unlabeled_teams(signed[:1]))
    teams = chain(_labeled_teams(above), _unlabeled_teams(above), *late, _team_lines(above))
    for cell, team in teams:
        if team:
            return name_cells | {cell}, team
    return name_cells, ()


def _labeled_teams(pages: Sequence[_Page]) -> Iterator[_Team]:
    """Yield whom each label's lines name, and the cells below it."""
    for position, page in enumerate(pages):
        if page.label_line is not None:
            rows = [*_rows_above(page), *_labeled_rows(page.lines[page.label_line :])]
            yield page.cell, () if _only_names_team(rows) else pair_students(rows)
            for other in pages[position + 1 : position + 1 + _CELLS_BELOW_LABEL]:
                yield other.cell, pair_students(_bare_rows(other.lines))


def _team_lines(pages: Iterable[_Page]) -> Iterator[_Team]:
    """Yield whom labels of teams name: 'Team: Ada Example', where nobody else is named."""
    for page in pages:
        if page.label_line is not None:
            yield page.cell, pair_students(_labeled_rows(page.lines[page.label_line :]))


def _unlabeled_teams(pages: Sequence[_Page]) -> Iterator[_Team]:
    for page in pages[: _SEARCHED_CELLS // 2]:
        yield page.cell, pair_students(_certain_rows(page.lines))


def _late_teams(pages: Iterable[_Page]) -> Iterator[_Team]:
    """Yield whom labels below the first prompt name: answers have labels, too."""
    for page in pages:
        if page.label_line is not None:
            rows = _labeled_rows(page.lines[page.label_line :])
            team = pair_students([*_rows_above(page), *rows])
            if all(student.id and is_full_name(student.name) for student in team):
                yield page.cell, team


def _signature_pages(cells: Iterable[Cell]) -> Iterator[_Page]:
    """Yield what stands above the code of cells: '# Author: Ada Example'."""
    for cell in cells:
        lines = islice(signature_lines(cell.source[:_MAX_CELL]), _MAX_LINES)
        yield _Page(cell=cell.index, lines=[line[:_MAX_LINE] for line in lines])


def _name_lines(cell: Cell) -> list[str]:
    """Return the lines of a text cell, or of a code cell that is only comments."""
    source = cell.source[:_MAX_CELL]
    if cell.kind == "code":
        if not is_blank(cell) or not source.strip():
            return []
        source = "\n".join(line.strip().lstrip("#") for line in source.splitlines())
    source = _TABLE_ROW.sub(lambda match: match[0].replace("\n", " ") + "\n", source)
    for pattern in (_TABLE_CELL, _TABLE_LINE):  # names below each other in one column
        source = pattern.sub(lambda match: BREAK.sub(" ; ", match[0]), source)
    lines = [line[:_MAX_LINE] for line in visible_lines(source)[:_MAX_LINES]]
    return list(_without_other_columns(lines))


def _without_other_columns(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines without the columns of a table whose heads are no labels, where two are."""
    others: frozenset[int] = frozenset()
    for line in lines:
        columns = line.strip().strip("|").split("|")
        heads = [plain_text(column).strip() for column in columns]
        if len(columns) == 1:
            others = frozenset()
        elif sum(map(is_label, heads)) >= _MIN_LABELED_COLUMNS:
            asks_for_name = any(map(_is_name_head, heads))
            others = frozenset(
                n
                for n, head in enumerate(heads)
                if head and (not is_label(head) or (asks_for_name and is_team_label(head)))
            )
        yield "|".join(c for n, c in enumerate(columns) if n not in others) if others else line


def _is_name_head(head: str) -> bool:
    return is_label(head) and not (is_team_label(head) or asks_for_id(head))


def _split_at_prompt(
    cells: Iterable[tuple[int, Sequence[str]]], prompts: Mapping[str, str]
) -> tuple[list[_Page], list[_Page]]:
    """Return what stands above the first prompt, and what stands below it."""
    lines = [(index, line) for index, cell_lines in cells for line in cell_lines]
    stream = stream_words([line for _, line in lines]) if prompts else []
    anchors = find_anchors(stream, prompts=prompts) if prompts else []
    first = stream[anchors[0].first].line if anchors else len(lines)
    return _pages(lines[:first]), _pages(lines[first:])


def _pages(lines: Iterable[tuple[int, str]]) -> list[_Page]:
    by_cell: dict[int, list[str]] = {}
    for index, line in lines:
        by_cell.setdefault(index, []).append(line)
    return [_Page(cell=index, lines=cell_lines) for index, cell_lines in by_cell.items()]


@lru_cache(maxsize=256)  # the lines of most first cells are the handout's
def _is_label_line(line: str) -> bool:
    return not is_prose(line) and "label" in _kinds(read_name_tokens(line))


def _asks_for_id(page: _Page) -> bool:
    """Return whether a line has a label for ids: one for names alone may cite a paper's authors."""
    return page.label_line is not None and any(
        token.kind == "label" and asks_for_id(token.text)
        for line in page.lines
        if not is_prose(line)
        for token in read_name_tokens(line)
    )


def _kinds(row: Row) -> set[str]:
    return {"name" if token.kind == "alias" else token.kind for token in row}


def _only_names_team(rows: Iterable[Row]) -> bool:
    """Return whether all that may be a student's name may be a team's as well."""
    kinds = {kind for row in rows for kind in _kinds(row)}
    return "team" in kinds and kinds.isdisjoint({"name", "id", "unread"})


def _labeled_rows(lines: Iterable[str]) -> list[Row]:
    """Return the rows from the label down to the first sentence."""
    rows = []
    for line in lines:
        if is_prose(line):
            break
        row = read_name_tokens(line)
        kinds = _kinds(row)
        if "label" in kinds or _stands_alone(row) or ("id" in kinds and kinds & {"name", "unread"}):
            rows.append(row)
    return rows


def _rows_above(page: _Page) -> list[Row]:
    """Return the names above a line that asks only for ids: 'Ada Example', 'EID: ae10001'.

    Above any other label, those with their ids: 'Ada Example (ae10001)', 'Partner: Ben Sample'.
    """
    number = page.label_line or 0
    label_row = read_name_tokens(page.lines[number])
    labels = [token.text for token in label_row if token.kind == "label"]
    if not asks_for_id(labels[0]):
        return _certain_rows(page.lines[:number])
    rows: list[Row] = []
    for line in reversed(page.lines[:number]):
        row = read_name_tokens(line)
        is_title_line = line.lstrip().startswith("# ") and bool(rows)
        if not row:
            continue
        if is_title_line or not (_kinds(row) == {"name"} and _stands_alone(row)):
            break
        rows.insert(0, row)
    return rows


def _bare_rows(lines: Iterable[str]) -> list[Row]:
    """Return the rows of a cell below the label, if it holds nothing but names and ids."""
    rows = [row for line in lines if (row := read_name_tokens(line))]
    return rows if all(map(_stands_alone, rows)) else []


def _stands_alone(row: Row) -> bool:
    """Return whether a line without a label can be trusted to be names and ids."""
    if _is_certain_row([token for token in row if token.kind != "other"]):
        return True
    if [token.kind for token in row] == ["unread", "id"]:
        return is_certain_id(row[1].text)
    if not _kinds(row).isdisjoint({"other", "unread"}):
        return False
    names = [token.text for token in row if token.kind == "name"]
    return bool(_kinds(row) & {"id", "label"}) or all(map(is_full_name, names))


def _certain_rows(lines: Iterable[str]) -> list[Row]:
    """Return the rows that are believed without a label: full names with their ids.

    Ids may stand in the line below their names, as many as there are names.
    """
    rows = [row for line in lines if not is_prose(line) and (row := read_name_tokens(line))]
    for row, below in list(pairwise(rows)):
        names = sum(token.kind == "name" for token in row)
        is_pair = _kinds(row) == {"name"} and _kinds(below) == {"id"}
        if is_pair and len(below) in {names, len(row)}:
            rows.append([*row, *below])
    return list(filter(_is_certain_row, rows))


def _is_certain_row(row: Row) -> bool:
    return {"name", "id"} <= _kinds(row) and all(map(_is_certain, row))


def _is_certain(token: NameToken) -> bool:
    """Return whether a token of a line without a label is a full name, a sure id or a title."""
    if token.kind in {"name", "other"}:
        return is_full_name(token.text) if token.kind == "name" else is_title(token.text)
    return token.kind in {"label", "team", "alias"} or (
        token.kind == "id" and is_certain_id(token.text)
    )
