"""One run from settings to a written folder, telling a watcher how it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

from grader import checks, gradebook, rubric, sandbox, submissions
from grader.folder import OutputFolder, collect_class_facts, update_folder
from grader.gradebook import Gradebook
from grader.model import Graded, Limits, Rubric, Student, Submission
from grader.people import People
from grader.pipeline import Notify
from grader.pipeline.cache_keys import CacheKeys, run_part, without_level
from grader.pipeline.course_people import register_people
from grader.pipeline.dispatch import grade_all
from grader.pipeline.grading_worker import RunConfig
from grader.pipeline.location_overrides import LocationOverrides, apply_override_file
from grader.pipeline.notebook_preview import make_preview
from grader.pipeline.rejudging import RejudgeResult, rejudge
from grader.pipeline.seed_choice import choose_seed
from grader.pipeline.unpacking import temporary_unpack_folder
from grader.settings import Settings


class RunWatcher(Protocol):
    """Who is told how a run goes."""

    def begin(self, *, rubric: Rubric, count: int, unchanged: int, judged: int) -> None:
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
class RunOutcome:
    """What a run came to."""

    rubric: Rubric
    names: tuple[str, ...]
    """The submissions, in order."""
    unchanged: int
    """How many stay as they are, since nothing changed."""
    rejudged: RejudgeResult
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
        with gradebook.open_gradebook(self.store) as book:
            yield from book.all_graded(self.names)


def run_grading(settings: Settings, *, watcher: RunWatcher) -> RunOutcome:
    """Grade everything at the path of the settings, and keep what did not change.

    Raises:
        UsageError: path, output folder or environment are not as they must be.
        RubricError: rubric or reference are not.
    """
    with temporary_unpack_folder(settings.out) as unpack_to:
        return _grade_collected(settings, watcher=watcher, unpack_to=unpack_to)


def _grade_collected(
    settings: Settings, *, watcher: RunWatcher, unpack_to: Callable[[], Path]
) -> RunOutcome:
    loaded = _load_rubric(settings)
    collected = _collect_submissions(
        settings, rubric=loaded, notify=watcher.note, unpack_to=unpack_to
    )
    environment = sandbox.survey_interpreter(settings.python)
    folder = OutputFolder(settings.out, store=settings.store, show_ids=settings.people.show_ids)
    names = tuple(submission.name for submission in collected)
    with gradebook.open_gradebook(folder.store) as book:
        hidden_seed = choose_seed(book, loaded.id, folder=folder.path, draw_new=settings.new_seed)
        overrides = _read_overrides(
            book, collected, rubric=loaded, file=settings.location_overrides, watcher=watcher
        )
        people = register_people(book, rubric=loaded, files=settings.people, notify=watcher.note)
        config = _run_config(
            settings, rubric=loaded, seed=hidden_seed, environment=environment, people=people
        )
        config = replace(config, overrides=overrides)
        book.replace_roll(names)
        plan = _plan_run(collected, config, book, folder)
        current = {submission.name: submission for submission in collected}
        rejudged = (
            rejudge(config, plan.to_judge, current=current) if plan.to_judge else RejudgeResult()
        )
        to_run = [s for s in collected if s.name in {*plan.to_run, *rejudged.needs_rerun}]
        unchanged = len(collected) - len(to_run) - rejudged.count
        watcher.begin(rubric=loaded, count=len(to_run), unchanged=unchanged, judged=rejudged.count)
        if to_run:
            graded = grade_all(
                to_run,
                config=config,
                jobs=settings.jobs,
                on_ready=watcher.ready,
                notify=watcher.note,
            )
            for result in graded:
                watcher.done(result)
        briefs = update_folder(folder, book, loaded)
        absent = collect_class_facts(briefs, book=book, rubric=loaded)
    for remark in absent.notes:
        watcher.note(remark)
    return RunOutcome(
        rubric=loaded,
        names=names,
        unchanged=unchanged,
        rejudged=rejudged,
        needs_person=any(brief.needs_attention for brief in briefs) or bool(absent.notes),
        out=settings.out,
        missing=absent.missing_students,
        store=folder.store,
    )


def _run_config(
    settings: Settings,
    *,
    rubric: Rubric,
    seed: bytes,
    environment: sandbox.Environment,
    people: People,
) -> RunConfig:
    """What all processes of the run are told."""
    return RunConfig(
        rubric=rubric,
        seed=seed,
        environment=environment,
        cache=settings.cache,
        out=settings.out,
        force=settings.force,
        required_isolation=_required_isolation(settings),
        store=settings.store,
        people=people,
        show_ids=settings.people.show_ids,
    )


def _load_rubric(settings: Settings) -> Rubric:
    """The rubric, with the limits of the command line."""
    rubric_path = rubric.find_rubric(settings.root, assignment=settings.assignment)
    loaded = rubric.load_rubric(rubric_path, catalog=checks.load_checks)
    return replace(loaded, limits=Limits(**{**asdict(loaded.limits), **settings.limit_overrides}))


def _read_overrides(
    book: Gradebook,
    collected: tuple[Submission, ...],
    *,
    rubric: Rubric,
    file: Path | None,
    watcher: RunWatcher,
) -> LocationOverrides:
    """The cells that people say items are answered in, with what they say now."""
    names = {
        alias: submission.name
        for submission in collected
        for alias in (submission.shown, submission.name)
    }
    overrides, remarks = apply_override_file(book, rubric, file=file, names=names)
    for remark in remarks:
        watcher.note(remark)
    return overrides


def _collect_submissions(
    settings: Settings, *, rubric: Rubric, notify: Notify, unpack_to: Callable[[], Path]
) -> tuple[Submission, ...]:
    preview = make_preview(rubric.reference)
    return submissions.collect(
        settings.path,
        context=submissions.LayoutContext(
            preview=preview, assignment=rubric.id, layout=settings.layout
        ),
        excluded=_course_folders(settings, rubric=rubric),
        make_folder=unpack_to,
        notify=notify,
    )


def _course_folders(settings: Settings, *, rubric: Rubric) -> tuple[Path, ...]:
    """Folders that may lie below the one that is graded, and that nobody handed in."""
    course_folders = [
        settings.root / "rubrics",
        settings.root / "reference",
        rubric.reference.parent,
    ]
    folders = [settings.out, *course_folders, *([rubric.provided] if rubric.provided else [])]
    graded_path = settings.path.resolve()
    return tuple(folder for folder in folders if folder.resolve() != graded_path)


def _required_isolation(settings: Settings) -> sandbox.IsolationRequest:
    """What is asked of the walls: no notebook sees the course, nor what others handed in."""
    people_files = settings.people
    hidden = (
        *(settings.root / "rubrics", settings.root / "reference", settings.out, settings.path),
        *(
            path
            for path in (people_files.roster, people_files.extensions, people_files.times)
            if path is not None
        ),
    )
    return sandbox.IsolationRequest(
        level=sandbox.IsolationLevel(settings.isolation_level)
        if settings.isolation_level
        else None,
        unsandboxed=settings.unsandboxed,
        hidden_paths=tuple(str(path.resolve()) for path in hidden),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunPlan:
    """The names of submissions, by what is to be done with them; the rest stay as they are."""

    to_judge: tuple[str, ...]
    to_run: tuple[str, ...]


def _plan_run(
    collected: tuple[Submission, ...], config: RunConfig, book: Gradebook, folder: OutputFolder
) -> _RunPlan:
    if config.force:
        return _RunPlan(to_judge=(), to_run=tuple(submission.name for submission in collected))
    stored_keys, keys = (
        book.cache_keys(),
        CacheKeys.for_judge(config.build_judge(), show_ids=config.show_ids),
    )
    to_judge, to_run = [], []
    for submission in collected:
        name = submission.name
        stored_key = without_level(stored_keys.get(name, ""), required=config.required_isolation)
        current_key = keys.for_submission(submission)
        if not stored_key or run_part(stored_key) != run_part(current_key):
            to_run.append(name)
        elif stored_key != current_key or not folder.has_submission(name):
            to_judge.append(name)
    return _RunPlan(to_judge=tuple(to_judge), to_run=tuple(to_run))
