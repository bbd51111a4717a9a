"""Packs files into a zip archive that is the same bytes whenever the files are."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

ZIP_TIME = (2000, 1, 1, 0, 0, 0)


def pack_zip(
    entries: Iterable[tuple[str, bytes, int]],
    *,
    time: tuple[int, int, int, int, int, int] = ZIP_TIME,
) -> bytes:
    """Return a zip archive.

    Args:
        entries: The name, content and Unix mode of each file.
        time: The time of modification that all of them get.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in entries:
            entry = zipfile.ZipInfo(name, date_time=time)
            entry.external_attr = mode << 16
            archive.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
