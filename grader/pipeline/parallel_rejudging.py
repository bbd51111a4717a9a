"""Shares the judging of a class among processes; this one takes its part from the first moment."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.errors import GraderError, UsageError
from grader.pipeline.grading_worker import Work
from grader.pipeline.rejudging import Rejudged, rejudge

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

ALONE = 60
"""Submissions below which starting one more process takes longer than it saves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Names for whoever comes next, so that nobody waits for a process that started late."""

    names: Sequence[str]
    taken: Any
    """How many are gone: a number that all processes share."""

    def __iter__(self) -> Iterator[str]:
        """The names that nobody else took."""
        while True:
            with self.taken.get_lock():
                place = self.taken.value
                self.taken.value += 1
            if place >= len(self.names):
                return
            yield self.names[place]


def rejudge_shared(work: Work, names: Sequence[str], *, jobs: int) -> Rejudged:
    """Judge in this process and in others where that is faster; all in the order of names.

    Raises:
        UsageError: a process was killed, or the folder can't be written.
    """
    others = min(jobs - 1, len(names) // ALONE)
    if others < 1:
        return rejudge(work, names)
    turns = Turns(names=names, taken=multiprocessing.get_context("spawn").Value("q", 0))
    with _started(work, turns, count=others) as pipes:
        parts = [rejudge(work, turns)]
        parts += [_received(pipe) for pipe in pipes]
    return _in_order(parts, names=names)


@contextmanager
def _started(work: Work, turns: Turns, *, count: int) -> Iterator[list[Connection]]:
    """So many processes that judge, each with a pipe for what it comes to."""
    spawn = multiprocessing.get_context("spawn")
    processes: list[SpawnProcess] = []
    pipes: list[Connection] = []
    try:
        for _ in range(count):
            ours, theirs = spawn.Pipe(duplex=False)
            process = spawn.Process(target=hand, args=(work, turns, theirs))
            process.start()
            theirs.close()  # so that its end is seen here, however it ends
            processes.append(process)
            pipes.append(ours)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.terminate()  # has sent all it had to say, or is not needed any more
            process.join()


def hand(work: Work, turns: Turns, pipe: Connection) -> None:
    """The whole life of one process."""
    try:
        pipe.send(rejudge(work, turns))
    except GraderError as error:
        pipe.send(error)
    except KeyboardInterrupt:
        return


def _received(pipe: Connection) -> Rejudged:
    try:
        found = pipe.recv()
    except EOFError:
        raise UsageError("a grader process was killed; run the command again") from None
    if isinstance(found, GraderError):
        raise found
    judged: Rejudged = found
    return judged


def _in_order(parts: Sequence[Rejudged], *, names: Sequence[str]) -> Rejudged:
    place = {name: number for number, name in enumerate(names)}
    changes = (change for part in parts for change in part.changes)
    unasked = (name for part in parts for name in part.unasked)
    briefs = (brief for part in parts for brief in part.briefs)
    return Rejudged(
        count=sum(part.count for part in parts),
        changes=tuple(sorted(changes, key=lambda change: place[change.submission])),
        unasked=tuple(sorted(unasked, key=place.__getitem__)),
        briefs=tuple(sorted(briefs, key=lambda brief: place[brief.row.name])),
    )
