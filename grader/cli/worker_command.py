"""`grade worker` and `grade cluster keys`: computers that grade for another one."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import platformdirs

from grader.cli.shared_options import FOLDER, jobs_option, python_option


@click.command("worker", short_help="Grade on this computer for another one.")
@click.argument("head", required=False)
@click.option("--on", help="The same as HEAD: tls://HOST:PORT, or the head's .json file.")
@click.option("--tls", type=FOLDER, help="Folder of keys (default: beside the .json file).")
@jobs_option("Notebooks at once here")
@python_option
@click.option("--child", is_flag=True, hidden=True)
def worker_command(
    *,
    head: str | None,
    on: str | None,
    tls: Path | None,
    jobs: int | None,
    python: str | None,
    child: bool,
) -> None:
    """Grade on this computer for a head: `grade submissions/ --on …` elsewhere.

    Waits for the head, grades what it is given, and ends when the head is done.
    """
    from grader import settings
    from grader.cluster.addresses import keys_beside, read_address
    from grader.cluster.child_workers import supervise_worker
    from grader.cluster.dask_settings import configure_dask
    from grader.cluster.worker_program import WorkerOptions, run_worker
    from grader.errors import UsageError

    configure_dask()
    word = head or on
    if word is None:
        raise click.UsageError("where is the head? tls://HOST:PORT, or its .json file")
    keys = tls or (keys_beside(Path(word)) if word.endswith(".json") else None)
    if keys is None:
        raise UsageError("--tls DIR names the keys; `grade cluster keys DIR` makes them")
    interpreter = settings.find_interpreter(python)
    count = jobs or settings.count_usable_cores()
    if not child:
        words = (word, "--tls", str(keys), "-j", str(count), "--python", interpreter)
        sys.exit(supervise_worker(words))
    options = WorkerOptions(
        address=read_address(word),
        tls=keys,
        jobs=count,
        python=interpreter,
        cache=platformdirs.user_cache_path("notebook-grader", appauthor=False),
    )
    code, refusal = run_worker(options)
    if refusal:
        click.echo(f"grade: the head refused this worker: {refusal}", err=True)
    sys.exit(code)


@click.group("cluster")
def cluster_group() -> None:
    """Set up grading on many computers."""


@cluster_group.command("keys")
@click.argument("folder", type=FOLDER)
def keys_command(*, folder: Path) -> None:
    """Write keys to FOLDER, to be copied to every computer that grades.

    Whoever has them can run programs on all of these computers: docs/security.md.
    """
    from grader.cluster.tls_keys import write_keys

    write_keys(folder)
    click.echo(f"{folder}: keys for a year; copy the folder to every computer, for nobody's eyes")
