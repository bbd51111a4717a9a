"""Turns arrays into bytes and back: small ones side by side, large ones under their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from grader.model import Array

BLOB_THRESHOLD = 8 << 10
"""A larger array is stored once, under its hash.

For a smaller one, looking for an equal one costs more time than storing it twice costs room.
Neither is compressed: trained weights and images shrink by a tenth, at 35 ms per megabyte.
"""
ALIGNMENT = 16
"""Arrays begin at multiples of this in a pack, in bytes, so that NumPy reads them in place."""


ArrayReference = tuple[str, tuple[int, ...], int | str]
"""Stands for an array in a document: dtype, shape, and offset in the pack or digest."""


class ArrayPacker:
    """Collects the arrays of one document, equal ones once.

    Args:
        blob_threshold: bytes from which an array goes under its hash; None for never.
    """

    def __init__(self, *, blob_threshold: int | None = BLOB_THRESHOLD) -> None:
        self._blob_threshold = blob_threshold
        self._references: dict[tuple[str, tuple[int, ...], bytes | str], ArrayReference] = {}
        self._pack = bytearray()
        self.blobs: dict[str, Array] = {}
        """Large arrays by digest; the arrays themselves, to save a copy."""

    def add(self, array: Array) -> ArrayReference:
        """Add an array; return its reference."""
        contiguous = np.asarray(array, order="C")
        small = self._blob_threshold is None or contiguous.nbytes < self._blob_threshold
        content = contiguous.tobytes() if small else hashlib.sha256(contiguous.data).hexdigest()
        dtype = contiguous.dtype.str
        key = (dtype, contiguous.shape, content)
        if key not in self._references:
            offset_or_digest = self._append(content) if isinstance(content, bytes) else content
            self._references[key] = (dtype, contiguous.shape, offset_or_digest)
            if isinstance(content, str):
                self.blobs[content] = contiguous
        return self._references[key]

    def _append(self, content: bytes) -> int:
        offset = len(self._pack)
        self._pack += content
        self._pack += bytes(-len(content) % ALIGNMENT)
        return offset

    @property
    def pack(self) -> bytes:
        """The small arrays, side by side."""
        return bytes(self._pack)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedArrays:
    """The arrays of one document."""

    pack: bytes
    blobs: Mapping[str, bytes] = field(default_factory=dict)

    def resolve(self, reference: ArrayReference) -> Array:
        """Return the array of a reference: read-only, and not a copy."""
        dtype, shape, offset_or_digest = reference
        if isinstance(offset_or_digest, int):
            return np.ndarray(shape, dtype, buffer=self.pack, offset=offset_or_digest)
        return np.ndarray(shape, dtype, buffer=self.blobs[offset_or_digest])
