"""What lies at a place: files by their path below it, wherever their bytes are kept."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SKIPPED = frozenset({".ipynb_checkpoints", "__macosx", "__pycache__", "node_modules"})
"""Folders that programs leave behind, in lower case."""
LEFT_BEHIND = frozenset({"thumbs.db", "desktop.ini", "icon\r"})
"""Files that programs leave behind, in lower case; those with a dot before are left out anyway."""
_NOTEBOOK = re.compile(r"\.ipynb(?:\.(?:txt|json|download)| ?\(\d{1,3}\))?\Z", re.IGNORECASE)
"""A notebook's ending, with what browsers put behind it."""
ENVIRONMENT = "pyvenv.cfg"
"""A folder that holds this is a Python environment, and nobody's homework."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file that was handed in."""

    path: Path
    """Where its bytes are."""
    shown: str
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

    def top(self) -> Mapping[str, File]:
        """The files that lie directly in it."""
        return {name: file for name, file in self.files.items() if "/" not in name}

    def parts(self) -> Mapping[str, Listing]:
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

    def notebooks_on_top(self) -> bool:
        """Whether a notebook lies directly in it."""
        return any(is_notebook(name) for name in self.top())

    def of(self, names: Collection[str]) -> Listing:
        """The same with only these files and folders of those that lie directly in it."""

        def kept(path: str) -> bool:
            return path.partition("/")[0] in names

        return Listing(
            name=self.name,
            files={name: file for name, file in self.files.items() if kept(name)},
            folders=frozenset(name for name in self.folders if kept(name)),
        )


def is_notebook(name: str) -> bool:
    """Whether a file is a notebook by its name."""
    return _NOTEBOOK.search(name) is not None


def is_archive(name: str) -> bool:
    """Whether a file is an archive that is opened."""
    return name.lower().endswith(".zip")


def stem_of(name: str) -> str:
    """The last part of a path, its ending left off."""
    return PurePosixPath(name).stem


def left_behind(path: str) -> bool:
    """Whether a path is hidden, or of what programs leave behind."""
    *folders, name = path.split("/")
    if any(part.startswith(".") or part.lower() in SKIPPED for part in folders):
        return True
    return name.startswith((".", "~$")) or name.lower() in LEFT_BEHIND


def walked(
    folder: Path,
    *,
    leave_out: Collection[Path] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Listing:
    """What lies in a folder, to the bottom; links are not followed.

    Args:
        folder: where to look.
        leave_out: folders below it that are none of a student's.
        tell: who is told of a folder that may not be looked into.
    """

    def unread(error: OSError) -> None:
        tell(f"{error.filename}: cannot be read ({error.strerror}), so nothing in it is graded")

    avoided = {place.resolve() for place in leave_out}
    files: dict[str, File] = {}
    folders: set[str] = set()
    for place, inner, names in os.walk(folder, onerror=unread, followlinks=False):
        here = Path(place)
        below = "" if here == folder else here.relative_to(folder).as_posix()
        if below and ENVIRONMENT in names:
            inner.clear()
            folders.discard(below)
            continue
        inner[:] = sorted(_of_a_student(here, inner, avoided=avoided))
        prefix = f"{below}/" if below else ""
        folders.update(prefix + name for name in inner)
        for name in sorted(names):
            if not left_behind(name) and not (here / name).is_symlink():
                files[prefix + name] = File(path=here / name, shown=prefix + name)
    return Listing(name=folder.resolve().name, files=files, folders=frozenset(folders))


def _of_a_student(here: Path, names: list[str], *, avoided: set[Path]) -> Iterator[str]:
    for name in names:
        if left_behind(f"{name}/x"):
            continue
        place = here / name
        if not place.is_symlink() and place.resolve() not in avoided:
            yield name
