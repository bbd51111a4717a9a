"""A scribble that stands for the scan of an answer written by hand."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

import base64
import math
import struct
import zlib

WIDTH, HEIGHT = 240, 72
PAPER, INK = 255, 40


def scribble() -> str:
    """A small gray PNG of three wavy lines, in base64; the same bytes every time."""
    rows = [bytearray([PAPER] * WIDTH) for _ in range(HEIGHT)]
    for middle, end in ((16, 230), (36, 230), (56, 180)):
        for x in range(10, end):
            y = middle + round(6 * math.sin(x / 3 + middle) * math.cos(x / 17))
            rows[y][x] = rows[y + 1][x] = INK
    pixels = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    png += chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode("ascii")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file: length, kind, data, checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


SCRIBBLE = scribble()
