"""Finds pairs of submissions with nearly the same wording, and the passages that they share.

Runs of consecutive words are compared. A run of the handout, or of many texts, is no evidence and
is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix

from grader.similarity.sentences import Span, TextToken, words

Tokenizer = Callable[[str], Iterable[TextToken]]
"""Splits a text into the tokens that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text, and the team that wrote it."""

    name: str
    """The submission's name."""
    text: str
    team: frozenset[str] = frozenset()
    """Ids of the students: two documents of one student are no pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part that is the same in both texts."""

    first: Span
    second: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarPair:
    """Two submissions with nearly the same wording."""

    first: str
    second: str
    share: float
    """The share of the shorter text's words that both have, 0 to 1."""
    words: int
    """The number of these words."""
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """Thresholds for two texts to be a similar pair."""

    run_length: int
    """Number of consecutive words that are compared as one run."""
    min_words: int
    """The least number of words that must be the same."""
    min_share: float
    """The least share of the shorter text that must be the same."""
    common_share: float
    """A run that a larger share of the class has is no evidence."""
    max_rare: int
    """A run that at most this many documents have is evidence, however small the class."""
    max_pairs: int = 200
    """The most pairs that are returned."""


PROSE = Strictness(run_length=5, min_words=14, min_share=0.35, common_share=0.1, max_rare=4)


@dataclass(frozen=True, slots=True)
class _DocumentRuns:
    """The words of one document, and the hash of the run that begins at each."""

    words: tuple[TextToken, ...]
    hashes: tuple[int, ...]
    distinctive: frozenset[int] = frozenset()

    def span(self, begin: int, end: int) -> Span:
        """Return the part of the text from word `begin` to before word `end`."""
        return Span(begin=self.words[begin].begin, end=self.words[end - 1].end)


def find_similar_pairs(
    documents: Sequence[Document],
    *,
    shared_texts: Iterable[str] = (),
    strictness: Strictness = PROSE,
    tokens: Tokenizer = words,
) -> tuple[SimilarPair, ...]:
    """Return the pairs among some texts, the most similar first.

    Args:
        documents: one for each submission.
        shared_texts: texts that all were given, such as the prompt; quoting them is not similarity.
        strictness: the thresholds.
        tokens: splits a text into the tokens that are compared.
    """
    size = strictness.run_length
    ordered = sorted(documents, key=lambda document: document.name)
    all_runs = [_runs(document.text, tokens=tokens, size=size) for document in ordered]
    shared_hashes = {
        h for text in shared_texts for h in _runs(text, tokens=tokens, size=size).hashes
    }
    distinctive = _distinctive_hashes(all_runs, shared_hashes=shared_hashes, strictness=strictness)
    runs = [replace(each, distinctive=distinctive.intersection(each.hashes)) for each in all_runs]
    pairs = (
        _pair(ordered[i], ordered[j], runs[i], runs[j], run_length=size)
        for i, j in _candidate_pairs(runs)
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
    runs: Sequence[_DocumentRuns], *, shared_hashes: set[int], strictness: Strictness
) -> frozenset[int]:
    """Return the hashes of runs that more than one document has, but only a few."""
    document_counts = Counter(h for document_runs in runs for h in set(document_runs.hashes))
    max_documents = max(strictness.max_rare, int(strictness.common_share * len(runs)))
    return frozenset(
        h for h, n in document_counts.items() if 1 < n <= max_documents and h not in shared_hashes
    )


def _candidate_pairs(runs: Sequence[_DocumentRuns]) -> Iterable[tuple[int, int]]:
    """Return pairs of documents that share a distinctive run, by one sparse product."""
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
    first: Document,
    second: Document,
    first_runs: _DocumentRuns,
    second_runs: _DocumentRuns,
    *,
    run_length: int,
) -> SimilarPair:
    shared = first_runs.distinctive & second_runs.distinctive
    first_stretches = _stretches(first_runs, shared, run_length=run_length)
    second_stretches = _stretches(second_runs, shared, run_length=run_length)
    count = min(
        sum(end - begin for begin, end in stretches)
        for stretches in (first_stretches, second_stretches)
    )
    shorter = min(len(first_runs.words), len(second_runs.words))
    stretch_by_hash: dict[int, tuple[int, int]] = {}
    for begin, end in second_stretches:
        for h in second_runs.hashes[begin:end]:
            stretch_by_hash.setdefault(h, (begin, end))
    passages = []
    for begin, end in first_stretches:
        # The stretch of the other text that holds the beginning of this one.
        stretch = stretch_by_hash.get(first_runs.hashes[begin])
        if stretch is not None:
            first_span, second_span = first_runs.span(begin, end), second_runs.span(*stretch)
            passages.append(Passage(first=first_span, second=second_span))
    return SimilarPair(
        first=first.name,
        second=second.name,
        share=min(count / max(shorter, 1), 1.0),
        words=count,
        passages=tuple(passages),
    )


def _stretches(
    runs: _DocumentRuns, shared: frozenset[int], *, run_length: int
) -> list[tuple[int, int]]:
    """Return the words that shared runs cover, as half-open intervals of their indices."""
    covered: list[tuple[int, int]] = []
    for index, h in enumerate(runs.hashes):
        if h in shared:
            if covered and index <= covered[-1][1]:
                covered[-1] = (covered[-1][0], index + run_length)
            else:
                covered.append((index, index + run_length))
    return covered
