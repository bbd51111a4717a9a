"""Many submissions at once: threads that wait for kernels, and processes where cores are many."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event

from grader.model import Graded, Submission
from grader.pipeline import Tell
from grader.pipeline.grading_worker import THREADS, One, Work, opened_desk
from grader.pipeline.worker_processes import hired

WIDTH = 8
"""Notebooks at once that one grader process keeps up with."""


def grade_all(
    submissions: Sequence[Submission],
    *,
    work: Work,
    jobs: int,
    ready: Callable[[], None],
    tell: Tell,
) -> Iterator[Graded]:
    """Grade every submission; each is yielded, in this thread, once it is on disk."""
    jobs = max(1, min(jobs, len(submissions)))
    if jobs > WIDTH:
        processes = math.ceil(jobs / WIDTH)
        with hired(work, processes=processes, width=math.ceil(jobs / processes), tell=tell) as crew:
            ready()
            yield from crew.grade(submissions)
        return
    stop = Event()
    with opened_desk(work, jobs=jobs, tell=tell, stop=stop) as one:
        ready()
        yield from as_they_end(submissions, one=one, threads=THREADS * jobs, stop=stop)


def as_they_end(
    submissions: Sequence[Submission], *, one: One, threads: int, stop: Event
) -> Iterator[Graded]:
    """Grade in threads."""
    waiting = iter(submissions)
    pool = ThreadPoolExecutor(max_workers=threads)
    running: set[Future[Graded]] = set()
    try:
        running = {pool.submit(one, s) for s in islice(waiting, threads)}
        while running:
            over, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(one, s) for s in islice(waiting, len(over))}
            for future in over:
                yield future.result()
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
