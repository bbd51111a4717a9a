"""Suggests the sentence of an answer that most likely meets a criterion; never gives a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from grader.model import Criterion, Item, Numbers
from grader.similarity.sentences import Span, sentences

MIN_CONFIDENCE = 0.35
"""The least confidence of a suggestion."""
LIKELY = 0.5
"""The least confidence at which a criterion counts as suggested when agreement is measured."""
CERTAIN_COSINE = 0.45
"""The cosine with a criterion's words that counts as certain, since no sentence copies it."""
KEYWORD_WEIGHT = 0.45
"""The share of the remaining uncertainty that one keyword removes."""
MOST_SENTENCES = 60
"""The most sentences of one answer that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A sentence of an answer that may meet a criterion."""

    criterion: str
    span: Span
    confidence: float
    """0 to 1, from words alone; not a probability."""


def find_suggestions(
    item: Item, *, answers: Mapping[str, str]
) -> Mapping[str, tuple[Suggestion, ...]]:
    """Return the sentences that may meet the criteria of an item, in the answers of a class.

    Args:
        item: with its criteria, their keywords and its good answer.
        answers: the text of each submission.

    Returns:
        For each submission, at most one suggestion per criterion in use, in the criteria's order.
    """
    by_submission: dict[str, list[Suggestion]] = {name: [] for name in sorted(answers)}
    sentence_spans = [
        (name, span)
        for name in by_submission
        for span in list(sentences(answers[name]))[:MOST_SENTENCES]
    ]
    criteria = item.criteria_for(())
    if sentence_spans and criteria:
        sentence_texts = [answers[name][span.begin : span.end] for name, span in sentence_spans]
        for criterion, scores in _score_criteria(item, criteria, sentence_texts):
            for name, index in _best_sentences(sentence_spans, scores).items():
                if scores[index] >= MIN_CONFIDENCE:
                    confidence = round(float(scores[index]), 2)
                    suggestion = Suggestion(
                        criterion=criterion.id, span=sentence_spans[index][1], confidence=confidence
                    )
                    by_submission[name].append(suggestion)
    return {name: tuple(suggestion_list) for name, suggestion_list in by_submission.items()}


def _score_criteria(
    item: Item, criteria: Sequence[Criterion], sentence_texts: Sequence[str]
) -> list[tuple[Criterion, Numbers]]:
    """Return, for each criterion, how well each sentence meets it, 0 to 1."""
    model_sentences = [item.good_answer[s.begin : s.end] for s in sentences(item.good_answer)]
    criterion_texts = [" ".join((c.text, *c.keywords)) for c in criteria]
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, max_features=60_000
    )
    try:
        vectorizer.fit([*sentence_texts, *criterion_texts, *model_sentences])
    except ValueError:  # not one letter in all of it
        return []
    sentence_vectors, criterion_vectors, model_vectors = (
        vectorizer.transform(texts or [""])
        for texts in (sentence_texts, criterion_texts, model_sentences)
    )
    similarity = (sentence_vectors @ criterion_vectors.T).toarray()
    if model_sentences:
        # A sentence may also resemble the model answer's own sentence on the criterion.
        closest = (model_vectors @ criterion_vectors.T).toarray().argmax(axis=0)
        similarity = np.maximum(similarity, (sentence_vectors @ model_vectors[closest].T).toarray())
    return [
        (criterion, _confidence(similarity[:, index], sentence_texts, criterion.keywords))
        for index, criterion in enumerate(criteria)
    ]


def _confidence(
    similarity: Numbers, sentence_texts: Sequence[str], keywords: Sequence[str]
) -> Numbers:
    by_words = np.clip(similarity / CERTAIN_COSINE, 0, 1)
    if not keywords:
        return by_words
    lowered = [text.casefold() for text in sentence_texts]
    hits = np.array([sum(word.casefold() in text for word in keywords) for text in lowered])
    by_keywords = 1 - (1 - KEYWORD_WEIGHT) ** hits
    confidence: Numbers = 0.5 * by_words + 0.5 * by_keywords
    return confidence


def _best_sentences(
    sentence_spans: Sequence[tuple[str, Span]], scores: Numbers
) -> Mapping[str, int]:
    """Return the index of each submission's best sentence; the first of equals."""
    best: dict[str, int] = {}
    for index, (name, _) in enumerate(sentence_spans):
        if name not in best or scores[index] > scores[best[name]]:
            best[name] = index
    return best
