"""What is alike among answers, worked out once for each item and class, when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeVar, cast

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

Computed = TypeVar("Computed")


class SimilarityCache:
    """Groups, pairs, examples and suggestions; threads may share it."""

    def __init__(self, answer_index: AnswerIndex) -> None:
        self._answer_index = answer_index
        self._cache: dict[tuple[str, str], tuple[Hashable, Any]] = {}
        self._lock = Lock()

    def groups(self, item: Item) -> tuple[SimilarityGroup, ...]:
        """The answers to an item in groups."""
        return self._compute_once("groups", item, group_answers)

    def pairs(self, item: Item) -> tuple[SimilarPair, ...]:
        """Answers of different teams in nearly the same words; of automatic items, their code."""
        if item.kind != "written":
            return self._compute_once(
                "code", item, lambda texts: find_code_pairs(self._documents(texts))
            )
        return self._compute_once(
            "pairs",
            item,
            lambda texts: find_similar_pairs(
                self._documents(texts), shared_texts=_shared_texts(item)
            ),
        )

    def examples(self, item: Item) -> Mapping[str, Example]:
        """The example of each answer, where the rubric says that the item asks for one."""
        if not item.examples:
            return {}
        subject_texts = _shared_texts(item)
        return self._compute_once(
            "examples",
            item,
            lambda texts: find_examples(
                texts, subject_texts=subject_texts, vocabulary=item.example_words
            ),
        )

    def suggestions(self, item: Item) -> Mapping[str, tuple[Suggestion, ...]]:
        """For each answer, the sentences that may meet criteria."""
        return self._compute_once(
            "suggestions", item, lambda texts: find_suggestions(item, answers=texts)
        )

    def precompute(self, items: Iterable[Item]) -> None:
        """Work out what every answer's page shows, before the first is opened."""
        for item in items:
            if item.kind == "written":
                self.suggestions(item)
                self.examples(item)

    def _documents(self, texts: Mapping[str, str]) -> list[Document]:
        return [
            Document(
                name=name,
                text=text,
                team=frozenset(s.id for s in self._answer_index.submission(name).students if s.id),
            )
            for name, text in texts.items()
        ]

    def _compute_once(
        self, kind: str, item: Item, work: Callable[[Mapping[str, str]], Computed]
    ) -> Computed:
        """Again only when the class or what the rubric says of the item has changed."""
        rubric_texts = (item.prompt, item.good_answer, tuple((c.id, c.text) for c in item.criteria))
        version = (self._answer_index.version, rubric_texts)
        with self._lock:
            cached = self._cache.get((kind, item.id))
            if cached is not None and cached[0] == version:
                return cast("Computed", cached[1])
            answers = self._answer_index.answers(item.id)
            # What was only drawn says nothing here, and is not like what was left empty.
            texts = {
                answer.submission: answer.text or answer.source
                for answer in answers
                if answer.text or not answer.has_images
            }
            result = work(texts)
            self._cache[kind, item.id] = (version, result)
            return result


def _shared_texts(item: Item) -> tuple[str, str]:
    """What all had before them, and what staff wrote."""
    return (item.prompt, item.good_answer)
