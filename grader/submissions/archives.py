"""Opens zip archives that anyone may have made, behind walls of our own.

Nothing is written under a name that an archive gives: each file is written under a number, and a
listing says which name it has. So no name can lead out of the folder, replace another file or be
too long for the disk. Sizes are counted as bytes come out, not as the archive tells them.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.errors import ArchiveError
from grader.submissions.file_listing import ENVIRONMENT, File, Listing, left_behind

MEGABYTE = 2**20
PIECE = MEGABYTE
RATIO = 250
"""How much a file may grow: JSON shrinks to a hundredth at best, a bomb to a thousandth."""
GROWS = 32 * MEGABYTE
"""Bytes up to which a file may grow as it likes."""
LONGEST_NAME = 1024
"""Characters of a path in an archive."""
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")
_ENCRYPTED, _UTF8 = 0x1, 0x800
"""Flags of an entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How large an archive may be."""

    files: int
    bytes: int
    listing: int
    """Bytes of the archive's own list, which is read whole."""


CLASS = Bounds(files=200_000, bytes=16_384 * MEGABYTE, listing=32 * MEGABYTE)
"""What a learning management system gives: a whole class."""
STUDENT = Bounds(files=20_000, bytes=1024 * MEGABYTE, listing=4 * MEGABYTE)
"""What one student handed in."""


class _Guarded(io.FileIO):
    """A file of which never more is read at once than an archive's list may take."""

    def __init__(self, path: Path, *, most: int) -> None:
        super().__init__(path)
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        """Read."""
        if size is not None and size > max(self._most, PIECE):
            raise ArchiveError("it lists more files than are opened")
        return super().read(-1 if size is None else size)


class Unpacker:
    """Takes archives apart into one folder, and never more than a class may take."""

    def __init__(self, folder: Callable[[], Path] | None) -> None:
        self._make = folder
        self._folder: Path | None = None
        self._count = 0
        self._left = CLASS.bytes

    def listing(self, archive: Path, *, bounds: Bounds, shown: str = "") -> Listing:
        """What an archive holds; what can't be taken out of it says why.

        Args:
            archive: the file.
            bounds: how large it may be.
            shown: what paths are shown below, or ''.

        Raises:
            ArchiveError: it is broken, or more than is opened.
        """
        if self._make is None:
            raise ArchiveError("there is no place to unpack it to")
        self._folder = self._folder or self._make()
        try:
            # Even opening it reads what anyone may have written.
            with _Guarded(archive, most=bounds.listing) as file, zipfile.ZipFile(file) as opened:
                return self._all(opened, archive=archive, bounds=bounds, shown=shown)
        except ArchiveError:
            raise
        except Exception as error:  # zipfile raises a dozen kinds on broken files
            raise ArchiveError(f"it is broken or no zip archive ({_told(error)})") from error

    def _all(
        self, opened: zipfile.ZipFile, *, archive: Path, bounds: Bounds, shown: str
    ) -> Listing:
        entries = [entry for entry in opened.infolist() if not left_behind(_name(entry))]
        if len(entries) > bounds.files:
            raise ArchiveError(f"it holds {len(entries):,} files; {bounds.files:,} are opened")
        environments = _environments(_name(entry) for entry in entries)
        files: dict[str, File] = {}
        folders: set[str] = set()
        left = bounds.bytes
        for entry in entries:
            name = _path(_name(entry))
            if name is None or stat.S_ISLNK(entry.external_attr >> 16):
                continue  # it would lead elsewhere: nothing of it is anyone's homework
            if name.startswith(environments):
                continue
            if entry.is_dir() or entry.filename.endswith("\\"):
                folders.add(name)
                continue
            folders.update(_above(name))
            place = self._place(name)
            where = f"{shown}/{name}" if shown else name
            fault = _fault(entry) or _written(opened, entry, place)
            files[name] = File(path=place, shown=where, fault=fault)
            size = place.stat().st_size
            left, self._left = left - size, self._left - size
            if min(left, self._left) < 0:
                raise ArchiveError("unpacked it is larger than is opened")
        ordered = {name: files[name] for name in sorted(files)}
        return Listing(name=archive.stem, files=ordered, folders=frozenset(folders))

    def _place(self, name: str) -> Path:
        self._count += 1
        folder = self._folder or Path()
        ending = _ENDING.search(name)
        place = folder / f"{self._count:06}{ending.group().lower() if ending else ''}"
        place.touch(mode=0o600)
        return place


def _written(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> str:
    """Write one file; why it could not be, or ''."""
    most = min(STUDENT.bytes, max(GROWS, RATIO * entry.compress_size))
    try:
        size = 0
        with opened.open(entry) as source, place.open("wb") as target:
            while piece := source.read(PIECE):
                size += len(piece)
                if size > most:
                    break
                target.write(piece)
        fault = "unpacked it is larger than is opened" if size > most else ""
    except Exception as error:  # noqa: BLE001 (zipfile raises a dozen kinds on broken files)
        fault = f"it is broken in its archive ({_told(error)})"
    if fault:
        place.write_bytes(b"")
    return fault


def _name(entry: zipfile.ZipInfo) -> str:
    """The path as whoever made the archive knew it.

    Many programs write UTF-8 and don't say so; old ones on Windows write backslashes.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    return name.replace("\\", "/")


def _path(name: str) -> str | None:
    """A path below the archive, or None where it leads elsewhere."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    drive = re.match(r"[A-Za-z]:", name) is not None
    if not parts or name.startswith("/") or drive or ".." in parts or len(name) > LONGEST_NAME:
        return None
    return "/".join(parts) if "\0" not in name else None


def _above(name: str) -> Iterable[str]:
    parts = name.split("/")[:-1]
    return ("/".join(parts[: place + 1]) for place in range(len(parts)))


def _environments(names: Iterable[str]) -> tuple[str, ...]:
    """Folders that are Python environments, each with a stroke behind it."""
    return tuple(
        name.removesuffix(ENVIRONMENT) for name in names if name.endswith(f"/{ENVIRONMENT}")
    )


def _fault(entry: zipfile.ZipInfo) -> str:
    return "it is encrypted" if entry.flag_bits & _ENCRYPTED else ""


def _told(error: Exception) -> str:
    return str(error)[:100] if isinstance(error, zipfile.BadZipFile) else type(error).__name__
