"""Markdown as its words: what makes two lines the same line, however they are dressed."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from grader.notebook.attachments import OMITTED_PICTURE, PICTURE_REFERENCE

MAX_CELL_TEXT = 100_000
"""Characters of a text cell that are looked at; nobody writes that much."""

BREAK = re.compile(r"</?\s*(?:br|p|div|li|tr)\b[^<>]{0,200}>", re.IGNORECASE)
TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_WORD = re.compile(r"[^\W_]+")
_BOLD = re.compile(r"^(?:\*\*|__)[^*]+(?:\*\*|__)$")
_NUMBERED = re.compile(r"^(?:q|question|part|problem|exercise|section|task)\s*\d")
_SECTION = re.compile(
    r"(?:(?:q|question|part|problem|exercise|section|task)\s*\d+(?: \d+)*(?: [a-z])?"
    r"(?: (?:points?|pts?|marks?))?\s*)+"
)
_MAX_HEADING_WORDS = 12
_CACHE_SIZE, _MAX_CACHED_LINE = 512, 500
"""Of how many lines the words are kept, most of a class being the handout's, and how long ones."""
_MAX_NUMBERED_WORDS = 8


class MarkdownWord(NamedTuple):  # thousands a notebook, and a tuple is made in a third of the time
    """A word as it is compared, and where it stands in its line."""

    text: str
    start: int
    end: int


def split_words(line: str) -> tuple[MarkdownWord, ...]:
    """The words of a line of Markdown; tags, emphasis and addresses of pictures are none.

    Args:
        line: One line.

    Returns:
        Its words, casefolded, with their places in the line as it was given.
    """
    return _cached_split_words(line) if len(line) <= _MAX_CACHED_LINE else _split_words(line)


def _split_words(line: str) -> tuple[MarkdownWord, ...]:
    masked = line
    for pattern in (TAG, PICTURE_REFERENCE) if "<" in line or "attachment:" in line else ():
        masked = pattern.sub(lambda match: " " * len(match[0]), masked)
    return tuple(
        MarkdownWord(_fold_case(match[0]), match.start(), match.end())
        for match in _WORD.finditer(masked)
    )


def line_key(line: str) -> str:
    """What two lines share when they say the same: their words, or their signs if no words.

    Args:
        line: One line of Markdown.

    Returns:
        The words with single spaces; empty for a blank line, dots or a rule.
    """
    return _cached_line_key(line) if len(line) <= _MAX_CACHED_LINE else _line_key(line)


def _line_key(line: str) -> str:
    text = " ".join([word.text for word in split_words(line)])
    picture = PICTURE_REFERENCE.search(line)
    if picture:
        return f"{text} attachment:{picture[1]}".strip()
    if text:
        return text
    return re.sub(r"[\s*_>#|:.…-]+", "", TAG.sub("", line))


_cached_split_words = lru_cache(maxsize=_CACHE_SIZE)(_split_words)
_cached_line_key = lru_cache(maxsize=_CACHE_SIZE)(_line_key)


def is_heading(line: str) -> bool:
    """Whether a line of a handout opens a section rather than says something.

    Args:
        line: One line of Markdown.

    Returns:
        True for `#` headings, `<h2>`, short lines all in bold, and 'Part 2 (7 points)'.
    """
    text = line.strip()
    if re.match(r"#{1,6}\s|<h[1-6]\b", text, re.IGNORECASE):
        return True
    normalized = line_key(text)
    count = normalized.count(" ") + 1
    if _BOLD.match(text) and count <= _MAX_HEADING_WORDS and not text.rstrip("*_ ").endswith("?"):
        return True
    return bool(_NUMBERED.match(normalized)) and count <= _MAX_NUMBERED_WORDS


def is_section_number(line: str) -> bool:
    """Whether a line is nothing but the number of a question, such as 'Q1.2' or 'Part 3:'.

    Args:
        line: One line of Markdown.

    Returns:
        True for a bare number, with or without its points.
    """
    return bool(_SECTION.fullmatch(line_key(line)))


def visible_lines(source: str) -> list[str]:
    """The lines of a text cell that a reader sees, `<br>` counted as a line's end.

    Args:
        source: The cell's Markdown.

    Returns:
        Its lines, without HTML comments.
    """
    return BREAK.sub("\n", _strip_comments(source[:MAX_CELL_TEXT])).split("\n")


def plain_text(line: str) -> str:
    """A line without tags, emphasis, list marks and entities, for reading names.

    Args:
        line: One line of Markdown.

    Returns:
        What is left, with single spaces.
    """
    text = html.unescape(TAG.sub("", line))
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text).replace(OMITTED_PICTURE, "")
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1 \2", text)
    text = re.sub(r"^\s*(?:>+\s*)*(?:#{1,6}(?=\s)|[-*+•](?=\s)|\(?\d{1,2}[.)](?=\s))?", "", text)
    text = re.sub(r"[*`~]+|(?<!\w)_+|_+(?!\w)|\\(?=\W)", "", text)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def _strip_comments(source: str) -> str:
    parts, position = [], 0
    while (start := source.find("<!--", position)) >= 0 and (end := source.find("-->", start)) >= 0:
        parts.append(source[position:start])
        position = end + len("-->")
    return "".join(parts) + source[position:]


def _fold_case(word: str) -> str:
    return (word if word.isascii() else unicodedata.normalize("NFKC", word)).casefold()
