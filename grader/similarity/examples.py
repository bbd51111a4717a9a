"""Which example an answer uses, where the item asks for one, and how many use the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from grader.similarity.sentences import all_stems, sentences, stem, words

TOLD = 3
"""Words that stand for an example."""
COMPARED = 6
"""Words that two examples are compared by."""
COMMON = 0.4
"""Part of the class from which on a word belongs to the subject, not to an example."""
SHORTEST = 4
"""Letters of a word that can stand for an example; of three where an answer has no other."""
_CUE = re.compile(
    r"\b(?:for (?:example|instance)|e\.\s?g\.|such as|an? (?:real.world )?example|consider|imagine"
    r"|suppose|in the (?:case|field|area) of|one (?:example|case|application))\b",
    re.IGNORECASE,
)
_STOPPED = frozenset(stem(word) for word in ENGLISH_STOP_WORDS) | frozenset(
    map(stem, ("example", "instance", "real", "world", "case", "consider", "imagine", "suppose"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """The example of one answer."""

    words: tuple[str, ...]
    """What stands for it, as it was written; empty where none was found."""
    shared_by: tuple[str, ...]
    """Other submissions that use the same."""


def examples_used(
    answers: Mapping[str, str], *, known: Iterable[str] = (), vocabulary: Sequence[str] = ()
) -> Mapping[str, Example]:
    """The example of each answer, and who shares it.

    Args:
        answers: the text of each submission.
        known: texts whose words belong to the subject: the prompt, the model answer.
        vocabulary: words that are looked for before all others, where course staff know them.
    """
    names = sorted(answers)
    left_out = _STOPPED | all_stems(known)
    favoured = frozenset(stem(word) for word in vocabulary)
    found = {name: _candidates(answers[name], left_out=left_out - favoured) for name in names}
    holders = Counter(said for one in found.values() for said in one)
    ranked = {
        name: _ranked(one, holders=holders, of=len(names), favoured=favoured)
        for name, one in found.items()
    }
    having: dict[str, list[str]] = {}
    for name in names:
        for said in ranked[name]:
            having.setdefault(said, []).append(name)
    return {
        name: Example(
            words=tuple(found[name][said].written for said in ranked[name][:TOLD]),
            shared_by=_sharing(name, ranked, having=having),
        )
        for name in names
    }


def _sharing(
    name: str, ranked: Mapping[str, Sequence[str]], *, having: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    near = {other for said in ranked[name] for other in having[said]} - {name}
    return tuple(sorted(other for other in near if _same(ranked[name], ranked[other])))


@dataclass(slots=True)
class _Candidate:
    """A word that may stand for an example."""

    written: str
    weight: float = 0.0


def _candidates(text: str, *, left_out: frozenset[str]) -> Mapping[str, _Candidate]:
    """Words by how much they are dwelt on; those where an example is announced count more."""
    found: dict[str, _Candidate] = {}
    announced = [s for s in sentences(text) if _CUE.search(text[s.begin : s.end])]
    for word in words(text):
        if word.said in left_out or len(word.said) < SHORTEST or not word.said.isalpha():
            continue
        one = found.setdefault(word.said, _Candidate(text[word.begin : word.end].lower()))
        inside = any(s.begin <= word.begin < s.end for s in announced)
        one.weight += 3.0 if inside else 1.0
    return found


def _ranked(
    found: Mapping[str, _Candidate],
    *,
    holders: Counter[str],
    of: int,
    favoured: frozenset[str],
) -> list[str]:
    most = max(COMMON * of, 2)

    def rank(said: str) -> tuple[bool, float, str]:
        rare = float(np.log1p(of / holders[said]))
        return said not in favoured, -np.sqrt(found[said].weight) * rare, said

    telling = [said for said in found if holders[said] <= most or said in favoured]
    return sorted(telling, key=rank)[:COMPARED]


def _same(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Two words in common, or the very first one of both among the other's foremost."""
    shared = set(mine) & set(theirs)
    foremost = bool(mine) and bool(theirs) and (mine[0] in theirs[:2] and theirs[0] in mine[:2])
    return len(shared) > 1 or foremost
