"""What lies at a place: files by their path below it, wherever their bytes are kept."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

IGNORED_FOLDERS = frozenset({".ipynb_checkpoints", "__macosx", "__pycache__", "node_modules"})
"""Folders that programs leave behind, in lower case."""
IGNORED_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
"""Files that programs leave behind, in lower case; those with a dot before are left out anyway."""
_NOTEBOOK = re.compile(r"\.ipynb(?:\.(?:txt|json|download)| ?\(\d{1,3}\))?\Z", re.IGNORECASE)
"""A notebook's ending, with what browsers put behind it."""
ENVIRONMENT_FILE = "pyvenv.cfg"
"""A folder that holds this is a Python environment, and nobody's homework."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file that was handed in."""

    path: Path
    """Where its bytes are."""
    display_path: str
    """Its path below what was given, as the instructor knows it."""
    fault: str = ""
    """Why it could not be taken out of its archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A folder, or what an archive holds; what programs leave behind is not listed."""

    name: str
    """Of the folder, or of the archive without its ending."""
    files: Mapping[str, File]
    """By path below it, in order: 'ada/hw1.ipynb'."""
    folders: frozenset[str] = field(default_factory=frozenset)
    """Paths of all folders, empty ones too."""

    def top_files(self) -> Mapping[str, File]:
        """The files that lie directly in it."""
        return {name: file for name, file in self.files.items() if "/" not in name}

    def subfolders(self) -> Mapping[str, Listing]:
        """What lies in each folder directly in it, by the folder's name, in order."""
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
        """The notebooks, wherever they lie."""
        return tuple(name for name in self.files if is_notebook(name))

    def has_top_notebook(self) -> bool:
        """Whether a notebook lies directly in it."""
        return any(is_notebook(name) for name in self.top_files())

    def restricted_to(self, names: Collection[str]) -> Listing:
        """The same with only these files and folders of those that lie directly in it."""

        def is_selected(path: str) -> bool:
            return path.partition("/")[0] in names

        return Listing(
            name=self.name,
            files={name: file for name, file in self.files.items() if is_selected(name)},
            folders=frozenset(name for name in self.folders if is_selected(name)),
        )


def is_notebook(name: str) -> bool:
    """Whether a file is a notebook by its name."""
    return _NOTEBOOK.search(name) is not None


def is_archive(name: str) -> bool:
    """Whether a file is an archive that is opened."""
    return name.lower().endswith(".zip")


def path_stem(name: str) -> str:
    """The last part of a path, its ending left off."""
    return PurePosixPath(name).stem


def is_ignored(path: str) -> bool:
    """Whether a path is hidden, or of what programs leave behind."""
    *folders, name = path.split("/")
    if any(
        folder_name.startswith(".") or folder_name.lower() in IGNORED_FOLDERS
        for folder_name in folders
    ):
        return True
    return name.startswith((".", "~$")) or name.lower() in IGNORED_FILES


def list_folder(
    folder: Path,
    *,
    excluded: Collection[Path] = (),
    notify: Callable[[str], None] = lambda _: None,
) -> Listing:
    """What lies in a folder, to the bottom; links are not followed.

    Args:
        folder: where to look.
        excluded: folders below it that are none of a student's.
        notify: who is told of a folder that may not be looked into.
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
            _student_folders(current, folder_names, excluded_paths=excluded_paths)
        )
        prefix = f"{relative}/" if relative else ""
        folders.update(prefix + name for name in folder_names)
        for name in sorted(file_names):
            if not is_ignored(name) and not (current / name).is_symlink():
                files[prefix + name] = File(path=current / name, display_path=prefix + name)
    return Listing(name=folder.resolve().name, files=files, folders=frozenset(folders))


def _student_folders(parent: Path, names: list[str], *, excluded_paths: set[Path]) -> Iterator[str]:
    for name in names:
        if is_ignored(f"{name}/x"):
            continue
        path = parent / name
        if not path.is_symlink() and path.resolve() not in excluded_paths:
            yield name
