"""Confines a program of ours that decodes what anyone may have made."""

import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside import landlock, linux, seccomp

sys.path.pop(0)

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 10


def restrict_process(output_bytes, *, cpu_seconds=CPU_SECONDS):
    """Give up everything that decoding does not need, as far as this system can take it away."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        for limit, value in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_CPU, cpu_seconds),
            (resource.RLIMIT_FSIZE, output_bytes),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(limit, (value, value))
    if sys.platform == "linux":
        for restriction in (
            linux.drop_capabilities,
            landlock.restrict,
            lambda: seccomp.install_filter(seccomp.build_program(connects=False)),
        ):
            with contextlib.suppress(OSError, KeyError):
                restriction()
