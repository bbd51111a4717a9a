"""`grade release`: builds what students get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grader.cli.shared_options import out_option, python_option, unsandboxed_option


@click.command("release", short_help="Build what students get of an assignment.")
@click.argument("assignment", metavar="[ID]", required=False)
@out_option("Folder to write to.", default=Path("release"))
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The program's wheel (default: one built of this checkout).",
)
@python_option
@unsandboxed_option("Run")
def release_command(
    *, assignment: str | None, out: Path, wheel: Path | None, **options: Any
) -> None:
    """Build what students get of the assignment ID (default: the default one).

    A folder, and the same as a zip archive: the notebook with blanks for solutions, the checks
    that students can run, a README, and the program as a wheel. Refuses, with exit code 2, if
    anything of the solution would get out, and shows where.
    """
    from grader import rubric, settings
    from grader.authoring.assignments import load_assignments, session_options
    from grader.authoring.release_build import build_release
    from grader.authoring.wheel import provide_wheel
    from grader.checks import load_checks
    from grader.report.text_format import format_count

    loaded_settings = settings.read_settings(path=Path(), out=out, **options)
    path = rubric.find_rubric(loaded_settings.root, assignment=assignment)
    released = build_release(
        rubric.load_rubric(path, catalog=load_checks),
        load_assignments(loaded_settings.root, ids=(path.stem,)),
        options=session_options(loaded_settings),
        wheel=provide_wheel(wheel),
        out=out,
    )
    for file, size in released.sizes.items():
        click.echo(f"{size:>10,}  {released.folder / file}")
    blanks = format_count(released.blanks, singular="solution")
    cells = format_count(released.removed_cells, singular="cell")
    click.echo(f"\ncut out {blanks}, left out {cells}; nothing of the solution is in these files")
    click.echo(f"for students: {released.archive}")
    for note in released.stated_points:
        click.echo(f"note: {note}")
