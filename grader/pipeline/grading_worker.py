"""Where one process grades: a course, and what becomes of each submission is on disk at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Thread

from grader import checks, gradebook
from grader.folder import Folder
from grader.gradebook import Entry
from grader.model import Graded, Rubric, Submission
from grader.people import People
from grader.pipeline import Course, Done, Opening, Tell, grade, opened, ungradable
from grader.pipeline.cache_keys import Keys, at_level
from grader.pipeline.judge import Judge
from grader.pipeline.location_overrides import Parts
from grader.report import prepare
from grader.sandbox import Environment, Wanted

THREADS = 2
"""Threads for each notebook that may run: one is judged and stored while the next runs."""
One = Callable[[Submission], Graded]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What all processes of one run are told; plain data, so that it can be sent to them."""

    rubric: Rubric
    seed: bytes
    environment: Environment
    cache: Path
    out: Path
    force: bool = False
    wanted: Wanted = field(default_factory=Wanted)
    parts: Parts = field(default_factory=dict)
    """The cells that people say items are answered in."""
    people: People = field(default_factory=People)
    show_ids: bool = False
    """Whether students see whole ids on their pages."""
    store: str | None = None
    """The address of a gradebook on a server; None for the one that the folder has."""

    def judge(self) -> Judge:
        """The judge of this work."""
        return Judge.of(
            self.rubric,
            draws=checks.Draws(seed=self.seed),
            environment=self.environment.fingerprint,
            parts=self.parts,
            people=self.people,
        )

    def folder(self) -> Folder:
        """Where results go."""
        return Folder(self.out, store=self.store, show_ids=self.show_ids)


class Stopped(Exception):
    """The run was interrupted while this submission ran, so it counts as never begun."""


@contextmanager
def opened_desk(work: Work, *, jobs: int, tell: Tell, stop: Event) -> Iterator[One]:
    """A function that grades one submission, and returns once its grade is on disk.

    Called in more threads than `jobs`, it runs no more notebooks than that at once, and judges
    what has run meanwhile.

    Raises:
        RubricError: the reference does not run.
        UsageError: the folder can't be written.
    """
    judge = work.judge()
    keys = Keys.of(judge, show_ids=work.show_ids)
    folder = work.folder()
    opening = Opening(
        environment=work.environment,
        cache=work.cache,
        tell=tell,
        jobs=jobs,
        stop=stop,
        wanted=work.wanted,
    )
    Thread(target=prepare, daemon=True).start()  # while the reference runs
    with gradebook.opened(folder.store) as book, opened(judge, opening=opening) as course:

        def one(submission: Submission) -> Graded:
            key = at_level(keys.key(submission), course.isolation.level)
            done = _whose(_graded(submission, course), judge)
            if stop.is_set():
                raise Stopped
            shown = book.with_marks(done.graded)
            folder.write_one(shown.graded, rubric=work.rubric)
            kept = Entry(key="" if done.ours else key, graded=done.graded, trace=done.trace)
            book.keep(kept, shown=shown)
            return shown.graded

        yield one


def _whose(done: Done, judge: Judge) -> Done:
    """What could not be graded belongs to somebody, too."""
    if done.graded.score is not None:
        return done
    return replace(done, graded=judge.entered(done.graded, submission=done.graded.submission))


def _graded(submission: Submission, course: Course) -> Done:
    """Grade one; a fault of ours costs this submission nothing and the others nothing."""
    try:
        return grade(submission, course=course)
    except Exception as error:  # noqa: BLE001 (one submission must never stop the batch)
        told = f"the grader failed on it ({type(error).__name__}); please report this"
        return Done(graded=ungradable(submission, told, flag=told), ours=True)
