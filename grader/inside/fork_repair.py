"""Make usable in a fork what a fork loses: pools, executors, loaders and event loops.

Questions are answered in forks of a notebook. A fork has one thread; a pool that was used in a cell
would wait forever for threads and processes that only the notebook itself has. A pool that is used
in another process than it was made in starts over there.
"""

import asyncio
import functools
import os
import sys

from inside import after_import

REUSED_EXECUTORS = ("joblib.externals.loky.reusable_executor", "loky.reusable_executor")
"""Modules that keep one executor for all who ask for one."""

_getpid = os.getpid
_abandoned = []
"""State of pools that belongs to the notebook's own process: kept, so that nobody cleans it up."""


def renew_in_forks(cls, entry_points):
    """Let objects of a class start over when one of these methods is called in a fork."""
    real_init = cls.__init__

    @functools.wraps(real_init)
    def init(self, *args, **kwargs):
        real_init(self, *args, **kwargs)
        self.__dict__["_made_in"] = (_getpid(), args, kwargs)

    def renew_first(method):
        @functools.wraps(method)
        def call(self, *args, **kwargs):
            pid, init_args, init_kwargs = self.__dict__.get("_made_in", (_getpid(), (), {}))
            if pid != _getpid():
                _abandoned.append(dict(self.__dict__))
                init(self, *init_args, **init_kwargs)
            return method(self, *args, **kwargs)

        return call

    cls.__init__ = init
    for name in entry_points:
        setattr(cls, name, renew_first(getattr(cls, name)))


def renew_loader_in_forks(cls):
    """Let a data loader with persistent workers start others when it is used in a fork."""
    real_iter = cls.__iter__

    @functools.wraps(real_iter)
    def iterate(self):
        if self.__dict__.get("_workers_of", _getpid()) != _getpid():
            _abandoned.append(self._iterator)
            self._iterator = None
        self.__dict__["_workers_of"] = _getpid()
        return real_iter(self)

    cls.__iter__ = iterate


def repair_after_import():
    """Prepare each class of pools as soon as its module is imported."""

    def prepare(module, name, *entry_points):
        return lambda: renew_in_forks(getattr(sys.modules[module], name), entry_points)

    after_import.call_after_import(
        {
            "concurrent.futures.thread": prepare(
                "concurrent.futures.thread", "ThreadPoolExecutor", "submit", "shutdown"
            ),
            "concurrent.futures.process": prepare(
                "concurrent.futures.process", "ProcessPoolExecutor", "submit", "shutdown"
            ),
            "multiprocessing.pool": prepare(
                "multiprocessing.pool", "Pool", "_check_running", "close", "terminate", "join"
            ),
            "torch.utils.data.dataloader": lambda: renew_loader_in_forks(
                sys.modules["torch.utils.data.dataloader"].DataLoader
            ),
        }
    )


def repair_fork():
    """Give this fork an event loop that is not the notebook's, and let go of shared executors.

    It counts as running, as the kernel's does while a cell runs: what `asyncio.run` refuses in a
    cell of Jupyter, it refuses here.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncio._set_running_loop(loop)
    for name in REUSED_EXECUTORS:
        module = sys.modules.get(name)
        if module is not None:
            _abandoned.append(module._executor)
            module._executor = None
