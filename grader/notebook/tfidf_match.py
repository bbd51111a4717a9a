"""Tells which prompt a line is about, by the words that tell the prompts from one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log, sqrt

from grader.notebook.markdown_words import split_words

MIN_COSINE = 0.5
"""The cosine from which a line is taken for a retyped prompt."""
MIN_MARGIN = 0.15
"""By how much it must be better than the next."""
_MIN_WORDS, _MAX_WORDS = 5, 80
_MIN_LETTERS = 3
"""Letters of a word that says something."""


class TfidfMatcher:
    """The prompts of a rubric as weighted sets of words: rare ones count most."""

    def __init__(self, prompts: Mapping[str, str]) -> None:
        self._prompt_words = {item: _content_words(prompt) for item, prompt in prompts.items()}
        common = Counter(
            word for prompt_words in set(self._prompt_words.values()) for word in prompt_words
        )
        count = 1 + len(self._prompt_words)
        self._weights = {
            word: log(count / (1 + prompt_count)) + 1 for word, prompt_count in common.items()
        }
        self._unknown = log(count) + 1

    def _length(self, word_set: frozenset[str]) -> float:
        return sqrt(sum(self._weights.get(word, self._unknown) ** 2 for word in word_set))

    def _cosine(self, left: frozenset[str], right: frozenset[str]) -> float:
        shared = sum(self._weights.get(word, self._unknown) ** 2 for word in left & right)
        lengths = self._length(left) * self._length(right)
        return shared / lengths if lengths else 0.0

    def best_lines(
        self, items: Sequence[str], *, lines: Sequence[tuple[int, str]]
    ) -> Iterator[tuple[str, int, float]]:
        """The line that is about each item, where there is one and no other comes near it.

        Args:
            items: Those that are looked for.
            lines: Numbers and texts of lines.

        Yields:
            Item, number of the line, and their cosine; no line twice.
        """
        line_words = [
            (number, _content_words(text)) for number, text in lines if _is_sentence(text)
        ]
        cosines_by_line: dict[int, dict[str, float]] = {}
        for number, word_set in line_words:
            cosines = {
                item: self._cosine(word_set, prompt_words)
                for item, prompt_words in self._prompt_words.items()
            }
            if max(cosines.values(), default=0.0) >= MIN_COSINE:
                cosines_by_line[number] = cosines
        for item in items:
            ranked = sorted(
                ((cosines[item], number) for number, cosines in cosines_by_line.items())
            )[::-1]
            if not ranked:
                continue
            cosine, number = ranked[0]
            others = [value for other, value in cosines_by_line[number].items() if other != item]
            rivals = [*others, *(value for value, _ in ranked[1:2])]
            if cosine >= MIN_COSINE and cosine - max(rivals, default=0.0) >= MIN_MARGIN:
                yield item, number, round(cosine, 3)
                del cosines_by_line[number]


def _is_sentence(text: str) -> bool:
    return len(text) < 100 * _MAX_WORDS and _MIN_WORDS <= len(split_words(text)) <= _MAX_WORDS


def _content_words(text: str) -> frozenset[str]:
    return frozenset(word.text for word in split_words(text) if len(word.text) >= _MIN_LETTERS)
