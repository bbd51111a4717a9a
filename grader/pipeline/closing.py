"""Looks at a class as a whole: who is in two submissions, who in none, and what nobody says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from grader import moments
from grader.folder import Absent, Brief
from grader.gradebook import Gradebook
from grader.model import Student
from grader.people import attendance, strangers
from grader.pipeline import Tell
from grader.pipeline.desk import Work

NAMED = 5
"""How many are named in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What a class came to."""

    needs_person: bool
    """Whether a row is ungradable, an error of ours, or flagged."""
    missing: tuple[Student, ...]
    """Those on the roster who handed in nothing."""


def close(
    briefs: Sequence[Brief], *, book: Gradebook, work: Work, tell: Tell, whole: bool = True
) -> Closed:
    """Write the files of a class, and to its grades what only the others tell of them.

    Args:
        briefs: every submission, in order.
        book: where their grades are.
        work: what they were graded with.
        tell: who hears what is to be said of people and times.
        whole: whether this is all that was handed in, so that the rest handed in nothing.
    """
    seen = attendance(
        {brief.row.name: brief.row.students for brief in briefs}, members=work.people.members
    )
    briefs = tuple(
        _settled(brief, seen.clashes.get(brief.row.name, ()), book=book, work=work)
        for brief in briefs
    )
    remarks = tuple(_remarks(briefs, work))
    for remark in remarks:
        tell(remark)
    absent = Absent(students=seen.missing if whole else (), remarks=remarks)
    work.folder().write_class(briefs, rubric=work.rubric, absent=absent)
    return Closed(
        needs_person=any(brief.asks for brief in briefs) or bool(remarks), missing=absent.students
    )


def _settled(brief: Brief, clashes: tuple[str, ...], *, book: Gradebook, work: Work) -> Brief:
    """A submission with what the others say against it now."""
    if brief.clashes == clashes:
        return brief
    name = brief.row.name
    graded = book.graded(name)
    own = tuple(flag for flag in graded.flags if flag not in graded.clashes)
    graded = replace(graded, flags=(*own, *clashes), clashes=clashes)
    work.folder().write_one(graded, rubric=work.rubric)
    book.amend(graded, key=book.keys()[name])
    return Brief.of(graded, rubric=work.rubric)


def _remarks(briefs: Sequence[Brief], work: Work) -> Iterator[str]:
    """What concerns the class and no submission of it."""
    everyone = [one for brief in briefs for one in brief.row.students]
    everyone += [member.student for member in work.people.members]
    extensions = work.people.extensions
    for mark in strangers(extensions, known=everyone):
        yield f"the extension of {mark} is nobody's: no student here has that id"
    rule = work.rubric.late
    if rule is None:
        return
    due = moments.due(rule.due)
    for mark in (mark for mark, own in extensions.items() if moments.due(own) < due):
        yield f"the extension of {mark} ends before the assignment is due, so it changes nothing"
    untimed = [brief.row.name for brief in briefs if not brief.timed]
    if untimed:
        names = ", ".join(untimed[:NAMED]) + (" …" if len(untimed) > NAMED else "")
        yield (
            f"nobody says when {len(untimed)} of {len(briefs)} were handed in, so nothing is taken "
            f"off: {names} (--times says when)"
        )
