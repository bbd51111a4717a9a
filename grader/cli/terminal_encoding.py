"""Let the terminal, or a pipe, take whatever is printed.

What an encoding lacks is written plainly, and a pipe that nobody reads any more ends no command.
"""

from __future__ import annotations

import codecs
import io
import os
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
    "−": "-",  # noqa: RUF001 (the sign itself)
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


class LastingOutput(io.TextIOWrapper):
    """Standard output that goes on to nowhere once its reader is gone (`grade … | head -1`)."""

    def write(self, text: str, /) -> int:
        """Write a text; where nobody reads it, it was written all the same."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        """Send what was written."""
        try:
            super().flush()
        except BrokenPipeError:
            self._discard()

    def _discard(self) -> None:
        """Let what was written, and what will be, go nowhere."""
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, self.fileno())
        os.close(sink)


def outlast_readers() -> None:
    """Let a closed pipe change neither what a command does nor its exit code."""
    stream = sys.stdout
    is_own = isinstance(stream, io.TextIOWrapper) and stream is sys.__stdout__
    if is_own and not stream.isatty():
        stream.flush()
        binary = os.fdopen(stream.fileno(), "wb", closefd=False)
        sys.stdout = LastingOutput(binary, encoding=stream.encoding, errors=stream.errors)


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_plain, text)), error.end


def _plain(character: str) -> str:
    """Return ASCII for a character: a sign's, a letter's without its accents, or '?'."""
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _PLAIN.get(character) or letters or "?"
