"""Names that are safe as file names, in links and in tables, and that tell submissions apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

LONGEST = 80
"""Characters of a name."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_names(paths: Iterable[str]) -> Mapping[str, str]:
    """A safe name for each path, its ending left off."""
    return told_apart({path: without_ending(path) for path in paths})


def told_apart(wanted: Mapping[str, str]) -> Mapping[str, str]:
    """A safe name for each key, given the name it would have.

    A name that had to be changed, or that agrees with another ignoring case, is told apart by 8
    hexadecimal digits of the key's SHA-256.
    """
    safe = {key: _made_safe(name) for key, name in wanted.items()}
    crowd = Counter(name.lower() for name in safe.values())
    return {
        key: safe[key]
        if safe[key] == wanted[key] and crowd[safe[key].lower()] == 1
        else _with_digits(safe[key], key)
        for key in wanted
    }


def without_ending(path: str) -> str:
    """A path without the ending of its last part."""
    stem, dot, ending = path.rpartition(".")
    return stem if dot and "/" not in ending and stem.rpartition("/")[2] else path


def plain_word(text: str) -> str:
    """A person's or a folder's name in plain letters, where that loses nothing but accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    word = re.sub(r"[\s,/]+", "-", bare).strip("-")
    return word if word and _made_safe(word) == word else text


def _made_safe(name: str) -> str:
    safe = _UNSAFE.sub("_", name).strip("_.-") or "notebook"
    return safe[:LONGEST]


def _with_digits(name: str, key: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[: LONGEST - 9]}-{digest}"
