"""Plan the walls that could be built on this computer, strongest first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from grader.model import Json
from grader.sandbox import bubblewrap
from grader.sandbox.interpreter import Environment
from grader.sandbox.isolation import IsolationLevel

INSIDE = Path(__file__).resolve().parent.parent / "inside"
COURSE_TESTS = INSIDE.parent / "course_tests"
FIRST_UID = 64_000
"""As root, the first of the users that notebooks become; no system gives these to anyone."""
UIDS = 128
SLOTS = 16
"""More sandboxes than one grader has at a time."""
SYSTEM_PATHS = (
    "/usr",
    *bubblewrap.SYSTEM_FOLDERS,
    *(f"/etc/{name}" for name in bubblewrap.ETC_FILES),
    *bubblewrap.MACHINE_FOLDERS,
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/fs/cgroup/cpu.max",
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us",
    "/sys/fs/cgroup/cpu/cpu.cfs_period_us",
    "/dev/null",
)
"""What notebooks may read where they have no file system of their own."""
TEMPORARY_FOLDERS = ("/tmp", "/dev/shm")  # noqa: S108 (sandboxes cover them with their own)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallPlan:
    """The walls of one run; see `grader/inside/walls.py` for what is done with it."""

    level: IsolationLevel
    namespaces: bool = False
    owner: bool = False
    """Whether the fork server is root of a user namespace."""
    uids: bool = False
    """Whether each sandbox becomes a user of its own."""
    landlock: bool = True
    filter: bool = True
    folders: tuple[str, ...] = ()
    """Where the interpreter and its packages are."""
    read: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    bubblewrap: bubblewrap.Bubblewrap | None = None

    def as_order(self, *, slot: int) -> dict[str, Json]:
        """Return the plan of one sandbox as JSON; no two at a time have the same `slot`."""
        # Graders at work side by side take other users, so that their limits are their own.
        uid = FIRST_UID + (SLOTS * os.getpid() + slot) % UIDS if self.uids else None
        return {
            "namespaces": self.namespaces,
            "owner": self.owner,
            "uid": uid,
            "landlock": self.landlock,
            "filter": self.filter,
            "read": list(self.read),
            "list": list(self.listed),
            "keep": list(self.keep),
        }


def possible_plans(environment: Environment, *, hidden: Sequence[str]) -> Iterator[WallPlan]:
    """Yield every plan worth trying here, strongest first; the last one has no walls."""
    if sys.platform == "linux":
        root = os.geteuid() == 0
        folders = drop_checkouts(environment.folders)
        keep = tuple(
            f for f in folders if any(Path(f).is_relative_to(t) for t in TEMPORARY_FOLDERS)
        )
        for executable in bubblewrap.find_executables():
            full = WallPlan(
                level=IsolationLevel.FULL,
                namespaces=True,
                owner=not root,
                uids=root,
                folders=folders,
                keep=keep,
                bubblewrap=executable,
            )
            yield full
            yield replace(full, level=IsolationLevel.NAMESPACES, landlock=False)
            yield replace(full, level=IsolationLevel.NAMESPACES, filter=False)
            yield replace(full, level=IsolationLevel.NAMESPACES, landlock=False, filter=False)
        own = (str(INSIDE), str(COURSE_TESTS))
        read, listed = readable_paths([*SYSTEM_PATHS, *folders, *own], hidden=hidden)
        # A program finds its modules by the names in the folder above them.
        listed = (*listed, str(INSIDE.parent))
        reduced = WallPlan(level=IsolationLevel.REDUCED, uids=root, read=read, listed=listed)
        yield reduced
        if root:
            yield replace(reduced, uids=False)
    yield WallPlan(level=IsolationLevel.NONE, landlock=False, filter=False)


def drop_checkouts(folders: Sequence[str]) -> tuple[str, ...]:
    """Return an interpreter's folders without checkouts of this program, and without duplicates.

    A checkout that was installed to be worked on has a reference and rubrics beside the program.
    """
    installed = [f for f in folders if not _is_checkout(Path(f))]
    return tuple(
        folder
        for folder in installed
        if not any(Path(folder).is_relative_to(f) for f in installed if f != folder)
    )


def _is_checkout(folder: Path) -> bool:
    packages = folder.name.endswith("-packages")
    return not packages and (folder / INSIDE.parent.name / INSIDE.name).is_dir()


def readable_paths(
    folders: Sequence[str], *, hidden: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths that may be read, and the folders of which only names may be seen.

    Landlock can't take back what it granted higher up: a folder with something hidden in it is
    replaced by everything else in it.
    """
    read: dict[str, None] = {}
    listed: dict[str, None] = {}
    pending = list(folders)
    while pending:
        path = Path(pending.pop())
        hidden_inside = [Path(h) for h in hidden if Path(h).is_relative_to(path)]
        if not hidden_inside:
            read[str(path)] = None
        elif path not in hidden_inside and path.is_dir():
            listed[str(path)] = None
            pending += [str(child) for child in path.iterdir()]
    return tuple(sorted(read)), tuple(sorted(listed))


@contextmanager
def open_account_pipes() -> Iterator[Mapping[str, int]]:
    """Open pipes with /etc/passwd and /etc/group as notebooks see them, by file name."""
    ids = [1000, *range(FIRST_UID, FIRST_UID + UIDS)]
    names = {number: "student" if number == ids[0] else f"student{number}" for number in ids}
    users = [f"{name}:x:{i}:{i}::/box/home:/bin/sh\n" for i, name in names.items()]
    groups = [f"{name}:x:{i}:\n" for i, name in names.items()]
    contents = {
        "/etc/passwd": ["root:x:0:0::/:/bin/sh\n", *users],
        "/etc/group": ["root:x:0:\n", *groups],
    }
    with ExitStack() as pipes:
        descriptors = {}
        for name, lines in contents.items():
            reading, writing = os.pipe()
            pipes.callback(os.close, reading)
            os.write(writing, "".join(lines).encode())  # less than a pipe holds
            os.close(writing)
            descriptors[name] = reading
        yield descriptors
