"""The head of a cluster: hands submissions to workers, and stores what comes back.

It is a `GradingEngine`: `run_grading` knows of nothing else.
"""

from __future__ import annotations

import queue
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader import fault_log, sandbox
from grader.cluster import worker_tasks
from grader.cluster.addresses import Meeting, keys_beside, write_address
from grader.cluster.child_workers import ChildWorkers
from grader.cluster.course_bundle import bundle_course
from grader.cluster.dask_settings import configure_dask
from grader.cluster.dispatcher import Dispatcher, KnownArrays
from grader.cluster.fitness import Program, find_refusal, read_facts
from grader.cluster.hub import Hub, HubEvent, open_hub
from grader.cluster.submission_parcels import pack_submission, unpack_result
from grader.cluster.tls_keys import read_keys, write_keys
from grader.errors import IsolationError, UsageError
from grader.model import Fault, Flag, FlagKind, Graded, Observation
from grader.pipeline import GradingResult, Notify
from grader.pipeline.cache_keys import PreparedSubmission
from grader.pipeline.judge import ungradable_result
from grader.pipeline.run_config import ResultWriter, RunConfig
from grader.report.text_format import format_count
from grader.sandbox import IsolationLevel, IsolationRequest

POLL_S = 0.5
"""Seconds between two looks at whether workers of this computer are alive."""
LOST_REASON = "it ended the grader twice, once with nothing beside it; a person must look"
"""Why there is no grade of who ended two workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterEngine:
    """Grades on workers.

    Call it with what `GradingEngine` says.
    """

    meeting: Meeting
    tls: Path | None
    """The folder of the keys; None for keys of this run alone, where the head can hand them on."""
    show_load: Callable[[str], None]
    """Shows how much is graded at once, and how fast."""

    def __call__(
        self,
        submissions: Sequence[PreparedSubmission],
        *,
        config: RunConfig,
        jobs: int,
        on_ready: Callable[[], None],
        notify: Notify,
    ) -> Iterator[Graded]:
        """Grade every submission, and yield each grade once it is on disk.

        Raises:
            RubricError: the reference does not run.
            UsageError: no worker can be had, or the folder can't be written.
        """
        configure_dask()
        with ExitStack() as resources:
            keys = self._choose_keys(resources)
            hub = resources.enter_context(open_hub(self.meeting, security=read_keys(keys)))
            children = None
            if self.meeting.local:
                count = min(self.meeting.local, len(submissions))
                each = max(1, -(-jobs // count))
                words = (hub.address, "--tls", str(keys), "-j", str(each), "--python")
                python = config.session.environment.python if config.session else config.python
                children = ChildWorkers((*words, python), count=count)
                resources.callback(children.close)
                resources.callback(hub.end_all)
            else:
                notify(f"workers are met at {hub.address}")
            if self.meeting.file is not None:
                resources.callback(self.meeting.file.unlink, missing_ok=True)
                write_address(self.meeting.file, hub.address)
            with config.folder.open_gradebook() as book:
                grading = ClusterRun(
                    submissions,
                    config=config,
                    hub=hub,
                    writer=ResultWriter(config, book=book),
                    notify=notify,
                )
                grading.children, grading.on_ready = children, on_ready
                grading.show_load = self.show_load
                yield from grading.grade()

    def _choose_keys(self, resources: ExitStack) -> Path:
        if self.tls is not None:
            return self.tls
        if self.meeting.local:
            folder = Path(resources.enter_context(_temporary_folder()))
        elif self.meeting.file is not None:
            folder = keys_beside(self.meeting.file)
        else:
            raise UsageError(
                "--on tls://… needs --tls DIR, the folder of keys that workers have, too: "
                "`grade cluster keys DIR` makes them"
            )
        if not (folder / "key.pem").exists():
            write_keys(folder)
        return folder


@contextmanager
def _temporary_folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="grade-keys-") as folder:
        yield folder


class ClusterRun:
    """One run on workers: what waits, what runs where, and what came back.

    Args:
        submissions: the submissions.
        config: what they are graded by.
        hub: reaches the workers.
        writer: stores results, and nobody else does.
        notify: called with sentences.
    """

    children: ChildWorkers | None = None
    """Workers on this computer."""

    def __init__(
        self,
        submissions: Sequence[PreparedSubmission],
        *,
        config: RunConfig,
        hub: Hub,
        writer: ResultWriter,
        notify: Notify,
    ) -> None:
        self._submissions = {each.submission.name: each for each in submissions}
        self._config, self._hub, self._writer, self._notify = config, hub, writer, notify
        self._dispatcher = Dispatcher(self._submissions)
        self._bundle = bundle_course(config)
        self._program = Program.of(config)
        self._weakest = _weakest_isolation(config)
        self._known = KnownArrays()
        self._constants: dict[str, Observation] | None = None
        self._labels: dict[str, str] = {}
        self._sent_notes: set[str] = set()
        self._refused = 0
        self._began, self._count = 0.0, 0
        self.on_ready: Callable[[], None] = lambda: None
        self.show_load: Callable[[str], None] = lambda _: None

    def grade(self) -> Iterator[Graded]:
        """Grade, and yield each grade once it is on disk."""
        while not self._dispatcher.is_finished:
            try:
                event = self._hub.events.get(timeout=POLL_S)
            except queue.Empty:
                self._look_after_children()
                continue
            yield from self._handle(event)
            for worker, name in list(self._dispatcher.assign()):
                packed = pack_submission(
                    self._submissions[name], places=self._bundle.places, known=self._known
                )
                self._hub.ask(worker, worker_tasks.grade_parcel, packed, kind="graded", label=name)
            self._describe_load()

    def _handle(self, event: HubEvent) -> Iterator[Graded]:
        if event.kind == "came":
            self._labels[event.worker] = event.label
            request = self._request()
            level = str(request.level or "")
            order = (self._bundle.packed, level, request.unsandboxed)
            self._hub.ask(event.worker, worker_tasks.open_course, *order, kind="opened")
        elif event.kind == "opened":
            self._take_worker(event)
        elif event.kind == "graded" and event.worker in self._dispatcher.workers:
            yield from self._take_result(event)
        elif event.kind == "leaving" and event.worker in self._dispatcher.workers:
            self._dispatcher.retire_worker(event.worker)
            self._notify(f"worker {self._labels[event.worker]} leaves; others grade what it had")
        elif event.kind == "gone":
            yield from self._lose_worker(event.worker)

    # ------------------------------------------------------------ workers

    def _take_worker(self, event: HubEvent) -> None:
        """Let a worker grade, or refuse it by name."""
        if event.future.status != "finished":
            return  # it is gone, which another event tells
        facts = read_facts(event.future.result())
        label = self._labels[event.worker]
        if facts.fault is not None:
            fault_log.report_fault(facts.fault)
        refusal = find_refusal(
            facts, program=self._program, weakest=self._weakest, constants=self._constants
        )
        if refusal:
            self._hub.end_worker(event.worker, refusal=refusal)
            self._refuse(label, refusal)
            return
        for note in facts.notes:
            self._note_once(note)
        if self._constants is None:
            self._constants = dict(facts.constants)
            self._began = time.monotonic()
            self.on_ready()
        self._notify(f"worker {label} came: isolation {facts.description or facts.level}")
        self._dispatcher.add_worker(event.worker, slots=facts.slots)

    def _refuse(self, label: str, refusal: str) -> None:
        if self.children is not None and not self._dispatcher.workers:
            # Workers of this computer are all alike: nobody would ever come.
            raise UsageError(refusal)
        self._refused += 1
        self._notify(f"worker {label} is refused: {refusal}")

    def _lose_worker(self, worker: str) -> Iterator[Graded]:
        load = self._dispatcher.workers.get(worker)
        if load is None:
            return
        running = len(load.running)
        given_up = self._dispatcher.remove_worker(worker)
        again = running - len(given_up)
        what = f"; {format_count(again, singular='submission')} run again" if again else ""
        self._notify(f"worker {self._labels[worker]} is gone{what}")
        for name in given_up:
            yield self._give_up(name, LOST_REASON)

    def _look_after_children(self) -> None:
        if self.children is None:
            return
        code = self.children.restart_dead(wait_for_head=False)
        if code is not None and self._hub.events.empty() and not self._dispatcher.workers:
            raise UsageError("no worker is left; run the command again")

    # ------------------------------------------------------------ results

    def _take_result(self, event: HubEvent) -> Iterator[Graded]:
        """Store a result, or have its submission run elsewhere."""
        worker, name = event.worker, event.label
        if event.future.status != "finished":
            yield from self._take_trouble(event)
            return
        received = unpack_result(event.future.result(), name=name)
        for fault in received.faults:
            fault_log.report_fault(fault)
        counts = self._dispatcher.finish(worker, name, grader_fault=received.grader_fault)
        self._retire_failing(worker)
        if not counts:
            return
        try:
            graded = self._writer.write_encoded(received.encoded)
        except KeyError:
            self._known.forget()
            self._dispatcher.wait_again(name)
            return
        if received.encoded.trace is not None:
            self._known.add(received.encoded.trace.blobs)
        self._count += 1
        yield graded

    def _take_trouble(self, event: HubEvent) -> Iterator[Graded]:
        """Have a submission run elsewhere that a worker could not even begin with."""
        error = event.future.exception()
        if type(error).__name__ == "KilledWorker":
            return  # it is gone, which another event tells
        self._note_once(f"worker {self._labels[event.worker]}: {error}")
        if not isinstance(error, UsageError):
            fault = Fault.caught(f"grading {event.label} on a worker", error)
            fault_log.report_fault(fault)
        is_hopeless = self._dispatcher.fail(event.worker, event.label)
        self._retire_failing(event.worker)
        if is_hopeless:
            yield self._give_up(event.label, f"no worker could begin with it ({error})")

    def _retire_failing(self, worker: str) -> None:
        if not self._dispatcher.is_failing(worker):
            return
        self._dispatcher.retire_worker(worker)
        reason = "it failed again and again"
        self._hub.end_worker(worker, refusal=reason)
        self._refuse(self._labels[worker], reason)

    def _give_up(self, name: str, reason: str) -> Graded:
        """Store that nobody can grade a submission."""
        submission = self._submissions[name].submission
        flag = Flag(FlagKind.NOT_GRADED, (reason,))
        graded = ungradable_result(submission, reason, flag=flag)
        judges = self._config.build_judges()
        judge = self._config.build_whole_judge(judges) or judges[0]
        graded = judge.with_enrollment(graded, submission=submission)
        self._count += 1
        return self._writer.write_result(
            GradingResult(graded=graded, grader_fault=True), cache_key=""
        )

    # ------------------------------------------------------------ what is said

    def _note_once(self, note: str) -> None:
        if note not in self._sent_notes:
            self._sent_notes.add(note)
            self._notify(note)

    def _describe_load(self) -> None:
        workers = format_count(len(self._dispatcher.workers), singular="worker")
        elapsed = time.monotonic() - self._began if self._began else 0.0
        speed = f", {self._count / elapsed:.1f} a second" if elapsed and self._count else ""
        self.show_load(f"{self._dispatcher.count_running()} on {workers}{speed}")

    def _request(self) -> IsolationRequest:
        session = self._config.session
        return session.required_isolation if session else IsolationRequest()


def _weakest_isolation(config: RunConfig) -> IsolationLevel:
    """Return the weakest isolation that will do: this computer's, or what its person asked for."""
    if config.session is None:
        raise ValueError("a configuration without a session runs no notebook")
    request = config.session.required_isolation
    if request.level is not None:
        return request.level
    try:
        with sandbox.start_fork_server(config.session.environment, request=request) as fork_server:
            return IsolationLevel(fork_server.isolation.level)
    except IsolationError:  # a head needs no walls of its own
        return IsolationLevel.REDUCED
