"""Call functions in a kernel's main thread, between its cells, from a thread that waits."""

import contextlib
import contextvars
import signal
import threading

from inside import seeding
from inside.resource_watch import thread_count

BEGIN_SECONDS = 3.0
"""Seconds within which the main thread begins, unless something of the notebook's occupies it."""
INTERRUPT_SECONDS = 2.0
"""Seconds that an interrupted function has to stop."""

_Lock, _Event, _pthread_kill = threading.Lock, threading.Event, signal.pthread_kill


def _is_of_progress_bar(thread):
    """Return whether a thread is tqdm's, which nothing waits for."""
    return str(type(thread).__module__).partition(".")[0] == "tqdm"


class ScheduledCall:
    """One call that the main thread may begin until the waiting thread gives up."""

    def __init__(self, function):
        self.function = function
        self.claim = _Lock()
        self.began = _Event()
        self.ended = _Event()
        self.result = self.error = None

    def run(self):
        """Run the function, unless nobody waits any more."""
        if not self.claim.acquire(blocking=False):
            return
        self.began.set()
        try:
            self.result = self.function()
        except Exception as error:
            self.error = error
        finally:
            self.ended.set()


class MainThread:
    """The kernel's main thread, which runs an event loop while no cell runs."""

    def __init__(self, loop):
        self.schedule = loop.call_soon_threadsafe
        self.ident = threading.main_thread().ident
        self.context = contextvars.copy_context()
        self.threads_of_kernel = set()
        self.native_threads_of_kernel = 1

    def follow(self, shell):
        """Call in the context that the last cell left: NumPy's and decimal's settings are there."""

        def remember_context(result):
            self.context = contextvars.copy_context()

        def remember_threads():
            self.threads_of_kernel.update(map(id, threading.enumerate()))
            self.native_threads_of_kernel = thread_count("self")

        shell.events.register("post_run_cell", remember_context)
        seeding.call_before_first_cell(shell, remember_threads)

    def has_company(self):
        """Return whether the notebook has threads of its own, of any kind, which a fork loses."""
        if thread_count("self") > self.native_threads_of_kernel:
            return True
        return self.has_threads()

    def has_threads(self):
        """Return whether the notebook's code has started threads of Python that still run."""
        return any(
            id(thread) not in self.threads_of_kernel and not _is_of_progress_bar(thread)
            for thread in threading.enumerate()
        )

    def begin(self, function):
        """Let the main thread call a function; return the call once it began, or None."""
        call = ScheduledCall(function)
        try:
            self.schedule(call.run, context=self.context)
        except Exception:  # the notebook closed the loop
            return None
        if not call.began.wait(BEGIN_SECONDS) and call.claim.acquire(blocking=False):
            return None
        return call

    def run(self, function):
        """Call a function in the main thread and wait; False where that is occupied."""
        call = self.begin(function)
        if call is None:
            return False
        call.ended.wait()
        if call.error is not None:
            raise call.error
        return True

    def run_within(self, function, stopwatch):
        """Return what a function returns in the main thread, or None if it takes too long."""
        call = self.begin(function)
        if call is None:
            return None
        while not call.ended.wait(stopwatch.wait_seconds()):
            if not stopwatch.is_over():
                continue
            with contextlib.suppress(ProcessLookupError):
                _pthread_kill(self.ident, signal.SIGINT)
            call.ended.wait(INTERRUPT_SECONDS)
            return None
        return call.result
