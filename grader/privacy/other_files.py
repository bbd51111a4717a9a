"""Searches files of the folder that no run writes: exports, backups, sheets."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from grader.folder import OutputFolder
from grader.gradebook.sqlite import APPLICATION_ID
from grader.privacy.redaction import Redactor

MAX_BYTES = 64 << 20
"""Bytes of a file, or of an unpacked archive, above which it is not searched."""
_REGENERATED_FILES = frozenset(
    {"index.html", "gradebook.csv", ".gitignore", OutputFolder.ADDRESS_FILE}
)


def list_other_files(folder: Path) -> Iterator[Path]:
    """Yield every file in a folder that is not rendered from its gradebook."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if not _is_regenerated(path.relative_to(folder)):
            yield path


def _is_regenerated(relative_path: Path) -> bool:
    """Return whether a run, or the gradebook itself, writes a file of that path."""
    if relative_path.name.startswith(".part-"):
        return False
    if len(relative_path.parts) == 1:
        return relative_path.name in _REGENERATED_FILES or relative_path.name.startswith(
            OutputFolder.DATABASE_FILE
        )
    return relative_path.parts[0] in {"reports", "results"}


def is_gradebook_file(path: Path) -> bool:
    """Return whether a file is a copy of a gradebook."""
    try:
        with path.open("rb") as file:
            if not file.read(16).startswith(b"SQLite format 3"):
                return False
        address = path.absolute().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    except (OSError, sqlite3.Error):
        return False
    return bool(application_id == APPLICATION_ID)


def identifies_person(path: Path, redactor: Redactor) -> bool | None:
    """Return whether a file names a person, in its name or text; None if it can't be read."""
    if redactor.identifies_person(path.stem):
        return True
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        if zipfile.is_zipfile(path):
            return _archive_identifies_person(path, redactor)
        return any(redactor.identifies_person(text) for text in _decode_texts(path.read_bytes()))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return None


def _archive_identifies_person(path: Path, redactor: Redactor) -> bool | None:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > MAX_BYTES:
            return None
        if any(redactor.identifies_person(member.filename) for member in members):
            return True
        return any(
            redactor.identifies_person(text)
            for member in members
            for text in _decode_texts(archive.read(member))
        )


def _decode_texts(data: bytes) -> Iterator[str]:
    """Yield the text of a file in each encoding that exports are written in."""
    yield data.decode("utf-8", "replace")
    if b"\0" in data[:4000]:
        yield data.decode("utf-16", "replace")
