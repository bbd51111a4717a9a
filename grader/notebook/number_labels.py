"""Reads the number of a question at the beginning of a line: 'Q1.2', '### Q1 Part 2', '| 1.2 |'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.notebook.markdown_words import is_heading, split_words

_MAX_LABEL_PARTS = 3  # 'Q2 Part 3 Task 1'
_PART_WORDS = frozenset({"p", "part", "parte", "partie", "pt", "teil"})
_ANSWER = (
    r"(?:(?:my|our|the)\s{1,2})?(?:answers?|ans|solutions?|soln|responses?)"
    r"(?:\s{0,2}(?:to|for))?(?=\W)\s{0,2}[:#(\[]?\s{0,2}"
)
_NOISE = re.compile(r"^(?:[\s>#*_`(\[|+•§-]|<\w[^<>]{0,100}>)*")
_LIST_SIGN = re.compile(r"\d{1,2}[.)]\s{1,3}[*_(\[]{0,3}(?=(?:q|question)\W?\d)", re.IGNORECASE)
"""Matches the number of an item of a list before the number of a question."""
_ANSWER_WORDS = re.compile(rf"{_ANSWER}(?=\(?[qp\d])|a(?=\d)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?P<word>q(?:uestion|n)?|problem|exercise|task|p(?:ar)?t?|pregunta|ejercicio|parte|exercice|partie"
    r"|frage|aufgabe|teil|问题|第)?\s{0,2}[.:#_(-]?\s{0,2}"
    r"(?P<number>\d{1,2}(?:[._-]\d{1,2}){0,3})(?:\.?(?P<letter>[a-h])|\s?\((?P<inner>[a-h]|\d)\))?"
    r"(?=p(?:ar)?t?\d|[^\w%]|$)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,.:;*_)-]{0,6}")
_POINTS = re.compile(r"\s{0,3}[\[(]?\d{1,3}\s{0,2}(?:points?|pts?|marks?)[\])]?", re.IGNORECASE)
_CLOSING = re.compile(
    r"(?:[*_]{0,4}\s{0,3}(?:$|[:.)\]|：）–—-])|[*_]{2}|</\w)"  # noqa: RUF001 -- signs as people type them
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberLabel:
    """The number at the beginning of a line."""

    numbers: tuple[int, ...]
    word_count: int
    """Number of the line's words that it takes."""
    is_part: bool
    """Whether it counts within a question, as 'Part 2' does."""
    is_answer: bool
    """Whether 'Answer' stands before the number."""
    is_bare: bool
    """Whether it is a single number without a word, as in a list."""
    is_closed: bool
    """Whether a sign or the line's end follows it, or it opens a heading."""

    @property
    def is_question(self) -> bool:
        """Whether it is the number of a question whose parts follow."""
        return len(self.numbers) == 1 and not (self.is_part or self.is_answer or self.is_bare)

    def within(self, question: tuple[int, ...]) -> tuple[int, ...]:
        """Return all its numbers, given those of the question that was begun above it."""
        return (*question, *self.numbers) if self.is_part else self.numbers


def read_number_label(line: str) -> NumberLabel | None:
    """Return the number of a question that a line begins with; None if it begins otherwise."""
    start = _match_end(_NOISE, line, 0)
    start = _match_end(_LIST_SIGN, line, start)
    position = _match_end(_ANSWER_WORDS, line, start)
    is_answer = position > start
    numbers: list[int] = []
    label_words: list[str] = []
    while len(label_words) < _MAX_LABEL_PARTS and (match := _NUMBER.match(line, position)):
        if label_words and not match["word"]:
            break
        label_words.append((match["word"] or "").lower())
        numbers += _read_numbers(match)
        end, has_brackets = match.end(), match["inner"] is not None
        position = _match_end(_BETWEEN, line, end)
    if not label_words:
        return None
    end = _match_end(_POINTS, line, end)
    has_name = any(label_words) or is_answer or len(numbers) > 1
    is_closed = has_brackets or _CLOSING.match(line, end) is not None
    is_bare = not (has_name or is_heading(line))
    if not is_closed and (is_bare or not (is_heading(line) or len(numbers) > 1)):
        return None
    return NumberLabel(
        numbers=tuple(numbers),
        word_count=sum(word.start < end for word in split_words(line)),
        is_part=label_words[0] in _PART_WORDS,
        is_answer=is_answer,
        is_bare=is_bare,
        is_closed=is_closed or line.lstrip().startswith(("#", "<h")),
    )


def item_numbers(item: str) -> tuple[int, ...]:
    """Return the numbers of an item's id: 'Q2.3.1' as 2, 3, 1."""
    return tuple(int(part) for part in re.findall(r"\d{1,4}", item))


def _read_numbers(match: re.Match[str]) -> list[int]:
    numbers = [int(part) for part in re.split(r"[._-]", match["number"])]
    inner = match["letter"] or match["inner"]
    if inner:
        numbers.append(int(inner) if inner.isdigit() else "abcdefgh".index(inner.lower()) + 1)
    return numbers


def _match_end(pattern: re.Pattern[str], line: str, position: int) -> int:
    match = pattern.match(line, position)
    return match.end() if match else position
