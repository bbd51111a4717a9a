"""Lists the files of a tar archive that anyone may have made, and copies them out.

Sizes that the archive tells are believed only where the file is as long.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ArchiveError

CHUNK_BYTES = 2**20
MAX_COMMON_HEADERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TarEntry:
    """One entry of a tar, with the place of its bytes."""

    name: str
    is_folder: bool
    is_file: bool
    is_sparse: bool
    offset: int
    size: int


def decompress(archive: Path, *, target: Path, max_bytes: int) -> None:
    """Write the tar in a `.tar.gz`.

    Raises:
        ArchiveError: It is larger.
    """
    size = 0
    with gzip.open(archive) as source, target.open("wb") as output:
        while chunk := source.read(CHUNK_BYTES):
            size += len(chunk)
            if size > max_bytes:
                raise ArchiveError("unpacked it is larger than is opened")
            output.write(chunk)


def list_entries(file: io.FileIO, *, max_name: int) -> Iterator[TarEntry]:
    """Yield the entries of a tar whose names are no longer than `max_name`.

    Raises:
        ArchiveError: Its list leads backwards, or has too many headers.
    """
    with tarfile.open(fileobj=file, mode="r:") as tar:
        reached = -1
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined] # else all headers stay in memory
            if tar.offset <= reached or member.size < 0:
                raise ArchiveError("it is broken: its list leads backwards")
            reached = tar.offset
            if len(tar.pax_headers) > MAX_COMMON_HEADERS:
                raise ArchiveError("it lists more than is opened")
            if len(member.name) <= max_name:
                yield TarEntry(
                    name=member.name.encode("utf-8", "replace").decode(),
                    is_folder=member.isdir(),
                    is_file=member.isreg(),
                    is_sparse=member.issparse(),
                    offset=member.offset_data,
                    size=member.size,
                )


def copy_entry(file: io.FileIO, entry: TarEntry, target: Path) -> str:
    """Write the bytes of an entry; return why that could not be, or ''."""
    if entry.is_sparse:
        return "it is stored with holes in it"
    file.seek(entry.offset)
    remaining = entry.size
    with target.open("wb") as output:
        while remaining:
            chunk = file.read(min(CHUNK_BYTES, remaining))
            if not chunk:
                return "it is broken in its archive (it ends too early)"
            output.write(chunk)
            remaining -= len(chunk)
    return ""
