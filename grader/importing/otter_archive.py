"""Opens the zip of an autograder of otter-grader's, which anyone may have packed."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from grader.errors import UsageError

MAX_ENTRY_BYTES = 100_000_000
MAX_BYTES = 500_000_000
"""Most bytes of a file in it, and of all."""
MAX_ENTRIES = 2_000


def read_archive(path: Path) -> Mapping[str, bytes]:
    """Return the files of an archive, by name.

    Raises:
        UsageError: It is no archive, it holds too much, or the name of a file leads out of it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            sizes = [entry.file_size for entry in entries]
            if len(entries) > MAX_ENTRIES or max(sizes, default=0) > MAX_ENTRY_BYTES:
                raise UsageError(f"{path}: it holds more than an autograder does")
            if sum(sizes) > MAX_BYTES:
                raise UsageError(f"{path}: it holds more than an autograder does")
            refused = [f"{name!r} {why}" for name, why in _find_strange(archive)]
            if refused:
                raise UsageError(f"{path}: not read, since {'; '.join(refused)}")
            return {entry.filename: archive.read(entry) for entry in entries}
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: it is not an autograder's zip ({error})") from error


def _find_strange(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the entries that are no files within the archive, and what they are."""
    for entry in archive.infolist():
        name = entry.orig_filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts:
            yield name, "leads out of it"
        elif name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
            yield name, "names a place outside of it"
        elif "\\" in name or not name.isprintable():
            yield name, "is not the name of a file"
        elif stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            yield name, "is a link, or no file"
