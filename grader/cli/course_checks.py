"""The public checks of a course in its own folder, for who writes the course and not a student."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def is_course_folder(folder: Path) -> bool:
    """Return whether a folder holds rubrics of a course."""
    from grader.rubric.rubric_search import RUBRICS_FOLDER

    return any((folder / RUBRICS_FOLDER).glob("*.toml"))


@contextmanager
def write_public_checks(root: Path, *, assignment: str | None) -> Iterator[Path]:
    """Yield a folder with the public checks of a course's assignment, as students get them.

    Args:
        root: the folder that holds `rubrics/`.
        assignment: its id; None for the default one.

    Raises:
        RubricError: the rubric is not valid, or its reference does not run.
        UsageError: there is no such rubric.
    """
    from grader import rubric, settings
    from grader.authoring.assignments import session_options
    from grader.authoring.public_checks import build_public_checks
    from grader.checks import load_checks

    path = rubric.find_rubric(root, assignment=assignment)
    loaded = rubric.load_rubric(path, catalog=load_checks)
    # The reference is the course's own, and runs with no more rights than the notebook will.
    options = session_options(
        settings.read_settings(path=root, out=root, unsandboxed=True, assignment=assignment)
    )
    with TemporaryDirectory(prefix="grade-checks-") as folder:
        for part in loaded.whole:
            for name, data in build_public_checks(part, options=options).items():
                Path(folder, name).write_bytes(data)
        yield Path(folder)
