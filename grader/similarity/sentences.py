"""Splits text into words and sentences, with their positions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from grader.text_folding import strip_accents

MAX_CHARS = 20_000
"""The most characters of an answer that are compared, about ten pages."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001 (an apostrophe as people type it)
_END = re.compile(r"(?<=[.!?;:])\s+|\n\s*\n|\n(?=\s*(?:[-*+•]|\d{1,3}[.)])\s)")
_SUFFIXES = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "es", "ed", "s", "y", "e")
_SHORTEST_STEM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of a text, from `begin` to before `end`."""

    begin: int
    end: int


class TextToken(NamedTuple):
    """A word as it is compared, and its position; a tuple, since there are many."""

    normalized: str
    begin: int
    end: int


def words(text: str) -> Iterator[TextToken]:
    """Yield the words, without case, accents and endings."""
    for match in _WORD.finditer(text[:MAX_CHARS]):
        yield TextToken(stem(match.group()), match.start(), match.end())


def stems(text: str) -> list[str]:
    """Return the stems of a text's words, in order."""
    return [stem(word) for word in _WORD.findall(text[:MAX_CHARS])]


@lru_cache(maxsize=50_000)  # a class uses the same few thousand words again and again
def stem(word: str) -> str:
    """Return a word without case, accents and common English endings; cheap, and often wrong."""
    plain = strip_accents(word.casefold())
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and len(plain) - len(suffix) >= _SHORTEST_STEM:
            return plain.removesuffix(suffix)
    return plain


def sentences(text: str) -> Iterator[Span]:
    """Yield the sentences and the points of lists, without the space around them."""
    bounded = text[:MAX_CHARS]
    begin = 0
    for gap in _END.finditer(bounded):
        yield from _trimmed_span(bounded, begin, gap.start())
        begin = gap.end()
    yield from _trimmed_span(bounded, begin, len(bounded))


def all_stems(texts: Iterable[str]) -> frozenset[str]:
    """Return the stems of all words of some texts."""
    return frozenset(word_stem for text in texts for word_stem in stems(text))


def _trimmed_span(text: str, begin: int, end: int) -> Iterator[Span]:
    piece = text[begin:end]
    stripped = piece.strip()
    if stripped:
        begin += len(piece) - len(piece.lstrip())
        yield Span(begin=begin, end=begin + len(stripped))
