"""Rosters and dates are read from workbooks, and a hostile one ends in a sentence."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from workbook_maker import Cells, sheet_xml, workbook

from grader.errors import UsageError
from grader.people import read_roster, read_submission_times

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("python_calamine") is None, reason="needs the `xlsx` extra"
)
ROSTER: Cells = [("EID", "Name"), ("ar10001", "Ada Rivers"), ("bf10002", "Ben Fields")]
PEOPLE = [("Ada Rivers", "ar10001"), ("Ben Fields", "bf10002")]


def people(path: Path, data: bytes) -> list[tuple[str, str]]:
    path.write_bytes(data)
    return [(one.student.name, one.student.id) for one in read_roster(path).members]


@needs_library
@pytest.mark.parametrize(
    "data",
    [
        workbook({"Roster": ROSTER}),
        workbook({"About": [("Made by the registrar",)], "Roster": ROSTER}),
        workbook({"Roster": [("Student list",), (), ("Fall term", "31"), *ROSTER]}),
        workbook({"Old": [("id", "name"), ("x1", "Gone")], "New": ROSTER}, hidden=["Old"]),
        workbook({"Empty": [], "Roster": ROSTER}),
        workbook({"Roster": [("EID", "Name", ""), *ROSTER[1:], ("", "", "")]}),
    ],
)
def test_the_first_sheet_with_known_headers_is_the_roster(tmp_path: Path, data: bytes) -> None:
    assert people(tmp_path / "roster.xlsx", data) == PEOPLE
    assert people(tmp_path / "named-wrongly.csv", data) == PEOPLE


@needs_library
def test_numbers_are_ids_as_they_are_shown(tmp_path: Path) -> None:
    rows: Cells = [("id", "name"), (12345.0, "A B"), ("00123", "C D")]

    found = people(tmp_path / "r.xlsx", workbook({"S": rows}))

    assert found == [("A B", "12345"), ("C D", "00123")]


@needs_library
def test_times_and_errors_have_the_line_of_the_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "times.xlsx"
    title: Cells = [("Submissions",), ("id", "submitted_at")]
    path.write_bytes(workbook({"S": [*title, ("ar10001", "2031-04-09 23:10")]}))

    times = read_submission_times(path, zone=ZoneInfo("America/Chicago"))

    assert times.dates == {"ar10001": "2031-04-10T04:10:00+00:00"}
    path.write_bytes(workbook({"S": [*title, ("ar10001", "soon")]}))
    with pytest.raises(UsageError, match=r"times\.xlsx: line 3: 'soon'"):
        read_submission_times(path, zone=ZoneInfo("UTC"))


FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
LONG = '<row><c t="inlineStr"><is><t>' + "x" * 50_000_000 + "</t></is></c></row>"


@needs_library
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (workbook({"S": [("id", "name"), (1.23456789e18, "A B")]}), "has made '1.23E+18' of an id"),
        (workbook({"S": [("color",), ("red",)]}), "no column is known as an id or a name"),
        (workbook({"S": []}), "is empty"),
        (workbook({"S": ROSTER}, hidden=["S"]), "is empty"),
        (workbook({"S": ROSTER})[:-200], "not a workbook that can be read"),
        (workbook({"S": sheet_xml(ROSTER, extra=FAR)}), "not a workbook that can be read"),
        (workbook({"S": sheet_xml(ROSTER, extra="<row/>" * 9 + LONG)}), "can be read"),
        (workbook({"S": sheet_xml([("id", "name"), *[("1",)] * 300_000])}), "can be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = tmp_path / "roster.xlsx"
    path.write_bytes(data)
    started = time.monotonic()

    with pytest.raises(UsageError, match=r"roster\.xlsx") as raised:
        read_roster(path)

    assert said in str(raised.value)
    assert time.monotonic() - started < 20


def test_without_the_library_the_error_says_how_to_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    path = tmp_path / "roster.xlsx"
    path.write_bytes(workbook({"S": ROSTER}))

    with pytest.raises(UsageError, match=r"pip install 'notebook-grader\[xlsx\]'"):
        read_roster(path)
