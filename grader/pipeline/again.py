"""Judges a class again from what earlier runs left behind, after a rubric or a check changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.errors import UsageError
from grader.folder import Folder, absent_from, catch_up, refresh_class, write_with_clashes
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.pipeline import Tell
from grader.pipeline.course_people import register
from grader.pipeline.grading_worker import Work
from grader.pipeline.location_overrides import Parts, corrected
from grader.pipeline.parallel_rejudging import rejudge_shared
from grader.pipeline.rejudging import Rejudged
from grader.pipeline.seed_choice import seed_again
from grader.sandbox import Environment
from grader.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainOutcome:
    """What judging a class again came to."""

    rubric: Rubric
    rejudged: Rejudged
    out: Path
    needs_person: bool


def again(settings: Settings, *, tell: Tell) -> AgainOutcome:
    """Judge and render everything in a folder that `grade` wrote.

    Args:
        settings: where it is, by which rubric, and what is new about people.
        tell: who hears what is remembered of people, and what asks for a look.

    Raises:
        UsageError: the folder holds no gradebook, or none of this assignment.
        RubricError: the rubric is not as it must be.
    """
    found = rubric.find(settings.root, assignment=settings.assignment)
    loaded = rubric.load(found, catalogue=checks.catalogue())
    if not Folder.is_one(settings.out):
        raise UsageError(f"{settings.out}: no gradebook there; `grade PATH` makes one")
    folder = Folder(settings.out)
    with gradebook.opened(folder.store) as book:
        graded = book.keys()
        names = tuple(name for name in book.roll() if name in graded)
        work = Work(
            rubric=loaded,
            seed=seed_again(book, loaded.id, folder=folder.path),
            environment=Environment(python="", fingerprint=""),
            cache=settings.cache,
            out=settings.out,
            parts=_parts(book, names, rubric=loaded, file=settings.parts, tell=tell),
            people=register(book, rubric=loaded, files=settings.people, tell=tell),
            show_ids=settings.people.show_ids,
        )
        moment = book.moment()
    rejudged = rejudge_shared(work, names, jobs=settings.jobs)
    with gradebook.opened(folder.store) as book:
        briefs = write_with_clashes(folder, book, loaded, rejudged.briefs)
        if catch_up(folder, book, loaded) or book.moment() != moment:
            briefs = refresh_class(folder, book, loaded)
        absent = absent_from(briefs, book=book, rubric=loaded)
    for remark in absent.remarks:
        tell(remark)
    needs = any(brief.asks for brief in briefs) or bool(rejudged.unasked or absent.remarks)
    return AgainOutcome(rubric=loaded, rejudged=rejudged, out=settings.out, needs_person=needs)


def _parts(
    book: Gradebook, names: tuple[str, ...], *, rubric: Rubric, file: Path | None, tell: Tell
) -> Parts:
    """The cells that people say items are answered in, with what they say now."""
    parts, remarks = corrected(book, rubric, file=file, names={name: name for name in names})
    for remark in remarks:
        tell(remark)
    return parts
