"""Makes sentences of what checks found, for every page and file that shows findings."""

from __future__ import annotations

import re
from collections.abc import Collection

_PLAIN_WORD = re.compile(r"[^\W\d_]+(?![\w(.\[=])")


def to_sentence(text: str, *, names: Collection[str] = ()) -> str:
    """Return a text with a capital letter at its start and a mark at its end.

    Args:
        text: A clause or a sentence; of several lines it is a listing, and stays as it is.
        names: Names of the notebook, which keep their small letter.
    """
    text = capitalize(text.strip(), names=names)
    return text if not text or "\n" in text or text[-1] in ".?!…" else f"{text}."


def capitalize(text: str, *, names: Collection[str] = ()) -> str:
    """Return a text with a capital letter, unless it begins with a name or with code."""
    word = _PLAIN_WORD.match(text)
    return text if word is None or word[0] in names else f"{text[0].upper()}{text[1:]}"
