"""Which assignments of a course's folder are meant, and where their notebooks may run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader import checks, rubric, sandbox
from grader.authoring.validation_run import Assignment
from grader.errors import UsageError
from grader.model import Rubric
from grader.pipeline import SessionOptions
from grader.rubric.rubric_search import RUBRICS_FOLDER
from grader.settings import Settings


def load_rubrics(root: Path, *, ids: Sequence[str]) -> tuple[Rubric, ...]:
    """The rubrics of these ids; of all files in `rubrics/` where there are none.

    Raises:
        UsageError: there is no such assignment.
        RubricError: a rubric is not as it must be.
    """
    paths = [rubric.find_rubric(root, assignment=assignment_id) for assignment_id in ids] or sorted(
        (root / RUBRICS_FOLDER).glob("*.toml")
    )
    if not paths:
        raise UsageError(
            f"There is no rubric: no {RUBRICS_FOLDER}/*.toml in {root}; see `grade init`."
        )
    catalog = checks.catalog()
    return tuple(rubric.load_rubric(path, catalog=catalog) for path in dict.fromkeys(paths))


def load_assignments(root: Path, *, ids: Sequence[str]) -> tuple[Assignment, ...]:
    """The assignments of these ids, or all; nothing is run.

    Raises:
        UsageError: there is no such assignment.
        RubricError: a file of one is not as it must be.
    """
    return tuple(
        Assignment.from_rubric(loaded_rubric) for loaded_rubric in load_rubrics(root, ids=ids)
    )


def session_options(settings: Settings) -> SessionOptions:
    """Where notebooks run: behind the same walls as students', since cases may be theirs."""
    hidden = (settings.root / RUBRICS_FOLDER, settings.root / "reference")
    return SessionOptions(
        environment=sandbox.survey_interpreter(settings.python),
        cache=settings.cache,
        notify=lambda _: None,
        jobs=settings.jobs,
        required_isolation=sandbox.IsolationRequest(
            level=sandbox.IsolationLevel(settings.isolation_level)
            if settings.isolation_level
            else None,
            unsandboxed=settings.unsandboxed,
            hidden_paths=tuple(str(folder.resolve()) for folder in hidden),
        ),
    )
