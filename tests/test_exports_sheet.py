"""A foreign CSV file, cell by cell and byte for byte."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.exports.csv_file import parse_csv_file

BOMS = {"utf-8": b"\xef\xbb\xbf", "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
LETTERS = st.text(st.sampled_from('ab",;\t\r\n =é王'), min_size=1, max_size=40)


@settings(deadline=None)
@given(LETTERS, st.sampled_from([("utf-8", b""), *BOMS.items()]))
@example('"a;b;c",x\r\ny,"z""', ("utf-8", b""))
@example('a,"b"c"\n', ("utf-8", b""))
@example('""";', ("utf-8", b""))
def test_what_is_read_and_written_back_is_the_same_and_says_what_the_library_reads(
    text: str, kind: tuple[str, bytes]
) -> None:
    codec, bom = kind
    data = bom + text.encode(codec)
    try:
        sheet = parse_csv_file(data, name="file")
    except UsageError:
        return

    assert sheet.to_bytes() == data
    library = csv.reader(io.StringIO(text, newline=""), delimiter=sheet.delimiter)
    ours = [list(sheet.values(place)) for place in range(len(sheet.records))]
    assert ours == [record or [""] for record in library]


@settings(deadline=None)
@given(LETTERS, LETTERS, st.integers(0, 9), st.integers(0, 9))
def test_another_value_changes_its_own_cell_and_no_other(
    text: str, value: str, place: int, column: int
) -> None:
    try:
        sheet = parse_csv_file(text.encode(), name="file")
    except UsageError:
        return
    place %= len(sheet.records)
    column %= len(sheet.records[place])

    try:
        after = parse_csv_file(sheet.with_values({(place, column): value}).to_bytes(), name="file")
    except UsageError:
        return  # nothing but white space is left
    if after.delimiter != sheet.delimiter:
        return  # of so small a file, one cell may decide what the delimiter is
    cells = {
        (row, at): cell.value
        for row, record in enumerate(sheet.records)
        for at, cell in enumerate(record)
    }
    again = {
        (row, at): cell.value
        for row, record in enumerate(after.records)
        for at, cell in enumerate(record)
    }
    assert again == cells | {(place, column): value}


@pytest.mark.parametrize(
    ("raw", "value", "written"),
    [
        ('""', "26.50", '"26.50"'),
        ('"0"', "", '""'),
        ("0", "", ""),
        ("", "26,50", '"26,50"'),
        ("x", 'say "no"', '"say ""no"""'),
        ("x", "two\nlines", '"two\nlines"'),
    ],
)
def test_a_cell_keeps_its_quotes_and_gets_them_where_they_must_be(
    raw: str, value: str, written: str
) -> None:
    sheet = parse_csv_file(f"a,b\r\n{raw},2\r\n".encode(), name="file")

    assert sheet.with_values({(1, 0): value}).to_bytes() == f"a,b\r\n{written},2\r\n".encode()


def test_a_file_of_an_old_spreadsheet_keeps_its_encoding() -> None:
    data = "Student;ID\r\nZoë;1\r\n".encode("cp1252")

    sheet = parse_csv_file(data, name="file")

    assert sheet.values(1) == ("Zoë", "1")
    assert sheet.with_values({(1, 1): "2"}).to_bytes() == data.replace(b"1\r\n", b"2\r\n")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_sheet_or_a_sentence(data: bytes) -> None:
    try:
        sheet = parse_csv_file(data, name="file")
    except UsageError:
        return

    assert sheet.to_bytes() == data


@pytest.mark.parametrize("data", [b"", b" \r\n", b'a,"b\n'])
def test_a_file_that_is_none_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"^grades\.csv: "):
        parse_csv_file(data, name="grades.csv")
