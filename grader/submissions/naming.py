"""Names that are safe as file names, in links and in tables, and that tell submissions apart."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping

LONGEST = 80
"""Characters of a name."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_names(paths: Iterable[str]) -> Mapping[str, str]:
    """A safe name for each path, its ending left off.

    A name that had to be changed, or that agrees with another ignoring case, is told apart by 8
    hexadecimal digits of the path's SHA-256.
    """
    plain = {path: _without_ending(path) for path in paths}
    safe = {path: _made_safe(name) for path, name in plain.items()}
    crowd = Counter(name.lower() for name in safe.values())
    return {
        path: safe[path]
        if safe[path] == plain[path] and crowd[safe[path].lower()] == 1
        else _told_apart(safe[path], path)
        for path in plain
    }


def _without_ending(path: str) -> str:
    stem, dot, ending = path.rpartition(".")
    return stem if dot and "/" not in ending and stem.rpartition("/")[2] else path


def _made_safe(name: str) -> str:
    safe = _UNSAFE.sub("_", name).strip("_.-") or "notebook"
    return safe[:LONGEST]


def _told_apart(name: str, path: str) -> str:
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}-{digest}"
