"""How late a submission is: by its own moment, for each student by their own due date."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from course_people import ADA, BEN, DUE, ROSTER, RULE, called, handed_in
from hypothesis import given
from hypothesis import strategies as st
from specimens import full_marks, half_right, ungradable
from test_people import texts

from grader import scoring, timestamps
from grader.errors import UsageError
from grader.model import Graded, Lateness, LateRule, Tally
from grader.people import (
    Enrollment,
    EnrollmentResolver,
    People,
    read_extensions,
    read_submission_times,
)

CHICAGO = timestamps.find_zone("America/Chicago")


def entered(
    at: str = "",
    *,
    late: bool | None = None,
    rule: LateRule = RULE,
    people: People = ROSTER,
    name: str = "one",
) -> Enrollment:
    registrar = EnrollmentResolver(people, rule=rule)
    submission = handed_in(name, submitted_at=at, late=late)
    return registrar.resolve(submission, named=(called("", "ar10001"), called("", "bf10002")))


def days(at: str, **more: Any) -> list[int | None]:
    return [late.days if late else None for late in entered(at, **more).lateness]


@pytest.mark.parametrize(
    ("at", "late"),
    [
        ("2026-11-20T23:59:00-06:00", 0),
        ("2026-11-20T23:59:01-06:00", 0),
        ("2026-11-21T00:14:00-06:00", 0),
        ("2026-11-21T00:14:01-06:00", 1),
        ("2026-11-22T00:14:00-06:00", 1),
        ("2026-11-22T00:14:01-06:00", 2),
        ("2026-11-21T05:59:00Z", 0),
        ("2026-11-21T06:14:01Z", 1),
        ("2026-11-21 00:14:01", 1),
        ("2026-11-21 00:14", 0),
    ],
)
def test_days_begin_with_the_grace_and_offsets_are_heeded(at: str, late: int) -> None:
    assert days(at) == [late, late]


def test_seconds_are_counted_from_the_due_date_and_none_within_the_grace() -> None:
    (graced, _), (late, _) = (
        entered("2026-11-21T00:10:00-06:00").lateness,
        entered("2026-11-21T00:59:00-06:00").lateness,
    )

    assert graced is not None
    assert late is not None
    assert (graced.late_s, late.late_s) == (0, 3600)
    assert late.due == DUE
    assert late.at == "2026-11-21T00:59:00-06:00"
    assert (late.per_day, late.unit, late.cap) == (Fraction(10), "percent", Fraction(50))


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        ("2026-11-21T00:14:00-06:00", 0),
        ("2026-11-21T00:14:01-06:00", 901),
        ("2026-11-21T00:14:01.5-06:00", 902),
        ("2026-11-20T12:00:00-06:00", 0),
    ],
)
def test_seconds_are_whole_and_counted_from_the_first_after_the_grace(
    at: str, seconds: int
) -> None:
    (late, _) = entered(at).lateness

    assert late is not None
    assert (late.late_s, type(late.late_s)) == (seconds, int)


def test_a_day_has_24_hours_also_when_the_clocks_are_set_back() -> None:
    rule = replace(RULE, due="2026-10-31T23:00:00-05:00", grace_s=0)

    assert days("2026-11-01T22:00:00", rule=rule) == [1, 1], "that day has 25 hours"
    assert days("2026-11-01T22:00:01", rule=rule) == [2, 2]


def test_a_time_that_a_clock_shows_twice_is_the_earlier_one() -> None:
    rule = replace(RULE, due="2026-11-01T01:45:00-05:00", grace_s=0)

    assert days("2026-11-01T01:30:00", rule=rule) == [0, 0]
    assert days("2026-11-01T01:30:00-06:00", rule=rule) == [1, 1]


def test_a_time_that_no_clock_shows_is_the_earlier_one() -> None:
    found = timestamps.parse_lms_time("2026-03-08T02:30:00", zone=CHICAGO)

    assert found == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def test_times_without_offset_are_in_the_zone_of_the_rubric_or_the_offset_of_the_due_date() -> None:
    berlin = replace(RULE, timezone="Europe/Berlin")
    plain = replace(RULE, timezone="")

    assert days("2026-11-21T07:14:00", rule=berlin) == [0, 0]
    assert days("2026-11-21T07:14:01", rule=berlin) == [1, 1]
    assert days("2026-11-21T00:14:00", rule=plain) == [0, 0]


def test_each_member_has_their_own_due_date_and_only_a_later_one_counts() -> None:
    people = replace(
        ROSTER, extensions={"AR10001": "2026-11-23T23:59:00-06:00", "bf10002": "2026-01-01T00:00Z"}
    )

    assert days("2026-11-22T12:00:00", people=people) == [0, 2]
    assert days("2026-11-24T12:00:00", people=people) == [1, 4]


@pytest.mark.parametrize("identifier", ["ada.rivers@uni.example", "Ada.Rivers", "ar10001"])
def test_an_extension_is_found_by_any_id_of_a_student(identifier: str) -> None:
    people = replace(ROSTER, extensions={identifier: "2026-11-29T00:00:00-06:00"})

    assert days("2026-11-22T12:00:00", people=people) == [0, 2]


def test_late_by_nobody_knows_how_much_takes_nothing_and_asks_for_a_person() -> None:
    who = entered(late=True)

    assert [(late.at, late.late_s, late.days) if late else None for late in who.lateness] == [
        ("", 0, 0)
    ] * 2
    assert texts(who.flags) == (
        "marked late, but its submission time is unknown; no late penalty applied",
    )


def test_where_nobody_says_anything_of_time_nothing_is_made_up() -> None:
    assert entered().lateness == (None, None)
    assert entered(late=False).lateness == (None, None)
    assert texts(entered().flags) == ()


def test_a_time_that_cannot_be_read_is_flagged_and_takes_nothing() -> None:
    who = entered("last night")

    assert texts(who.flags) == ("the submission time can't be read: last night",)
    assert [late.at if late else None for late in who.lateness] == ["", ""]


@pytest.mark.parametrize(
    ("at", "late", "doubt"),
    [
        ("2026-11-20T12:00:00", True, "marked late, but submitted at 2026-11-20T12:00:00-06:00"),
        ("2026-11-20T23:59:00", True, "marked late, but submitted at 2026-11-20T23:59:00-06:00"),
        ("2026-11-20T23:59:01", True, ""),
        ("2026-11-22T12:00:00", False, "not marked late, but submitted"),
        ("2026-11-21T00:10:00", True, ""),
        ("2026-11-22T12:00:00", True, ""),
        ("2026-11-20T12:00:00", False, ""),
    ],
)
def test_where_time_and_mark_disagree_a_person_is_asked(at: str, *, late: bool, doubt: str) -> None:
    doubts = texts(entered(at, late=late).flags)

    assert [said.startswith(doubt) for said in doubts] == ([True] if doubt else [])


def test_a_mark_that_an_extension_explains_is_no_disagreement() -> None:
    people = replace(ROSTER, extensions={"ar10001": "2026-11-23T23:59:00-06:00"})

    assert texts(entered("2026-11-20T12:00:00", late=True, people=people).flags) == ()


def test_staff_know_better_than_the_folder_when_it_came() -> None:
    people = replace(ROSTER, submission_times={"one": "2026-11-20T20:00:00-06:00"})

    assert days("2026-11-29T00:00:00", people=people) == [0, 0]
    assert days("", people=people, late=True, name="ONE") == [0, 0]
    assert days("2026-11-29T00:00:00", people=people, name="two") == [8, 8]


def test_without_a_due_date_nothing_is_late_and_what_the_system_calls_late_is_said() -> None:
    registrar = EnrollmentResolver(ROSTER, rule=None)
    who = registrar.resolve(handed_in(submitted_at="2030-01-01", late=True), named=())

    assert who.lateness == ()
    assert texts(who.flags) == (
        "marked late where it was submitted; the rubric has no due date, so no penalty applied",
    )
    assert registrar.resolve(handed_in(late=False), named=()).flags == ()


def test_a_submission_of_nobody_has_one_lateness() -> None:
    registrar = EnrollmentResolver(ROSTER, rule=RULE)
    found = registrar.resolve(handed_in(submitted_at="2026-11-22T12:00:00"), named=())

    assert [late.days if late else None for late in found.lateness] == [2]


# ---------------------------------------------------------------- what it takes


def late(number: int = 1, **more: Any) -> Lateness:
    known = {"due": DUE, "at": DUE, "late_s": 1, "days": number, "deduction": None}
    return Lateness(**{**known, "per_day": Fraction(10), "unit": "percent", **more})


def settled(graded: Graded, *lateness: Lateness | None) -> Lateness:
    (found, *_) = scoring.with_late_deductions(replace(graded, lateness=lateness)).lateness
    assert found is not None
    return found


def tally(auto: str, pending: str = "0") -> Tally:
    return Tally(
        auto=Fraction(auto),
        marked=Fraction(0),
        pending=Fraction(pending),
        blocked=Fraction(0),
        possible=Fraction(80),
    )


@pytest.mark.parametrize(
    ("lateness", "taken"),
    [
        (late(1), 8),
        (late(3), 24),
        (late(3, cap=Fraction(20)), 16),
        (late(20), 80),
        (late(0), 0),
        (late(2, unit="points", per_day=Fraction(5, 2)), 5),
        (late(2, unit="points", per_day=Fraction(5), cap=Fraction(6)), 6),
        (late(40, unit="points"), 80),
    ],
)
def test_a_day_takes_points_or_a_part_of_what_was_earned(lateness: Lateness, taken: int) -> None:
    assert settled(full_marks(), lateness).deduction == taken


@pytest.mark.parametrize(("auto", "taken"), [("7", 7), ("0", 0), ("80", 20)])
def test_no_more_points_are_taken_than_were_earned(auto: str, taken: int) -> None:
    graded = full_marks()
    assert graded.score is not None
    earned = replace(graded, score=replace(graded.score, total=tally(auto)))

    assert settled(earned, late(2, unit="points")).deduction == taken


def test_a_part_of_an_unknown_sum_is_unknown_and_points_are_not() -> None:
    assert settled(half_right(), late(1)).deduction is None
    assert settled(half_right(), late(0)).deduction == 0
    assert settled(half_right(), late(1, unit="points")).deduction == 10


@pytest.mark.parametrize("unit", ["points", "percent"])
def test_late_by_nobody_knows_how_much_leaves_the_final_sum_open(unit: str) -> None:
    found = settled(full_marks(), late(0, at="", unit=unit))

    assert found.deduction is None
    assert scoring.final_points(tally("70"), late=found) is None


def test_what_cannot_be_graded_loses_nothing() -> None:
    assert settled(ungradable(), late(3)).deduction is None


def test_final_is_what_remains_and_never_below_nothing() -> None:
    assert scoring.final_points(tally("7"), late=late(deduction=Fraction(10))) == 0
    assert scoring.final_points(tally("70"), late=late(deduction=Fraction(10))) == 60
    assert scoring.final_points(tally("70"), late=None) == 70
    assert scoring.final_points(tally("70", "10"), late=late(deduction=Fraction(10))) is None


@given(
    number=st.integers(0, 500),
    per_day=st.fractions(0, 100),
    cap=st.none() | st.fractions(0, 100),
    unit=st.sampled_from(["points", "percent"]),
)
def test_nothing_below_nothing_is_ever_left(
    number: int, per_day: Fraction, cap: Fraction | None, unit: str
) -> None:
    graded = full_marks()
    assert graded.score is not None
    found = settled(graded, late(number, per_day=per_day, cap=cap, unit=unit))
    rest = scoring.final_points(graded.score.total, late=found)

    assert found.deduction is not None
    assert rest is not None
    assert 0 <= found.deduction <= graded.score.total.earned
    assert rest == graded.score.total.earned - found.deduction
    assert (rest * 100).denominator == 1


# ---------------------------------------------------------------- files of dates


def dates(folder: Path, text: str) -> Path:
    place = folder / "dates.csv"
    place.write_text(text, encoding="utf-8")
    return place


def test_of_extensions_nothing_but_ids_and_due_dates_is_read(tmp_path: Path) -> None:
    place = dates(tmp_path, "Name,EID,Reason,Due\nAda,ar1,illness,2026-11-23T23:59:00-06:00\n")
    found = read_extensions(place, zone=CHICAGO)

    assert found.dates == {"ar1": "2026-11-23T23:59:00-06:00"}
    assert found.note == "dates.csv: 1 extended due dates, from 'EID', 'Due'"
    assert "illness" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "id,due\nar1,2026-11-23 23:59\n",
            "'2026-11-23 23:59' has no offset from UTC; in America/Chicago it would be 2026-11-23T",
        ),
        ("id,due\nar1,tomorrow\n", "line 2: 'tomorrow' must be a date and time with its offset"),
        ("id,due\nar1,\n", "line 2: '' must be"),
        ("id,due\n,2026-11-23T23:59Z\n", "line 2: has no id"),
        ("id,due\nx,2026-11-23T23:59Z\nX,2026-11-24T23:59Z\n", "line 3: X is also in line 2"),
        ("id,reason\nar1,secret\n", "needs the columns 'id' and 'due'; it has 'id', 'reason'"),
    ],
)
def test_an_extension_that_says_too_little_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read_extensions(dates(tmp_path, text), zone=CHICAGO)

    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


def test_times_may_leave_out_the_offset(tmp_path: Path) -> None:
    place = dates(tmp_path, "submission,at\nada.ipynb,2026-11-23 23:59\n")

    assert read_submission_times(place, zone=CHICAGO).dates == {
        "ada.ipynb": "2026-11-24T05:59:00+00:00"
    }
    with pytest.raises(UsageError, match="line 2: 'noon' must be a date and time"):
        read_submission_times(dates(tmp_path, "id,at\nx,noon\n"), zone=CHICAGO)


# ---------------------------------------------------------------- whatever comes


@given(
    at=st.text(st.characters(), max_size=30) | st.datetimes().map(str),
    late=st.none() | st.booleans(),
)
def test_whatever_a_system_calls_a_time_ends_in_no_traceback(at: str, *, late: bool | None) -> None:
    assert len(entered(at, late=late).lateness) == 2


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 (naive is meant)
    name=st.sampled_from(
        ["America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
    ),
)
def test_a_time_of_a_place_is_never_later_than_its_clock_can_mean(
    moment: datetime, name: str
) -> None:
    zone = timestamps.find_zone(name)
    found = timestamps.parse_lms_time(moment.isoformat(), zone=zone)

    assert found is not None
    assert found == min(moment.replace(tzinfo=zone, fold=f).astimezone(UTC) for f in (0, 1))
    assert abs(found.replace(tzinfo=None) - moment) < timedelta(hours=15)


@given(st.text(st.characters(), max_size=30))
def test_any_word_is_a_due_date_or_refused(text: str) -> None:
    try:
        found = timestamps.parse_due(text, zone=CHICAGO)
    except ValueError:
        return
    assert found.utcoffset() is not None


def test_the_team_of_these_tests_is_on_the_roster() -> None:
    assert entered().students == (ADA, BEN)
