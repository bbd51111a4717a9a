"""Words in, exit code out: the command `grade`."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from grader import __version__
from grader.errors import GraderError

if TYPE_CHECKING:
    from grader.settings import Settings

DONE, PERSON, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: done, pending marks included; a row needs a person; usage or rubric; Ctrl-C."""


class WordOrPath(click.Group):
    """A group whose first word is a command if it is one, else a path to run on."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before a path."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        alone = args and args[0] in {"--help", "-h", "--version"}
        if args and not alone and first not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=WordOrPath, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="grade")
def cli() -> None:
    r"""Grade homework notebooks.

    `grade PATH` is short for `grade run PATH`.

    \b
    Exit codes:
      0    done (answers that wait for marks included)
      1    a submission needs a person: ungradable, flagged, or our error
      2    usage, rubric or environment
      130  interrupted
    """


@cli.command("run")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--assignment", metavar="ID", help="Rubric to grade by (default: the default one).")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("graded"),
    show_default=True,
    help="Folder to write to.",
)
@click.option("-j", "--jobs", type=click.IntRange(1), help="Notebooks at once (default: cores).")
@click.option("--force", is_flag=True, help="Grade what did not change, too.")
@click.option(
    "--new-seed", is_flag=True, help="Draw other inputs to ask notebooks with, and grade all anew."
)
@click.option("--python", metavar="PATH", help="Interpreter that notebooks run in (default: ours).")
@click.option(
    "--isolation",
    type=click.Choice(["full", "namespaces", "reduced", "none"]),
    help="Insist on a level of isolation (default: the best there is; see `grade doctor`).",
)
@click.option(
    "--allow-unsandboxed", "unsandboxed", is_flag=True, help="Grade even where nothing isolates."
)
@click.option(
    "--limit", "limits", metavar="NAME=VALUE", multiple=True, help="Replace a limit of the rubric."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for machines.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def run_command(
    *,
    path: Path,
    assignment: str | None,
    out: Path,
    jobs: int | None,
    force: bool,
    new_seed: bool,
    python: str | None,
    isolation: str | None,
    unsandboxed: bool,
    limits: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Grade PATH: a folder of notebooks, or one notebook.

    Finds the rubric in rubrics/*.toml and writes reports, index.html, gradebook.csv and
    results/*.json to the output folder. What did not change since the last run is kept.
    """
    # Imported here so that --help answers at once.
    from grader import settings

    read = settings.read(
        path=path,
        out=out,
        assignment=assignment,
        jobs=jobs,
        python=python,
        force=force,
        new_seed=new_seed,
        isolation=isolation,
        unsandboxed=unsandboxed,
        limits=limits,
    )
    _run(read, as_json=as_json, quiet=quiet)


def _run(settings: Settings, *, as_json: bool, quiet: bool) -> None:
    from grader.pipeline.run import run
    from grader.report.progress import Bar, Silence

    if as_json or quiet:
        outcome = run(settings, watcher=Silence())
    else:
        with Bar() as bar:
            outcome = run(settings, watcher=bar)
        bar.summary(outcome.results(), rubric=outcome.rubric, out=outcome.out)
    if as_json:
        from grader.exports import class_json

        click.echo(class_json(outcome.results(), rubric=outcome.rubric))
    sys.exit(PERSON if outcome.needs_person else DONE)


@cli.command("again")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("graded"))
@click.option("--assignment", metavar="ID", help="Rubric to judge by (default: the default one).")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Processes (default: cores).")
def again_command(*, folder: Path, assignment: str | None, jobs: int | None) -> None:
    """Judge again what is in FOLDER (default: graded), after a rubric or a check changed.

    Runs no notebook: findings, scores and pages are made anew from what each run left behind.
    Prints the scores that moved, before and after.
    """
    from rich.console import Console

    from grader import settings
    from grader.pipeline.again import again
    from grader.report.moves import moves

    outcome = again(settings.read(path=Path(), out=folder, assignment=assignment, jobs=jobs))
    done = outcome.rejudged
    Console(highlight=False).print(moves(done.changes, count=done.count, unasked=done.unasked))
    sys.exit(PERSON if outcome.needs_person else DONE)


@cli.command("doctor")
@click.option("--python", metavar="PATH", help="Interpreter that notebooks run in (default: ours).")
def doctor_command(*, python: str | None) -> None:
    """Say how well notebooks are kept from this computer, and how to do better.

    Every level of isolation is tried by a program that does what it can to break out.
    """
    from grader import sandbox, settings
    from grader.sandbox.advice import advice

    environment = sandbox.survey(settings.interpreter(python))
    levels = list(sandbox.examine(environment))
    click.echo(advice(levels, cores=settings.usable_cores()))
    sys.exit(DONE if any(verdict.isolation for _, verdict in levels) else USAGE)


def main() -> None:
    """Run the command and leave with its exit code."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        _complain(told.getvalue().removesuffix("\n"))
    except GraderError as error:
        _complain(f"grade: {error}")


def _complain(told: str) -> NoReturn:
    """Say what went wrong; a name of a file may stand in it, and may hold anything."""
    from grader.report.wording import printable

    click.echo(printable(told), err=True)
    sys.exit(USAGE)
