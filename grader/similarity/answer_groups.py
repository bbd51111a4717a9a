"""Groups answers with similar wording, so that they can be marked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

from grader.model import Array, Numbers
from grader.similarity.sentences import stems

MAX_DISTANCE = 0.7
"""The largest mean distance, 1 minus the cosine, between the answers of a group."""
BATCH_SIZE = 2000
"""The most answers that are compared with each other; more are grouped in batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityGroup:
    """Similar answers."""

    names: tuple[str, ...]
    """The submissions, the one that is most similar to all others first."""
    closeness: float
    """The mean cosine between two of them; 1 for a single answer."""
    empty: bool = False
    """Whether the answers are empty or unchanged."""


def group_answers(answers: Mapping[str, str]) -> tuple[SimilarityGroup, ...]:
    """Group the answers of a class to one item: the largest group first, empty answers last.

    Args:
        answers: the text of each submission, without the handout's own words.
    """
    stems_by_name = {name: stems(answers[name]) for name in sorted(answers)}
    nonempty = [name for name, stem_list in stems_by_name.items() if stem_list]
    empty = tuple(name for name, stem_list in stems_by_name.items() if not stem_list)
    groups = [
        group
        for start in range(0, len(nonempty), BATCH_SIZE)
        for group in _groups(nonempty[start : start + BATCH_SIZE], stems_by_name)
    ]
    groups.sort(key=lambda group: (-len(group.names), -group.closeness, group.names))
    empty_group = (SimilarityGroup(names=empty, closeness=1.0, empty=True),) if empty else ()
    return (*groups, *empty_group)


def _groups(
    names: Sequence[str], stems_by_name: Mapping[str, Sequence[str]]
) -> list[SimilarityGroup]:
    if len(names) == 1:
        return [SimilarityGroup(names=(names[0],), closeness=1.0)]
    cosines = _cosines([stems_by_name[name] for name in names])
    cluster = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=MAX_DISTANCE
    )
    labels = cluster.fit_predict(np.clip(1 - cosines, 0, None))
    return [_group(names, cosines, np.flatnonzero(labels == label)) for label in set(labels)]


def _cosines(texts: Sequence[Sequence[str]]) -> Numbers:
    """Return cosines, 0 to 1, by words and pairs of words; shape (texts, texts)."""
    vectors = TfidfVectorizer(analyzer=_terms, sublinear_tf=True).fit_transform(texts)
    cosines: Numbers = (vectors @ vectors.T).toarray()
    np.fill_diagonal(cosines, 1.0)
    return cosines


def _terms(stem_list: Sequence[str]) -> list[str]:
    return [*stem_list, *map(" ".join, pairwise(stem_list))]


def _group(names: Sequence[str], cosines: Numbers, members: Array) -> SimilarityGroup:
    cosines_within = cosines[np.ix_(members, members)]
    size = len(members)
    order = sorted(
        range(size), key=lambda index: (-round(float(cosines_within[index].sum()), 9), index)
    )
    closeness = 1.0 if size == 1 else float((cosines_within.sum() - size) / (size * (size - 1)))
    return SimilarityGroup(
        names=tuple(names[members[index]] for index in order), closeness=closeness
    )
