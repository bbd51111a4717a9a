"""Many submissions at once, each on disk before its place in the pool is given away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from grader.model import ExecutionRecord, Graded, Submission
from grader.pipeline import Course, grade

Done = Callable[[Graded], None]


def grade_all(
    submissions: Sequence[Submission], *, course: Course, jobs: int, done: Done
) -> tuple[Graded, ...]:
    """Grade every submission; `done` is called for each, in this thread, as soon as it is over."""
    finished: dict[str, Graded] = {}
    for graded in _as_they_end(submissions, course=course, jobs=jobs):
        done(graded)
        finished[graded.submission.name] = graded
    return tuple(finished[submission.name] for submission in submissions)


def _as_they_end(
    submissions: Sequence[Submission], *, course: Course, jobs: int
) -> Iterator[Graded]:
    waiting = iter(submissions)
    pool = ThreadPoolExecutor(max_workers=jobs)
    running: set[Future[Graded]] = set()
    try:
        running = {pool.submit(_one, s, course) for s in islice(waiting, jobs)}
        while running:
            over, running = wait(running, return_when=FIRST_COMPLETED)
            for future in over:
                yield future.result()
            running |= {pool.submit(_one, s, course) for s in islice(waiting, len(over))}
    except BaseException:
        course.stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _one(submission: Submission, course: Course) -> Graded:
    """Grade one; a fault of ours costs this submission nothing and the others nothing."""
    try:
        return grade(submission, course=course)
    except Exception as error:  # noqa: BLE001 (one submission must never stop the batch)
        told = f"the grader failed on it ({type(error).__name__}); please report this"
        return Graded(
            submission=submission,
            students=(),
            reason=told,
            score=None,
            record=ExecutionRecord(cells=()),
            flags=(told,),
        )
