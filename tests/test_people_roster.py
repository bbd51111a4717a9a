"""A roster is read whatever program wrote it, and what was made of it is said."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.csv_tables import parse_table
from grader.errors import UsageError
from grader.people import ParsedRoster, read_roster
from grader.people.columns import map_person_columns

ADA = ("Ada Rivers", "ar10001")
BEN = ("Ben Fields", "bf10002")


def roster(folder: Path, content: str | bytes, *, encoding: str = "utf-8") -> ParsedRoster:
    place = folder / "roster.csv"
    place.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read_roster(place)


def people(found: ParsedRoster) -> list[tuple[str, str]]:
    return [(member.student.name, member.student.id) for member in found.members]


CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,HW 5 (123)
    Points Possible,,,,,80
"Rivers, Ada",4711,ar10001,ar10001,Section A,
"Fields, Ben",4712,bf10002,bf10002,Section B,7.00
"Student, Test",9999,,t1,Section A,
"""
MOODLE = """\ufeffIdentifier,"Full name","ID number","Email address",Status,Grade
"Participant 77","Ada Rivers",ar10001,ada@uni.example,Submitted,
"Participant 78","Ben Fields",bf10002,ben@uni.example,,
"""
GRADESCOPE = """First Name,Last Name,SID,Email,Sections
Ada,Rivers,ar10001,ada@uni.example,A
Ben,Fields,bf10002,ben@uni.example,"A, B"
"""
BRIGHTSPACE = """OrgDefinedId,Username,Last Name,First Name,Email
#ar10001,#ada,Rivers,Ada,ada@uni.example
#bf10002,#ben,Fields,Ben,ben@uni.example
"""
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\n'
    '"Rivers"\t"Ada"\t"ada"\t"ar10001"\t"2026"\n"Fields"\t"Ben"\t"ben"\t"bf10002"\t""\n'
)
GITHUB = """identifier,github_username,github_id,name
ar10001,ada-gh,1,Ada Rivers
bf10002,,,Ben Fields
"""
GERMAN = """sep=;
Matrikelnummer;Nachname;Vorname;E-Mail-Adresse
="ar10001";Rivers;Ada;ada@uni.example
'bf10002;Fields;Ben;ben@uni.example
;;;
"""
OWN = """Notes, Student ID (EID) ,Name
x,ar10001,Ada Rivers

y,bf10002,"Fields, Ben"
"""


@pytest.mark.parametrize(
    ("text", "lms"),
    [
        (CANVAS, {"canvas": "4711", "login": "ar10001"}),
        (MOODLE, {"moodle": "77"}),
        (GRADESCOPE, {}),
        (BRIGHTSPACE, {"login": "ada"}),
        (BLACKBOARD, {"login": "ada"}),
        (GERMAN, {}),
        (OWN, {}),
    ],
)
def test_what_a_course_has_is_read(text: str, lms: dict[str, str], tmp_path: Path) -> None:
    found = roster(tmp_path, text)

    assert people(found) == [ADA, BEN]
    assert found.members[0].student.lms == lms
    assert found.notes[0].startswith("roster.csv: 2 students; ")


def test_a_github_roster_is_read(tmp_path: Path) -> None:
    found = roster(tmp_path, GITHUB)

    assert [member.student.lms.get("github") for member in found.members] == ["ada-gh", None]
    assert [member.student.name for member in found.members] == ["Ada Rivers", "Ben Fields"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_encoding_and_separator_of_a_spreadsheet_is_read(
    encoding: str, separator: str, tmp_path: Path
) -> None:
    text = "\r\n".join((f"name{separator}id", f"Zoë Müller{separator}zm1", "")) + "\r\n"

    assert people(roster(tmp_path, text, encoding=encoding)) == [("Zoë Müller", "zm1")]


def test_the_columns_that_were_used_and_those_that_were_not_are_said(tmp_path: Path) -> None:
    found = roster(tmp_path, CANVAS)

    assert found.notes == (
        (
            "roster.csv: 2 students; id from 'SIS User ID', login from 'SIS Login ID', name from "
            "'Student', section from 'Section', canvas from 'ID'; not used: 'HW 5 (123)'"
        ),
        "rows without a student left out: line 2, 5",
    )


@pytest.mark.parametrize("status", ["Student status", "Last access", "First access", "Last login"])
def test_a_column_that_only_sounds_alike_is_not_taken(status: str) -> None:
    assert set(map_person_columns(["eid", status])) == {"id"}


def test_a_preferred_name_is_another_name_of_the_same_student(tmp_path: Path) -> None:
    found = roster(tmp_path, "id,first name,last name,preferred name\nx1,Wei,Li,Kevin\n")

    assert found.members[0].student.name == "Wei Li"
    assert found.members[0].aliases == ("Kevin Li",)


def test_somebody_in_two_sections_stands_there_once(tmp_path: Path) -> None:
    found = roster(tmp_path, 'id,name,section\nx1,Wei Li,A\nX1,"Li, Wei",B\n')

    assert [member.student.section for member in found.members] == ["A, B"]


def test_an_id_for_two_people_is_said(tmp_path: Path) -> None:
    found = roster(tmp_path, "id,name\nx1,Wei Li\nx1,Ada Rivers\n")

    assert people(found) == [("Wei Li", "x1"), ("Ada Rivers", "x1")]
    assert found.notes[1].startswith("line 3: id x1 belongs to Wei Li and to Ada Rivers")


def test_a_spreadsheets_whole_numbers_are_ids(tmp_path: Path) -> None:
    found = roster(tmp_path, "id,name\n12345.0,A B\n00123,C D\n-,E F\n")

    assert [member.student.id for member in found.members] == ["12345", "00123", ""]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,name\n", "it lists nobody"),
        (b"color,size\nred,3\n", "no column is known as an id or a name"),
        (b"PK\x03\x04rest", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "save it as CSV"),
        (b"id,name\n1.23E+09,Ada\n", "line 2: a spreadsheet has made '1.23E+09' of an id"),
        (b'id,name\n"a' + b"x" * 200_000, "is not a table"),
    ],
)
def test_what_is_no_roster_is_refused_in_a_sentence(
    content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"roster\.csv") as raised:
        roster(tmp_path, content)

    assert said in str(raised.value)


def test_a_roster_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        read_roster(tmp_path / "nowhere.csv")


@given(st.binary(max_size=300))
def test_no_bytes_end_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    place = tmp_path_factory.getbasetemp() / "any.csv"
    place.write_bytes(b"id,name\n" + data)
    with suppress(UsageError):
        read_roster(place)


CELLS = st.text(max_size=12)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=5))
def test_no_table_ends_in_a_traceback(rows: list[list[str]]) -> None:
    try:
        found = parse_table("\n".join(",".join(row) for row in rows), name="any.csv")
    except UsageError:
        return
    places = map_person_columns(found.columns)
    assert len(set(places.values())) == len(places)


NAMES = st.lists(
    st.tuples(
        st.text("abcdefgäöü'- ", min_size=3, max_size=12).filter(str.strip),
        st.from_regex(r"[a-z]{2}[0-9]{5}", fullmatch=True),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda pair: pair[1],
)


@given(NAMES, st.permutations(["id", "name", "email"]), st.sampled_from([",", ";", "\t"]))
def test_everyone_is_read_whatever_the_order_of_columns(
    who: list[tuple[str, str]], order: list[str], separator: str
) -> None:
    rows = [{"id": mark, "name": name, "email": f"{mark}@x.example"} for name, mark in who]
    text = "\n".join(
        separator.join(row[c] for c in order)
        for row in [dict(zip(order, order, strict=True)), *rows]
    )
    found = parse_table(text, name="r.csv")
    places = map_person_columns(found.columns)

    assert [line.cell(places["id"]) for line in found.rows] == [mark for _, mark in who]
    assert {thing: order[at] for thing, at in places.items()} == {c: c for c in order}
