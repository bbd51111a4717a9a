"""Arrays to bytes and back: small ones side by side, large ones under their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from grader.model import Array

LARGE = 8 << 10
"""Bytes from which an array is kept under its hash.

Below it, looking for an equal one costs more time than keeping it twice costs room. Neither is
compressed: trained weights and images shrink by a tenth, and that takes 35 ms a megabyte.
"""
ALIGNED = 16
"""Where arrays may begin in a pack, so that NumPy reads them in place."""


Reference = tuple[str, tuple[int, ...], int | str]
"""What stands for an array in a document: dtype, shape, and offset in a pack or digest."""


class Packing:
    """Collects the arrays of one document, equal ones once.

    Args:
        large: bytes from which an array goes under its hash; None for never.
    """

    def __init__(self, *, large: int | None = LARGE) -> None:
        self._large = large
        self._references: dict[tuple[str, tuple[int, ...], bytes | str], Reference] = {}
        self._pack = bytearray()
        self.blobs: dict[str, Array] = {}
        """Large arrays by digest; the arrays themselves, to save a copy."""

    def add(self, array: Array) -> Reference:
        """Take an array in, and say what stands for it."""
        plain = np.asarray(array, order="C")
        small = self._large is None or plain.nbytes < self._large
        content = plain.tobytes() if small else hashlib.sha256(plain.data).hexdigest()
        dtype = plain.dtype.str
        known = (dtype, plain.shape, content)
        if known not in self._references:
            where = self._append(content) if isinstance(content, bytes) else content
            self._references[known] = (dtype, plain.shape, where)
            if isinstance(content, str):
                self.blobs[content] = plain
        return self._references[known]

    def _append(self, content: bytes) -> int:
        begin = len(self._pack)
        self._pack += content
        self._pack += bytes(-len(content) % ALIGNED)
        return begin

    @property
    def pack(self) -> bytes:
        """The small arrays."""
        return bytes(self._pack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrays:
    """The arrays of one document."""

    pack: bytes
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    def at(self, reference: Reference) -> Array:
        """What the reference stands for: read-only, and not a copy."""
        dtype, shape, where = reference
        if isinstance(where, int):
            return np.ndarray(shape, dtype, buffer=self.pack, offset=where)
        return np.ndarray(shape, dtype, buffer=self.blobs[where])
