"""Decides which submission goes to which worker: plain data in, plain data out, no network.

Who was on a worker that died may have killed it, or only have been beside who did. Therefore each
of them runs again with nobody beside it, and only who ends a worker alone is given up.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MAX_FAULTS = 3
"""Faults of ours in a row after which a worker gets no more."""


@dataclass(slots=True, kw_only=True)
class WorkerLoad:
    """What a worker has to do."""

    slots: int
    """Submissions that it takes at once."""
    running: set[str] = field(default_factory=set)
    is_alone: bool = False
    """Whether what runs there must have nobody beside it."""
    faults: int = 0
    """Faults of ours there in a row."""


class Dispatcher:
    """Which submissions wait, which run where, and which are suspected of ending a worker.

    Args:
        names: the submissions, in order.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._waiting = deque(names)
        self._suspects: deque[str] = deque()
        self._avoided: dict[str, str] = {}
        """Where a submission met a fault of ours, so that it is tried elsewhere."""
        self._failures: Counter[str] = Counter()
        """How often no worker could begin with a submission."""
        self.workers: dict[str, WorkerLoad] = {}

    @property
    def is_finished(self) -> bool:
        """Whether nothing waits and nothing runs."""
        return not (self._waiting or self._suspects or self.count_running())

    def count_running(self) -> int:
        """Return how many submissions are on workers."""
        return sum(len(load.running) for load in self.workers.values())

    def add_worker(self, worker: str, *, slots: int) -> None:
        """Take a worker that may be given submissions."""
        self.workers[worker] = WorkerLoad(slots=slots)

    def remove_worker(self, worker: str) -> tuple[str, ...]:
        """Take back what was on a worker that is gone; return whom nobody can grade.

        Those ended a worker with nobody beside them.
        """
        load = self.workers.pop(worker, None)
        if load is None:
            return ()
        if load.is_alone:
            return tuple(load.running)
        self._suspects.extend(sorted(load.running))
        return ()

    def retire_worker(self, worker: str) -> None:
        """Give a worker nothing more, and what is on it to others; nobody is suspected."""
        load = self.workers.pop(worker)
        self._waiting.extendleft(sorted(load.running))

    def assign(self) -> Iterator[tuple[str, str]]:
        """Yield each worker with room and the submission that it is to be given now."""
        for worker, load in self.workers.items():
            while (name := self._choose(worker, load)) is not None:
                load.running.add(name)
                yield worker, name

    def _choose(self, worker: str, load: WorkerLoad) -> str | None:
        if load.is_alone:
            return None
        if self._suspects and not load.running:
            load.is_alone = True
            return self._suspects.popleft()
        if len(load.running) >= load.slots or self._is_reserved(worker):
            return None
        for name in self._waiting:
            if self._avoided.get(name) != worker or len(self.workers) == 1:
                self._waiting.remove(name)
                return name
        return None

    def _is_reserved(self, worker: str) -> bool:
        """Return whether a worker is to run empty, so that suspects can run alone there."""
        if not self._suspects or any(load.is_alone for load in self.workers.values()):
            return False
        loads = self.workers
        return worker == min(loads, key=lambda each: (len(loads[each].running), each))

    def finish(self, worker: str, name: str, *, grader_fault: bool = False) -> bool:
        """Take note of a result; return whether it counts, or its submission is tried elsewhere."""
        load = self._take_back(worker, name)
        load.faults = load.faults + 1 if grader_fault else 0
        if grader_fault and name not in self._avoided and len(self.workers) > 1:
            self._avoided[name] = worker
            self._waiting.append(name)
            return False
        return True

    def fail(self, worker: str, name: str) -> bool:
        """Take note that a worker could not begin with a submission.

        Returns:
            Whether it is given up, since this happened again and again.
        """
        self._take_back(worker, name).faults += 1
        self._avoided[name] = worker
        self._failures[name] += 1
        if self._failures[name] > MAX_FAULTS:  # a worker alone with it is retired before
            return True
        self._waiting.append(name)
        return False

    def wait_again(self, name: str) -> None:
        """Let a submission run again, for a reason that is nobody's fault."""
        self._waiting.appendleft(name)

    def _take_back(self, worker: str, name: str) -> WorkerLoad:
        load = self.workers[worker]
        load.running.discard(name)
        load.is_alone = False
        return load

    def is_failing(self, worker: str) -> bool:
        """Return whether a worker met so many faults of ours in a row that it should stop."""
        return self.workers[worker].faults >= MAX_FAULTS


class KnownArrays:
    """Digests of large arrays that came more than once: the next worker need not send them.

    Those that came once are mostly a student's own, and would make every order longer.
    """

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._shared: set[str] = set()

    def add(self, digests: Iterable[str]) -> None:
        """Count arrays that the store has now."""
        for digest in digests:
            self._counts[digest] += 1
            if self._counts[digest] > 1:
                self._shared.add(digest)

    def forget(self) -> None:
        """Take nothing for known: the store lacks something that it should have."""
        self._counts.clear()
        self._shared.clear()

    def __iter__(self) -> Iterator[str]:
        """Yield the digests."""
        return iter(sorted(self._shared))
