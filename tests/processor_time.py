"""Bounds on what the grader's own code costs, in time of the processor and not of the clock."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

TRACED = 5
"""Under a tracer (branch coverage) a line costs several times as much."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail where the block takes more of the processor than that.

    Bounds are several times what is needed: they tell a square from a line, and not a fast machine
    from a slow one.
    """
    if sys.gettrace() is not None:
        seconds *= TRACED
    began = time.process_time()
    yield
    assert time.process_time() - began < seconds
