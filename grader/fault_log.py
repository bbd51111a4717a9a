"""Keep the tracebacks of the grader's own faults: in `grader.log`, and on screen with `--debug`.

Code that catches an exception of the grader's own turns it into a `Fault` and reports it here. A
command sets its output folder once; a worker process sets once how its faults are sent to the main
process. The log file is created by the first fault, and is only appended to.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from grader.model import Fault

LOG_NAME = "grader.log"


class FaultHandler(logging.Handler):
    """The only handler of a process: it writes to a log, prints, or forwards."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self.folder: Path | None = None
        self.debug = False
        self.shown: set[str] = set()
        self.forward: Callable[[Fault], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Append a fault to the log; print it with `--debug`, and once where there can't be one."""
        fault: Fault = vars(record)["fault"]
        if self.forward is not None:
            self.forward(fault)
            return
        text = self.format(record) + "\n"
        is_logged = self._append(text)
        if self.debug or not (is_logged or fault.is_told or fault.traceback in self.shown):
            sys.stderr.write(text)
            self.shown.add(fault.traceback)

    def _append(self, text: str) -> bool:
        if self.folder is None or not self.folder.is_dir():
            return False
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            descriptor = os.open(self.folder / LOG_NAME, flags, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace") as log:
                log.write(text)
        except OSError:
            return False
        return True


_HANDLER = FaultHandler()
_LOGGER = logging.getLogger("grader.faults")
_LOGGER.addHandler(_HANDLER)
_LOGGER.propagate = False  # a traceback is printed with --debug, and never by a foreign handler


def start_fault_log(*, debug: bool) -> None:
    """Reset the log for a new command, which has no output folder yet."""
    _HANDLER.debug = debug
    _HANDLER.folder = None
    _HANDLER.forward = None
    _HANDLER.shown.clear()


def log_faults_in(folder: Path) -> None:
    """Write the log to an output folder, as soon as the folder exists."""
    _HANDLER.folder = folder


def print_tracebacks() -> None:
    """Print every fault as well, for `--debug`."""
    _HANDLER.debug = True


def forward_faults(send: Callable[[Fault], None]) -> None:
    """Send faults of this worker process to the main process, which logs them."""
    _HANDLER.forward = send


def report_fault(fault: Fault) -> None:
    """Log a fault."""
    message = "%s: %s\n%s"
    extra = {"fault": fault}
    _LOGGER.error(message, fault.where, fault.error, fault.traceback.rstrip(), extra=extra)


def show_if_debug(error: BaseException) -> None:
    """Print the traceback of an error that has a sentence of its own, with `--debug` alone."""
    if _HANDLER.debug:
        sys.stderr.write(Fault.caught("grade", error).traceback)


def log_hint() -> str:
    """Return a clause that says where the traceback of the last reported fault is."""
    folder = _HANDLER.folder
    if folder is None or not folder.is_dir():
        return "the traceback is above"
    return f"the traceback is in {folder.name or folder}/{LOG_NAME}"
