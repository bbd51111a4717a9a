"""Lists the files of a folder or an archive by their paths, wherever their bytes are stored."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

IGNORED_FOLDERS = frozenset({".ipynb_checkpoints", "__macosx", "__pycache__", "node_modules"})
"""Folders that programs leave behind, in lower case."""
IGNORED_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
"""Files that programs leave behind, in lower case; hidden ones are ignored anyway."""
_NOTEBOOK = re.compile(r"\.ipynb(?:\.(?:txt|json|download)| ?\(\d{1,3}\))?\Z", re.IGNORECASE)
"""A notebook's ending, with what browsers append to it."""
ENVIRONMENT_FILE = "pyvenv.cfg"
"""The file by which a folder is a Python environment, and nobody's homework."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A submitted file."""

    path: Path
    display_path: str
    """Its path below the given folder, as the instructor knows it."""
    fault: str = ""
    """Why it could not be unpacked from its archive."""

    def read_start(self, max_bytes: int) -> bytes:
        """Return the file's first bytes, or none where it is not there or not readable."""
        try:
            with self.path.open("rb") as stream:
                return stream.read(max_bytes) if self.path.is_file() else b""
        except OSError:
            return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The files of a folder or an archive, without what programs leave behind."""

    name: str
    """The folder's name, or the archive's without its ending."""
    files: Mapping[str, File]
    """By path, in order: 'ada/hw1.ipynb'."""
    folders: frozenset[str] = field(default_factory=frozenset)
    """Paths of all folders, empty ones, too."""

    def top_files(self) -> Mapping[str, File]:
        """Return the files directly in it."""
        return {name: file for name, file in self.files.items() if "/" not in name}

    def subfolders(self) -> Mapping[str, Listing]:
        """Return the listing of each folder directly in it, by the folder's name, in order."""
        files: dict[str, dict[str, File]] = {}
        folders: dict[str, set[str]] = {}
        for name, file in self.files.items():
            head, slash, rest = name.partition("/")
            if slash:
                files.setdefault(head, {})[rest] = file
        for name in self.folders:
            head, slash, rest = name.partition("/")
            folders.setdefault(head, set()).update([rest] if slash else [])
        heads = sorted(files.keys() | folders.keys())
        return {
            head: Listing(
                name=head,
                files=files.get(head, {}),
                folders=frozenset(folders.get(head, ())),
            )
            for head in heads
        }

    def notebooks(self) -> tuple[str, ...]:
        """Return the paths of all notebooks."""
        return tuple(name for name in self.files if is_notebook(name))

    def has_top_notebook(self) -> bool:
        """Tell whether a notebook is directly in it."""
        return any(is_notebook(name) for name in self.top_files())

    def restricted_to(self, names: Collection[str]) -> Listing:
        """Return a listing of only these of the files and folders directly in it."""
        return Listing(
            name=self.name,
            files={p: file for p, file in self.files.items() if p.partition("/")[0] in names},
            folders=frozenset(p for p in self.folders if p.partition("/")[0] in names),
        )


def is_notebook(name: str) -> bool:
    """Tell whether a file is a notebook by its name."""
    return _NOTEBOOK.search(name) is not None


def is_archive(name: str) -> bool:
    """Tell whether a file is an archive that is opened."""
    return name.lower().endswith(".zip")


def is_ignored(path: str) -> bool:
    """Tell whether a path is hidden, or left behind by a program."""
    *folders, name = path.split("/")
    if any(part.startswith(".") or part.lower() in IGNORED_FOLDERS for part in folders):
        return True
    return name.startswith((".", "~$")) or name.lower() in IGNORED_FILES


def list_folder(
    folder: Path,
    *,
    excluded: Collection[Path] = (),
    notify: Callable[[str], None] = lambda _: None,
) -> Listing:
    """List a folder and all folders below it, without following links.

    Args:
        folder: The folder.
        excluded: Folders below it that are not a student's.
        notify: Gets a sentence on each folder that can't be read.
    """

    def report_unreadable(error: OSError) -> None:
        notify(f"{error.filename}: cannot be read ({error.strerror}), so nothing in it is graded")

    excluded_paths = {directory.resolve() for directory in excluded}
    files: dict[str, File] = {}
    folders: set[str] = set()
    for directory, folder_names, file_names in os.walk(
        folder, onerror=report_unreadable, followlinks=False
    ):
        current = Path(directory)
        relative = "" if current == folder else current.relative_to(folder).as_posix()
        if relative and ENVIRONMENT_FILE in file_names:
            folder_names.clear()
            folders.discard(relative)
            continue
        folder_names[:] = sorted(
            name
            for name in folder_names
            if not is_ignored(f"{name}/x")
            and not (current / name).is_symlink()
            and (current / name).resolve() not in excluded_paths
        )
        prefix = f"{relative}/" if relative else ""
        folders.update(prefix + name for name in folder_names)
        for name in sorted(file_names):
            if not is_ignored(name) and not (current / name).is_symlink():
                files[prefix + name] = File(path=current / name, display_path=prefix + name)
    return Listing(name=folder.resolve().name, files=files, folders=frozenset(folders))
