"""Which assignments of a course's folder are meant, and where their notebooks may run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader import checks, rubric, sandbox
from grader.authoring.validation_run import Assignment
from grader.errors import UsageError
from grader.model import Rubric
from grader.pipeline import Opening
from grader.rubric.rubric_search import FOLDER
from grader.settings import Settings


def rubrics(root: Path, *, ids: Sequence[str]) -> tuple[Rubric, ...]:
    """The rubrics of these ids; of all files in `rubrics/` where there are none.

    Raises:
        UsageError: there is no such assignment.
        RubricError: a rubric is not as it must be.
    """
    paths = [rubric.find(root, assignment=one) for one in ids] or sorted(
        (root / FOLDER).glob("*.toml")
    )
    if not paths:
        raise UsageError(f"There is no rubric: no {FOLDER}/*.toml in {root}; see `grade init`.")
    catalogue = checks.catalogue()
    return tuple(rubric.load(path, catalogue=catalogue) for path in dict.fromkeys(paths))


def assignments(root: Path, *, ids: Sequence[str]) -> tuple[Assignment, ...]:
    """The assignments of these ids, or all; nothing is run.

    Raises:
        UsageError: there is no such assignment.
        RubricError: a file of one is not as it must be.
    """
    return tuple(Assignment.of(one) for one in rubrics(root, ids=ids))


def opening(settings: Settings) -> Opening:
    """Where notebooks run: behind the same walls as students', since cases may be theirs."""
    hidden = (settings.root / FOLDER, settings.root / "reference")
    return Opening(
        environment=sandbox.survey(settings.python),
        cache=settings.cache,
        tell=lambda _: None,
        jobs=settings.jobs,
        wanted=sandbox.Wanted(
            level=sandbox.Level(settings.level) if settings.level else None,
            unsandboxed=settings.unsandboxed,
            hidden=tuple(str(place.resolve()) for place in hidden),
        ),
    )
