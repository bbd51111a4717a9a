"""Markdown as its words: what makes two lines the same line, however they are dressed."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from grader.notebook.attachments import LEFT_OUT, REFERENCE

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
_KEPT, _MAX_KEPT = 512, 500
"""Of how many lines the words are kept, most of a class being the handout's, and how long ones."""
_MAX_NUMBERED_WORDS = 8


class Word(NamedTuple):  # thousands a notebook, and a tuple is made in a third of the time
    """A word as it is compared, and where it stands in its line."""

    text: str
    start: int
    end: int


def words(line: str) -> tuple[Word, ...]:
    """The words of a line of Markdown; tags, emphasis and addresses of pictures are none.

    Args:
        line: One line.

    Returns:
        Its words, casefolded, with their places in the line as it was given.
    """
    return _known_words(line) if len(line) <= _MAX_KEPT else _words(line)


def _words(line: str) -> tuple[Word, ...]:
    masked = line
    for pattern in (TAG, REFERENCE) if "<" in line or "attachment:" in line else ():
        masked = pattern.sub(lambda found: " " * len(found[0]), masked)
    return tuple(
        Word(_folded(found[0]), found.start(), found.end()) for found in _WORD.finditer(masked)
    )


def key(line: str) -> str:
    """What two lines share when they say the same: their words, or their signs if no words.

    Args:
        line: One line of Markdown.

    Returns:
        The words with single spaces; empty for a blank line, dots or a rule.
    """
    return _known_key(line) if len(line) <= _MAX_KEPT else _key(line)


def _key(line: str) -> str:
    found = " ".join([word.text for word in words(line)])
    picture = REFERENCE.search(line)
    if picture:
        return f"{found} attachment:{picture[1]}".strip()
    if found:
        return found
    return re.sub(r"[\s*_>#|:.…-]+", "", TAG.sub("", line))


_known_words = lru_cache(maxsize=_KEPT)(_words)
_known_key = lru_cache(maxsize=_KEPT)(_key)


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
    said = key(text)
    count = said.count(" ") + 1
    if _BOLD.match(text) and count <= _MAX_HEADING_WORDS and not text.rstrip("*_ ").endswith("?"):
        return True
    return bool(_NUMBERED.match(said)) and count <= _MAX_NUMBERED_WORDS


def is_section_number(line: str) -> bool:
    """Whether a line is nothing but the number of a question, such as 'Q1.2' or 'Part 3:'.

    Args:
        line: One line of Markdown.

    Returns:
        True for a bare number, with or without its points.
    """
    return bool(_SECTION.fullmatch(key(line)))


def shown_lines(source: str) -> list[str]:
    """The lines of a text cell that a reader sees, `<br>` counted as a line's end.

    Args:
        source: The cell's Markdown.

    Returns:
        Its lines, without HTML comments.
    """
    return BREAK.sub("\n", _without_comments(source[:MAX_CELL_TEXT])).split("\n")


def plain(line: str) -> str:
    """A line without tags, emphasis, list marks and entities, for reading names.

    Args:
        line: One line of Markdown.

    Returns:
        What is left, with single spaces.
    """
    text = html.unescape(TAG.sub("", line))
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text).replace(LEFT_OUT, "")
    text = re.sub(r"\[([^\]]*)\]\(([^)]*)\)", r"\1 \2", text)
    text = re.sub(r"^\s*(?:>+\s*)*(?:#{1,6}(?=\s)|[-*+•](?=\s)|\(?\d{1,2}[.)](?=\s))?", "", text)
    text = re.sub(r"[*`~]+|(?<!\w)_+|_+(?!\w)|\\(?=\W)", "", text)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def _without_comments(source: str) -> str:
    kept, place = [], 0
    while (start := source.find("<!--", place)) >= 0 and (end := source.find("-->", start)) >= 0:
        kept.append(source[place:start])
        place = end + len("-->")
    return "".join(kept) + source[place:]


def _folded(word: str) -> str:
    return (word if word.isascii() else unicodedata.normalize("NFKC", word)).casefold()
