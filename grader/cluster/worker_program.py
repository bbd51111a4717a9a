"""The process that a worker is: it meets the head, and does what is asked until nothing is left."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from grader.cluster.dask_settings import LOCAL_HTTP, configure_dask
from grader.cluster.tls_keys import read_keys
from grader.cluster.worker_tasks import STATE, WorkerState
from grader.pipeline.workers import SHUTDOWN_S, THREADS_PER_JOB

POLL_S = 0.1
"""Seconds between two looks at whether this worker is to end."""
DONE, REFUSED, LOST = 0, 2, 75
"""Exit codes: the head is done, takes this worker not, or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """Where a worker finds its head, and what it may use."""

    address: str
    tls: Path
    jobs: int
    python: str
    cache: Path
    gpus: int = 0


def run_worker(options: WorkerOptions) -> tuple[int, str]:
    """Grade for a head until it is done; return an exit code and why it was refused, if it was."""
    configure_dask()
    # Sandboxes are told apart by what may be read: a path that can be guessed is hidden by name.
    with tempfile.TemporaryDirectory(prefix="grade-worker-", ignore_cleanup_errors=True) as folder:
        state = WorkerState(
            folder=Path(folder), jobs=options.jobs, python=options.python, cache=options.cache
        )
        STATE[:] = [state]
        Thread(target=_end_with_parent, args=(state,), daemon=True).start()
        try:
            asyncio.run(_serve(options, state))
        finally:
            state.close()
        if state.refusal:
            return REFUSED, state.refusal
        return (DONE if state.ended.is_set() else LOST), ""


async def _serve(options: WorkerOptions, state: WorkerState) -> None:
    from distributed import Status, Worker  # noqa: PLC0415 (an extra)

    worker = Worker(
        options.address,
        nthreads=THREADS_PER_JOB * options.jobs,
        name=f"{socket.gethostname()}-{os.getpid()}",
        memory_limit=0,
        security=read_keys(options.tls),
        protocol="tls://",
        local_directory=str(state.folder / "dask"),
        dashboard=False,
        dashboard_address=LOCAL_HTTP,
        resources={"GPU": options.gpus} if options.gpus else None,
    )
    starting = asyncio.ensure_future(worker)
    while not state.ended.is_set() and worker.status is not Status.closed:
        if starting.done():
            starting.result()
        await asyncio.sleep(POLL_S)
    state.stop.set()
    if not starting.done():
        starting.cancel()
        return
    await worker.close(timeout=SHUTDOWN_S)


def _end_with_parent(state: WorkerState) -> None:
    """End this worker when what started it has: the pipe to our standard input is closed then."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    state.ended.set()
