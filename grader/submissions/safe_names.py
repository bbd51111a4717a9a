"""Makes names that are safe in file names, links and tables, and distinct for each submission."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping

from grader.text_folding import strip_accents

MAX_NAME_LENGTH = 80
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def distinct_safe_names(preferred: Mapping[str, str]) -> Mapping[str, str]:
    """Return a safe name for each key, given its preferred name.

    A name that had to be changed, or that equals another but for case, gets 8 hexadecimal digits
    of the key's SHA-256.
    """
    safe = {key: _make_safe(name) for key, name in preferred.items()}
    counts = Counter(name.lower() for name in safe.values())
    return {
        key: name
        if name == preferred[key] and counts[name.lower()] == 1
        else _with_digest(name, key=key)
        for key, name in safe.items()
    }


def without_ending(path: str) -> str:
    """Return a path without the ending of its last part."""
    if path.lower().endswith(".tar.gz"):
        path = path[: -len(".gz")]
    stem, dot, ending = path.rpartition(".")
    return stem if dot and "/" not in ending and stem.rpartition("/")[2] else path


def ending_of(path: str) -> str:
    """Return the ending of a path's last part in lower case: '.pdf', or '' without one."""
    return path[len(without_ending(path)) :].lower()


def plain_letters(text: str) -> str:
    """Return a person's or folder's name in plain letters, if it loses nothing but accents."""
    word = re.sub(r"[\s,/]+", "-", strip_accents(text)).strip("-")
    return word if word and _make_safe(word) == word else text


def _make_safe(name: str) -> str:
    return (_UNSAFE.sub("_", name).strip("_.-") or "notebook")[:MAX_NAME_LENGTH]


def _with_digest(name: str, *, key: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[: MAX_NAME_LENGTH - 9]}-{digest}"
