"""Names that are safe as file names, in links and in tables, and that tell submissions apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

MAX_NAME_LENGTH = 80
"""Characters of a name."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def safe_names(paths: Iterable[str]) -> Mapping[str, str]:
    """A safe name for each path, its ending left off."""
    return distinct_safe_names({path: without_ending(path) for path in paths})


def distinct_safe_names(preferred: Mapping[str, str]) -> Mapping[str, str]:
    """A safe name for each key, given the name it would have.

    A name that had to be changed, or that agrees with another ignoring case, is told apart by 8
    hexadecimal digits of the key's SHA-256.
    """
    safe = {key: _make_safe(name) for key, name in preferred.items()}
    counts = Counter(name.lower() for name in safe.values())
    return {
        key: safe[key]
        if safe[key] == preferred[key] and counts[safe[key].lower()] == 1
        else _with_digest(safe[key], key)
        for key in preferred
    }


def without_ending(path: str) -> str:
    """A path without the ending of its last part."""
    stem, dot, ending = path.rpartition(".")
    return stem if dot and "/" not in ending and stem.rpartition("/")[2] else path


def plain_letters(text: str) -> str:
    """A person's or a folder's name in plain letters, where that loses nothing but accents."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    word = re.sub(r"[\s,/]+", "-", bare).strip("-")
    return word if word and _make_safe(word) == word else text


def _make_safe(name: str) -> str:
    safe = _UNSAFE.sub("_", name).strip("_.-") or "notebook"
    return safe[:MAX_NAME_LENGTH]


def _with_digest(name: str, key: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{name[: MAX_NAME_LENGTH - 9]}-{digest}"
