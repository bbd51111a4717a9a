"""What a worker does when the head asks: opens a course, grades submissions, ends.

The functions run in threads of Dask's; what they share is in `STATE`, one for each process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock

from grader import fault_log, sandbox
from grader.cluster.course_bundle import COURSE, unbundle_course
from grader.cluster.fitness import ask_fitness, pack_refusal
from grader.cluster.submission_parcels import ReceivedSubmission, pack_result, unpack_submission
from grader.errors import GraderError, UsageError
from grader.gradebook.encoded_submissions import SubmissionEncoder
from grader.model import Fault
from grader.pipeline import SessionOptions
from grader.pipeline.open_sessions import OpenSessions
from grader.pipeline.workers import THREADS_PER_JOB, Stopped, grade_safely, open_sessions
from grader.sandbox import IsolationLevel, IsolationRequest


@dataclass(slots=True, kw_only=True)
class WorkerState:
    """What this process has open."""

    folder: Path
    """Its own folder, which goes when it ends."""
    jobs: int
    python: str
    cache: Path
    stop: Event = field(default_factory=Event)
    """Ends every wait for a notebook."""
    ended: Event = field(default_factory=Event)
    """Set when the head needs this worker no more, or it may not grade."""
    refusal: str = ""
    """Why it may not grade."""
    sessions: OpenSessions | None = None
    encoder: SubmissionEncoder = field(default_factory=SubmissionEncoder)
    resources: ExitStack = field(default_factory=ExitStack)
    opener: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    """The thread that opens and closes sessions: sandboxes end with the thread that began them."""
    faults: list[Fault] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def take_faults(self) -> list[Fault]:
        """Return the faults since the last time."""
        with self.lock:
            faults, self.faults = self.faults, []
        return faults

    def keep_fault(self, fault: Fault) -> None:
        """Keep a fault for the head's log."""
        with self.lock:
            self.faults.append(fault)

    def close(self) -> None:
        """End every sandbox."""
        self.stop.set()
        self.opener.submit(self.resources.close).result()
        self.opener.shutdown()


STATE: list[WorkerState] = []
"""The state of this process; empty where it is no worker."""


def open_course(packed: bytes, level: str, unsandboxed: bool) -> bytes:  # noqa: FBT001 (Dask calls it)
    """Open the sessions of a course, once; return what the head judges this worker's fitness by.

    Args:
        packed: the course.
        level: the only level of isolation that will do; '' for the best there is.
        unsandboxed: whether no isolation at all will do, too.
    """
    (state,) = STATE
    request = IsolationRequest(
        level=IsolationLevel(level) if level else None,
        unsandboxed=unsandboxed,
        hidden_paths=(str(state.folder),),
    )
    try:
        return state.opener.submit(_open, state, packed, request).result()
    except GraderError as error:
        return pack_refusal(str(error))
    except Exception as error:  # noqa: BLE001 (the head's log is where it is read)
        fault = Fault.caught("opening a course on a worker", error)
        return pack_refusal(f"it failed ({type(error).__name__})", fault=fault)


def _open(state: WorkerState, packed: bytes, request: IsolationRequest) -> bytes:
    fault_log.forward_faults(state.keep_fault)
    options = SessionOptions(
        environment=sandbox.survey_interpreter(state.python),
        cache=state.cache,
        required_isolation=request,
    )
    config = unbundle_course(packed, folder=state.folder, session=options)
    fault_log.log_faults_in(config.folder.path)
    notes: list[str] = []
    state.sessions = state.resources.enter_context(
        open_sessions(config, jobs=state.jobs, notify=notes.append, stop=state.stop)
    )
    return ask_fitness(config, state.sessions, notes=notes, slots=THREADS_PER_JOB * state.jobs)


def grade_parcel(packed: bytes) -> bytes:
    """Grade a submission, and return what is stored of it.

    Raises:
        UsageError: this worker has no course open, or no room on its disk.
    """
    (state,) = STATE
    if state.sessions is None:
        raise UsageError("this worker has no course open")
    with _receive(packed, state) as received:
        result = grade_safely(received.here, state.sessions)
    if state.stop.is_set():
        raise Stopped
    return pack_result(
        result,
        received,
        level=state.sessions.isolation.level,
        faults=state.take_faults(),
        encoder=state.encoder,
    )


@contextmanager
def _receive(packed: bytes, state: WorkerState) -> Iterator[ReceivedSubmission]:
    """Have the files of a submission on this computer."""
    course = state.folder / COURSE
    try:
        folder = tempfile.TemporaryDirectory(dir=state.folder, prefix="submission-")
    except OSError as error:
        raise UsageError(f"the disk of a worker can't be written ({error.strerror})") from error
    with folder as path:
        try:
            received = unpack_submission(packed, folder=Path(path), course=course)
        except OSError as error:
            raise UsageError(f"the disk of a worker can't be written ({error.strerror})") from error
        yield received


async def end_worker(refusal: str = "") -> None:
    """End this worker.

    Args:
        refusal: why the head does not take it; '' where its work is done.
    """
    for state in STATE:
        state.refusal = refusal
        state.stop.set()
        state.ended.set()
