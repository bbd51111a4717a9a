"""Lists the files of a folder or an archive by their paths, wherever their bytes are stored."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import UsageError
from grader.model import list_some

IGNORED_FOLDERS = frozenset({".ipynb_checkpoints", "__macosx", "__pycache__", "node_modules"})
"""Folders that programs leave behind, in lower case."""
IGNORED_FILES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
"""Files that programs leave behind, in lower case; hidden ones are ignored anyway."""
NO_PATH = Path()
"""The path of what is listed but must not be opened."""
LINK_FAULT = "it is a link, and links are not followed"
ARCHIVE_ENDINGS = (".zip", ".tar.gz", ".tgz", ".tar", ".7z")
"""The endings of archives that are opened."""
HIDDEN_FAULTS = {
    ".": "its name begins with a dot, so it is a hidden file",
    "~": "its name begins with ~$, as that of a lock file does",
}
"""Why a notebook is passed over, by the first sign of its name."""
_NOTEBOOK = re.compile(r"\.ipynb(?:\.(?:txt|json|download)| ?\(\d{1,3}\))?[\s.]*\Z", re.IGNORECASE)
"""A notebook's ending, with what browsers append to it, and blanks."""
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
    skipped: Mapping[str, File] = field(default_factory=dict)
    """Links, folders that can't be read, hidden notebooks; the path of a folder ends in a slash."""

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
        skipped: dict[str, dict[str, File]] = {}
        for name, file in self.skipped.items():
            head, _, rest = name.partition("/")
            skipped.setdefault(head, {})[rest] = file
        heads = sorted(files.keys() | folders.keys())
        return {
            head: Listing(
                name=head,
                files=files.get(head, {}),
                folders=frozenset(folders.get(head, ())),
                skipped=skipped.get(head, {}),
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
            skipped=self.skipped,
        )


def is_notebook(name: str) -> bool:
    """Tell whether a file is a notebook by its name."""
    return _NOTEBOOK.search(name) is not None


def is_archive(name: str) -> bool:
    """Tell whether a file is an archive that is opened."""
    return bool(archive_ending(name))


def archive_ending(name: str) -> str:
    """Return the ending of an archive that is opened: '.tar.gz'; '' of any other file."""
    lowered = name.lower()
    return next((ending for ending in ARCHIVE_ENDINGS if lowered.endswith(ending)), "")


def is_ignored(path: str) -> bool:
    """Tell whether a path is hidden, or left behind by a program."""
    *folders, name = path.split("/")
    if any(part.startswith(".") or part.lower() in IGNORED_FOLDERS for part in folders):
        return True
    return name.startswith((".", "~$")) or name.lower() in IGNORED_FILES


def _is_hidden_notebook(name: str) -> bool:
    """Tell whether a notebook is hidden, and no file that macOS leaves beside another."""
    return name.startswith((".", "~$")) and not name.startswith("._") and is_notebook(name)


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
        notify: Gets a sentence on each folder that can't be read, and one on all links.

    Raises:
        UsageError: The folder itself can't be read.
    """
    skipped: dict[str, File] = {}

    def skip_unreadable(error: OSError) -> None:
        file = _unreadable_folder(error, below=folder)
        skipped[f"{file.display_path}/"] = file
        notify(f"{error.filename}: cannot be read ({file.fault}), so nothing in it is graded")

    excluded_paths = {directory.resolve() for directory in excluded}
    files: dict[str, File] = {}
    folders: set[str] = set()
    for directory, folder_names, file_names in os.walk(
        folder, onerror=skip_unreadable, followlinks=False
    ):
        current = Path(directory)
        relative = "" if current == folder else current.relative_to(folder).as_posix()
        if relative and ENVIRONMENT_FILE in file_names:
            folder_names.clear()
            folders.discard(relative)
            continue
        prefix = f"{relative}/" if relative else ""
        links = _find_links(current, (*folder_names, *file_names))
        for path in (prefix + name for name in sorted(links)):
            skipped[path] = File(path=NO_PATH, display_path=path, fault=LINK_FAULT)
        for path in (prefix + name for name in file_names if _is_hidden_notebook(name)):
            fault = HIDDEN_FAULTS[path.rpartition("/")[2][0]]
            skipped[path] = File(path=NO_PATH, display_path=path, fault=fault)
        folder_names[:] = sorted(
            name
            for name in folder_names
            if name not in links
            and not is_ignored(f"{name}/x")
            and (current / name).resolve() not in excluded_paths
        )
        folders.update(prefix + name for name in folder_names)
        files |= {
            prefix + name: File(path=current / name, display_path=prefix + name)
            for name in sorted(file_names)
            if name not in links and not is_ignored(name)
        }
    _notify_links(skipped, notify)
    return Listing(
        name=folder.resolve().name, files=files, folders=frozenset(folders), skipped=skipped
    )


def _unreadable_folder(error: OSError, *, below: Path) -> File:
    """Return what stands for a folder that can't be read.

    Raises:
        UsageError: It is the folder that was given.
    """
    fault = str(error.strerror)
    if Path(error.filename) == below:
        raise UsageError(f"{below}: cannot be read ({fault})") from error
    relative = Path(error.filename).relative_to(below).as_posix()
    return File(path=NO_PATH, display_path=relative, fault=fault)


def _find_links(folder: Path, names: Iterable[str]) -> frozenset[str]:
    return frozenset(n for n in names if not is_ignored(n) and (folder / n).is_symlink())


def _notify_links(skipped: Mapping[str, File], notify: Callable[[str], None]) -> None:
    links = [name for name, file in skipped.items() if file.fault == LINK_FAULT]
    if links:
        count = "1 link is" if len(links) == 1 else f"{len(links):,} links are"
        notify(
            f"{count} not followed: {list_some(links)}. "
            "To have them graded, copy what they lead to (`cp -rL`)"
        )
