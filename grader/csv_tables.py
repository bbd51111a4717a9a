"""Reads tables that spreadsheets and learning management systems write, and writes plain CSV."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.workbooks import Sheet, is_workbook, read_workbook

MAX_BYTES = 20 << 20
"""The largest file that is read."""
MAX_TITLE_ROWS = 20
"""Of a sheet, the rows among which its headers are looked for."""
SEPARATORS = ",;\t|"
"""The characters that may separate cells; among equally frequent ones the first is taken."""
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte-order marks with their encodings; a mark comes before one that is its beginning."""
_FORMULA = re.compile(r'="(.*)"', re.DOTALL)
_WHOLE_NUMBER = re.compile(r"(\d+)\.0+")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")
_EMPTY_VALUES = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nan", "#n/a"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of a table."""

    line_number: int
    """The line of the file in which it ends, from 1."""
    cells: tuple[str, ...]

    def cell(self, column: int | None) -> str:
        """Return the cell in a column; '' if the column is None or the row is too short."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """A table: column headers, and the rows that are not empty."""

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def format_table(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV, with commas and plain line ends; the first row is the header."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def read_table(
    path: Path, *, verbatim: bool = False, count_known: Callable[[Sequence[str]], int] = len
) -> TextTable:
    """Read the table in a file: CSV, or a sheet of a workbook.

    Args:
        path: The file.
        verbatim: As `parse_table` has it.
        count_known: Counts how many of a row's cells are the headers that are looked for. Of a
            workbook, that decides the sheet, and the row of headers among its first.

    Raises:
        UsageError: It can't be opened, is too large, is a workbook that can't be read, or is empty.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: is larger than {MAX_BYTES >> 20} MB; is it the right file?")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened ({error.strerror})") from error
    if is_workbook(data):
        sheets = read_workbook(data, name=path.name)
        return _find_table(sheets, name=path.name, verbatim=verbatim, count_known=count_known)
    text = _decode_text(data)
    return parse_table(text, name=path.name, verbatim=verbatim)


def parse_table(text: str, *, name: str, verbatim: bool = False) -> TextTable:
    """Parse a table.

    The separator is the one that a first line such as `sep=;` announces, else the most frequent
    one of `SEPARATORS` in the first row, outside of quotes.

    Args:
        text: The text of the file.
        name: The name of the file in error messages.
        verbatim: Whether cells keep their line ends and spaces; otherwise they are cleaned.

    Raises:
        UsageError: It is empty, or a cell is longer than the csv module reads.
    """
    text = _normalize(text.lstrip("\ufeff"))
    announced = re.match(r"sep=([,;\t|])\r?\n", text, re.IGNORECASE)
    skipped = 1 if announced else 0
    body = text[announced.end() :] if announced else text
    separator = announced[1] if announced else _detect_separator(body)
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=False)
    rows = []
    try:
        for row in reader:
            cells = tuple(row) if verbatim else tuple(_unwrap_cell(cell) for cell in row)
            if any(cells):
                rows.append(TableRow(line_number=reader.line_num + skipped, cells=cells))
    except csv.Error as error:
        raise UsageError(
            f"{name}: line {reader.line_num + skipped} is not a table ({error})"
        ) from error
    if not rows:
        raise UsageError(f"{name}: is empty; its first row names the columns")
    return TextTable(columns=rows[0].cells, rows=tuple(rows[1:]))


def is_damaged_id(cell: str) -> bool:
    """Return whether a spreadsheet rounded an id to a number such as 1.2E+09."""
    return _ROUNDED.fullmatch(cell) is not None


def clean_value(cell: str) -> str:
    """Return a cleaned id or name: '' for a placeholder such as 'n/a', '7' for '7.0'."""
    if cell.casefold() in _EMPTY_VALUES:
        return ""
    number = _WHOLE_NUMBER.fullmatch(cell)
    return number[1] if number else cell


def _find_table(
    sheets: Iterable[Sheet],
    *,
    name: str,
    verbatim: bool,
    count_known: Callable[[Sequence[str]], int],
) -> TextTable:
    """Return the table of the first sheet that has known headers, else that of the first sheet."""
    tables = [_sheet_rows(sheet, verbatim=verbatim) for sheet in sheets]
    tables = [rows for rows in tables if rows]
    if not tables:
        raise UsageError(f"{name}: is empty; its first row names the columns")
    for rows in tables:
        counts = [count_known(row.cells) for row in rows[:MAX_TITLE_ROWS]]
        if max(counts):
            header = counts.index(max(counts))
            return TextTable(columns=rows[header].cells, rows=tuple(rows[header + 1 :]))
    return TextTable(columns=tables[0][0].cells, rows=tuple(tables[0][1:]))


def _sheet_rows(sheet: Sheet, *, verbatim: bool) -> list[TableRow]:
    rows = (
        TableRow(
            line_number=number,
            cells=row if verbatim else tuple(_unwrap_cell(_normalize(cell)) for cell in row),
        )
        for number, row in enumerate(sheet.rows, start=sheet.first)
    )
    return [row for row in rows if any(row.cells)]


def _normalize(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\0", ""))


def _decode_text(data: bytes) -> str:
    """Decode text by its byte-order mark, else as UTF-16, UTF-8, Windows-1252 or Latin-1.

    Text without a byte-order mark is taken for UTF-16 if its first bytes have zeros.
    """
    encodings = [encoding for bom, encoding in _BYTE_ORDER_MARKS if data.startswith(bom)][:1]
    if not encodings and b"\0" in data[:400]:
        encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    for encoding in (*encodings, "utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _detect_separator(text: str) -> str:
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", first_line)
    return max(SEPARATORS, key=unquoted.count)


def _unwrap_cell(cell: str) -> str:
    """Return a cell on one line, without the ="…" or ' with which spreadsheets protect it."""
    cleaned = "".join(" " if letter in "\r\n\t" else letter for letter in cell)
    cleaned = "".join(c for c in cleaned if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    plain = " ".join(cleaned.split())
    formula = _FORMULA.fullmatch(plain)
    if formula:
        return formula[1].strip()
    return plain[1:].strip() if plain.startswith("'") else plain


def quote_names(names: Sequence[str]) -> str:
    """Return up to eight names in quotes, followed by the number of the others."""
    quoted = [f"'{name}'" for name in names[:8]]
    remaining = len(names) - len(quoted)
    return ", ".join(quoted) + (f" and {remaining} more" if remaining > 0 else "")
