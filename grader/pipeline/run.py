"""One run from settings to a written folder, telling a watcher how it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader import checks, rubric, submissions
from grader.model import Graded, Rubric
from grader.pipeline import opened
from grader.pipeline.folder import Folder
from grader.pipeline.pool import grade_all
from grader.settings import Settings


class Watcher(Protocol):
    """Who is told how a run goes."""

    def begin(self, *, rubric: Rubric, count: int) -> None:
        """The reference is about to run, then so many submissions."""
        ...

    def ready(self) -> None:
        """The reference is live."""
        ...

    def done(self, graded: Graded) -> None:
        """One submission is on disk."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    rubric: Rubric
    results: tuple[Graded, ...]
    out: Path

    @property
    def needs_person(self) -> bool:
        """Whether a row is ungradable, an error of ours, or flagged."""
        return any(graded.reason is not None or graded.flags for graded in self.results)


def run(settings: Settings, *, watcher: Watcher) -> Outcome:
    """Grade everything at the path of the settings.

    Raises:
        UsageError: path, output folder or environment are not as they must be.
        RubricError: rubric or reference are not.
    """
    found = rubric.find(settings.root, assignment=settings.assignment)
    loaded = rubric.load(found, catalogue=checks.catalogue())
    handed_in = submissions.collect(settings.path, leave_out=settings.out)
    folder = Folder(settings.out)
    watcher.begin(rubric=loaded, count=len(handed_in))
    draws = checks.Draws(seed=folder.seed())
    with opened(loaded, draws=draws, python=settings.python) as course:
        watcher.ready()
        results = grade_all(
            handed_in,
            course=course,
            jobs=settings.jobs,
            done=_both(lambda g: folder.write_one(g, rubric=loaded), watcher.done),
        )
    folder.write_class(results, rubric=loaded)
    return Outcome(rubric=loaded, results=results, out=settings.out)


def _both(
    first: Callable[[Graded], None], then: Callable[[Graded], None]
) -> Callable[[Graded], None]:
    def both(graded: Graded) -> None:
        first(graded)
        then(graded)

    return both
