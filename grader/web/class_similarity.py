"""Similarity among the answers of the class in the console, computed once for each revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from grader.model import Item
from grader.similarity import (
    Document,
    Example,
    SimilarityGroup,
    SimilarPair,
    Suggestion,
    find_code_pairs,
    find_examples,
    find_similar_pairs,
    find_suggestions,
    group_answers,
)
from grader.web.answer_index import AnswerIndex
from grader.web.revision_cache import RevisionCache

Computed = TypeVar("Computed")


class ClassSimilarity:
    """Groups, pairs, examples and suggestions; threads may share it."""

    def __init__(self, answer_index: AnswerIndex, *, cache: RevisionCache) -> None:
        self._answer_index = answer_index
        self._cache = cache

    def groups(self, item: Item) -> tuple[SimilarityGroup, ...]:
        """Return the answers to an item in groups."""
        return self._compute("groups", item, group_answers)

    def pairs(self, item: Item) -> tuple[SimilarPair, ...]:
        """Return pairs of similar answers across teams; for an automatic item, of similar code."""

        def compute(texts: Mapping[str, str]) -> tuple[SimilarPair, ...]:
            documents = [
                Document(name=name, text=text, team=self._team(name))
                for name, text in texts.items()
            ]
            if item.kind != "written":
                return find_code_pairs(documents)
            return find_similar_pairs(documents, shared_texts=(item.prompt, item.good_answer))

        return self._compute("pairs", item, compute)

    def examples(self, item: Item) -> Mapping[str, Example]:
        """Return the example in each answer, if the item asks for one by the rubric."""
        if not item.examples:
            return {}
        subject_texts, vocabulary = (item.prompt, item.good_answer), item.example_words
        return self._compute(
            "examples",
            item,
            lambda texts: find_examples(texts, subject_texts=subject_texts, vocabulary=vocabulary),
        )

    def suggestions(self, item: Item) -> Mapping[str, tuple[Suggestion, ...]]:
        """Return the sentences of each answer that may meet criteria."""
        return self._compute(
            "suggestions", item, lambda texts: find_suggestions(item, answers=texts)
        )

    def precompute(self, items: Iterable[Item]) -> None:
        """Compute what the page of every answer shows, before the first one is opened."""
        for item in items:
            if item.kind == "written":
                self.suggestions(item)
                self.examples(item)
                self.groups(item)

    def _team(self, name: str) -> frozenset[str]:
        students = self._answer_index.submission(name).students
        return frozenset(student.id for student in students if student.id)

    def _compute(
        self, kind: str, item: Item, work: Callable[[Mapping[str, str]], Computed]
    ) -> Computed:
        # Without the points of criteria, which change often and don't matter here.
        criterion_texts = tuple((c.id, c.text) for c in item.criteria_for(()))
        rubric_texts = (item.prompt, item.good_answer, criterion_texts)
        revision = (self._answer_index.revision, rubric_texts)

        def compute() -> Computed:
            # Answers of pictures alone, and those that may stand elsewhere, have no text to
            # compare, and are not similar to empty ones.
            return work(
                {
                    answer.submission: answer.text or answer.source
                    for answer in self._answer_index.answers(item.id)
                    if answer.text or not (answer.has_images or answer.perhaps_elsewhere)
                }
            )

        return self._cache.get((kind, item.id), revision, compute)
