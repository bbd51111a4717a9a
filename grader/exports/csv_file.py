"""Edits single cells of a CSV file, and keeps every other byte as it is."""

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
_FALLBACK_CODECS = ("utf-8", "cp1252", "latin-1")
"""Encodings of a file without a byte-order mark, in the order tried; the last takes any bytes."""
_DELIMITERS = (",", ";", "\t")
_NEEDS_QUOTES = re.compile(r'["\r\n]')


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvCell:
    """One field: its value, and its raw text including quotes."""

    value: str
    raw: str
    terminator: str
    """The delimiter or line end after it; '' at the end of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """A parsed file that can be written unchanged."""

    bom: bytes
    codec: str
    delimiter: str
    records: tuple[tuple[CsvCell, ...], ...]

    @property
    def header(self) -> tuple[str, ...]:
        """The values of the first record."""
        return self.values(0)

    def values(self, index: int) -> tuple[str, ...]:
        """Return the values of a record."""
        return tuple(cell.value for cell in self.records[index])

    def value(self, index: int, column: int) -> str:
        """Return the value of a cell, or '' where the record is too short."""
        record = self.records[index]
        return record[column].value if column < len(record) else ""

    def has_cell(self, index: int, column: int) -> bool:
        """Return whether the record reaches that column."""
        return column < len(self.records[index])

    def with_values(self, changes: Mapping[tuple[int, int], str]) -> CsvFile:
        """Return a copy with new values in some cells, keyed by (record, column).

        A quoted cell stays quoted; another one is quoted if its value needs it.
        """
        records = list(self.records)
        for (index, column), value in changes.items():
            record = list(records[index])
            record[column] = self._with_value(record[column], value)
            records[index] = tuple(record)
        return replace(self, records=tuple(records))

    def to_bytes(self) -> bytes:
        """Return the contents of the file."""
        text = "".join(cell.raw + cell.terminator for record in self.records for cell in record)
        return self.bom + text.encode(self.codec)

    def _with_value(self, cell: CsvCell, value: str) -> CsvCell:
        quoted = cell.raw.startswith('"') or self.delimiter in value or _NEEDS_QUOTES.search(value)
        raw = '"' + value.replace('"', '""') + '"' if quoted else value
        return replace(cell, value=value, raw=raw)


def parse_csv_file(data: bytes, *, name: str) -> CsvFile:
    """Parse a file; the delimiter is the one that splits its first line into most cells.

    Args:
        data: The contents of the file.
        name: The name of the file in error messages.

    Raises:
        UsageError: It is empty, or a quote in it is never closed.
    """
    bom, codec, text = _decode(data)
    if not text.strip():
        raise UsageError(f"{name}: the file is empty")
    candidates = [
        (candidate, *_parse_records(text, delimiter=candidate)) for candidate in _DELIMITERS
    ]
    delimiter, records, closed = max(
        candidates, key=lambda candidate: len(candidate[1][0]) if candidate[1] else 0
    )
    if not closed:
        raise UsageError(f"{name}: a quote in it is never closed")
    return CsvFile(bom=bom, codec=codec, delimiter=delimiter, records=records)


def _decode(data: bytes) -> tuple[bytes, str, str]:
    """Return byte-order mark, codec and text such that encoding the text restores the bytes."""
    bom_codecs = [(bom, codec) for bom, codec in _BOMS if data.startswith(bom)]
    for bom, codec in [*bom_codecs, *((b"", codec) for codec in _FALLBACK_CODECS)]:
        rest = data[len(bom) :]
        try:
            text = rest.decode(codec)
        except UnicodeDecodeError:
            continue
        if text.encode(codec, "surrogatepass") == rest:
            return bom, codec, text
    raise AssertionError("latin-1 takes any bytes")


def _parse_records(text: str, *, delimiter: str) -> tuple[tuple[tuple[CsvCell, ...], ...], bool]:
    """Split the text into records, and return whether every quote is closed."""
    terminators = re.escape(delimiter) + r"\r\n"
    field = re.compile(
        rf'(?:"(?P<quoted>[^"]*(?:""[^"]*)*)"(?!")(?P<rest>[^{terminators}]*)|(?P<plain>[^{terminators}]*))'
        rf"(?P<after>{re.escape(delimiter)}|\r\n|\r|\n|\Z)"
    )
    records: list[tuple[CsvCell, ...]] = []
    record: list[CsvCell] = []
    position = 0
    while position < len(text) or record:
        match = field.match(text, position)
        if match is None or (match["plain"] or "").startswith('"'):
            return (*records, tuple(record)), False
        record.append(_parse_cell(match))
        if match["after"] != delimiter:
            records.append(tuple(record))
            record = []
        position = match.end()
    return tuple(records), True


def _parse_cell(match: re.Match[str]) -> CsvCell:
    if match["quoted"] is None:
        value = match["plain"]
        return CsvCell(value=value, raw=value, terminator=match["after"])
    value = match["quoted"].replace('""', '"') + match["rest"]
    return CsvCell(
        value=value, raw=match.group()[: -len(match["after"]) or None], terminator=match["after"]
    )
