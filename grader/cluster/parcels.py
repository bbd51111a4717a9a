"""Packs what crosses between computers: one document of JSON and named bytes; never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from grader.errors import UsageError
from grader.model import Json

LENGTH_BYTES = 8
"""Bytes of the number before the document: its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A document with bytes."""

    document: Json
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    """Bytes by name."""


def pack_parcel(document: Json, blobs: Mapping[str, bytes | memoryview]) -> bytes:
    """Return a document and bytes in one piece.

    JSON is in ASCII, since names of files hold lone surrogates, which no encoding takes.
    """
    data = {
        name: blob if isinstance(blob, bytes) else blob.tobytes() for name, blob in blobs.items()
    }
    lengths = [[name, len(blob)] for name, blob in data.items()]
    header = json.dumps({"document": document, "blobs": lengths}, default=_make_plain).encode(
        "ascii"
    )
    return b"".join((len(header).to_bytes(LENGTH_BYTES, "big"), header, *data.values()))


def unpack_parcel(packed: bytes) -> Parcel:
    """Return what was packed.

    Raises:
        UsageError: it is damaged.
    """
    start = LENGTH_BYTES + int.from_bytes(packed[:LENGTH_BYTES], "big")
    try:
        header = json.loads(packed[LENGTH_BYTES:start])
        blobs = {}
        for name, length in header["blobs"]:
            blobs[name] = packed[start : start + length]
            start += length
        document = header["document"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError("what another computer sent is damaged") from error
    if start != len(packed):
        raise UsageError("what another computer sent is damaged: it is cut short")
    return Parcel(document=document, blobs=blobs)


def _make_plain(value: object) -> Json:
    if isinstance(value, Fraction | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
