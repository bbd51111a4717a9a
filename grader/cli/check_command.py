"""`grade check`: what a student asks before handing in, and what a course's CI asks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.course_checks import is_course_folder, write_public_checks
from grader.cli.debug_option import debug_option
from grader.cli.exit_codes import CANNOT_RUN, DONE, NEEDS_PERSON
from grader.cli.shared_options import FILE, assignment_option
from grader.cli.terminal_messages import print_message
from grader.errors import GraderError

if TYPE_CHECKING:
    from grader.model import Notebook
    from grader.selfcheck.public_findings import FileOutcome


@click.command("check", short_help="Check a notebook by the assignment's public checks.")
@click.argument("paths", nargs=-1, required=True, metavar="NOTEBOOK...", type=FILE)
@click.option(
    "--rubric",
    type=FILE,
    help="Public rubric to check by (default: the *.rubric.json beside the notebook).",
)
@assignment_option("In a course's own folder: the assignment in rubrics/ to check by.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "github", "junit", "json", "classroom50"]),
    default="text",
    show_default=True,
    help="Output format.",
)
@debug_option
def check_command(
    *, paths: tuple[Path, ...], rubric: Path | None, assignment: str | None, form: str
) -> None:
    """Run NOTEBOOK and check it by the assignment's public checks, before submitting.

    It runs on this computer, in a fresh kernel, as it will when it is graded. Nothing leaves this
    computer, and the result is not the grade.

    \b
    Exit codes:
      0    no public check lost a point, or, with --format classroom50, it ran
      1    one did
      2    it could not be run, or a check could not be judged
      130  interrupted
    """  # noqa: D301 - click wants the mark itself
    if rubric is not None and assignment is not None:
        raise click.UsageError("--rubric and --assignment: name one of them")
    identity = _classroom50_identity() if form == "classroom50" else {}
    with ExitStack() as cleanup:
        finder = _RubricFinder(rubric, assignment=assignment, cleanup=cleanup)
        outcomes = [_check_notebook(path, finder=finder) for path in paths]
    if form == "text":
        _print_text(outcomes)
    elif form == "github":
        _print_github(outcomes)
    elif form == "classroom50":
        _print_classroom50(outcomes, identity=identity)
    else:
        _print_document(outcomes, form=form)
    if any(outcome.result is None for outcome in outcomes):
        sys.exit(CANNOT_RUN)
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    if any(result.loses_points for result in results) and form != "classroom50":
        sys.exit(NEEDS_PERSON)
    sys.exit(CANNOT_RUN if any(result.has_errors for result in results) else DONE)


class _RubricFinder:
    """Finds the public rubric of each notebook; makes those of the course at most once."""

    def __init__(self, rubric: Path | None, *, assignment: str | None, cleanup: ExitStack) -> None:
        self._rubric, self._assignment, self._cleanup = rubric, assignment, cleanup
        self._course: Path | None = None

    def find(self, path: Path, *, notebook: Notebook) -> Path:
        """Return the rubric that was named, one beside the notebook, or one of the course here.

        Raises:
            GraderError: There is none, or it can't be used.
        """
        from grader.selfcheck.public_rubric import RUBRIC_SUFFIX, find_public_rubric

        if self._rubric is not None:
            return self._rubric
        folders = [path.resolve().parent, Path.cwd()]
        is_there = any(any(folder.glob(f"*{RUBRIC_SUFFIX}")) for folder in folders)
        if self._assignment is not None or (not is_there and is_course_folder(Path.cwd())):
            folders = [self._course_folder()]
        return find_public_rubric(folders, notebook=notebook)

    def _course_folder(self) -> Path:
        if self._course is None:
            folder = write_public_checks(Path.cwd(), assignment=self._assignment)
            self._course = self._cleanup.enter_context(folder)
            print_message(
                "note: checked by the public checks of the rubric in rubrics/, without a sandbox. "
                "What somebody else wrote runs in one with `grade NOTEBOOK`."
            )
        return self._course


def _check_notebook(path: Path, *, finder: _RubricFinder) -> FileOutcome:
    from grader import fault_log
    from grader.notebook import read_notebook
    from grader.selfcheck.file_check import check_file
    from grader.selfcheck.public_findings import FileOutcome
    from grader.selfcheck.public_rubric import load_public_rubric

    try:
        rubric_path = finder.find(path, notebook=read_notebook(path))
        result = check_file(path, public=load_public_rubric(rubric_path))
        return FileOutcome(path=path, result=result)
    except GraderError as error:
        fault_log.show_if_debug(error)
        return FileOutcome(path=path, reason=str(error))


def _print_text(outcomes: Sequence[FileOutcome]) -> None:
    from rich.console import Console

    from grader.report.text_format import printable
    from grader.selfcheck.check_output import render_result

    console = Console(highlight=False, soft_wrap=True)
    for index, outcome in enumerate(outcomes):
        if index:
            console.print()
        if outcome.result is None:
            print_message(printable(f"grade: {outcome.path}: {outcome.reason}"))
        else:
            console.print(render_result(outcome.result, path=outcome.path, width=console.width))


def _print_github(outcomes: Sequence[FileOutcome]) -> None:
    from grader import settings
    from grader.selfcheck.github_output import render_commands, render_summary

    click.echo(render_commands(outcomes), nl=False)
    summary_path = settings.step_summary_path()
    if summary_path is not None:
        with summary_path.open("a", encoding="utf-8") as file:
            file.write(render_summary(outcomes))


def _classroom50_identity() -> Mapping[str, str]:
    from grader import settings
    from grader.selfcheck.classroom50_result import read_identity

    return read_identity(settings.classroom50_variables())


def _print_classroom50(outcomes: Sequence[FileOutcome], *, identity: Mapping[str, str]) -> None:
    from grader.selfcheck.classroom50_result import SCALE, render_classroom50

    for outcome in outcomes:
        if outcome.result is None:
            print_message(f"grade: {outcome.path}: {outcome.reason}")
    print_message(f"note: scores are points times {SCALE}: Classroom 50 takes whole numbers")
    click.echo(render_classroom50(outcomes, identity=identity), nl=False)


def _print_document(outcomes: Sequence[FileOutcome], *, form: str) -> None:
    from grader.selfcheck.check_json import render_json
    from grader.selfcheck.junit_output import render_junit

    render = render_json if form == "json" else render_junit
    click.echo(render(outcomes), nl=False)
