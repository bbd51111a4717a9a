"""One run from settings to a written folder, telling a watcher how it goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from grader import checks, gradebook, rubric, sandbox, submissions
from grader.folder import Folder, settle
from grader.gradebook import Gradebook
from grader.model import Graded, Limits, Rubric, Submission
from grader.pipeline.desk import Work
from grader.pipeline.keys import Keys, ran_of, without_level
from grader.pipeline.pool import grade_all
from grader.pipeline.rejudging import Rejudged, rejudge
from grader.pipeline.seeding import seed
from grader.settings import Settings


class Watcher(Protocol):
    """Who is told how a run goes."""

    def begin(self, *, rubric: Rubric, count: int, kept: int, judged: int) -> None:
        """So many submissions are about to run; some stay as they are, or were judged again."""
        ...

    def ready(self) -> None:
        """The reference is live."""
        ...

    def note(self, text: str) -> None:
        """Something about this machine that the person should know."""
        ...

    def done(self, graded: Graded) -> None:
        """One submission is on disk."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    rubric: Rubric
    names: tuple[str, ...]
    """The submissions, in order."""
    kept: int
    """How many stay as they are, since nothing changed."""
    rejudged: Rejudged
    """Those that were not run but judged again, since the rubric or a check changed."""
    needs_person: bool
    """Whether a row is ungradable, an error of ours, or flagged."""
    out: Path
    store: Path | str
    """Where the gradebook is."""

    def results(self) -> Iterator[Graded]:
        """Every submission's grade, read from the gradebook one after another."""
        with gradebook.opened(self.store) as book:
            yield from book.all_graded(self.names)


def run(settings: Settings, *, watcher: Watcher) -> Outcome:
    """Grade everything at the path of the settings, and keep what did not change.

    Raises:
        UsageError: path, output folder or environment are not as they must be.
        RubricError: rubric or reference are not.
    """
    loaded = _rubric(settings)
    handed_in = submissions.collect(settings.path, leave_out=settings.out)
    environment = sandbox.survey(settings.python)
    folder = Folder(settings.out, store=settings.store)
    names = tuple(submission.name for submission in handed_in)
    with gradebook.opened(folder.store) as book:
        drawn = seed(book, loaded.id, folder=folder.path, another=settings.new_seed)
        work = _work(settings, rubric=loaded, seed=drawn, environment=environment)
        book.enrol(names)
        sorted_out = _sorted_out(handed_in, work, book, folder)
        rejudged = rejudge(work, sorted_out.judge) if sorted_out.judge else Rejudged()
        todo = [s for s in handed_in if s.name in {*sorted_out.run, *rejudged.unasked}]
        kept = len(handed_in) - len(todo) - rejudged.count
        watcher.begin(rubric=loaded, count=len(todo), kept=kept, judged=rejudged.count)
        if todo:
            graded = grade_all(
                todo, work=work, jobs=settings.jobs, ready=watcher.ready, tell=watcher.note
            )
            for one in graded:
                watcher.done(one)
        briefs = settle(folder, book, loaded)
    return Outcome(
        rubric=loaded,
        names=names,
        kept=kept,
        rejudged=rejudged,
        needs_person=any(brief.asks for brief in briefs),
        out=settings.out,
        store=folder.store,
    )


def _work(
    settings: Settings, *, rubric: Rubric, seed: bytes, environment: sandbox.Environment
) -> Work:
    """What all processes of the run are told."""
    return Work(
        rubric=rubric,
        seed=seed,
        environment=environment,
        cache=settings.cache,
        out=settings.out,
        force=settings.force,
        wanted=_wanted(settings),
        store=settings.store,
    )


def _rubric(settings: Settings) -> Rubric:
    """The rubric, with the limits of the command line."""
    found = rubric.find(settings.root, assignment=settings.assignment)
    loaded = rubric.load(found, catalogue=checks.catalogue())
    return replace(loaded, limits=Limits(**{**asdict(loaded.limits), **settings.limits}))


def _wanted(settings: Settings) -> sandbox.Wanted:
    """What is asked of the walls: no notebook sees the course, nor what others handed in."""
    hidden = (settings.root / "rubrics", settings.root / "reference", settings.out, settings.path)
    return sandbox.Wanted(
        level=sandbox.Level(settings.level) if settings.level else None,
        unsandboxed=settings.unsandboxed,
        hidden=tuple(str(place.resolve()) for place in hidden),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """The names of submissions, by what is to be done with them; the rest stay as they are."""

    judge: tuple[str, ...]
    run: tuple[str, ...]


def _sorted_out(
    handed_in: tuple[Submission, ...], work: Work, book: Gradebook, folder: Folder
) -> _Sorted:
    if work.force:
        return _Sorted(judge=(), run=tuple(submission.name for submission in handed_in))
    known, keys = book.keys(), Keys.of(work.judge())
    judge, run = [], []
    for submission in handed_in:
        name = submission.name
        before = without_level(known.get(name, ""), wanted=work.wanted)
        now = keys.key(submission)
        if not before or ran_of(before) != ran_of(now):
            run.append(name)
        elif before != now or not folder.has(name):
            judge.append(name)
    return _Sorted(judge=tuple(judge), run=tuple(run))
