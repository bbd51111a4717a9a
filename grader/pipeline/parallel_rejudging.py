"""Shares the judging of a class among processes; this one takes its part from the first moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader import fault_log
from grader.errors import GraderError, UsageError
from grader.model import Fault
from grader.pipeline.grading_worker import RunConfig
from grader.pipeline.rejudging import RejudgeResult, rejudge

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

MIN_PER_PROCESS = 60
"""Submissions below which starting one more process takes longer than it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameQueue:
    """Names for whoever comes next, so that nobody waits for a process that started late."""

    names: Sequence[str]
    next_index: Any
    """How many are gone: a number that all processes share."""

    def __iter__(self) -> Iterator[str]:
        """The names that nobody else took."""
        while True:
            with self.next_index.get_lock():
                index = self.next_index.value
                self.next_index.value += 1
            if index >= len(self.names):
                return
            yield self.names[index]


def rejudge_in_parallel(config: RunConfig, names: Sequence[str], *, jobs: int) -> RejudgeResult:
    """Judge in this process and in others where that is faster; all in the order of names.

    Raises:
        UsageError: a process was killed, or the folder can't be written.
    """
    process_count = min(jobs - 1, len(names) // MIN_PER_PROCESS)
    if process_count < 1:
        return rejudge(config, names)
    name_queue = NameQueue(
        names=names, next_index=multiprocessing.get_context("spawn").Value("q", 0)
    )
    with _start_workers(config, name_queue, count=process_count) as pipes:
        results = [rejudge(config, name_queue)]
        results += [_receive(pipe) for pipe in pipes]
    return _merge(results, names=names)


@contextmanager
def _start_workers(
    config: RunConfig, name_queue: NameQueue, *, count: int
) -> Iterator[list[Connection]]:
    """So many processes that judge, each with a pipe for what it comes to."""
    spawn = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    pipes: list[Connection] = []
    try:
        for _ in range(count):
            receiver, sender = spawn.Pipe(duplex=False)
            process = spawn.Process(target=run_rejudging_worker, args=(config, name_queue, sender))
            process.start()
            sender.close()  # so that its end is seen here, however it ends
            processes.append(process)
            pipes.append(receiver)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.terminate()  # has sent all it had to say, or is not needed any more
            process.join()


def run_rejudging_worker(config: RunConfig, name_queue: NameQueue, pipe: Connection) -> None:
    """The whole life of one process."""
    try:
        pipe.send(rejudge(config, name_queue))
    except GraderError as error:
        pipe.send(error)
    except KeyboardInterrupt:
        return
    except Exception as error:  # noqa: BLE001 (its traceback would be lost with this process)
        pipe.send(Fault.caught("judging again", error))


def _receive(pipe: Connection) -> RejudgeResult:
    try:
        received = pipe.recv()
    except EOFError:
        raise UsageError("a grader process was killed; run the command again") from None
    if isinstance(received, GraderError):
        raise received
    if isinstance(received, Fault):
        fault_log.report_fault(received)
        name = received.error.partition(":")[0]
        raise UsageError(f"a grader process failed ({name}); {fault_log.log_hint()}")
    judged: RejudgeResult = received
    return judged


def _merge(results: Sequence[RejudgeResult], *, names: Sequence[str]) -> RejudgeResult:
    order = {name: number for number, name in enumerate(names)}
    changes = (change for result in results for change in result.changes)
    unasked = (name for result in results for name in result.needs_rerun)
    briefs = (brief for result in results for brief in result.briefs)
    return RejudgeResult(
        count=sum(result.count for result in results),
        changes=tuple(sorted(changes, key=lambda change: order[change.submission])),
        needs_rerun=tuple(sorted(unasked, key=order.__getitem__)),
        briefs=tuple(sorted(briefs, key=lambda brief: order[brief.page_row.name])),
    )
