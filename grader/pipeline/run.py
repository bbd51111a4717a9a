"""One run from settings to a written folder, telling a watcher how it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from grader import checks, gradebook, rubric, sandbox, submissions
from grader.folder import Folder, absent_from, settle
from grader.gradebook import Gradebook
from grader.model import Graded, Limits, Rubric, Student, Submission
from grader.people import People
from grader.pipeline import Tell
from grader.pipeline.cache_keys import Keys, ran_of, without_level
from grader.pipeline.course_people import register
from grader.pipeline.dispatch import grade_all
from grader.pipeline.grading_worker import Work
from grader.pipeline.location_overrides import Parts, corrected
from grader.pipeline.notebook_preview import look_by
from grader.pipeline.rejudging import Rejudged, rejudge
from grader.pipeline.seed_choice import seed
from grader.pipeline.unpacking import unpacking
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
    missing: tuple[Student, ...] = ()
    """Those on the roster who handed in nothing."""

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
    with unpacking(settings.out) as unpack_to:
        return _run(settings, watcher=watcher, unpack_to=unpack_to)


def _run(settings: Settings, *, watcher: Watcher, unpack_to: Callable[[], Path]) -> Outcome:
    loaded = _rubric(settings)
    handed_in = _handed_in(settings, rubric=loaded, tell=watcher.note, unpack_to=unpack_to)
    environment = sandbox.survey(settings.python)
    folder = Folder(settings.out, store=settings.store, show_ids=settings.people.show_ids)
    names = tuple(submission.name for submission in handed_in)
    with gradebook.opened(folder.store) as book:
        drawn = seed(book, loaded.id, folder=folder.path, another=settings.new_seed)
        parts = _parts(book, handed_in, rubric=loaded, file=settings.parts, watcher=watcher)
        people = register(book, rubric=loaded, files=settings.people, tell=watcher.note)
        work = _work(settings, rubric=loaded, seed=drawn, environment=environment, people=people)
        work = replace(work, parts=parts)
        book.enrol(names)
        sorted_out = _sorted_out(handed_in, work, book, folder)
        now = {submission.name: submission for submission in handed_in}
        rejudged = rejudge(work, sorted_out.judge, now=now) if sorted_out.judge else Rejudged()
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
        absent = absent_from(briefs, book=book, rubric=loaded)
    for remark in absent.remarks:
        watcher.note(remark)
    return Outcome(
        rubric=loaded,
        names=names,
        kept=kept,
        rejudged=rejudged,
        needs_person=any(brief.asks for brief in briefs) or bool(absent.remarks),
        out=settings.out,
        missing=absent.students,
        store=folder.store,
    )


def _work(
    settings: Settings,
    *,
    rubric: Rubric,
    seed: bytes,
    environment: sandbox.Environment,
    people: People,
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
        people=people,
        show_ids=settings.people.show_ids,
    )


def _rubric(settings: Settings) -> Rubric:
    """The rubric, with the limits of the command line."""
    found = rubric.find(settings.root, assignment=settings.assignment)
    loaded = rubric.load(found, catalogue=checks.catalogue())
    return replace(loaded, limits=Limits(**{**asdict(loaded.limits), **settings.limits}))


def _parts(
    book: Gradebook,
    handed_in: tuple[Submission, ...],
    *,
    rubric: Rubric,
    file: Path | None,
    watcher: Watcher,
) -> Parts:
    """The cells that people say items are answered in, with what they say now."""
    names = {word: one.name for one in handed_in for word in (one.shown, one.name)}
    parts, remarks = corrected(book, rubric, file=file, names=names)
    for remark in remarks:
        watcher.note(remark)
    return parts


def _handed_in(
    settings: Settings, *, rubric: Rubric, tell: Tell, unpack_to: Callable[[], Path]
) -> tuple[Submission, ...]:
    look = look_by(rubric.reference)
    return submissions.collect(
        settings.path,
        about=submissions.About(look=look, assignment=rubric.id, layout=settings.layout),
        leave_out=_courses_own(settings, rubric=rubric),
        unpack_to=unpack_to,
        tell=tell,
    )


def _courses_own(settings: Settings, *, rubric: Rubric) -> tuple[Path, ...]:
    """Folders that may lie below the one that is graded, and that nobody handed in."""
    course = [settings.root / "rubrics", settings.root / "reference", rubric.reference.parent]
    places = [settings.out, *course, *([rubric.provided] if rubric.provided else [])]
    given = settings.path.resolve()
    return tuple(place for place in places if place.resolve() != given)


def _wanted(settings: Settings) -> sandbox.Wanted:
    """What is asked of the walls: no notebook sees the course, nor what others handed in."""
    told = settings.people
    hidden = (
        *(settings.root / "rubrics", settings.root / "reference", settings.out, settings.path),
        *(place for place in (told.roster, told.extensions, told.times) if place is not None),
    )
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
    known, keys = book.keys(), Keys.of(work.judge(), show_ids=work.show_ids)
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
