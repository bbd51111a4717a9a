"""What is alike among answers, worked out once for each item and class, when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeVar, cast

from grader.model import Item
from grader.similarity import (
    Document,
    Example,
    Group,
    Pair,
    Suggestion,
    alike,
    code_pairs,
    examples_used,
    find_similar_pairs,
    suggestions,
)
from grader.web.answer_index import Shelf

Found = TypeVar("Found")


class Likeness:
    """Groups, pairs, examples and suggestions; threads may share it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[tuple[str, str], tuple[Hashable, Any]] = {}
        self._turn = Lock()

    def groups(self, item: Item) -> tuple[Group, ...]:
        """The answers to an item in groups."""
        return self._once("groups", item, alike)

    def pairs(self, item: Item) -> tuple[Pair, ...]:
        """Answers of different teams in nearly the same words; of automatic items, their code."""
        if item.kind != "written":
            return self._once("code", item, lambda texts: code_pairs(self._documents(texts)))
        return self._once(
            "pairs",
            item,
            lambda texts: find_similar_pairs(self._documents(texts), given=_given(item)),
        )

    def examples(self, item: Item) -> Mapping[str, Example]:
        """The example of each answer, where the rubric says that the item asks for one."""
        if not item.examples:
            return {}
        known = _given(item)
        return self._once(
            "examples",
            item,
            lambda texts: examples_used(texts, known=known, vocabulary=item.example_words),
        )

    def suggestions(self, item: Item) -> Mapping[str, tuple[Suggestion, ...]]:
        """For each answer, the sentences that may meet criteria."""
        return self._once("suggestions", item, lambda texts: suggestions(item, answers=texts))

    def warm(self, items: Iterable[Item]) -> None:
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
                team=frozenset(s.id for s in self._shelf.folio(name).students if s.id),
            )
            for name, text in texts.items()
        ]

    def _once(self, what: str, item: Item, work: Callable[[Mapping[str, str]], Found]) -> Found:
        """Again only when the class or what the rubric says of the item has changed."""
        said = (item.prompt, item.good_answer, tuple((c.id, c.text) for c in item.criteria))
        now = (self._shelf.filled, said)
        with self._turn:
            known = self._known.get((what, item.id))
            if known is not None and known[0] == now:
                return cast("Found", known[1])
            stack = self._shelf.stack(item.id)
            # What was only drawn says nothing here, and is not like what was left empty.
            texts = {s.submission: s.text or s.source for s in stack if s.text or not s.drawn}
            found = work(texts)
            self._known[what, item.id] = (now, found)
            return found


def _given(item: Item) -> tuple[str, str]:
    """What all had before them, and what staff wrote."""
    return (item.prompt, item.good_answer)
