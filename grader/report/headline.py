"""Say in one number and a few sentences how a submission stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from grader import scoring
from grader.model import Graded, Tally
from grader.report.lateness_view import LateNote
from grader.report.text_format import points_with_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The first thing a student reads about their points."""

    points: Fraction
    """What counts: the final score where it is known, after any late deduction."""
    sentences: tuple[str, ...]


def headline(graded: Graded, *, total: Tally, late: LateNote | None) -> Headline:
    """Return the headline of a scored submission.

    Where members of a team have due dates of their own, lateness is left out: all read this page.
    """
    shared = set(graded.lateness)
    final = scoring.final_points(total, late=shared.pop()) if len(shared) == 1 else None
    return Headline(
        points=total.earned if final is None else final,
        sentences=tuple(_sentences(total, late=late, final=final)),
    )


def _sentences(total: Tally, *, late: LateNote | None, final: Fraction | None) -> Iterator[str]:
    if total.final is None:
        amount, single = points_with_unit(total.pending), total.pending == 1
        yield (
            f"{amount} {'is' if single else 'are'} still being graded: "
            f"{'it is' if single else 'they are'} not lost, and this is not your final score."
        )
    elif total.blocked:
        yield (
            f"Grading is complete. {points_with_unit(total.blocked)} could not be awarded "
            "because an earlier part failed."
        )
    else:
        yield "Grading is complete."
    if late is None or late.style != "past-due":
        return
    if final is None or total.final is None:
        yield f"{late.title}. {late.sentence}".rstrip()
    else:
        deduction = points_with_unit(total.final - final)
        yield f"{points_with_unit(total.final)} earned, \u2212{deduction} for being {late.title}."
