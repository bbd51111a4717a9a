"""The scheduler that the head starts, and what happens on it, as a queue of events."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from grader.cluster import worker_tasks
from grader.cluster.addresses import Meeting
from grader.cluster.dask_settings import LOCAL_HTTP, configure_dask
from grader.errors import UsageError

FAREWELL_S = 10
"""Seconds that workers have to take note that they are to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubEvent:
    """Something that happened."""

    kind: str
    """'came', 'leaving', 'gone', 'opened' or 'graded'."""
    worker: str
    """Its address."""
    label: str = ""
    """Of one that came: its name. Of a result: the submission's."""
    future: Any = None


class Hub:
    """Sends what is asked to workers, and tells what comes back.

    Args:
        client: Dask's client.
        events: where its scheduler says who comes and goes.
    """

    def __init__(self, client: Any, *, events: queue.Queue[HubEvent]) -> None:
        self._client, self.events = client, events
        self._numbers = itertools.count()
        self._futures: dict[str, Any] = {}

    @property
    def address(self) -> str:
        """The address that workers connect to."""
        return str(self._client.scheduler.address)

    def ask(
        self, worker: str, task: Callable[..., bytes], *arguments: Any, kind: str, label: str = ""
    ) -> None:
        """Have a worker do something, and nobody else; an event tells the result."""
        number = str(next(self._numbers))
        future = self._client.submit(
            task,
            *arguments,
            key=f"{kind}-{number}",
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )
        self._futures[number] = future
        future.add_done_callback(
            partial(self._tell, kind=kind, worker=worker, label=label, number=number)
        )

    def _tell(self, future: Any, *, kind: str, worker: str, label: str, number: str) -> None:
        self._futures.pop(number, None)  # the last that holds it, so that Dask forgets it
        if future.status in {"finished", "error"}:
            self.events.put(HubEvent(kind=kind, worker=worker, label=label, future=future))

    def end_worker(self, worker: str, *, refusal: str = "") -> None:
        """Tell a worker to end."""
        with suppress(Exception):  # it may have gone meanwhile
            self._client.run(worker_tasks.end_worker, refusal, workers=[worker], wait=False)

    def end_all(self) -> None:
        """Tell all workers that are there to end."""
        with suppress(Exception):  # as above
            self._client.run(worker_tasks.end_worker, on_error="ignore")


@contextmanager
def open_hub(meeting: Meeting, *, security: Any) -> Iterator[Hub]:
    """Start a scheduler in a thread of this process, and stop it.

    Raises:
        UsageError: its address can't be used.
    """
    configure_dask()
    from distributed import Client, Scheduler, SpecCluster  # noqa: PLC0415 (an extra)
    from distributed.utils import get_ip  # noqa: PLC0415 (as above)

    events: queue.Queue[HubEvent] = queue.Queue()
    options = {
        "host": meeting.host or get_ip(),
        "port": meeting.port,
        "protocol": "tls://",
        "security": security,
        "dashboard": False,
        "dashboard_address": LOCAL_HTTP,
        "plugins": [_make_watcher(events)],
    }
    try:
        cluster = SpecCluster(
            workers={}, scheduler={"cls": Scheduler, "options": options}, security=security
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"no workers can be met at {meeting.host or 'this computer'}:{meeting.port} ({error})"
        ) from error
    with cluster, Client(cluster, security=security) as client:
        hub = Hub(client, events=events)
        try:
            yield hub
        finally:
            hub.end_all()


def _make_watcher(events: queue.Queue[HubEvent]) -> Any:
    """Return the plugin of the scheduler that tells who comes and goes."""
    from distributed.diagnostics.plugin import SchedulerPlugin  # noqa: PLC0415 (an extra)

    class Watcher(SchedulerPlugin):  # type: ignore[misc]
        def add_worker(self, scheduler: Any, worker: str) -> None:
            label = str(scheduler.workers[worker].name)
            events.put(HubEvent(kind="came", worker=worker, label=label))

        def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:  # noqa: ARG002 (Dask passes it)
            events.put(HubEvent(kind="gone", worker=worker))

        def log_event(self, topic: Any, msg: Any) -> None:
            if isinstance(msg, dict) and msg.get("action") == "closing-worker":
                events.put(HubEvent(kind="leaving", worker=str(topic)))

    return Watcher()
