"""Describe how late a submission is, and the deduction for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from grader import scoring
from grader.model import Graded, Lateness, Tally
from grader.report.text_format import format_count, format_number, points_with_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class LateNote:
    """What a team reads about its lateness."""

    style: str
    """'in-time', 'late' or 'unsure'."""
    title: str
    facts: tuple[tuple[str, str], ...]
    """Names and values: when it was due, when it came, what each day takes."""
    sentence: str
    """A sentence below them, or ''."""


def late_note(graded: Graded) -> LateNote | None:
    """Return what the team may read, or None without a due date.

    Where members have different due dates, none is shown, since the whole team reads this page.
    """
    distinct = set(graded.lateness)
    if not distinct - {None}:
        return None
    if len(distinct) > 1:
        return _note_for_own_dates(graded.lateness)
    (late,) = distinct
    tally = graded.score.total if graded.score else None
    return _note_for_team(late, tally=tally) if late else None


def _note_for_own_dates(lateness: Sequence[Lateness | None]) -> LateNote:
    """Return a note that reveals no member's own due date to the others."""
    on_time = [late for late in lateness if late is not None and late.at and late.days == 0]
    if len(on_time) == len(lateness):
        facts = (("Submitted", format_time(on_time[0].at)),)
        return LateNote(style="in-time", title="Submitted on time", facts=facts, sentence="")
    return LateNote(
        style="unsure",
        title="Lateness",
        facts=(),
        sentence=("Your course staff tells each of you the late penalty; it is not shown here."),
    )


def _note_for_team(late: Lateness, *, tally: Tally | None) -> LateNote:
    if not late.at:
        return LateNote(
            style="unsure",
            title="Submitted late",
            facts=(("Due", format_time(late.due)),),
            sentence=(
                "The time of submission is unknown: a person will look at it. No penalty applied."
            ),
        )
    facts = (("Due", format_time(late.due)), ("Submitted", format_time(late.at)))
    if late.days == 0:
        after_due = datetime.fromisoformat(late.at) > datetime.fromisoformat(late.due)
        title = "Submitted within the grace period" if after_due else "Submitted on time"
        return LateNote(style="in-time", title=title, facts=facts, sentence="")
    return LateNote(
        style="past-due",
        title=f"{days_late(late)} late",
        facts=(*facts, ("Late penalty per day or part of a day", describe_rule(late))),
        sentence=_deduction_sentence(late, tally),
    )


def _deduction_sentence(late: Lateness, tally: Tally | None) -> str:
    if tally is None:
        return ""
    if late.deduction is None:
        return "The late penalty will be known when grading is complete."
    deduction = f"\u2212{points_with_unit(late.deduction)}"
    final = scoring.final_points(tally, late=late)
    if final is None:
        return f"{deduction} will be deducted when grading is complete."
    return f"{deduction}: final score {format_number(final)} of {format_number(tally.possible)}."


def describe_rule(late: Lateness) -> str:
    """Return what a late day takes: '10 % of what was earned, at most 50 %'."""
    if late.unit == "percent":
        cap = "" if late.cap is None else f", at most {format_number(late.cap)} %"
        return f"{format_number(late.per_day)} % of what was earned{cap}"
    cap = "" if late.cap is None else f", at most {format_number(late.cap)}"
    return f"{points_with_unit(late.per_day)}{cap}"


def days_late(late: Lateness) -> str:
    """Return '1 day' or '3 days'."""
    return format_count(late.days, singular="day")


def format_time(text: str) -> str:
    """Format a time for people: '20 Nov 2026, 23:59 (UTC offset)'."""
    time = datetime.fromisoformat(text)
    day = f"{time.day} {time:%b %Y, %H:%M}" + (f":{time:%S}" if time.second else "")
    offset = time.utcoffset() or timedelta(0)
    if not offset:
        return f"{day} (UTC)"
    sign = "\u2212" if offset < timedelta(0) else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{day} (UTC{sign}{minutes // 60:02}:{minutes % 60:02})"


def late_cells(lateness: Sequence[Lateness | None]) -> tuple[str, ...]:
    """Return what staff read for each student, once where all are alike."""
    cells = [_late_cell(late) for late in lateness]
    return tuple(cells[:1]) if len(set(cells)) == 1 else tuple(cells)


def _late_cell(late: Lateness | None) -> str:
    if late is None:
        return "time unknown"
    if not late.at:
        return "late, time unknown"
    if late.days == 0:
        return "on time"
    deduction = (
        "not known yet" if late.deduction is None else f"\u2212{format_number(late.deduction)}"
    )
    return f"{days_late(late)}, {deduction}"


def final_cells(graded: Graded) -> tuple[Fraction | None, ...]:
    """Return the final points of each student, once where all are alike."""
    if graded.score is None:
        return ()
    tally = graded.score.total
    finals = tuple(scoring.final_points(tally, late=late) for late in graded.lateness or (None,))
    return finals[:1] if len(set(finals)) == 1 else finals
