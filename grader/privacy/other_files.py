"""Files in the folder that are neither gradebook nor pages of a run: exports, backups, sheets."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from grader.folder import Folder
from grader.gradebook.sqlite import APPLICATION
from grader.privacy.redaction import Veil

LARGEST = 64 << 20
"""Bytes of a file, or of all in an archive, that is looked into."""
_OURS = frozenset({"index.html", "gradebook.csv", ".gitignore", Folder.ADDRESS})


def others(folder: Path) -> Iterator[Path]:
    """Every file in a folder that is not made anew from its gradebook."""
    for place in sorted(folder.rglob("*")):
        if place.is_symlink() or not place.is_file():
            continue
        if not _made_anew(place.relative_to(folder)):
            yield place


def _made_anew(below: Path) -> bool:
    """Whether a run, or the gradebook itself, writes the file of that place in a folder."""
    if below.name.startswith(".part-"):
        return False
    if len(below.parts) == 1:
        return below.name in _OURS or below.name.startswith(Folder.STORE)
    return below.parts[0] in {"reports", "results"}


def is_book(place: Path) -> bool:
    """Whether it is a copy of a gradebook."""
    try:
        with place.open("rb") as file:
            if not file.read(16).startswith(b"SQLite format 3"):
                return False
        address = place.absolute().as_uri() + "?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            (found,) = connection.execute("PRAGMA application_id").fetchone()
    except (OSError, sqlite3.Error):
        return False
    return bool(found == APPLICATION)


def holds(place: Path, veil: Veil) -> bool | None:
    """Whether a file tells who somebody is, by its name or in its text; None if nobody can say."""
    if veil.tells(place.stem.replace("_", " ")):
        return True
    try:
        if place.stat().st_size > LARGEST:
            return None
        if zipfile.is_zipfile(place):
            return _archive_holds(place, veil)
        return any(veil.tells(text) for text in _texts(place.read_bytes()))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError):
        return None


def _archive_holds(place: Path, veil: Veil) -> bool | None:
    with zipfile.ZipFile(place) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > LARGEST:
            return None
        if any(veil.tells(member.filename) for member in members):
            return True
        return any(veil.tells(text) for member in members for text in _texts(archive.read(member)))


def _texts(data: bytes) -> Iterator[str]:
    """What a file says in the encodings that exports are written in."""
    yield data.decode("utf-8", "replace")
    if b"\0" in data[:4000]:
        yield data.decode("utf-16", "replace")
