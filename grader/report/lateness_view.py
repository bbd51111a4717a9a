"""Says how late a submission came and what that takes, apart from the points it earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from grader import scoring
from grader.model import Graded, Lateness, Tally
from grader.report.text_format import counted, number, points


@dataclass(frozen=True, slots=True, kw_only=True)
class LateNote:
    """What a team reads of its lateness."""

    style: str
    """'in-time', 'late' or 'unsure'."""
    title: str
    facts: tuple[tuple[str, str], ...]
    """Names and values: when it was due, when it came, what each day takes."""
    said: str
    """A sentence below them, or ''."""


def late_note(graded: Graded) -> LateNote | None:
    """What the team may read; None where nothing is said of time.

    Where members have due dates of their own, nobody's is shown: all of the team read this page.
    """
    told = set(graded.lateness)
    if not told - {None}:
        return None
    if len(told) > 1:
        return _to_each(graded.lateness)
    (late,) = told
    return None if late is None else _note(late, tally=graded.score.total if graded.score else None)


def _to_each(lateness: Sequence[Lateness | None]) -> LateNote:
    """For members with due dates of their own: no more than all of them may know."""
    known = [late for late in lateness if late is not None and late.at and late.days == 0]
    if len(known) == len(lateness):
        facts = (("Handed in", moment(known[0].at)),)
        return LateNote(style="in-time", title="Handed in on time", facts=facts, said="")
    return LateNote(
        style="unsure",
        title="Lateness",
        facts=(),
        said="What being late takes off is told to each of you by your course staff, and not here.",
    )


def _note(late: Lateness, *, tally: Tally | None) -> LateNote:
    if not late.at:
        return LateNote(
            style="unsure",
            title="Handed in late",
            facts=(("Due", moment(late.due)),),
            said="Nobody has told us how late. A person will look at it; nothing was taken off.",
        )
    facts = (("Due", moment(late.due)), ("Handed in", moment(late.at)))
    if late.days == 0:
        title = "Handed in within the grace period" if _after(late) else "Handed in on time"
        return LateNote(style="in-time", title=title, facts=facts, said="")
    return LateNote(
        style="late",
        title=f"{days_late(late)} late",
        facts=(*facts, ("Each begun day takes", rule(late))),
        said=_outcome(late, tally),
    )


def _after(late: Lateness) -> bool:
    return datetime.fromisoformat(late.at) > datetime.fromisoformat(late.due)


def _outcome(late: Lateness, tally: Tally | None) -> str:
    if tally is None:
        return ""
    if late.deduction is None:
        return "How many points that is will be known when everything is marked."
    taken = f"\u2212{points(late.deduction)}"
    final = scoring.final(tally, late=late)
    if final is None:
        return f"{taken}, to be taken off the sum when everything is marked."
    return f"{taken}: {number(final)} of {number(tally.possible)} remain."


def rule(late: Lateness) -> str:
    """What a day takes: '10 % of what was earned, at most 50 %'."""
    if late.unit == "percent":
        cap = "" if late.cap is None else f", at most {number(late.cap)} %"
        return f"{number(late.per_day)} % of what was earned{cap}"
    cap = "" if late.cap is None else f", at most {number(late.cap)}"
    return f"{points(late.per_day)}{cap}"


def days_late(late: Lateness) -> str:
    """'1 day', '3 days'."""
    return counted(late.days, one="day", many="days")


def moment(text: str) -> str:
    """A time as a person reads it: '20 Nov 2026, 23:59 (UTC\u221206:00)'."""
    found = datetime.fromisoformat(text)
    day = f"{found.day} {found:%b %Y, %H:%M}" + (f":{found:%S}" if found.second else "")
    offset = found.utcoffset() or timedelta(0)
    if not offset:
        return f"{day} (UTC)"
    sign = "\u2212" if offset < timedelta(0) else "+"
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{day} (UTC{sign}{minutes // 60:02}:{minutes % 60:02})"


def late_cells(lateness: Sequence[Lateness | None]) -> tuple[str, ...]:
    """What staff read of each student: '2 days, \u22128'; one word where it is the same for all."""
    said = [_cell(late) for late in lateness]
    return tuple(said[:1]) if len(set(said)) == 1 else tuple(said)


def _cell(late: Lateness | None) -> str:
    if late is None:
        return "time unknown"
    if not late.at:
        return "late, time unknown"
    if late.days == 0:
        return "on time"
    taken = "not known yet" if late.deduction is None else f"\u2212{number(late.deduction)}"
    return f"{days_late(late)}, {taken}"


def final_cells(graded: Graded) -> tuple[Fraction | None, ...]:
    """What counts for each student; one value where it is the same for all."""
    if graded.score is None:
        return ()
    tally = graded.score.total
    finals = tuple(scoring.final(tally, late=late) for late in graded.lateness or (None,))
    return finals[:1] if len(set(finals)) == 1 else finals
