"""Sets of embeddings, a vector for each label: what variables hold, matched with what was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.values import EQUAL_TOLERANCE, all_close, as_float64
from grader.contrastive.vector_index import LabeledVector, VectorIndex

if TYPE_CHECKING:
    from grader.model import Array, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSet:
    """One set of embeddings: a vector for each label, and the recorded output it came from."""

    name: str
    """The variable that holds them, or should."""
    vectors: Mapping[str, Numbers]
    sources: Mapping[str, LabeledVector]
    """By label, the recorded output of a module that equals the vector, where there is one."""
    in_order: bool = True
    """Whether no vector is known to be of another input than that of its label."""
    matching: frozenset[str] = frozenset()
    """The labels that an output equals, where not all of them have one."""

    @property
    def complete(self) -> bool:
        """Whether every vector is a recorded output of a module."""
        return len(self.sources) == len(self.vectors) > 0

    def stack(self, labels: tuple[str, ...]) -> Numbers:
        """Return the vectors as rows, in the order of the labels."""
        return np.stack([self.vectors[label] for label in labels])


def is_as_close(before: EmbeddingSet, after: EmbeddingSet) -> bool:
    """Return whether vectors equal those of the start as well as those made after training."""

    def distance(embeddings: EmbeddingSet, label: str) -> float:
        vector, row = embeddings.vectors[label], embeddings.sources[label].vector
        return float(np.abs(_direction(vector) - _direction(row)).max())

    return all(
        distance(before, label) <= distance(after, label) + EQUAL_TOLERANCE / 100
        for label in before.vectors
    )


def _direction(vector: Numbers) -> Numbers:
    return vector / np.linalg.norm(vector)


def match_rows(
    held: Sequence[Array],
    rows: Sequence[LabeledVector],
    *,
    labels: tuple[str, ...],
    name: str,
) -> EmbeddingSet | None:
    """Return the vectors that equal rows, by label, or None where a label has none."""
    index = VectorIndex(rows)
    sources: dict[str, LabeledVector] = {}
    vectors: dict[str, Numbers] = {}
    for vector in held:
        row = index.nearest(vector, used=frozenset(sources))
        if row is not None and row.label not in sources:
            sources[row.label] = row
            vectors[row.label] = as_float64(vector).ravel()
    if set(sources) != set(labels):
        return None
    return EmbeddingSet(
        name=name,
        vectors={label: vectors[label] for label in labels},
        sources={label: sources[label] for label in labels},
    )


def take_in_order(
    held: Sequence[Array], rows: Sequence[LabeledVector], labels: tuple[str, ...], *, name: str
) -> EmbeddingSet:
    """Return vectors that are no module's output, in the handout's order where they are as many."""
    vectors = [as_float64(vector).ravel() for vector in held]
    fits = len(vectors) == len(labels) and len({vector.size for vector in vectors}) == 1
    index = VectorIndex(rows)
    named = dict(zip(labels, vectors, strict=True)) if fits else {}
    sources = {label: index.nearest(vector) for label, vector in named.items()}
    in_order = all(row is None or row.label == label for label, row in sources.items())
    nearest = [index.nearest(vector) for vector in vectors]
    matching = frozenset(row.label for row in nearest if row is not None)
    return EmbeddingSet(name=name, vectors=named, sources={}, in_order=in_order, matching=matching)


def point_alike(held: EmbeddingSet, shown: EmbeddingSet) -> bool:
    """Return whether two sets have the same similarities, vector by vector."""
    return held.vectors.keys() == shown.vectors.keys() and all(
        vector.size == shown.vectors[label].size
        and all_close(_direction(vector), _direction(shown.vectors[label]), atol=EQUAL_TOLERANCE)
        for label, vector in held.vectors.items()
    )
