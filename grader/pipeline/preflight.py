"""Looks through all notebooks before the first one runs: what do they import that is missing here?

That is known from their code alone, within a second for a class, so that staff can install it
before they have graded for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from grader.errors import NotebookError
from grader.kernel.module_survey import ModuleSurvey
from grader.model import MissingModule, Submission
from grader.notebook import read_notebook
from grader.notebook.known_packages import COMMON_MODULES
from grader.report.missing_modules import ModuleCount, count_missing, missing_lines
from grader.report.text_format import format_count

MAX_READ = 200
"""Notebooks that are looked at: what a class imports is seen in fewer."""

SubmittedFiles = tuple[Submission, Iterable[str]]
"""A submission, and the names of the files that its notebook finds beside it."""


def count_missing_imports(
    submissions: Iterable[SubmittedFiles], *, survey: ModuleSurvey
) -> tuple[ModuleCount, ...]:
    """Count what notebooks import and won't find; one that can't be read imports nothing.

    Args:
        submissions: What is to be run.
        survey: What modules there are.
    """
    return count_missing(
        _missing_in_each(islice(submissions, MAX_READ), survey), optional=survey.optional
    )


def survey_lines(path: Path | None, *, installed: frozenset[str], python: str) -> Iterator[str]:
    """Yield what `grade doctor` says of packages.

    Args:
        path: A notebook or a folder of notebooks, which is looked through; None for neither.
        installed: The modules of the interpreter that runs notebooks.
        python: Its path.
    """
    lacking = [name for name in COMMON_MODULES if name not in installed]
    yield f"Notebooks run in {python}."
    if lacking:
        yield (
            f"  It lacks {', '.join(lacking)}, which many notebooks import: "
            f"`{python} -m pip install {' '.join(lacking)}`."
        )
    else:
        yield f"  It has {', '.join(COMMON_MODULES)}, which many notebooks import."
    if path is not None:
        yield from _folder_lines(path, survey=ModuleSurvey(installed=installed), python=python)


def _folder_lines(path: Path, *, survey: ModuleSurvey, python: str) -> Iterator[str]:
    files = [path] if path.is_file() else sorted(path.rglob("*.ipynb"))
    files = [file for file in files if ".ipynb_checkpoints" not in file.parts]
    submissions = (Submission(name=file.stem, path=file, display_path=file.name) for file in files)
    submitted = ((submission, _names_beside(submission.path)) for submission in submissions)
    lines = missing_lines(count_missing_imports(submitted, survey=survey), pip=f"{python} -m pip")
    amount = format_count(len(files), singular="notebook", plural="notebooks")
    yield f"  {amount} in {path}: {'these are missing' if lines else 'no package is missing'}"
    yield from (f"    {line}" for line in lines)


def _names_beside(path: Path) -> list[str]:
    try:
        return [file.name for file in path.parent.iterdir()]
    except OSError:
        return []


def _missing_in_each(
    submissions: Iterable[SubmittedFiles], survey: ModuleSurvey
) -> Iterator[tuple[MissingModule, ...]]:
    for submission, files in submissions:
        if submission.problem:
            continue
        try:
            notebook = read_notebook(submission.path)
        except NotebookError:
            continue
        yield survey.missing_imports(notebook, files=files)
