"""Judges a class again from what earlier runs left behind, after a rubric or a check changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader import checks, gradebook, rubric
from grader.folder import (
    OutputFolder,
    collect_class_facts,
    render_class,
    render_stale_submissions,
    write_class_and_clashes,
)
from grader.gradebook import Gradebook
from grader.model import Rubric
from grader.pipeline import Notify
from grader.pipeline.course_people import register_people
from grader.pipeline.grading_worker import RunConfig
from grader.pipeline.location_overrides import LocationOverrides, apply_override_file
from grader.pipeline.parallel_rejudging import rejudge_in_parallel
from grader.pipeline.rejudging import RejudgeResult
from grader.pipeline.seed_choice import require_seed
from grader.sandbox import Environment
from grader.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RejudgeOutcome:
    """What judging a class again came to."""

    rubric: Rubric
    rejudged: RejudgeResult
    out: Path
    needs_person: bool


def rejudge_class(settings: Settings, *, notify: Notify) -> RejudgeOutcome:
    """Judge and render everything in a folder that `grade` wrote.

    Args:
        settings: where it is, by which rubric, and what is new about people.
        notify: who hears what is remembered of people, and what asks for a look.

    Raises:
        UsageError: the folder holds no gradebook, or none of this assignment.
        RubricError: the rubric is not as it must be.
    """
    rubric_path = rubric.find_rubric(settings.root, assignment=settings.assignment)
    loaded = rubric.load_rubric(rubric_path, catalog=checks.catalog())
    folder = OutputFolder.open_existing(settings.out)
    with gradebook.open_gradebook(folder.store) as book:
        stored_keys = book.cache_keys()
        names = tuple(name for name in book.roll() if name in stored_keys)
        config = RunConfig(
            rubric=loaded,
            seed=require_seed(book, loaded.id, folder=folder.path),
            environment=Environment(python="", fingerprint=""),
            cache=settings.cache,
            out=settings.out,
            overrides=_read_overrides(
                book, names, rubric=loaded, file=settings.location_overrides, notify=notify
            ),
            people=register_people(book, rubric=loaded, files=settings.people, notify=notify),
            show_ids=settings.people.show_ids,
        )
        revision = book.ledger_revision()
    rejudged = rejudge_in_parallel(config, names, jobs=settings.jobs)
    with gradebook.open_gradebook(folder.store) as book:
        briefs = write_class_and_clashes(folder, book, loaded, rejudged.briefs)
        if render_stale_submissions(folder, book, loaded) or book.ledger_revision() != revision:
            briefs = render_class(folder, book, loaded)
        absent = collect_class_facts(briefs, book=book, rubric=loaded)
    for remark in absent.notes:
        notify(remark)
    needs_person = any(brief.needs_attention for brief in briefs) or bool(
        rejudged.needs_rerun or absent.notes
    )
    return RejudgeOutcome(
        rubric=loaded, rejudged=rejudged, out=settings.out, needs_person=needs_person
    )


def _read_overrides(
    book: Gradebook, names: tuple[str, ...], *, rubric: Rubric, file: Path | None, notify: Notify
) -> LocationOverrides:
    """The cells that people say items are answered in, with what they say now."""
    overrides, remarks = apply_override_file(
        book, rubric, file=file, names={name: name for name in names}
    )
    for remark in remarks:
        notify(remark)
    return overrides
