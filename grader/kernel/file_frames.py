"""Send the files beside a notebook to its runner, chunk by chunk.

They go through the pipe of one sandbox, so no other ever sees them; the runner, behind its walls
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
"""Most bytes of a file in one frame."""


def compose_file_frames(files: Mapping[str, Path]) -> Iterator[bytes]:
    """Yield the frames of all files; a file that can't be read is sent as empty."""
    for name, path in files.items():
        for data, has_more in _file_chunks(path):
            arrays = {"bytes": np.frombuffer(data, dtype=np.uint8)} if data else {}
            yield wire.compose_frame({"file": name, "more": has_more}, arrays)


def _file_chunks(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield the chunks of a file, and whether there are more."""
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
