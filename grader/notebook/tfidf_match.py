"""Tells which prompt a line is about, by the words that tell the prompts from one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import log, sqrt

from grader.notebook.markdown_words import words

LEAST = 0.5
"""The cosine from which a line is taken for a retyped prompt."""
MARGIN = 0.15
"""By how much it must be better than the next."""
_SHORTEST, _LONGEST = 5, 80
_TELLING = 3
"""Letters of a word that says something."""


class Sense:
    """The prompts of a rubric as weighted sets of words: rare ones count most."""

    def __init__(self, prompts: Mapping[str, str]) -> None:
        self._said = {item: _telling(prompt) for item, prompt in prompts.items()}
        common = Counter(word for said in set(self._said.values()) for word in said)
        count = 1 + len(self._said)
        self._weights = {word: log(count / (1 + n)) + 1 for word, n in common.items()}
        self._unknown = log(count) + 1

    def _length(self, said: frozenset[str]) -> float:
        return sqrt(sum(self._weights.get(word, self._unknown) ** 2 for word in said))

    def _cosine(self, one: frozenset[str], other: frozenset[str]) -> float:
        shared = sum(self._weights.get(word, self._unknown) ** 2 for word in one & other)
        lengths = self._length(one) * self._length(other)
        return shared / lengths if lengths else 0.0

    def best(
        self, items: Sequence[str], *, lines: Sequence[tuple[int, str]]
    ) -> Iterator[tuple[str, int, float]]:
        """The line that is about each item, where there is one and no other comes near it.

        Args:
            items: Those that are looked for.
            lines: Numbers and texts of lines.

        Yields:
            Item, number of the line, and their cosine; no line twice.
        """
        told = [(number, _telling(text)) for number, text in lines if _is_sentence(text)]
        shares: dict[int, dict[str, float]] = {}
        for number, said in told:
            found = {item: self._cosine(said, own) for item, own in self._said.items()}
            if max(found.values(), default=0.0) >= LEAST:
                shares[number] = found
        for item in items:
            ranked = sorted(((found[item], number) for number, found in shares.items()))[::-1]
            if not ranked:
                continue
            share, number = ranked[0]
            others = [value for other, value in shares[number].items() if other != item]
            rivals = [*others, *(value for value, _ in ranked[1:2])]
            if share >= LEAST and share - max(rivals, default=0.0) >= MARGIN:
                yield item, number, round(share, 3)
                del shares[number]


def _is_sentence(text: str) -> bool:
    return len(text) < 100 * _LONGEST and _SHORTEST <= len(words(text)) <= _LONGEST


def _telling(text: str) -> frozenset[str]:
    return frozenset(word.text for word in words(text) if len(word.text) >= _TELLING)
