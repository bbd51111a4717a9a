"""What we ask of Dask: bytes from one computer to another, and nothing besides."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from grader.cluster.tls_keys import INSTALL
from grader.errors import UsageError

SETTINGS: Mapping[str, object] = {
    # Who was on a worker that died is ours to decide: see `dispatcher`.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": "60s",  # a computer that hangs says nothing, and no more
    "distributed.scheduler.active-memory-manager.start": False,
    # No pages of Dask's, on any port.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Our own limits hold, for each notebook; Dask would measure this process alone.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.large-graph-warning-threshold": "1TB",
    "distributed.comm.require-encryption": True,
    "distributed.diagnostics.nvml": False,
}
LOCAL_HTTP = "127.0.0.1:0"
"""Where Dask's web server listens, which has no pages."""


def configure_dask() -> None:
    """Set what holds for a head and for a worker alike.

    Raises:
        UsageError: Dask is not installed.
    """
    try:
        import dask  # noqa: PLC0415 (an extra)
        import distributed  # noqa: F401, PLC0415 (as above)
    except ImportError as error:
        raise UsageError(INSTALL) from error
    dask.config.set(SETTINGS)
    for name in ("distributed", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
