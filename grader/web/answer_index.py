"""The shelf: what can be marked, small enough for memory, and looked after at every visit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock

from grader.gradebook import Gradebook, answer_digest
from grader.gradebook.mark_points import unmarked
from grader.model import Graded, ItemScore, Rubric, Student, Verdict

ASKS_FROM = Fraction(5)
"""What an item must be worth for a person to be asked whether what is blocked follows through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One item of one submission: all that lists, filters and searches need."""

    submission: str
    item: str
    code: str
    """Stands for it on pages: says no name, and is another for each item."""
    digest: str
    """Of what is marked."""
    text: str
    """What was written; '' for automatic items."""
    source: str
    """The student's own code for an automatic item; '' for written ones."""
    empty: bool
    """Nothing was written or drawn, or what was there to begin with was left as it was."""
    drawn: bool
    """Whether pictures belong to it, which no text tells of."""
    verdict: Verdict
    """What checks came to, whatever people said since."""
    earned: Fraction | None
    blocked: Fraction
    asks: bool
    """Whether an automatic item asks for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folio:
    """One submission."""

    name: str
    students: tuple[Student, ...]
    sheets: Mapping[str, Sheet]

    @property
    def sections(self) -> frozenset[str]:
        """The sections of its students."""
        return frozenset(student.section for student in self.students if student.section)

    @property
    def team(self) -> str:
        """The students, for somebody who may know."""
        named = ", ".join(student.name or student.id for student in self.students)
        return named or self.name


class Shelf:
    """All submissions on the roll; threads may share it.

    Args:
        book: where they are.
        rubric: by which they were graded.
    """

    def __init__(self, book: Gradebook, *, rubric: Rubric) -> None:
        self._book = book
        self._rubric = rubric
        self._known: dict[str, tuple[str, Folio]] = {}
        self._stacks: dict[str, tuple[Sheet, ...]] = {}
        self._roll: tuple[str, ...] = ()
        self._turn = Lock()
        self.filled = 0
        """How often something new came onto it."""

    def look(self) -> None:
        """Look for what was graded anew meanwhile, and read it."""
        with self._turn:
            keys = self._book.keys()
            roll = tuple(name for name in self._book.roll() if name in keys)
            changed = [name for name in roll if self._key(name) != keys[name]]
            if not changed and roll == self._roll:
                return
            for name in changed:
                folio = _folio(self._book.graded(name), self._rubric)
                self._known[name] = (keys[name], folio)
            self._known = {name: self._known[name] for name in roll}
            self._roll, self._stacks = roll, {}
            self.filled += 1

    def _key(self, name: str) -> str | None:
        return self._known[name][0] if name in self._known else None

    def folios(self) -> Mapping[str, Folio]:
        """Every submission, by name."""
        with self._turn:
            return {name: folio for name, (_, folio) in self._known.items()}

    def stack(self, item: str) -> tuple[Sheet, ...]:
        """All answers to an item, in an order that is its own and stays."""
        with self._turn:
            if item not in self._stacks:
                mine = (f.sheets[item] for _, f in self._known.values() if item in f.sheets)
                self._stacks[item] = tuple(sorted(mine, key=lambda sheet: sheet.code))
            return self._stacks[item]

    def folio(self, name: str) -> Folio:
        """One submission.

        Raises:
            KeyError: it is not on the shelf.
        """
        with self._turn:
            return self._known[name][1]


def code_of(submission: str, *, item: str) -> str:
    """What stands for an answer on pages; sorted by it, each item has an order of its own."""
    return hashlib.sha256(f"{item}\0{submission}".encode("utf-8", "replace")).hexdigest()[:12]


def _folio(marked: Graded, rubric: Rubric) -> Folio:
    graded = unmarked(marked)  # marks change at any time, and are looked up when they are shown
    wanted = {item.id for item in rubric.items}
    items = graded.score.items if graded.score else ()
    sheets = {one.item.id: _sheet(one, graded) for one in items if one.item.id in wanted}
    return Folio(name=graded.submission.name, students=graded.students, sheets=sheets)


def _source(graded: Graded, item: str) -> str:
    return "\n\n".join(excerpt.source for excerpt in graded.code.get(item, ()))


def _sheet(one: ItemScore, graded: Graded) -> Sheet:
    item = one.item
    answer = graded.answers.get(item.id) if item.kind == "written" else None
    text = answer.text.strip() if answer else ""
    return Sheet(
        submission=graded.submission.name,
        item=item.id,
        code=code_of(graded.submission.name, item=item.id),
        digest=answer_digest(graded, item.id),
        text=text,
        source="" if item.kind == "written" else _source(graded, item.id),
        empty=item.kind == "written" and not text and not (answer and answer.images),
        drawn=bool(answer and answer.images),
        verdict=one.verdict,
        earned=one.earned,
        blocked=_blocked(one),
        asks=item.kind == "auto" and _asks(one),
    )


def _blocked(one: ItemScore) -> Fraction:
    blocked = (f.possible for f in one.findings if f.verdict is Verdict.BLOCKED)
    return sum(blocked, start=Fraction(0))


def _asks(one: ItemScore) -> bool:
    """Whether a check failed on our side, or too much is blocked to be left at that."""
    ours = any(f.verdict in {Verdict.ERROR, Verdict.PENDING} for f in one.findings)
    return ours or (one.item.points >= ASKS_FROM and _blocked(one) > 0)
