"""Finds the example that each answer uses, and the submissions that share it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from grader.similarity.sentences import all_stems, sentences, stem, words

SHOWN_WORDS = 3
"""The most words that are shown for an example."""
COMPARED_WORDS = 6
"""The most words by which two examples are compared."""
COMMON_SHARE = 0.4
"""A word that a larger share of the class uses belongs to the subject, not to an example."""
MIN_LETTERS = 4
"""The least letters of a word that can identify an example."""
_CUE = re.compile(
    r"\b(?:for (?:example|instance)|e\.\s?g\.|such as|an? (?:real.world )?example|consider|imagine"
    r"|suppose|in the (?:case|field|area) of|one (?:example|case|application))\b",
    re.IGNORECASE,
)
_STOP_STEMS = frozenset(stem(word) for word in ENGLISH_STOP_WORDS) | frozenset(
    map(stem, ("example", "instance", "real", "world", "case", "consider", "imagine", "suppose"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """The example of one answer."""

    words: tuple[str, ...]
    """The words that identify it, as written; empty where there is no example."""
    shared_by: tuple[str, ...]
    """Other submissions that use the same example."""


def find_examples(
    answers: Mapping[str, str], *, subject_texts: Iterable[str] = (), vocabulary: Sequence[str] = ()
) -> Mapping[str, Example]:
    """Return the example of each answer, with the submissions that share it.

    Args:
        answers: the text of each submission.
        subject_texts: texts whose words belong to the subject: the prompt, the model answer.
        vocabulary: words that course staff expect, which are preferred.
    """
    names = sorted(answers)
    left_out = _STOP_STEMS | all_stems(subject_texts)
    favored = frozenset(stem(word) for word in vocabulary)
    candidates = {
        name: _example_words(answers[name], left_out=left_out - favored) for name in names
    }
    usage_counts = Counter(
        word_stem for answer_candidates in candidates.values() for word_stem in answer_candidates
    )
    ranked = {
        name: _rank_stems(
            answer_candidates, usage_counts=usage_counts, class_size=len(names), favored=favored
        )
        for name, answer_candidates in candidates.items()
    }
    names_by_stem: dict[str, list[str]] = {}
    for name in names:
        for word_stem in ranked[name]:
            names_by_stem.setdefault(word_stem, []).append(name)
    return {
        name: Example(
            words=tuple(
                candidates[name][word_stem].written for word_stem in ranked[name][:SHOWN_WORDS]
            ),
            shared_by=_names_sharing(name, ranked, names_by_stem=names_by_stem),
        )
        for name in names
    }


def _names_sharing(
    name: str, ranked: Mapping[str, Sequence[str]], *, names_by_stem: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    others = {other for word_stem in ranked[name] for other in names_by_stem[word_stem]} - {name}
    return tuple(sorted(other for other in others if _same_example(ranked[name], ranked[other])))


@dataclass(slots=True)
class _ExampleWord:
    """A word that may identify an example."""

    written: str
    weight: float = 0.0


def _example_words(text: str, *, left_out: frozenset[str]) -> Mapping[str, _ExampleWord]:
    """Weigh words by how often they occur; where an example is announced they count more."""
    candidates: dict[str, _ExampleWord] = {}
    announced = [s for s in sentences(text) if _CUE.search(text[s.begin : s.end])]
    for word in words(text):
        if (
            word.normalized in left_out
            or len(word.normalized) < MIN_LETTERS
            or not word.normalized.isalpha()
        ):
            continue
        candidate = candidates.setdefault(
            word.normalized, _ExampleWord(text[word.begin : word.end].lower())
        )
        in_announcement = any(s.begin <= word.begin < s.end for s in announced)
        candidate.weight += 3.0 if in_announcement else 1.0
    return candidates


def _rank_stems(
    candidates: Mapping[str, _ExampleWord],
    *,
    usage_counts: Counter[str],
    class_size: int,
    favored: frozenset[str],
) -> list[str]:
    max_users = max(COMMON_SHARE * class_size, 2)

    def rank(word_stem: str) -> tuple[bool, float, str]:
        rarity = float(np.log1p(class_size / usage_counts[word_stem]))
        return word_stem not in favored, -np.sqrt(candidates[word_stem].weight) * rarity, word_stem

    distinctive = [
        word_stem
        for word_stem in candidates
        if usage_counts[word_stem] <= max_users or word_stem in favored
    ]
    return sorted(distinctive, key=rank)[:COMPARED_WORDS]


def _same_example(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether two words are shared, or each one's first is among the other's first two."""
    shared = set(first) & set(second)
    foremost = bool(first) and bool(second) and (first[0] in second[:2] and second[0] in first[:2])
    return len(shared) > 1 or foremost
