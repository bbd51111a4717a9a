"""`grade release`: builds what students get."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("release")
@click.argument("assignment", metavar="[ID]", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("release"),
    show_default=True,
    help="Folder to write to.",
)
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The program's wheel (default: one built of this checkout).",
)
@click.option("--python", metavar="PATH", help="Interpreter that notebooks run in (default: ours).")
@click.option(
    "--allow-unsandboxed", "unsandboxed", is_flag=True, help="Run even where nothing isolates."
)
def release_command(
    *,
    assignment: str | None,
    out: Path,
    wheel: Path | None,
    python: str | None,
    unsandboxed: bool,
) -> None:
    """Build what students get of the assignment ID (default: the default one).

    A folder, and the same as a zip archive: the notebook with blanks for solutions, the checks
    that students can run, a README, and the program as a wheel. Refuses, with exit code 2, if
    anything of the solution would get out, and shows where.
    """
    from grader import rubric, settings
    from grader.authoring.assignments import assignments, opening
    from grader.authoring.release_build import release
    from grader.authoring.wheel import wheel as made
    from grader.report.text_format import counted

    read = settings.read(path=Path(), out=out, python=python, unsandboxed=unsandboxed)
    name = rubric.find(read.root, assignment=assignment).stem
    (chosen,) = assignments(read.root, ids=(name,))
    released = release(chosen, opening=opening(read), wheel=made(wheel), out=out)
    for file, size in released.sizes.items():
        click.echo(f"{size:>10,}  {released.folder / file}")
    blanks = counted(released.blanks, one="solution", many="solutions")
    cells = counted(released.cells, one="cell", many="cells")
    click.echo(f"\ncut out {blanks}, left out {cells}; nothing of the solution is in these files")
    click.echo(f"for students: {released.archive}")
