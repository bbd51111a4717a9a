"""One `grade` run: from settings to a written folder, in the order of its stages.

Collect the submissions; plan which are kept, judged again or run; judge; run; publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from grader import sandbox, submissions
from grader.errors import UsageError
from grader.folder import ClassPublisher, ClassView, OutputFolder
from grader.gradebook import Gradebook, course_records, pushes
from grader.gradebook.run_claim import claim_run
from grader.model import Graded, Limits, Rubric, Submission
from grader.pipeline import SessionOptions
from grader.pipeline.cache_keys import PreparedSubmission, run_part, without_level
from grader.pipeline.collecting import join_previews, make_preview, temporary_unpack_folder
from grader.pipeline.failed_start import remove_if_nothing_graded
from grader.pipeline.imported_marks import (
    FOLDER,
    ROSTER_FILE,
    marks_path,
    read_imported_marks,
    take_imported_marks,
)
from grader.pipeline.location_overrides import apply_override_file
from grader.pipeline.preflight import count_missing_imports
from grader.pipeline.rejudging import Rejudger, RejudgeResult
from grader.pipeline.remembered_inputs import choose_seed, register_people
from grader.pipeline.run_config import RunConfig, load_rubric
from grader.pipeline.workers import grade_all
from grader.report.missing_modules import preflight_note
from grader.report.progress import RunWatcher
from grader.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """The result of a run."""

    rubric: Rubric
    names: tuple[str, ...]
    """The submissions, in order."""
    rejudged: RejudgeResult
    """Those that were not run but judged again, since the rubric or a check changed."""
    view: ClassView
    """What the files of the class show."""
    folder: OutputFolder

    def results(self) -> Iterator[Graded]:
        """Read the grades from the gradebook one after another, as pages show them."""
        with self.folder.open_gradebook() as book:
            yield from map(self.view.add_flags, book.all_graded(self.names))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """What is to be done with submissions, by name; the rest are kept as they were graded."""

    to_judge: tuple[str, ...]
    to_run: tuple[str, ...]


class GradingEngine(Protocol):
    """Grades submissions wherever it likes, and yields each grade once it is on disk."""

    def __call__(
        self,
        submissions: Sequence[PreparedSubmission],
        *,
        config: RunConfig,
        jobs: int,
        on_ready: Callable[[], None],
        notify: Callable[[str], None],
    ) -> Iterator[Graded]:
        """Grade; see `workers.grade_all`."""


def run_grading(
    settings: Settings, *, watcher: RunWatcher, engine: GradingEngine = grade_all
) -> RunOutcome:
    """Grade everything at the path of the settings, and keep what did not change.

    Args:
        settings: what is graded, and how.
        watcher: is told how it goes.
        engine: grades what must run.

    Raises:
        UsageError: the path, the output folder or the environment can't be used.
        RubricError: the rubric or the reference is not valid.
    """
    with (
        remove_if_nothing_graded(settings.out),
        temporary_unpack_folder(settings.out) as unpack_to,
    ):
        loaded = load_rubric(settings.root, assignment=settings.assignment)
        limits = Limits(**{**asdict(loaded.limits), **settings.limit_overrides})
        loaded = loaded.with_limits(limits)
        collected = _collect_submissions(
            settings, rubric=loaded, watcher=watcher, unpack_to=unpack_to
        )
        environment = sandbox.survey_interpreter(settings.python)
        folder = OutputFolder(settings.out, store=settings.store, show_ids=settings.people.show_ids)
        with folder.open_gradebook() as book, claim_run(book):
            _refuse_other_assignment(book, loaded, folder=folder)
            config = RunConfig(
                rubric=loaded,
                seed=choose_seed(book, loaded.id, folder=folder.path, draw_new=settings.new_seed),
                folder=folder,
                python=settings.python,
                session=SessionOptions(
                    environment=environment,
                    cache=settings.cache,
                    required_isolation=_required_isolation(settings),
                ),
                overrides=apply_override_file(
                    book,
                    loaded,
                    file=settings.location_overrides,
                    names={s.display_path: s.name for s in collected}
                    | {s.name: s.name for s in collected},
                    notify=watcher.note,
                ),
                people=register_people(
                    book,
                    rubric=loaded,
                    files=settings.people,
                    imported_roster=settings.root / FOLDER / ROSTER_FILE,
                    notify=watcher.note,
                ),
            )
            if source := submissions.read_source(settings.path):
                pushes.save_source(book, loaded.id, source=source)
            book.replace_roll([submission.name for submission in collected])
            return _grade_collected(
                settings, collected, config=config, book=book, watcher=watcher, engine=engine
            )


def _refuse_other_assignment(book: Gradebook, rubric: Rubric, *, folder: OutputFolder) -> None:
    """Let no assignment replace the grades of another in its folder."""
    assignments = course_records.seeded_assignments(book)
    if rubric.id in assignments or not assignments or not book.cache_keys():
        return
    listed = ", ".join(f"'{assignment}'" for assignment in sorted(assignments))
    raise UsageError(
        f"{folder.path} holds the grades of {listed}, and grades of '{rubric.id}' would replace "
        f"them. Write to a folder of its own: --out {folder.path / rubric.id}"
    )


def _grade_collected(
    settings: Settings,
    collected: Sequence[Submission],
    *,
    config: RunConfig,
    book: Gradebook,
    watcher: RunWatcher,
    engine: GradingEngine,
) -> RunOutcome:
    imported = read_imported_marks(marks_path(settings.root, config.rubric.id))
    keys = config.cache_keys(*config.build_judges())
    prepared = {submission.name: keys.prepare(submission) for submission in collected}
    plan = plan_run(
        prepared,
        stored_keys=book.cache_keys(),
        required=_required_isolation(settings),
        has_files=config.folder.has_submission,
        force=settings.force,
    )
    rejudged = RejudgeResult()
    if plan.to_judge:
        current = {submission.name: submission for submission in collected}
        with closing(Rejudger(config)) as rejudger:
            rejudged = rejudger.rejudge(plan.to_judge, current=current, keep_unanswered=False)
    run_names = {*plan.to_run, *rejudged.needs_rerun}
    to_run = [prepared[name] for name in prepared if name in run_names]
    watcher.begin(
        rubric=config.rubric,
        count=len(to_run),
        unchanged=len(prepared) - len(to_run) - rejudged.count,
        judged=rejudged.count,
    )
    if to_run:
        _note_missing_modules(to_run, settings=settings, config=config, notify=watcher.note)
        for graded in engine(
            to_run,
            config=config,
            jobs=settings.jobs,
            on_ready=watcher.ready,
            notify=watcher.note,
        ):
            watcher.done(graded)
    if imported:
        take_imported_marks(
            book, imported, rubric=config.rubric, submissions=collected, notify=watcher.note
        )
    publisher = ClassPublisher(
        config.folder, book=book, rubric=config.rubric, known=dict(rejudged.summaries)
    )
    view = publisher.publish()
    for remark in view.remarks:
        watcher.note(remark)
    return RunOutcome(
        rubric=config.rubric,
        names=tuple(prepared),
        rejudged=rejudged,
        view=view,
        folder=config.folder,
    )


def _note_missing_modules(
    to_run: Sequence[PreparedSubmission],
    *,
    settings: Settings,
    config: RunConfig,
    notify: Callable[[str], None],
) -> None:
    """Say before the run what notebooks import and won't find."""
    submitted = (notebook for prepared in to_run for notebook in prepared.notebooks())
    counts = count_missing_imports(submitted, survey=config.module_survey())
    if note := preflight_note(counts, pip=f"{settings.python} -m pip"):
        notify(note)


def plan_run(
    prepared: dict[str, PreparedSubmission],
    *,
    stored_keys: Mapping[str, str],
    required: sandbox.IsolationRequest,
    has_files: Callable[[str], bool],
    force: bool,
) -> RunPlan:
    """Decide which submissions are kept, which judged again, and which run.

    Args:
        prepared: the submissions as they are now.
        stored_keys: the keys of what was graded before.
        required: the isolation that a run must have had.
        has_files: whether result and report of a submission are there.
        force: whether all run.
    """
    to_judge, to_run = [], []
    for name, submission in prepared.items():
        stored_key = without_level(stored_keys.get(name, ""), required=required)
        if force or not stored_key or run_part(stored_key) != run_part(submission.key):
            to_run.append(name)
        elif stored_key != submission.key or not has_files(name):
            to_judge.append(name)
    return RunPlan(to_judge=tuple(to_judge), to_run=tuple(to_run))


def _collect_submissions(
    settings: Settings, *, rubric: Rubric, watcher: RunWatcher, unpack_to: Callable[[], Path]
) -> tuple[Submission, ...]:
    # Folders of the course, and the output folder, may be below the one that is graded.
    excluded = [
        settings.out,
        settings.root / "rubrics",
        settings.root / "reference",
        settings.root / FOLDER,
        *(part.reference.parent for part in rubric.whole),
        *(folder for folder in (rubric.provided, rubric.withheld) if folder),
    ]
    graded_path = settings.path.resolve()
    previews = {
        part.notebook: make_preview(
            part.reference, prompts={item.id: item.prompt for item in part.items}
        )
        for part in rubric.whole
    }
    return submissions.collect(
        settings.path,
        context=submissions.LayoutContext(
            preview=join_previews(previews.values()),
            assignment=rubric.id,
            layout=settings.layout,
            notebooks=previews if rubric.parts else {},
        ),
        excluded=tuple(path for path in excluded if path.resolve() != graded_path),
        make_folder=unpack_to,
        notify=watcher.note,
    )


def _required_isolation(settings: Settings) -> sandbox.IsolationRequest:
    """Ask that no notebook sees the course, the people, or what others submitted."""
    people_files = settings.people
    hidden = (
        *(settings.root / name for name in ("rubrics", "reference", FOLDER)),
        *(settings.out, settings.path),
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
