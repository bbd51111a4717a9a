"""Give a notebook semaphores and shared memory where /dev/shm is not its own to write to.

At the isolation level `reduced` there is no private /dev/shm. Semaphores of `multiprocessing` are
pipes with a name in the temporary folder there, with a byte for each unit, shared memory is a file
in that folder, and tensors go from process to process by value.
"""

import fcntl
import os
import select
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

from inside import after_import

RECURSIVE_MUTEX = 0
FIONREAD = 0x541B
MOST_BYTES = 32_768
"""Units that fit into any pipe; a semaphore with more is never waited for in practice."""
SEMAPHORE_MAXIMUM = 2**31 - 1
PICKLED_NAME = "_shared_memory_substitutes"
"""Under which pickle finds what is here: our own package hides from notebooks."""


class FifoSemaphore:
    """What `_multiprocessing.SemLock` is, made of a named pipe."""

    SEM_VALUE_MAX = SEMAPHORE_MAXIMUM

    def __init__(self, kind, value, maxvalue, name, unlink):
        path = semaphore_path(name)
        if value <= MOST_BYTES:
            os.mkfifo(path, 0o600)
        self._open(kind, maxvalue, name)
        if self.handle is not None:
            os.write(self.handle, b"." * value)
        if unlink and self.handle is not None:
            path.unlink()

    def _open(self, kind, maxvalue, name):
        self.kind, self.maxvalue, self.name = kind, maxvalue, name
        self.count, self.owner = 0, None
        path = semaphore_path(name)
        self.handle = os.open(path, os.O_RDWR | os.O_NONBLOCK) if path.exists() else None

    @classmethod
    def _rebuild(cls, handle, kind, maxvalue, name):
        semaphore = cls.__new__(cls)
        semaphore._open(kind, maxvalue, name)
        return semaphore

    def acquire(self, block=True, timeout=None):  # noqa: FBT002 (the signature of what it replaces)
        """Take a unit; return whether there was one in time."""
        if self.kind == RECURSIVE_MUTEX and self._is_mine():
            self.count += 1
            return True
        if not self._take(block, timeout):
            return False
        self.count += 1
        self.owner = threading.get_ident()
        return True

    def _take(self, block, timeout):
        if self.handle is None:
            return True
        seconds = 0 if not block else None if timeout is None else max(0.0, timeout)
        deadline = None if seconds is None else time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        while True:
            try:
                return bool(os.read(self.handle, 1))
            except BlockingIOError:
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                poll.poll(None if left is None else left * 1000)

    def release(self):
        """Give a unit back."""
        if self.kind == RECURSIVE_MUTEX:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self.count > 1:
                self.count -= 1
                return
        elif self._get_value() >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self.count -= 1
        if self.handle is not None:
            os.write(self.handle, b".")

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exception):
        self.release()

    def _get_value(self):
        if self.handle is None:
            return MOST_BYTES
        answer = fcntl.ioctl(self.handle, FIONREAD, b"\0" * 4)
        return struct.unpack("i", answer)[0]

    def _is_zero(self):
        return self._get_value() == 0

    def _is_mine(self):
        return self.count > 0 and self.owner == threading.get_ident()

    def _count(self):
        return self.count

    def _after_fork(self):
        self.count = 0


def semaphore_path(name):
    """Return where the pipe of a semaphore is."""
    return Path(tempfile.gettempdir(), "sem" + name.replace("/", "-"))


def unlink_semaphore(name):
    """Remove the name of a semaphore, as `_multiprocessing.sem_unlink` does."""
    semaphore_path(name).unlink(missing_ok=True)


def open_shared_memory(path, flags, mode=0o777):
    """Open shared memory, as `_posixshmem.shm_open` does."""
    return os.open(shared_memory_path(path), flags | os.O_CLOEXEC, mode)


def unlink_shared_memory(path):
    """Remove the name of shared memory, as `_posixshmem.shm_unlink` does."""
    shared_memory_path(path).unlink()


def shared_memory_path(name):
    """Return where the file of shared memory is."""
    return Path(tempfile.gettempdir(), "shm" + name.replace("/", "-"))


def substitute_shared_memory():
    """Put the substitutes in place, each as soon as what it replaces is imported.

    Fresh interpreters that a notebook starts do the same; see `command_folder`.
    """
    sys.modules[PICKLED_NAME] = sys.modules[__name__]
    rebuild_storage.__module__ = PICKLED_NAME

    def use_fifos():
        sys.modules["_multiprocessing"].SemLock = FifoSemaphore
        sys.modules["_multiprocessing"].sem_unlink = unlink_semaphore

    def use_fifos_by_name():
        sys.modules["multiprocessing.synchronize"].sem_unlink = unlink_semaphore

    def use_files():
        sys.modules["_posixshmem"].shm_open = open_shared_memory
        sys.modules["_posixshmem"].shm_unlink = unlink_shared_memory

    def use_temporary_folder():
        sys.modules["multiprocessing.heap"].Arena._dir_candidates = []

    def leave_processes_alone():  # the system's own files on them can't be read
        sys.modules["joblib.externals.loky.process_executor"]._USE_PSUTIL = False

    after_import.call_after_import(
        {
            "_multiprocessing": use_fifos,
            "_posixshmem": use_files,
            "multiprocessing.synchronize": use_fifos_by_name,
            "joblib.externals.loky.process_executor": leave_processes_alone,
            "multiprocessing.heap": use_temporary_folder,
            "torch": send_tensors_by_value,
        }
    )


def send_tensors_by_value():
    """Let torch copy tensors between processes, and share memory through files."""
    from multiprocessing.reduction import ForkingPickler

    import torch.multiprocessing  # which registers what is replaced here

    def make_storage(cls, size, *, device="cpu"):
        return cls(size, device=device)

    def share_memory(tensor):
        with torch.no_grad():
            tensor.set_(shared_copy(torch, tensor))
        return tensor

    ForkingPickler.register(torch.UntypedStorage, reduce_storage)
    torch.UntypedStorage._new_shared = classmethod(make_storage)
    torch.Tensor.share_memory_ = share_memory


def reduce_storage(storage):
    """Reduce a tensor's storage to its bytes, for pickle."""
    torch = sys.modules["torch"]
    if storage.nbytes() == 0:
        return torch.UntypedStorage, (0,)
    values = torch.tensor([], dtype=torch.uint8).set_(storage)
    return rebuild_storage, (values.numpy().tobytes(),)


def rebuild_storage(data):
    """Rebuild a tensor's storage from its bytes."""
    torch = sys.modules["torch"]
    return torch.frombuffer(bytearray(data), dtype=torch.uint8).untyped_storage()


def shared_copy(torch, tensor):
    """Return a copy of a tensor in memory that forks share."""
    import mmap

    if tensor.numel() == 0:
        return tensor
    memory = mmap.mmap(-1, tensor.numel() * tensor.element_size())
    copy = torch.frombuffer(memory, dtype=tensor.dtype).reshape(tensor.shape)
    copy.copy_(tensor)
    return copy
