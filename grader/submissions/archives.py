"""Unpacks archives that anyone may have made, within bounds.

Nothing is written under a name that an archive gives: each file is written under a number, and a
listing says which name it has. So no name can lead out of the folder, replace another file or be
too long for the disk. Sizes are counted as bytes come out, not as the archive tells them.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from grader.errors import ArchiveError
from grader.submissions import seven_zip, tar_entries
from grader.submissions.file_listing import (
    ENVIRONMENT_FILE,
    File,
    Listing,
    archive_ending,
    is_ignored,
)
from grader.submissions.safe_names import without_ending

MEGABYTE = 2**20
CHUNK_BYTES = MEGABYTE
MAX_RATIO = 250
"""How much a file may grow: JSON shrinks to a hundredth at best, a bomb to a thousandth."""
FREE_GROWTH_BYTES = 32 * MEGABYTE
"""Bytes up to which a file may grow without limit."""
MAX_NAME_LENGTH = 1024
"""The longest path in an archive, in characters."""
_FILE_ENDING = re.compile(r"\.[A-Za-z0-9]{1,10}\Z")
_ENCRYPTED, _UTF8 = 0x1, 0x800
"""Bits of an entry's flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The largest archive that is opened."""

    files: int
    bytes: int
    listing_bytes: int
    """Bytes of the archive's directory, which is read whole."""


CLASS_BOUNDS = Bounds(files=200_000, bytes=16_384 * MEGABYTE, listing_bytes=32 * MEGABYTE)
"""Bounds of a download from a learning management system: a whole class."""
STUDENT_BOUNDS = Bounds(files=20_000, bytes=1024 * MEGABYTE, listing_bytes=4 * MEGABYTE)
"""Bounds of what one student submitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What an archive lists."""

    name: str
    is_folder: bool
    is_link: bool
    """Whether it is a link, or anything else that is no file."""
    write: Callable[[Path], str]
    """Writes it to a path, and returns why it could not be, or ''."""


class _BoundedFile(io.FileIO):
    """A file that refuses to read more at once than an archive's directory may take."""

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        super().__init__(path)
        self._max_bytes = max_bytes

    def read(self, size: int | None = -1) -> bytes:
        """Read up to `size` bytes; refuse a larger size than the archive's directory may have."""
        if size is not None and size > max(self._max_bytes, CHUNK_BYTES):
            raise ArchiveError("it lists more files than are opened")
        return super().read(-1 if size is None else size)


class Unpacker:
    """Unpacks archives into one folder, together never more than a class may take."""

    def __init__(self, make_folder: Callable[[], Path] | None) -> None:
        self._make_folder = make_folder
        self._folder: Path | None = None
        self._count = 0
        self._remaining = CLASS_BOUNDS.bytes

    def unpack(self, archive: Path, *, bounds: Bounds, display_root: str = "") -> Listing:
        """Unpack an archive; a file that can't be unpacked is listed with its fault.

        Args:
            archive: The file.
            bounds: How large it may be.
            display_root: The folder that display paths begin with, or ''.

        Raises:
            ArchiveError: It is broken, or larger than the bounds.
        """
        if self._make_folder is None:
            raise ArchiveError("there is no place to unpack it to")
        self._folder = self._folder or self._make_folder()
        try:
            # Opening it already reads what anyone may have written.
            with self._open(archive, bounds=bounds) as entries:
                return self._unpack_entries(
                    entries, archive=archive, bounds=bounds, display_root=display_root
                )
        except ArchiveError:
            raise
        except Exception as error:  # zipfile raises a dozen kinds on broken files
            kind = archive_ending(archive.name).lstrip(".")
            raise ArchiveError(
                f"it is broken or no {kind} archive ({_error_text(error)})"
            ) from error

    @contextmanager
    def _open(self, archive: Path, *, bounds: Bounds) -> Iterator[Iterable[_Entry]]:
        """Open an archive, whatever its kind; a compressed tar is unpacked for as long."""
        ending = archive_ending(archive.name)
        if ending == ".zip":
            with (
                _BoundedFile(archive, max_bytes=bounds.listing_bytes) as file,
                zipfile.ZipFile(file) as zip_file,
            ):
                yield _zip_entries(zip_file)
            return
        tar = archive if ending == ".tar" else self._new_file(".tar")
        growth = max(FREE_GROWTH_BYTES, MAX_RATIO * archive.stat().st_size)
        max_bytes = min(bounds.bytes, self._remaining, growth)
        try:
            if ending == ".7z":
                seven_zip.write_as_tar(
                    archive, target=tar, max_files=bounds.files, max_bytes=max_bytes
                )
            elif ending != ".tar":
                tar_entries.decompress(archive, target=tar, max_bytes=max_bytes)
            with _BoundedFile(tar, max_bytes=bounds.listing_bytes) as file:
                yield _tar_entries(file)
        finally:
            if tar != archive:
                tar.unlink()

    def _unpack_entries(
        self, entries: Iterable[_Entry], *, archive: Path, bounds: Bounds, display_root: str
    ) -> Listing:
        kept = _within_count(entries, max_count=bounds.files)
        environments = tuple(
            entry.name.removesuffix(ENVIRONMENT_FILE)
            for entry in kept
            if entry.name.endswith(f"/{ENVIRONMENT_FILE}")
        )
        files: dict[str, File] = {}
        folders: set[str] = set()
        remaining = bounds.bytes
        for entry in kept:
            name = _safe_path(entry.name)
            if name is None or entry.is_link or name.startswith(environments):
                continue  # it leads out of the folder, or is nobody's homework
            if entry.is_folder:
                folders.add(name)
                continue
            folders.update(map(str, PurePosixPath(name).parents[:-1]))
            path = self._new_file(name)
            display_path = f"{display_root}/{name}" if display_root else name
            fault = entry.write(path)
            files[name] = File(path=path, display_path=display_path, fault=fault)
            size = path.stat().st_size
            remaining, self._remaining = remaining - size, self._remaining - size
            if min(remaining, self._remaining) < 0:
                raise ArchiveError("unpacked it is larger than is opened")
        ordered = {name: files[name] for name in sorted(files)}
        return Listing(name=without_ending(archive.name), files=ordered, folders=frozenset(folders))

    def _new_file(self, name: str) -> Path:
        self._count += 1
        folder = self._folder or Path()
        ending = _FILE_ENDING.search(name)
        path = folder / f"{self._count:06}{ending.group().lower() if ending else ''}"
        path.touch(mode=0o600)
        return path


def _within_count(entries: Iterable[_Entry], *, max_count: int) -> Sequence[_Entry]:
    """Return the entries that are not ignored.

    Raises:
        ArchiveError: They are more.
    """
    kept: list[_Entry] = []
    count = 0
    for entry in entries:
        if not is_ignored(entry.name):
            count += 1
            kept += [entry] if count <= max_count else []
    if count > max_count:
        raise ArchiveError(f"it holds {count:,} files; {max_count:,} are opened")
    return kept


def _zip_entries(zip_file: zipfile.ZipFile) -> Iterator[_Entry]:
    for entry in zip_file.infolist():
        yield _Entry(
            name=_entry_name(entry),
            is_folder=entry.is_dir() or entry.filename.endswith("\\"),
            is_link=stat.S_ISLNK(entry.external_attr >> 16),
            write=partial(_write_entry, zip_file, entry),
        )


def _tar_entries(file: io.FileIO) -> Iterator[_Entry]:
    for entry in tar_entries.list_entries(file, max_name=MAX_NAME_LENGTH):
        yield _Entry(
            name=entry.name,
            is_folder=entry.is_folder,
            is_link=not (entry.is_file or entry.is_folder or entry.is_sparse),
            write=partial(tar_entries.copy_entry, file, entry),
        )


def _write_entry(zip_file: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> str:
    """Write one file, and return why it could not be, or ''."""
    if entry.flag_bits & _ENCRYPTED:
        return "it is encrypted"
    max_bytes = min(STUDENT_BOUNDS.bytes, max(FREE_GROWTH_BYTES, MAX_RATIO * entry.compress_size))
    try:
        size = 0
        with zip_file.open(entry) as source, path.open("wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                size += len(chunk)
                if size > max_bytes:
                    break
                target.write(chunk)
        fault = "unpacked it is larger than is opened" if size > max_bytes else ""
    except Exception as error:  # noqa: BLE001 (zipfile raises a dozen kinds on broken files)
        fault = f"it is broken in its archive ({_error_text(error)})"
    if fault:
        path.write_bytes(b"")
    return fault


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """Return the path as the archive's maker knew it.

    Many programs write UTF-8 without the flag for it; old ones on Windows write backslashes.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        try:
            name = name.encode("cp437").decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            name = entry.filename
    return name.replace("\\", "/")


def _safe_path(name: str) -> str | None:
    """Return a path below the archive, or None where it leads elsewhere."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    drive = re.match(r"[A-Za-z]:", name) is not None
    if not parts or name.startswith("/") or drive or ".." in parts or len(name) > MAX_NAME_LENGTH:
        return None
    return "/".join(parts) if "\0" not in name else None


def _error_text(error: Exception) -> str:
    return str(error)[:100] if isinstance(error, zipfile.BadZipFile) else type(error).__name__
