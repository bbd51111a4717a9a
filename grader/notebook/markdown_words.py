"""Reads Markdown as words, so that two lines that say the same compare equal."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from grader.notebook.attachments import OMITTED_PICTURE, PICTURE_REFERENCE
from grader.text_folding import WORD, fold_case

MAX_CELL_TEXT = 100_000
"""Characters of a text cell that are read."""

BREAK = re.compile(r"</?\s*(?:br|p|div|li|tr)\b[^<>]{0,200}>", re.IGNORECASE)
TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_TABLE_CELL = re.compile(r"</?t[dh]\b[^<>]{0,200}>", re.IGNORECASE)
_LIST_SIGNS = re.compile(
    r"^(?:\s*(?:>+|#{1,6}(?=\s)|[-*+\u2022\u2013\u2014](?=\s)|\[[ xX]\](?=\s)"
    r"|[(\[]?#?\d{1,2}(?:[.):\]]+(?=\s|[^\W\d])|(?=\s))|\(?[a-hivx]{1,3}\)(?=\s)|(?:[ivx]{1,4}|[IVX]{2,4})\.(?=\s)))+"
)
_SUPERSCRIPT = re.compile(
    r"<sup>[^<>]{0,20}</sup>|[\u00b2\u00b3\u00b9\u2070-\u2079\u2020\u2021]", re.IGNORECASE
)
_JOINERS = "\u200c\u200d"
_FILE_PICTURE = re.compile(
    r"<img\b[^<>]{0,200}?\bsrc\s{0,2}=\s{0,2}[\"']?"
    r"(?!attachment|data:)([^\"'<>\s]{1,300})[^<>]{0,200}>",
    re.IGNORECASE,
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff]")
"""Matches a letter of Thai, Lao, Burmese, Japanese or Chinese."""
_HTML_HEADING = re.compile(r"#{1,6}\s|<h[1-6]\b", re.IGNORECASE)
_BOLD = re.compile(r"^(?:\*\*|__)[^*]+(?:\*\*|__)$")
_NUMBERED = re.compile(r"^(?:q|question|part|problem|exercise|section|task)\s*\d")
_SECTION = re.compile(
    r"(?:(?:q|question|part|problem|exercise|section|task)\s*\d+(?: \d+)*(?: [a-z])?"
    r"(?: (?:points?|pts?|marks?))?\s*)+"
)
_STEM_LETTERS, _MIN_LETTERS = 5, 3
"""Letters that forms of a word share ('labeled' and 'labels'), and the least that a word has."""
_COMMON_WORD = re.compile(
    "the|and|for|are|was|why|how|what|which|with|that|this|does|can|you|your|its|our|from|not|has"
    "|have|before|after|question|answer|part"
)
_MAX_HEADING_WORDS, _MAX_NUMBERED_WORDS = 12, 8
_CACHE_SIZE, _MAX_CACHED_LINE = 512, 500
"""Lines whose words are cached, since most of a class are the handout's, and their longest."""


class MarkdownWord(NamedTuple):  # a notebook has thousands; a tuple is created three times faster
    """A casefolded word, with its columns in the line."""

    text: str
    start: int
    end: int


def split_words(line: str) -> tuple[MarkdownWord, ...]:
    """Return the words of a line of Markdown, without tags, emphasis and pictures' addresses."""
    return _cached_split_words(line) if len(line) <= _MAX_CACHED_LINE else _split_words(line)


def _split_words(line: str) -> tuple[MarkdownWord, ...]:
    masked = line
    for pattern in (TAG, PICTURE_REFERENCE) if "<" in line or "attachment:" in line else ():
        masked = pattern.sub(lambda match: " " * len(match[0]), masked)
    return tuple(
        MarkdownWord(fold_case(match[0]), match.start(), match.end())
        for match in WORD.finditer(masked)
    )


def count_words(text: str) -> int:
    """Return how many words of letters a text has; two signs of a script without spaces are one."""
    words = [word.text for word in split_words(text) if word.text.isalpha()]
    return sum(max(1, len(_UNSPACED.findall(word)) // 2) for word in words)


@lru_cache(maxsize=32)
def word_stems(text: str) -> frozenset[str]:
    """Return the beginnings of a text's words, equal for their forms; without common words."""
    return frozenset(
        word.text.removesuffix("s")[:_STEM_LETTERS]
        for word in split_words(text)
        if len(word.text) >= _MIN_LETTERS and not _COMMON_WORD.fullmatch(word.text)
    )


def line_key(line: str) -> str:
    """Return the words of a line with single spaces, equal for lines that say the same.

    A line without words is known by its other signs; blank lines, dots and rules have an empty key.
    """
    return _cached_line_key(line) if len(line) <= _MAX_CACHED_LINE else _line_key(line)


def _line_key(line: str) -> str:
    text = " ".join([word.text for word in split_words(line)])
    picture = PICTURE_REFERENCE.search(line)
    if picture:
        return f"{text} attachment:{picture[1]}".strip()
    return text or re.sub(r"[\s*_>#|:.…-]+", "", TAG.sub("", line))


_cached_split_words = lru_cache(maxsize=_CACHE_SIZE)(_split_words)
_cached_line_key = lru_cache(maxsize=_CACHE_SIZE)(_line_key)


def is_heading(line: str) -> bool:
    """Return whether a line is a heading: '## Title', '<h2>', short bold, 'Part 2 (7 points)'."""
    text = line.strip()
    if _HTML_HEADING.match(text):
        return True
    key = line_key(text)
    word_count = key.count(" ") + 1
    is_question = text.rstrip("*_ ").endswith("?")
    if _BOLD.match(text) and word_count <= _MAX_HEADING_WORDS and not is_question:
        return True
    return bool(_NUMBERED.match(key)) and word_count <= _MAX_NUMBERED_WORDS


def is_section_number(line: str) -> bool:
    """Return whether a line is only a question's number: 'Q1.2', 'Part 3 (5 points):'."""
    return bool(_SECTION.fullmatch(line_key(line)))


def visible_lines(source: str) -> list[str]:
    """Return the lines of a text cell that a reader sees: no comments, `<br>` as a line's end.

    A picture in a file beside the notebook is as in Markdown: `![scan.png](scan.png)`.
    """
    text = BREAK.sub("\n", _strip_comments(source[:MAX_CELL_TEXT]))
    return _FILE_PICTURE.sub(r"![\1](\1)", text).split("\n")


def plain_text(line: str) -> str:
    """Return a line without tags, emphasis, list signs and entities, for reading names."""
    text = html.unescape(TAG.sub("", _TABLE_CELL.sub(" | ", _SUPERSCRIPT.sub("", line))))
    text = re.sub(r"\$|\\[a-zA-Z]+(?=\{)", " ", text)  # mathematics: \text{Ada}
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text).replace(OMITTED_PICTURE, "")
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1 \2", text)
    text = re.sub(r"[*`~]+|(?<!\w)_+|_+(?!\w)|\\(?=\W)", "", text)
    text = _LIST_SIGNS.sub("", unicodedata.normalize("NFKC", text))
    return re.sub(r"\s+", " ", "".join(filter(_is_visible, text))).strip()


def _is_visible(sign: str) -> bool:
    """Return whether a sign is seen, or joins letters as many scripts need it."""
    return sign in _JOINERS or sign.isspace() or unicodedata.category(sign)[0] != "C"


def _strip_comments(source: str) -> str:
    # A regular expression would search to the end again for each comment that is never closed.
    parts, position = [], 0
    while (start := source.find("<!--", position)) >= 0 and (end := source.find("-->", start)) >= 0:
        parts.append(source[position:start])
        position = end + len("-->")
    return "".join(parts) + source[position:]
