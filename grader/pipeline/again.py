"""Judges a class again from what earlier runs left behind, after a rubric or a check changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.errors import UsageError
from grader.folder import Folder, catch_up, refresh_class
from grader.model import Rubric
from grader.pipeline.desk import Work
from grader.pipeline.rejudging import Rejudged
from grader.pipeline.seeding import seed_again
from grader.pipeline.sharing import rejudge_shared
from grader.sandbox import Environment
from grader.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainOutcome:
    """What judging a class again came to."""

    rubric: Rubric
    rejudged: Rejudged
    out: Path
    needs_person: bool


def again(settings: Settings) -> AgainOutcome:
    """Judge and render everything in a folder that `grade` wrote.

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
        work = Work(
            rubric=loaded,
            seed=seed_again(book, loaded.id, folder=folder.path),
            environment=Environment(python="", fingerprint=""),
            cache=settings.cache,
            out=settings.out,
        )
        graded = book.keys()
        names = tuple(name for name in book.roll() if name in graded)
        moment = book.moment()
    rejudged = rejudge_shared(work, names, jobs=settings.jobs)
    folder.write_class(rejudged.briefs, rubric=loaded)
    with gradebook.opened(folder.store) as book:
        if catch_up(folder, book, loaded) or book.moment() != moment:
            refresh_class(folder, book, loaded)
    needs = any(brief.asks for brief in rejudged.briefs) or bool(rejudged.unasked)
    return AgainOutcome(rubric=loaded, rejudged=rejudged, out=settings.out, needs_person=needs)
