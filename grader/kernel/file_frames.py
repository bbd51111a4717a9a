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

PIECE = 4 * 1024 * 1024
"""Bytes of one frame."""


def pieces(files: Mapping[str, Path]) -> Iterator[bytes]:
    """The frames of all files; of one that can't be read, only that it ends."""
    for name, path in files.items():
        for data, more in _parts(path):
            arrays = {"bytes": np.frombuffer(data, dtype=np.uint8)} if data else {}
            yield wire.compose({"file": name, "more": more}, arrays)


def _parts(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Pieces, and whether there are more."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as opened:
            yield from _read(opened)
    except OSError:
        yield b"", False


def _read(opened: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    data = opened.read(PIECE)
    while following := opened.read(PIECE) if data else b"":
        yield data, True
        data = following
    yield data, False
