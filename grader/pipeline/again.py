"""Judges a class again from what earlier runs left behind, after a rubric or a check changed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.errors import UsageError
from grader.model import Rubric
from grader.pipeline.desk import Work
from grader.pipeline.folder import Folder
from grader.pipeline.rejudging import Rejudged, rejudge
from grader.pipeline.run import write_class
from grader.pipeline.seeding import seed_again
from grader.sandbox import Environment
from grader.settings import Settings

ALONE = 150
"""Submissions below which starting more processes takes longer than it saves."""


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
    if not (settings.out / Folder.STORE).is_file():
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
    rejudged = _shared(work, names, jobs=settings.jobs)
    with gradebook.opened(folder.store) as book:
        person = write_class(names, book=book, folder=folder, rubric=loaded)
    needs = person or bool(rejudged.unasked)
    return AgainOutcome(rubric=loaded, rejudged=rejudged, out=settings.out, needs_person=needs)


def _shared(work: Work, names: Sequence[str], *, jobs: int) -> Rejudged:
    """Judge in this process, or in several where that is faster; changes in the order of names."""
    if jobs == 1 or len(names) < ALONE:
        return rejudge(work, names)
    parts = [names[first::jobs] for first in range(jobs)]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        done = list(pool.map(rejudge, [work] * jobs, parts))
    place = {name: number for number, name in enumerate(names)}
    changes = sorted((c for part in done for c in part.changes), key=lambda c: place[c.submission])
    unasked = sorted((name for part in done for name in part.unasked), key=lambda n: place[n])
    count = sum(part.count for part in done)
    return Rejudged(count=count, changes=tuple(changes), unasked=tuple(unasked))
