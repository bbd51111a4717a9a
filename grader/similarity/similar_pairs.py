"""Pairs of submissions whose wording is nearly the same, with the passages side by side.

Compared are runs of consecutive words. A run that stands in the handout, or that many have,
says nothing about two of them and is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from grader.similarity.sentences import Span, Word, words

Tokens = Callable[[str], Iterable[Word]]
"""A text to what is compared of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text and whose it is."""

    name: str
    """The submission."""
    text: str
    team: frozenset[str] = frozenset()
    """Ids of the students: two documents of one student are no pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What is the same: where it stands in the one text, and where in the other."""

    one: Span
    other: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two submissions with nearly the same wording."""

    one: str
    other: str
    share: float
    """Of the shorter text's words, the part that stands in both; 0 to 1."""
    words: int
    """How many words that is."""
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """From when two texts are called a pair."""

    run: int
    """Consecutive words that are compared as one."""
    least: int
    """Words that must be the same."""
    share: float
    """Part of the shorter text that must be the same."""
    common: float
    """Part of the class from which on a run is common property."""
    few: int
    """Documents up to which it never is."""
    most: int = 200
    """Pairs that are told, those with the most words first."""


PROSE = Strictness(run=5, least=14, share=0.35, common=0.1, few=4)


@dataclass(frozen=True, slots=True)
class _Runs:
    """The runs of one document: the hash of each, by the place of its first word."""

    words: tuple[Word, ...]
    hashes: tuple[int, ...]
    known: frozenset[int] = field(default_factory=frozenset)


def find_similar_pairs(
    documents: Sequence[Document],
    *,
    given: Iterable[str] = (),
    strictness: Strictness = PROSE,
    tokens: Tokens = words,
) -> tuple[Pair, ...]:
    """The pairs among some texts, the most alike first.

    Args:
        documents: one each submission.
        given: texts that all had before them, such as the prompt; quoting them is no likeness.
        strictness: from when two are a pair.
        tokens: what is compared of a text.
    """
    ordered = sorted(documents, key=lambda document: document.name)
    runs = [_runs(document.text, tokens=tokens, size=strictness.run) for document in ordered]
    handout = {h for text in given for h in _runs(text, tokens=tokens, size=strictness.run).hashes}
    telling = _telling(runs, handout=handout, strictness=strictness)
    kept = [_Runs(r.words, r.hashes, frozenset(r.hashes) & telling) for r in runs]
    found = (
        _pair(ordered[i], ordered[j], kept[i], kept[j], run=strictness.run)
        for i, j in _candidates(kept)
        if not ordered[i].team & ordered[j].team
    )
    alike = [p for p in found if p.words >= strictness.least and p.share >= strictness.share]
    alike.sort(key=lambda pair: (-pair.words * pair.share, pair.one, pair.other))
    return tuple(alike[: strictness.most])


def _runs(text: str, *, tokens: Tokens, size: int) -> _Runs:
    found = tuple(tokens(text))
    said = [word.said for word in found]
    hashes = tuple(hash(tuple(said[at : at + size])) for at in range(len(said) - size + 1))
    return _Runs(found, hashes)


def _telling(runs: Sequence[_Runs], *, handout: set[int], strictness: Strictness) -> frozenset[int]:
    """Runs that stand in more than one document, and in few."""
    holders = Counter(h for one in runs for h in set(one.hashes))
    most = max(strictness.few, int(strictness.common * len(runs)))
    return frozenset(h for h, n in holders.items() if 1 < n <= most and h not in handout)


def _candidates(runs: Sequence[_Runs]) -> Iterable[tuple[int, int]]:
    """Pairs of documents that share a telling run; found by one sparse product."""
    places: dict[int, int] = {}
    rows, columns = [], []
    for row, one in enumerate(runs):
        for h in one.known:
            rows.append(row)
            columns.append(places.setdefault(h, len(places)))
    if not rows:
        return []
    shape = (len(runs), len(places))
    held = csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    shared = (held @ held.T).tocoo()
    upper = shared.row < shared.col
    return sorted(zip(shared.row[upper].tolist(), shared.col[upper].tolist(), strict=True))


def _pair(one: Document, other: Document, mine: _Runs, theirs: _Runs, *, run: int) -> Pair:
    shared = mine.known & theirs.known
    first, second = _stretches(mine, shared, run=run), _stretches(theirs, shared, run=run)
    counts = [sum(end - begin for begin, end in found) for found in (first, second)]
    shorter = min(len(mine.words), len(theirs.words))
    return Pair(
        one=one.name,
        other=other.name,
        share=min(min(counts) / max(shorter, 1), 1.0),
        words=min(counts),
        passages=_passages(mine, theirs, first=first, second=second),
    )


def _stretches(runs: _Runs, shared: frozenset[int], *, run: int) -> list[tuple[int, int]]:
    """Places of words that shared runs cover, as half-open stretches."""
    covered: list[tuple[int, int]] = []
    for at, h in enumerate(runs.hashes):
        if h in shared:
            if covered and at <= covered[-1][1]:
                covered[-1] = (covered[-1][0], at + run)
            else:
                covered.append((at, at + run))
    return covered


def _passages(
    mine: _Runs,
    theirs: _Runs,
    *,
    first: Sequence[tuple[int, int]],
    second: Sequence[tuple[int, int]],
) -> tuple[Passage, ...]:
    """Each stretch of the one text beside the stretch of the other that holds its beginning."""
    where: dict[int, tuple[int, int]] = {}
    for begin, end in second:
        for at in range(begin, min(end, len(theirs.hashes))):
            where.setdefault(theirs.hashes[at], (begin, end))
    found = []
    for begin, end in first:
        beside = where.get(mine.hashes[begin])
        if beside is not None:
            found.append(Passage(one=_span(mine, (begin, end)), other=_span(theirs, beside)))
    return tuple(found)


def _span(runs: _Runs, stretch: tuple[int, int]) -> Span:
    begin, end = stretch
    return Span(begin=runs.words[begin].begin, end=runs.words[end - 1].end)
