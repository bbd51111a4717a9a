"""For each criterion, the sentence of an answer that most likely meets it; never a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from grader.model import Criterion, Item, Numbers
from grader.similarity.sentences import Span, sentences

SAID_FROM = 0.35
"""Confidence below which nothing is suggested."""
LIKELY = 0.5
"""Confidence from which on a criterion counts as suggested, when agreement is measured."""
ALIKE = 0.45
"""The cosine with a criterion's words that is as good as certain: no sentence is its copy."""
KEYWORD = 0.45
"""What one keyword is worth of what is left to certainty."""
MOST_SENTENCES = 60
"""Of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Where an answer may meet a criterion."""

    criterion: str
    span: Span
    """The sentence."""
    confidence: float
    """0 to 1; made of words alone, so no probability."""


def suggestions(item: Item, *, answers: Mapping[str, str]) -> Mapping[str, tuple[Suggestion, ...]]:
    """What may meet the criteria of an item, in the answers of a class.

    Args:
        item: with its criteria, their keywords and what a good answer says.
        answers: the text of each submission.

    Returns:
        By submission, at most one suggestion a criterion, in the criteria's order.
    """
    found: dict[str, list[Suggestion]] = {name: [] for name in sorted(answers)}
    places = [
        (name, span) for name in found for span in list(sentences(answers[name]))[:MOST_SENTENCES]
    ]
    if places and item.criteria:
        said = [answers[name][span.begin : span.end] for name, span in places]
        for criterion, scores in _scored(item, said):
            for name, at in _best(places, scores).items():
                if scores[at] >= SAID_FROM:
                    confidence = round(float(scores[at]), 2)
                    suggestion = Suggestion(
                        criterion=criterion.id, span=places[at][1], confidence=confidence
                    )
                    found[name].append(suggestion)
    return {name: tuple(its) for name, its in found.items()}


def _scored(item: Item, said: Sequence[str]) -> list[tuple[Criterion, Numbers]]:
    """Of each criterion, how well each sentence meets it, 0 to 1."""
    model = [item.good_answer[s.begin : s.end] for s in sentences(item.good_answer)]
    wanted = [" ".join((c.text, *c.keywords)) for c in item.criteria]
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=60_000
    )
    try:
        vectorizer.fit([*said, *wanted, *model])
    except ValueError:  # not one letter in all of it
        return []
    theirs, ours, good = (vectorizer.transform(texts or [""]) for texts in (said, wanted, model))
    near = (theirs @ ours.T).toarray()
    if model:
        # What the model answer says to a criterion, in the words of the model answer.
        belongs = (good @ ours.T).toarray().argmax(axis=0)
        near = np.maximum(near, (theirs @ good[belongs].T).toarray())
    return [
        (criterion, _confidence(near[:, at], said, criterion.keywords))
        for at, criterion in enumerate(item.criteria)
    ]


def _confidence(near: Numbers, said: Sequence[str], keywords: Sequence[str]) -> Numbers:
    by_words = np.clip(near / ALIKE, 0, 1)
    if not keywords:
        return by_words
    lowered = [text.casefold() for text in said]
    hits = np.array([sum(word.casefold() in text for word in keywords) for text in lowered])
    by_keywords = 1 - (1 - KEYWORD) ** hits
    found: Numbers = 0.5 * by_words + 0.5 * by_keywords
    return found


def _best(places: Sequence[tuple[str, Span]], scores: Numbers) -> Mapping[str, int]:
    """The place of each submission's best sentence; the first of equals."""
    best: dict[str, int] = {}
    for at, (name, _) in enumerate(places):
        if name not in best or scores[at] > scores[best[name]]:
            best[name] = at
    return best
