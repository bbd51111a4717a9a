"""Let the terminal, or a pipe, take any character: what its encoding lacks is written plainly."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_PLAIN = {
    "✓": "+",
    "✕": "x",
    "…": "...",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "×": "x",  # noqa: RUF001 (the sign itself)
    "±": "+/-",
    "–": "-",  # noqa: RUF001 (the dash itself)
    "—": "-",
    "·": "-",
    "“": '"',
    "”": '"',
    "‘": "'",  # noqa: RUF001 (the quote itself)
    "’": "'",  # noqa: RUF001 (the quote itself)
    "━": "-",
    "╸": "-",
}
"""What stands for a character in an encoding that lacks it."""
_HANDLER = "grade-plain"


def write_plainly() -> None:
    """Let standard output and standard error never fail for want of a character.

    Windows gives pipes the encoding of its old code pages, which have no "✓".
    """
    codecs.register_error(_HANDLER, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_plain, text)), error.end


def _plain(character: str) -> str:
    """Return ASCII for a character: a sign's, a letter's without its accents, or '?'."""
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _PLAIN.get(character) or letters or "?"
