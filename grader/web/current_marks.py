"""The marks that stand, read from the ledger when it has grown and not at every look."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from grader.gradebook import Gradebook, ledger, ledger_rows
from grader.gradebook.ledger import Entry

Marks = Mapping[str, Entry]
"""By submission."""


class Standing:
    """What people gave, item by item; threads may share it.

    Adding up 300 marks takes some 20 ms, and most looks find what was there before.
    """

    def __init__(self, book: Gradebook) -> None:
        self._book = book
        self._known: dict[str, tuple[tuple[str, int], Marks]] = {}
        self._turn = Lock()

    def marks(self, item: str, *, shelf: int) -> Marks:
        """The marks on an item.

        Args:
            item: its id.
            shelf: how often the shelf was filled: what is worth how much may change with it.
        """
        return self._of(item, stamps=self._stamps(), shelf=shelf)

    def all_marks(self, items: list[str], *, shelf: int) -> Mapping[str, Marks]:
        """The same of several items, by item."""
        stamps = self._stamps()
        return {item: self._of(item, stamps=stamps, shelf=shelf) for item in items}

    def _stamps(self) -> Mapping[str, str]:
        with self._book.reading() as connection:
            return ledger_rows.item_stamps(connection)

    def _of(self, item: str, *, stamps: Mapping[str, str], shelf: int) -> Marks:
        now = (stamps.get(item, ""), shelf)
        with self._turn:
            known = self._known.get(item)
        if known is not None and known[0] == now:
            return known[1]
        found = ledger.current(self._book, item)
        made = {submission: entry for (submission, _), entry in found.items()}
        with self._turn:
            self._known[item] = (now, made)
        return made
