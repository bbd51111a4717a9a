"""Whose a submission is: reconciled with the roster, and never guessed silently."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from course_people import ADA, ANNA, ANNE, BEN, MEMBERS, ROSTER, WEI, ZOE, called, handed_in
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Flag, Student
from grader.people import (
    Enrollment,
    EnrollmentResolver,
    People,
    RosterMember,
    check_roster,
    unknown_ids,
)
from grader.people.directory import Directory
from grader.people.name_matching import is_partial_name, name_words, normalize_id, same_name
from grader.report.flag_text import flag_text


def texts(flags: Iterable[Flag]) -> tuple[str, ...]:
    return tuple(map(flag_text, flags))


NAMES = st.text(st.characters(), max_size=40)


def entered(*named: Student, told: tuple[Student, ...] = (), people: People = ROSTER) -> Enrollment:
    registrar = EnrollmentResolver(people, rule=None)
    return registrar.resolve(handed_in(students=told), named=named)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Rivers", "ada rivers"),
        ("Rivers, Ada", "Ada Rivers"),
        ("Rivers Ada", "Ada Rivers"),
        ("Zoë Müller-Ørsted", "Muller Orsted, Zoe"),
        ("riversada", "Ada Rivers"),
        ("mullerorstedzoe", "Zoë Müller-Ørsted"),
        ("Seán O'Neil", "sean oneil"),
        ("Seán O\u2019Neil", "O'NEIL Sean"),
    ],
)
def test_a_name_is_the_same_in_any_order_case_and_accent(one: str, other: str) -> None:
    assert same_name(one, other)
    assert same_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anne Sample", "Anna Sample"), ("Ada", "Ada Rivers"), ("", ""), ("", "Ada"), ("王", "李")],
)
def test_other_names_are_other_names(one: str, other: str) -> None:
    assert not same_name(one, other)


@pytest.mark.parametrize(
    ("part", "is_part"),
    [
        ("Ada", True),
        ("Ada Rivers", True),
        ("A. Rivers", True),
        ("Rivers, A. B.", True),
        ("A. B.", False),
        ("Adam Rivers", False),
        ("Ada Ada", False),
        ("", False),
    ],
)
def test_a_part_of_a_name_is_words_or_initials_of_it(part: str, *, is_part: bool) -> None:
    assert is_partial_name(part, "Ada Byron Rivers") is is_part


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (called("Ada Rivers", "ar10001"), ADA),
        (called("", "AR10001"), ADA),
        (called("Rivers, Ada Byron"), ADA),
        (called("ada"), ADA),
        (called("Zoe Muller Orsted"), ZOE),
        (called("Kevin Li"), WEI),
        (called("", "", email="ada.rivers@uni.example"), ADA),
        (called("", "ada.rivers"), ADA),
        (called("", "", lms={"canvas": "4711"}), ZOE),
    ],
)
def test_an_id_or_a_name_that_fits_one_alone_is_found_without_a_doubt(
    named: Student, found: Student
) -> None:
    who = entered(named)

    assert [one.id for one in who.students] == [found.id]
    assert who.students[0].name == found.name
    assert who.students[0].section == found.section
    assert texts(who.flags) == ()


def test_a_name_that_fits_two_fits_none_and_both_are_said() -> None:
    who = entered(called("Sample"))

    assert [one.id for one in who.students] == [""]
    assert texts(who.flags) == ("Sample could be Anna Sample (as10006) or Anne Sample (as10005)",)


def test_an_exact_name_goes_before_one_that_is_only_akin() -> None:
    assert entered(called("Anna Sample")).students == (ANNA,)


def test_the_id_wins_over_the_name_and_staff_are_told() -> None:
    who = entered(called("Ben Fields", "ar10001"))

    assert who.students == (ADA,)
    assert texts(who.flags) == (
        "the name Ben Fields is next to the id of Ada Byron Rivers (ar10001)",
    )


def test_a_nickname_beside_the_right_id_is_no_disagreement() -> None:
    assert texts(entered(called("Benny", "bf10002")).flags) == ()


def test_an_unknown_id_leaves_the_name_to_tell_and_staff_are_told() -> None:
    who = entered(called("Ben Fields", "bf10020"))

    assert who.students == (BEN,)
    assert texts(who.flags) == (
        "the id bf10020 is not on the roster; by name it is Ben Fields (bf10002)",
    )


def test_somebody_unknown_stays_as_they_were_named_and_is_flagged() -> None:
    who = entered(called("Carl Nobody", "cn1"))

    assert who.students == (called("Carl Nobody", "cn1"),)
    assert texts(who.flags) == ("Carl Nobody (cn1) is not on the roster",)


def test_the_folder_names_whom_the_notebook_forgot() -> None:
    told = (called("riversada", lms={"canvas": "99"}),)
    who = entered(called("Ben Fields", "bf10002"), told=(called("", "ar10001"),))

    assert entered(told=(called("Ada Byron Rivers"),)).students == (ADA,)
    assert entered(told=told).students[0].lms == {"canvas": "99"}
    assert who.students == (BEN, ADA)
    assert texts(who.flags) == (
        "submitted by Ada Byron Rivers (ar10001), whom the notebook does not name",
    )


def test_one_of_a_team_hands_in_for_both_and_nothing_is_flagged() -> None:
    who = entered(
        called("Ada Rivers", "ar10001"), called("Ben Fields"), told=(called("Ben Fields"),)
    )

    assert who.students == (ADA, BEN)
    assert texts(who.flags) == ()


def test_a_group_that_the_folder_lists_must_be_the_one_in_the_notebook() -> None:
    group = (called("", "ar10001"), called("", "bf10002"))
    who = entered(called("", "ar10001"), called("", "wl10004"), told=group)

    assert who.students == (ADA, WEI, BEN)
    assert texts(who.flags) == (
        "submitted by Ben Fields (bf10002), whom the notebook does not name",
        "the notebook names Wei Li (wl10004), but the folder does not",
    )


def test_a_folder_that_is_no_persons_name_makes_nobody_up() -> None:
    who = entered(called("Ada Rivers", "ar10001"), told=(called("team seven"),))

    assert who.students == (ADA,)
    assert texts(who.flags)[0] == "team seven is not on the roster"


def test_an_id_that_two_have_on_the_roster_is_nobodys() -> None:
    twin = Directory((*MEMBERS, *MEMBERS[:1]))

    assert twin.find_by_id("ar10001") is None


def test_without_a_roster_the_notebook_names_as_before() -> None:
    team = (called("Ada Rivers", "ar1"), called("Ben"))
    who = entered(*team, people=People())

    assert who.students == team
    assert texts(who.flags) == ()
    assert entered(people=People()).students == ()


def test_without_a_roster_the_folder_completes_and_disagrees() -> None:
    told = (called("Fields, Ben", "bf2", email="bf2@uni.example"),)
    completed = entered(called("Ada Rivers", "ar1"), called("Ben"), told=told, people=People())
    another = entered(called("Ada Rivers", "ar1"), told=told, people=People())
    wrong = entered(called("Ben Fields", "ar1"), told=told, people=People())

    assert completed.students[1] == called("Ben", "bf2", email="bf2@uni.example")
    assert texts(completed.flags) == ()
    assert [one.id for one in another.students] == ["ar1", "bf2"]
    assert texts(another.flags) == (
        "submitted by Fields, Ben (bf2), whom the notebook does not name",
    )
    assert texts(wrong.flags) == ("Ben Fields (ar1) in the notebook has the id bf2 in the folder",)


@pytest.mark.parametrize("people", [People(), ROSTER])
@pytest.mark.parametrize("login", ["ada-codes", "team-blue"])
def test_an_account_is_one_of_those_who_are_named_and_nobody_else(
    people: People, login: str
) -> None:
    told = (called(lms={"github": login}),)
    alone = entered(called("Ada Rivers", "ar10001"), told=told, people=people)
    team = entered(
        called("Ada Rivers", "ar10001"), called("Ben Fields", "bf10002"), told=told, people=people
    )

    assert [(one.id, one.lms) for one in alone.students] == [("ar10001", {"github": login})]
    assert [one.id for one in team.students] == ["ar10001", "bf10002"]
    assert texts((*alone.flags, *team.flags)) == ()
    assert entered(told=told, people=People()).students == told


def test_an_account_is_whose_name_it_is_made_of() -> None:
    team = (called("Ada Rivers"), called("Ben Fields"))
    who = entered(*team, told=(called(lms={"github": "bfields99"}),), people=People())

    assert [one.lms for one in who.students] == [{}, {"github": "bfields99"}]


@pytest.mark.parametrize(
    ("named", "told", "whole"),
    [
        ((called("Ada Rivers"),), called("", "x77"), [("Ada Rivers", "x77")]),
        ((called("Ada Rivers", "ar1"),), called("", "arivers"), [("Ada Rivers", "ar1")]),
        ((called("", "ar1"),), called("riversada", lms={"canvas": "7"}), [("riversada", "ar1")]),
        (
            (called("Ada Rivers"), called("Ben Fields")),
            called("", "bf2"),
            [("Ada Rivers", ""), ("Ben Fields", "bf2")],
        ),
        (
            (called("", "ar1"), called("", "bf2")),
            called("fieldsben", lms={"canvas": "7"}),
            [("", "ar1"), ("fieldsben", "bf2")],
        ),
        (
            (called("Ada Rivers"), called("Ben Fields")),
            called("", "x77"),
            [("Ada Rivers", ""), ("Ben Fields", ""), ("", "x77")],
        ),
    ],
)
def test_a_name_in_the_notebook_and_an_id_of_the_folder_are_one_person(
    named: tuple[Student, ...], told: Student, whole: list[tuple[str, str]]
) -> None:
    who = entered(*named, told=(told,), people=People())

    assert [(one.name, one.id) for one in who.students] == whole


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("Adele M. Muster", "musteradele"),
        ("Cleo Maria Test", "testcleo"),
        ("Cleo Maria Test", "testcleom"),
        ("Cleo Test", "testcleomaria"),
        ("Cleo Test", "testsamplecleo"),
        ("Adele M. Sample-O'Neil", "sampleoneiladele"),
        ("Adele Sample", "sampleoneiladele"),
        ("Jörg Peter Müller", "muellerjoerg"),
        ("Joerg Mueller", "Jörg Peter Müller"),
        ("Bo Jan de la Sample", "delasamplebo"),
        ("Bo Jan de la Sample", "samplebo"),
        ("Bo Sample", "delasamplebo"),
        ("Adele Muster Jr.", "musteradele"),
    ],
)
def test_first_and_last_name_are_enough_to_be_one_person(named: str, told: str) -> None:
    team = (called("Ada Rivers", "ar10001"), called(named, "zz12345"))
    who = entered(*team, told=(called(told, lms={"canvas": "900"}),), people=People())

    assert [(one.name, one.id, dict(one.lms)) for one in who.students] == [
        ("Ada Rivers", "ar10001", {}),
        (named, "zz12345", {"canvas": "900"}),
    ]
    assert texts(who.flags) == ()


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (("Cleo Maria Test", "Cleo Anna Test"), "testcleo"),
        (("Cleo Maria Test",), "testmario"),
        (("Cleo Maria Test",), "testc"),
        (("Cleo Maria Test",), "testcleoanna"),
        (("Ann Sample",), "sampleanna"),
    ],
)
def test_who_may_be_two_of_the_team_or_another_is_flagged(
    named: tuple[str, ...], told: str
) -> None:
    team = [called(name, f"zz1234{number}") for number, name in enumerate(named)]
    who = entered(*team, told=(called(told, lms={"canvas": "900"}),), people=People())

    assert [dict(one.lms) for one in who.students[: len(named)]] == [{}] * len(named)
    assert texts(who.flags) == (f"submitted by {told}, whom the notebook does not name",)


def test_the_same_name_goes_before_one_that_holds_it() -> None:
    team = (called("Cleo Maria Test", "ct1"), called("Cleo Test", "ct2"))
    who = entered(*team, told=(called("testcleo", lms={"canvas": "900"}),), people=People())

    assert [dict(one.lms) for one in who.students] == [{}, {"canvas": "900"}]


def test_a_name_run_together_is_the_rosters_member_whose_name_it_is() -> None:
    members = [called("Cleo Maria Test", "ct1"), called("Cleo Test", "ct2")]
    people = People(members=tuple(RosterMember(student=one) for one in members))
    alone = People(members=people.members[:1])
    told = (called("testcleo", lms={"canvas": "900"}),)

    assert [one.id for one in entered(told=told, people=alone).students] == ["ct1"]
    assert [one.id for one in entered(members[0], told=told, people=people).students] == [
        "ct1",
        "ct2",
    ]


def test_an_unknown_id_of_the_folder_is_not_given_to_somebody_on_the_roster() -> None:
    who = entered(called("Ada Rivers", "ar10001"), told=(called("", "x77"),))

    assert [one.id for one in who.students] == ["ar10001", "x77"]
    assert "x77 is not on the roster" in texts(who.flags)


def test_two_of_one_name_are_told_apart_by_the_ids_of_the_system() -> None:
    one, two = (called("Wei Li", lms={"canvas": mark}) for mark in ("7", "8"))
    members = (RosterMember(student=one), RosterMember(student=two))
    nameless = called("Wei Li")

    assert check_roster({"x": (one,), "y": (two,)}, members=()).duplicate_flags == {}
    assert check_roster({"x": (one,)}, members=members).missing == (two,)
    assert check_roster({"x": (one,), "y": (one,)}, members=()).duplicate_flags.keys() == {"x", "y"}
    assert check_roster({"x": (one,), "y": (nameless,)}, members=()).duplicate_flags
    assert entered(told=(one, two), people=People()).students == (one, two)


def test_a_nickname_in_brackets_makes_no_other_name() -> None:
    assert same_name("Xiaoming (Ming) Beispiel", "Beispiel, Xiaoming")


def test_a_student_in_two_submissions_and_one_in_none_are_found() -> None:
    teams = {"x": (ADA, BEN), "y": (ADA,), "z": (called("Wei Li", "WL10004"), called())}
    seen = check_roster({**teams, "w": (called(),)}, members=MEMBERS)

    assert {name: texts(flags) for name, flags in seen.duplicate_flags.items()} == {
        "x": ("Ada Byron Rivers (ar10001) is also in y",),
        "y": ("Ada Byron Rivers (ar10001) is also in x",),
    }
    assert seen.missing == (ZOE, ANNE, ANNA)


def test_without_a_roster_nobody_is_missing() -> None:
    assert check_roster({"x": (ADA,)}, members=()).missing == ()


def test_an_extension_for_nobody_is_found() -> None:
    assert unknown_ids(["AR10001", "ada.rivers", "ar1001"], known=(ADA,)) == ("ar1001",)


@given(NAMES, NAMES)
def test_any_two_names_can_be_compared(one: str, other: str) -> None:
    assert same_name(one, other) == same_name(other, one)
    assert same_name(one, one) == bool(name_words(one))
    is_partial_name(one, other)


@given(st.text(st.characters(), max_size=30))
def test_case_spaces_and_leading_zeros_make_no_other_id(mark: str) -> None:
    assert normalize_id(f" {mark} ") == normalize_id(mark)
    assert normalize_id("00123") == normalize_id("1 23") == "123"
    assert normalize_id("AR10001") == normalize_id("#ar10001")
    assert normalize_id("0") == "0"


@given(
    named=st.lists(st.builds(called, NAMES, NAMES), max_size=4),
    told=st.lists(st.builds(called, NAMES, NAMES, email=NAMES), max_size=4),
    roster=st.booleans(),
)
def test_whatever_is_named_somebody_is_said_or_flagged(
    named: list[Student], told: list[Student], *, roster: bool
) -> None:
    who = entered(*named, told=tuple(told), people=ROSTER if roster else People())

    assert len(who.students) <= len(named) + len(told)
    if named or any(one.id or one.email for one in told):
        assert who.students
