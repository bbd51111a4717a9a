"""A CSV file that somebody else wrote, changed cell by cell; every other byte stays as it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from grader.errors import UsageError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OLD = ("utf-8", "cp1252", "latin-1")
"""What a file without a mark may be in; the last takes any bytes."""
_DELIMITERS = (",", ";", "\t")
"""The first of those that cut the first record into most cells."""
_NEEDS_QUOTES = re.compile(r'["\r\n]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field: what it says, and the letters that say so."""

    value: str
    raw: str
    after: str
    """The delimiter or line end behind it; '' at the end of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The whole file."""

    bom: bytes
    codec: str
    delimiter: str
    records: tuple[tuple[Cell, ...], ...]

    @property
    def header(self) -> tuple[str, ...]:
        """The values of the first record."""
        return self.values(0)

    def values(self, place: int) -> tuple[str, ...]:
        """What a record says."""
        return tuple(cell.value for cell in self.records[place])

    def value(self, place: int, column: int) -> str:
        """What a cell says; '' where the record is too short to have it."""
        record = self.records[place]
        return record[column].value if column < len(record) else ""

    def has(self, place: int, column: int) -> bool:
        """Whether there is such a cell."""
        return column < len(self.records[place])

    def filled(self, changes: Mapping[tuple[int, int], str]) -> Sheet:
        """The same with other values in some cells, by record and column.

        A cell that was quoted stays so; one that was not is quoted if it must be.
        """
        records = list(self.records)
        for (place, column), value in changes.items():
            record = list(records[place])
            record[column] = self._written(record[column], value)
            records[place] = tuple(record)
        return replace(self, records=tuple(records))

    def encoded(self) -> bytes:
        """The file."""
        text = "".join(cell.raw + cell.after for record in self.records for cell in record)
        return self.bom + text.encode(self.codec)

    def _written(self, cell: Cell, value: str) -> Cell:
        quoted = cell.raw.startswith('"') or self.delimiter in value or _NEEDS_QUOTES.search(value)
        raw = '"' + value.replace('"', '""') + '"' if quoted else value
        return replace(cell, value=value, raw=raw)


def read_sheet(data: bytes, *, name: str) -> Sheet:
    """The sheet in a file; the delimiter is the one that cuts its first line into most cells.

    Args:
        data: the file.
        name: what errors call it.

    Raises:
        UsageError: it is empty, or a quote in it is never closed.
    """
    bom, codec, text = _decoded(data)
    if not text.strip():
        raise UsageError(f"{name}: the file is empty")
    ways = [(way, *_records(text, delimiter=way)) for way in _DELIMITERS]
    delimiter, records, closed = max(ways, key=lambda way: len(way[1][0]) if way[1] else 0)
    if not closed:
        raise UsageError(f"{name}: a quote in it is never closed")
    return Sheet(bom=bom, codec=codec, delimiter=delimiter, records=records)


def _decoded(data: bytes) -> tuple[bytes, str, str]:
    """Mark, encoding and text; writing the text again gives the same bytes."""
    marked = [(bom, codec) for bom, codec in _BOMS if data.startswith(bom)]
    for bom, codec in [*marked, *((b"", codec) for codec in _OLD)]:
        rest = data[len(bom) :]
        try:
            text = rest.decode(codec)
        except UnicodeDecodeError:
            continue
        if text.encode(codec, "surrogatepass") == rest:
            return bom, codec, text
    raise AssertionError("latin-1 takes any bytes")


def _records(text: str, *, delimiter: str) -> tuple[tuple[tuple[Cell, ...], ...], bool]:
    """What stands between delimiters and line ends, and whether every quote is closed."""
    ends = re.escape(delimiter) + r"\r\n"
    field = re.compile(
        rf'(?:"(?P<quoted>[^"]*(?:""[^"]*)*)"(?!")(?P<rest>[^{ends}]*)|(?P<plain>[^{ends}]*))'
        rf"(?P<after>{re.escape(delimiter)}|\r\n|\r|\n|\Z)"
    )
    records: list[tuple[Cell, ...]] = []
    record: list[Cell] = []
    place = 0
    while place < len(text) or record:
        found = field.match(text, place)
        if found is None or (found["plain"] or "").startswith('"'):
            return (*records, tuple(record)), False
        record.append(_cell(found))
        if found["after"] != delimiter:
            records.append(tuple(record))
            record = []
        place = found.end()
    return tuple(records), True


def _cell(found: re.Match[str]) -> Cell:
    if found["quoted"] is None:
        value = found["plain"]
        return Cell(value=value, raw=value, after=found["after"])
    value = found["quoted"].replace('""', '"') + found["rest"]
    return Cell(
        value=value, raw=found.group()[: -len(found["after"]) or None], after=found["after"]
    )
