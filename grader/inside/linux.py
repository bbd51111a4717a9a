"""What is asked of Linux about a process itself; elsewhere nothing happens."""

import contextlib
import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
"""Both from <sys/prctl.h>."""


def prctl(option, value):
    """Call prctl, where there is one."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value)


def die_with_the_parent():
    """Have this process killed when the one that started it dies, however it dies."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans():
    """Become the parent of what this process's descendants leave behind, to end it."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
