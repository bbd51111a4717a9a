"""Reads a question's number at the beginning of a line: 'Q1.2', '### Q1 Part II', '| 1 | 2 |'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.notebook.markdown_words import is_heading, split_words

_MAX_LABEL_PARTS = 4  # 'Q2 Part 3 (3.1) Task 1'
_PART_WORDS = frozenset({"p", "part", "parte", "partie", "pt", "teil"})
_FOREIGN_QUESTIONS = (
    "pregunta|frage|questão|questao|domanda|vraag|fråga|pytanie|soru|câu|вопрос|问题|問題|問|第"
    "|문제|질문"
)
_QUESTION_WORDS = frozenset({"q", "qn", "question", *_FOREIGN_QUESTIONS.split("|")})
_WORDS = (
    rf"q(?:uestion|n)?|problem|exercise|task|p(?:ar)?t?|{_FOREIGN_QUESTIONS}|ejercicio|parte"
    r"|exercice|exercício|esercizio|partie|aufgabe|teil|opgave|задание|задача"
)
_ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_SPELLED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ROMAN = "viii|vii|vi|iv|ix|iii|ii|i|v|x"
_ANSWER = (
    r"(?:(?:my|our|the|ma|mi|meine)\s{1,2})?(?:answers?|ans|solutions?|soln|responses?"
    r"|r[eé]ponses?|respuestas?|respostas?|risposta|antwort(?:en)?|回答|答案|答|ответ)"
    r"(?:\s{0,2}(?:to|for|of|[aà](?:\sla)?|zu|auf)\b)?(?=[\W\d])\s{0,2}[:#(\[]?\s{0,2}"
)
NOISE = re.compile(r"^(?:\[[xX]\]|[\s>#*_`(\[|+•§-]|<\w[^<>]{0,100}>)*")
_OTHER_NUMBER = re.compile(
    r"(?:\d{1,2}[.)]|(?:hw|homework|assignment)\s?\d{1,2}[,:.]?)\s{1,3}[*_(\[]{0,3}"
    r"(?=(?:q|question)\W?\d)",
    re.IGNORECASE,
)
"""Matches the number of an item of a list, or of the homework, before that of a question."""
_ANSWER_WORDS = re.compile(rf"{_ANSWER}|a(?=\d)", re.IGNORECASE)
_LEAD = re.compile(
    r"(?:as\s(?:for|to)|for|to|on|in|re|regarding|concerning):?\s{1,2}", re.IGNORECASE
)
"""Matches the words of a sentence before a number: 'For Q1.2: …'."""
_NUMBER = re.compile(
    rf"(?:part\s{{1,2}}(?=q))?(?P<word>{_WORDS})?\s{{0,2}}(?:(?:no|nr|number)\b|n[°º])?"
    r"\s{0,2}[.:#№_(-]?\s{0,2}"
    r"(?:(?P<number>\d{1,2}(?:[._-]\d{1,2}){0,3})"
    rf"(?:\.?(?P<letter>[a-h]|{ROMAN})(?!\w)|[.\s]?\s?\(?(?P<inner>[a-h]|\d|{ROMAN})\))?"
    rf"|(?<!\w)(?:(?P<roman>{ROMAN})|(?P<spelled>{'|'.join(_SPELLED)})|(?P<single>[a-h])))"
    r"(?=p(?:ar)?t?\d|[^\w%]|$)(?!\.\d)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?:[\s,.:;*_)(\[|/>→»–—-]|</?\w[^<>]{0,60}>){0,12}(?:(?:of|from|in)\s{1,2}(?:the\s)?)?",  # noqa: RUF001
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[/|(>→»–—-]|\s$")  # noqa: RUF001 -- signs as people type them
"""Matches what stands between a number and another one without a word: 'Q1 / 2', '| 1 | 2 |'."""
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
    is_led: bool = False
    """Whether words of a sentence stand before it: 'For Q1.2, …'."""
    style: str = "digits"
    """How a bare number is written: 'digits', 'roman' or 'letter'."""

    @property
    def is_question(self) -> bool:
        """Whether it is the number of a question whose parts follow."""
        return len(self.numbers) == 1 and not (self.is_part or self.is_answer or self.is_bare)

    def with_words(self, count: int) -> NumberLabel:
        """Return the label as one that takes so many of its line's words."""
        return replace(self, word_count=count)

    def within(self, question: tuple[int, ...]) -> tuple[int, ...]:
        """Return all its numbers, given those of the question that was begun above it."""
        return (*question, *self.numbers) if self.is_part else self.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The numbers that were read so far, from left to right."""

    numbers: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    """The word before each of them, or ''."""
    end: int = 0
    is_part: bool = False
    has_brackets: bool = False
    needs_sign: bool = False
    """Whether the last counts only if a sign follows it."""
    style: str = "digits"

    def read_on(self, match: re.Match[str], *, between: str) -> _Reading | None:
        """Return the reading with one more number; None if it is none of the label's."""
        word = (match["word"] or "").lower()
        new = _read_numbers(match)
        style = "digits" if match["number"] else "letter" if match["single"] else "roman"
        is_question = word in _QUESTION_WORDS
        restates = bool(self.numbers) and len(new) > 1 and new[0] == self.numbers[-1]
        restates &= is_question or not word
        is_loose = not (word or restates)
        if is_loose and self.words and not self._allows_loose(between):
            return None
        if match["single"] and not self._allows_letter(match, word=word):
            return None
        numbers, is_part = (*self.numbers, *new), self.is_part
        if not self.words:
            is_part = word in _PART_WORDS
        elif restates:  # 'Q2 (iii) 3.3'
            numbers = (*self.numbers[:-1], *new)
        elif is_question and not any(self.words):  # '| 4 | Q2.1 |'
            numbers = new
        elif is_question and is_part and re.search(r"\(|[a-z]", between):  # 'Part 1 of Q2'
            numbers, is_part = (*new, *self.numbers), False
        return _Reading(
            numbers=numbers,
            words=(*self.words, word),
            end=match.end(),
            is_part=is_part,
            has_brackets=match["inner"] is not None,
            needs_sign=is_loose and (bool(self.words) or style != "digits"),
            style=style,
        )

    def _allows_loose(self, between: str) -> bool:
        """Return whether a number without a word may follow: 'Q1 / 2:', '| 1 | 2 |', 'Q1 a:'."""
        signs = between if any(self.words) else between.strip()
        return len(self.numbers) == 1 and ":" not in between and bool(_SEPARATOR.search(signs))

    def _allows_letter(self, match: re.Match[str], *, word: str) -> bool:
        """Return whether a letter counts: 'a)' alone, 'Part A' and 'a' within a question."""
        if not self.words:
            return not word and match.string.startswith(")", match.end())
        return word in _PART_WORDS or match["single"].islower()


def read_number_label(line: str) -> NumberLabel | None:
    """Return the number of a question that a line begins with; None if it begins otherwise."""
    start = match_end(NOISE, line, 0)
    start = match_end(_OTHER_NUMBER, line, start)
    after_lead = match_end(_LEAD, line, start)
    position = match_end(_ANSWER_WORDS, line, after_lead)
    is_answer, has_lead = position > after_lead, after_lead > start
    reading, end, closed = _Reading(), position, False
    for each in _readings(line, position):
        closing = match_end(_POINTS, line, each.end)
        is_closed = each.has_brackets or _CLOSING.match(line, closing) is not None
        if is_closed or not each.needs_sign:
            reading, end, closed = each, closing, is_closed
    if not reading.words:
        return None
    numbers = reading.numbers
    has_word = any(reading.words) or is_answer
    has_name = has_word or len(numbers) > 1
    closed &= has_word or len(reading.words) == 1  # '| 1 | 2 | 0.17 |' may be a table of numbers
    is_bare = not (has_name or is_heading(line))
    if (not closed or has_lead) and (is_bare or not (is_heading(line) or len(numbers) > 1)):
        return None
    return NumberLabel(
        numbers=numbers,
        word_count=sum(word.start < end for word in split_words(line)),
        is_part=reading.is_part,
        is_answer=is_answer,
        is_bare=is_bare,
        is_closed=closed or line.lstrip().startswith(("#", "<h")),
        is_led=has_lead,
        style=reading.style,
    )


def item_numbers(item: str) -> tuple[int, ...]:
    """Return the numbers of an item's id: 'Q2.3.1' as 2, 3, 1."""
    return tuple(int(part) for part in re.findall(r"\d{1,4}", item))


def _readings(line: str, position: int) -> Iterator[_Reading]:
    """Yield the numbers at a position of a line, each time with one more."""
    reading, between = _Reading(), ""
    while len(reading.words) < _MAX_LABEL_PARTS and (match := _NUMBER.match(line, position)):
        following = reading.read_on(match, between=between)
        if following is None:
            return
        reading = following
        yield reading
        position = match_end(_BETWEEN, line, reading.end)
        between = line[reading.end : position]


def _read_numbers(match: re.Match[str]) -> tuple[int, ...]:
    first = match["number"] or match["roman"] or match["spelled"] or match["single"]
    inner = match["letter"] or match["inner"]
    numbers = [read_number(part) for part in re.split(r"[._-]", first)]
    return (*numbers, read_number(inner)) if inner else tuple(numbers)


def read_number(text: str) -> int:
    """Return 2 for '2', 'b', 'II' and 'two'."""
    if text.isdigit():
        return int(text)
    counted = (tuple("abcdefgh"), _ROMANS, _SPELLED)
    return next(c.index(text.lower()) + 1 for c in counted if text.lower() in c)


def match_end(pattern: re.Pattern[str], line: str, position: int) -> int:
    """Return where a pattern ends that begins at a position; the position where none does."""
    match = pattern.match(line, position)
    return match.end() if match else position
