"""Measure how long a process has run: waiting for a busy processor does not count.

A limit in seconds would otherwise depend on what else the computer does. Waiting for anything else,
a sleep or another process, counts as it does on an idle computer. A multiple of the limit is the
most by the clock on the wall.
"""

import time

SAMPLE_SECONDS = 0.5
"""Seconds between two looks at the clocks."""
WAITING_SHARE = 0.05
"""Share of a core below which a process waits for something else than the processor."""
PROCESS_CLOCK = 2
"""What Linux calls the clock of all a process's threads, in the low bits of its number."""

_monotonic, _clock_gettime = time.monotonic, getattr(time, "clock_gettime", None)


class RunClock:
    """How long a process has run since this clock was made, in seconds."""

    def __init__(self, pid):
        self.clock_id = (~pid << 3) | PROCESS_CLOCK
        self.used = 0.0
        self.began = self.last_wall = _monotonic()
        self.last_cpu = self.processor_seconds()

    def processor_seconds(self):
        """Return the processor's time that the process used; None where that can't be seen."""
        try:
            return _clock_gettime(self.clock_id)
        except (OSError, TypeError):
            return None

    def look(self):
        """Look at the clocks, and return the seconds used so far."""
        wall, cpu = _monotonic(), self.processor_seconds()
        passed = wall - self.last_wall
        is_seen = cpu is not None and self.last_cpu is not None
        self.used += self.count(passed, cpu - self.last_cpu if is_seen else None)
        self.last_wall, self.last_cpu = wall, cpu
        return self.used

    def count(self, passed, worked):
        """Return how many of the seconds that passed count; `worked`: on the processor, or None."""
        if worked is None:
            return passed
        return passed if worked < WAITING_SHARE * passed else min(passed, worked)

    def elapsed(self):
        """Return the seconds since this clock was made."""
        return _monotonic() - self.began


class Stopwatch:
    """Tells when something has used up its seconds, or a multiple of them by the clock."""

    def __init__(self, pid, seconds, most_seconds):
        self.clock = RunClock(pid)
        self.seconds = seconds
        self.most_seconds = most_seconds

    def is_over(self):
        """Return whether time is up."""
        return self.clock.look() >= self.seconds or self.clock.elapsed() >= self.most_seconds

    def wait_seconds(self):
        """Return how long to wait before the next look."""
        return max(0.01, min(SAMPLE_SECONDS, self.seconds - self.clock.used))
