"""Keep the kernel alive where a notebook asks to leave it, and report what each cell left running.

In Jupyter `exit()` ends the kernel a moment later, so that what runs until then is a matter of
luck. Here it ends its cell, as `sys.exit()` does; as the last thing of a notebook it is no failure.
"""

import _thread
import contextlib
import os
import signal
import sys

from inside.resource_watch import thread_count
from IPython.core.autocall import ExitAutocall

EXIT_NOTE = "{} ended this cell, and no other."
IDLE, BUSY = b"0", b"1"
"""What is reported of a cell: whether something that it started may still end the kernel."""
TIMERS = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")


class KernelExit(SystemExit):
    """What a call that would end the kernel raises; told from other ends of a cell by its name."""

    def __init__(self, called):
        super().__init__(f"{called} was called")
        self.called = called


class NamedExit(ExitAutocall):
    """`exit` or `quit`, with or without brackets."""

    def __init__(self, shell, end):
        super().__init__(shell)
        self.end = end

    def __call__(self, *args, **kwargs):
        """End the cell."""
        self.end(*args, **kwargs)


def end_cells_only(shell, kernel, notes):
    """Let all that would end the kernel in good order end the running cell instead."""

    def end_cell_instead(real, called):
        def end(*args, **kwargs):
            if notes.running:
                raise KernelExit(called)
            return real(*args, **kwargs)

        return end

    def add_note(result):
        if isinstance(result.error_in_exec, SystemExit):
            notes.add(EXIT_NOTE.format(getattr(result.error_in_exec, "called", "SystemExit")))

    for name in ("exit", "quit"):
        named = NamedExit(shell, end_cell_instead(shell.exiter, f"{name}()"))
        shell.user_ns[name] = shell.user_ns_hidden[name] = named
    object.__setattr__(shell, "ask_exit", end_cell_instead(shell.ask_exit, "ask_exit()"))
    object.__setattr__(kernel, "do_shutdown", end_cell_instead(kernel.do_shutdown, "do_shutdown()"))
    shell.events.register("post_run_cell", add_note)


def run_loop_forever(app):
    """Run the kernel's event loop; whoever stops it does not end the kernel."""
    app.start()
    while True:
        with contextlib.suppress(KeyboardInterrupt):  # of a cell that is over
            app.io_loop.start()


def report_background_activity(shell, fd):
    """Write one byte to `fd` after each cell: BUSY where it left a thread, timer or process."""
    before = []

    def remember(info):
        before[:] = count_background_activity()

    def report(result):
        after = count_background_activity()
        more = any(now > then for then, now in zip(before, after, strict=False))
        with contextlib.suppress(OSError):
            os.write(fd, BUSY if more else IDLE)

    shell.events.register("pre_run_cell", remember)
    shell.events.register("post_run_cell", report)


def count_background_activity():
    """Count the threads, pending signals and child processes that there are.

    Threads of C, such as a watchdog of `faulthandler`, are not Python's.
    """
    timers = [name for name in TIMERS if signal.getitimer(getattr(signal, name))[0]]
    multiprocessing = sys.modules.get("multiprocessing.process")
    processes = multiprocessing.active_children() if multiprocessing else ()
    threads = max(thread_count("self"), _thread._count())
    return threads, len(timers), len(processes)
