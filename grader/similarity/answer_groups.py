"""Answers that say much the same in much the same words, in groups that can be marked at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

from grader.model import Array, Numbers
from grader.similarity.sentences import stems

FAR = 0.7
"""Mean distance (1 less the cosine) from which on answers are not of one group."""
CROWD = 2000
"""Answers that are compared each with each; more are taken in parts of that size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Answers that are alike."""

    names: tuple[str, ...]
    """The submissions, the one that is most like all others first."""
    closeness: float
    """The mean cosine of two of them; 1 for one alone."""
    empty: bool = False
    """Whether they say nothing: an empty or unchanged answer."""


def alike(answers: Mapping[str, str], *, far: float = FAR) -> tuple[Group, ...]:
    """The answers of a class to one item in groups, the largest first, empty ones at the end.

    Args:
        answers: the text of each submission, what the handout says removed.
        far: from what distance on two are not alike.
    """
    found = {name: stems(answers[name]) for name in sorted(answers)}
    said = [name for name, its in found.items() if its]
    empty = tuple(name for name, its in found.items() if not its)
    groups = [
        group
        for at in range(0, len(said), CROWD)
        for group in _groups(said[at : at + CROWD], found, far=far)
    ]
    groups.sort(key=lambda group: (-len(group.names), -group.closeness, group.names))
    nothing = (Group(names=empty, closeness=1.0, empty=True),) if empty else ()
    return (*groups, *nothing)


def _groups(names: Sequence[str], said: Mapping[str, Sequence[str]], *, far: float) -> list[Group]:
    if len(names) == 1:
        return [Group(names=(names[0],), closeness=1.0)]
    if not names:
        return []
    cosines = _cosines([said[name] for name in names])
    cluster = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=far
    )
    labels = cluster.fit_predict(np.clip(1 - cosines, 0, None))
    return [_group(names, cosines, np.flatnonzero(labels == label)) for label in set(labels)]


def _cosines(texts: Sequence[Sequence[str]]) -> Numbers:
    """How alike two of some texts are, 0 to 1, by words and pairs of words: (texts, texts)."""
    vectors = TfidfVectorizer(analyzer=_terms, sublinear_tf=True).fit_transform(texts)
    found: Numbers = (vectors @ vectors.T).toarray()
    np.fill_diagonal(found, 1.0)
    return found


def _terms(said: Sequence[str]) -> list[str]:
    return [*said, *map(" ".join, pairwise(said))]


def _group(names: Sequence[str], cosines: Numbers, members: Array) -> Group:
    among = cosines[np.ix_(members, members)]
    size = len(members)
    order = sorted(range(size), key=lambda at: (-round(float(among[at].sum()), 9), at))
    closeness = 1.0 if size == 1 else float((among.sum() - size) / (size * (size - 1)))
    return Group(names=tuple(names[members[at]] for at in order), closeness=closeness)
