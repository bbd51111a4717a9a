"""The files beside a notebook, piece by piece, as frames for the runner that puts them there.

They go through the pipe of one room, so no other room ever sees them; the runner, behind its walls
already, writes them as the notebook's user.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from grader import wire

CHUNK_BYTES = 4 * 1024 * 1024
"""Bytes of one frame."""


def compose_file_frames(files: Mapping[str, Path]) -> Iterator[bytes]:
    """The frames of all files; of one that can't be read, only that it ends."""
    for name, path in files.items():
        for data, has_more in _file_chunks(path):
            arrays = {"bytes": np.frombuffer(data, dtype=np.uint8)} if data else {}
            yield wire.compose_frame({"file": name, "more": has_more}, arrays)


def _file_chunks(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Pieces, and whether there are more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            yield from _read_chunks(file)
    except OSError:
        yield b"", False


def _read_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    data = file.read(CHUNK_BYTES)
    while next_data := file.read(CHUNK_BYTES) if data else b"":
        yield data, True
        data = next_data
    yield data, False
