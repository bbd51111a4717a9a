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

from grader.similarity.sentences import Span, TextToken, words

Tokenizer = Callable[[str], Iterable[TextToken]]
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

    first: Span
    second: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarPair:
    """Two submissions with nearly the same wording."""

    first: str
    second: str
    share: float
    """Of the shorter text's words, the part that stands in both; 0 to 1."""
    words: int
    """How many words that is."""
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """From when two texts are called a pair."""

    run_length: int
    """Consecutive words that are compared as one."""
    min_words: int
    """Words that must be the same."""
    min_share: float
    """Part of the shorter text that must be the same."""
    common_share: float
    """Part of the class from which on a run is common property."""
    max_rare: int
    """Documents up to which it never is."""
    max_pairs: int = 200
    """Pairs that are told, those with the most words first."""


PROSE = Strictness(run_length=5, min_words=14, min_share=0.35, common_share=0.1, max_rare=4)


@dataclass(frozen=True, slots=True)
class _DocumentRuns:
    """The runs of one document: the hash of each, by the place of its first word."""

    words: tuple[TextToken, ...]
    hashes: tuple[int, ...]
    distinctive: frozenset[int] = field(default_factory=frozenset)


def find_similar_pairs(
    documents: Sequence[Document],
    *,
    shared_texts: Iterable[str] = (),
    strictness: Strictness = PROSE,
    tokens: Tokenizer = words,
) -> tuple[SimilarPair, ...]:
    """The pairs among some texts, the most alike first.

    Args:
        documents: one each submission.
        shared_texts: texts that all had before them, such as the prompt; quoting them is no likeness.
        strictness: from when two are a pair.
        tokens: what is compared of a text.
    """
    ordered = sorted(documents, key=lambda document: document.name)
    runs = [_runs(document.text, tokens=tokens, size=strictness.run_length) for document in ordered]
    handout = {
        h
        for text in shared_texts
        for h in _runs(text, tokens=tokens, size=strictness.run_length).hashes
    }
    distinctive = _distinctive_hashes(runs, handout=handout, strictness=strictness)
    distinctive_runs = [
        _DocumentRuns(r.words, r.hashes, frozenset(r.hashes) & distinctive) for r in runs
    ]
    pairs = (
        _pair(
            ordered[i],
            ordered[j],
            distinctive_runs[i],
            distinctive_runs[j],
            run_length=strictness.run_length,
        )
        for i, j in _candidate_pairs(distinctive_runs)
        if not ordered[i].team & ordered[j].team
    )
    similar = [
        p for p in pairs if p.words >= strictness.min_words and p.share >= strictness.min_share
    ]
    similar.sort(key=lambda pair: (-pair.words * pair.share, pair.first, pair.second))
    return tuple(similar[: strictness.max_pairs])


def _runs(text: str, *, tokens: Tokenizer, size: int) -> _DocumentRuns:
    text_tokens = tuple(tokens(text))
    normalized = [word.normalized for word in text_tokens]
    hashes = tuple(
        hash(tuple(normalized[start : start + size])) for start in range(len(normalized) - size + 1)
    )
    return _DocumentRuns(text_tokens, hashes)


def _distinctive_hashes(
    runs: Sequence[_DocumentRuns], *, handout: set[int], strictness: Strictness
) -> frozenset[int]:
    """Runs that stand in more than one document, and in few."""
    document_counts = Counter(h for document_runs in runs for h in set(document_runs.hashes))
    max_documents = max(strictness.max_rare, int(strictness.common_share * len(runs)))
    return frozenset(
        h for h, n in document_counts.items() if 1 < n <= max_documents and h not in handout
    )


def _candidate_pairs(runs: Sequence[_DocumentRuns]) -> Iterable[tuple[int, int]]:
    """Pairs of documents that share a telling run; found by one sparse product."""
    column_by_hash: dict[int, int] = {}
    rows, columns = [], []
    for row, document_runs in enumerate(runs):
        for h in document_runs.distinctive:
            rows.append(row)
            columns.append(column_by_hash.setdefault(h, len(column_by_hash)))
    if not rows:
        return []
    shape = (len(runs), len(column_by_hash))
    incidence = csr_matrix((np.ones(len(rows), dtype=np.int32), (rows, columns)), shape=shape)
    shared = (incidence @ incidence.T).tocoo()
    upper = shared.row < shared.col
    return sorted(zip(shared.row[upper].tolist(), shared.col[upper].tolist(), strict=True))


def _pair(
    first_document: Document,
    second_document: Document,
    first_runs: _DocumentRuns,
    second_runs: _DocumentRuns,
    *,
    run_length: int,
) -> SimilarPair:
    shared = first_runs.distinctive & second_runs.distinctive
    first_stretches, second_stretches = (
        _stretches(first_runs, shared, run_length=run_length),
        _stretches(second_runs, shared, run_length=run_length),
    )
    counts = [
        sum(end - begin for begin, end in stretches)
        for stretches in (first_stretches, second_stretches)
    ]
    shorter = min(len(first_runs.words), len(second_runs.words))
    return SimilarPair(
        first=first_document.name,
        second=second_document.name,
        share=min(min(counts) / max(shorter, 1), 1.0),
        words=min(counts),
        passages=_passages(
            first_runs,
            second_runs,
            first_stretches=first_stretches,
            second_stretches=second_stretches,
        ),
    )


def _stretches(
    runs: _DocumentRuns, shared: frozenset[int], *, run_length: int
) -> list[tuple[int, int]]:
    """Places of words that shared runs cover, as half-open stretches."""
    covered: list[tuple[int, int]] = []
    for index, h in enumerate(runs.hashes):
        if h in shared:
            if covered and index <= covered[-1][1]:
                covered[-1] = (covered[-1][0], index + run_length)
            else:
                covered.append((index, index + run_length))
    return covered


def _passages(
    first_runs: _DocumentRuns,
    second_runs: _DocumentRuns,
    *,
    first_stretches: Sequence[tuple[int, int]],
    second_stretches: Sequence[tuple[int, int]],
) -> tuple[Passage, ...]:
    """Each stretch of the one text beside the stretch of the other that holds its beginning."""
    stretch_by_hash: dict[int, tuple[int, int]] = {}
    for begin, end in second_stretches:
        for index in range(begin, min(end, len(second_runs.hashes))):
            stretch_by_hash.setdefault(second_runs.hashes[index], (begin, end))
    passages = []
    for begin, end in first_stretches:
        counterpart = stretch_by_hash.get(first_runs.hashes[begin])
        if counterpart is not None:
            passages.append(
                Passage(
                    first=_span(first_runs, (begin, end)), second=_span(second_runs, counterpart)
                )
            )
    return tuple(passages)


def _span(runs: _DocumentRuns, stretch: tuple[int, int]) -> Span:
    begin, end = stretch
    return Span(begin=runs.words[begin].begin, end=runs.words[end - 1].end)
