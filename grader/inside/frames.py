"""Read and write frames on the notebook's side: length, JSON header, arrays as safetensors."""

import contextlib
import json
import os
import select
import struct

import numpy as np
from safetensors.numpy import load, save

try:
    import fcntl
except ImportError:  # Windows, where a student's own check runs, and no notebook of others
    fcntl = None

# Bound before student code runs, so that a notebook that replaces them breaks only itself.
_read, _write, _dumps, _loads = os.read, os.write, json.dumps, json.loads
_poll, _POLLIN = getattr(select, "poll", None), getattr(select, "POLLIN", 0)
_pack, _unpack, _save, _load = struct.pack, struct.unpack, save, load
_contiguous = np.ascontiguousarray

MAX_FRAME_BYTES = 192 * 1024 * 1024
"""Size of the largest frame: nothing larger is sent, and the other side would refuse it."""
PIPE_BYTES = 1024 * 1024
"""Capacity of a pipe where Linux allows it: large frames take fewer turns."""


def wide_pipe():
    """Make a pipe that holds a megabyte, or what the platform gives."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reading, writing


class PipeClosed(Exception):
    """The other end of the pipe is gone."""


class ReadTimeout(Exception):
    """The other end did not write in time."""


def read_exactly(fd, count, stopwatch=None):
    """Read `count` bytes; raise PipeClosed at the end of the pipe, ReadTimeout when time is up."""
    chunks = []
    if stopwatch is not None:
        poll = _poll()  # select could not take the descriptors a notebook leaves
        poll.register(fd, _POLLIN)
    while count:
        while stopwatch is not None and not poll.poll(stopwatch.wait_seconds() * 1000):
            if stopwatch.is_over():
                raise ReadTimeout
        chunk = _read(fd, min(count, 1 << 20))
        if not chunk:
            raise PipeClosed
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def write_all(fd, data):
    """Write all of `data`, however small the pipe."""
    view = memoryview(data)
    while view:
        view = view[_write(fd, view) :]


def receive_bytes(fd):
    """Read the body of one frame, and leave it as bytes."""
    (length,) = _unpack("<Q", read_exactly(fd, 8))
    if length > MAX_FRAME_BYTES:
        raise PipeClosed
    return read_exactly(fd, length)


def read_header(body):
    """Parse the JSON header of a body, and leave its arrays as bytes."""
    (length,) = _unpack("<I", body[:4])
    return _loads(body[4 : 4 + length])


def unpack_body(body):
    """Parse a body into its JSON header and its arrays."""
    (length,) = _unpack("<I", body[:4])
    rest = body[4 + length :]
    return read_header(body), (_load(rest) if rest else {})


def pack_body(header, arrays=None):
    """Compose a body; `arrays` are NumPy arrays by key."""
    text = _dumps(header, allow_nan=False).encode("utf-8", "surrogatepass")
    text = text.decode("utf-8", "replace").encode()
    plain = {k: v if v.flags.c_contiguous else _contiguous(v) for k, v in (arrays or {}).items()}
    return _pack("<I", len(text)) + text + (_save(plain) if plain else b"")


def send_bytes(fd, body):
    """Send a body as one frame."""
    write_all(fd, _pack("<Q", len(body)))
    write_all(fd, body)


def receive(fd):
    """Read one frame, and return its JSON header and its arrays."""
    return unpack_body(receive_bytes(fd))


def send(fd, header, arrays=None):
    """Compose and send one frame."""
    send_bytes(fd, pack_body(header, arrays))
