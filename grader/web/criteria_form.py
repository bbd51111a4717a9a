"""The form in which graders change rubric items: what was typed, and what it comes to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast, get_args

from grader.errors import UsageError
from grader.gradebook.criterion_ledger import new_criterion_id
from grader.model import Criterion, Item
from grader.model.assignment import Retired
from grader.report.text_format import one_line
from grader.web.console import Visit
from grader.web.marking_form import parse_points
from grader.web.page_rendering import signed_points

NEW = "+"
"""What the name of a row begins with that is no criterion yet; no id does."""


class FieldError(UsageError):
    """A field of the form is refused."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field
        """The name of the field that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCriterion:
    """One criterion as it was typed."""

    id: str
    """The criterion's, or a name that begins with `NEW`."""
    text: str = ""
    points: str = ""
    retired: Retired = ""
    other: Criterion | None = None
    """What somebody else made of it meanwhile, where both changed it."""

    @property
    def is_new(self) -> bool:
        """Whether it is no criterion yet."""
        return self.id.startswith(NEW)

    @property
    def is_blank(self) -> bool:
        """Whether it is a new one that nobody filled in."""
        return self.is_new and not self.text.strip() and not self.points.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaForm:
    """All criteria of an item in their order, and a blank row for another."""

    rows: tuple[TypedCriterion, ...]
    last: int
    """The number of the last edit of the item that its sender saw."""

    @classmethod
    def from_criteria(cls, criteria: Iterable[Criterion], *, last: int) -> CriteriaForm:
        """Return the form for criteria as they are."""
        rows = (
            TypedCriterion(id=c.id, text=c.text, points=signed_points(c.points), retired=c.retired)
            for c in criteria
        )
        return cls(rows=tuple(rows), last=last).with_blank()

    @classmethod
    def from_visit(cls, visit: Visit) -> CriteriaForm:
        """Return the form that was sent."""
        rows = []
        for name in dict.fromkeys(visit.field("rows").split()):
            retired = visit.field(f"retired-{name}")
            rows.append(
                TypedCriterion(
                    id=name,
                    text=visit.field(f"text-{name}"),
                    points=visit.field(f"points-{name}"),
                    retired=cast("Retired", retired) if retired in get_args(Retired) else "",
                )
            )
        return cls(rows=tuple(rows), last=visit.number_field("last") or 0).with_blank()

    def with_blank(self) -> CriteriaForm:
        """Return the form with one blank row, at its end."""
        rows = tuple(row for row in self.rows if not row.is_blank)
        taken = {row.id for row in rows}
        names = (f"{NEW}{number}" for number in range(len(taken) + 1))
        name = next(each for each in names if each not in taken)
        return replace(self, rows=(*rows, TypedCriterion(id=name)))

    def move(self, name: str, *, up: bool) -> CriteriaForm:
        """Return the form with a row one place further up or down."""
        rows = list(self.rows)
        names = [row.id for row in rows]
        if name in names:
            position = names.index(name)
            target = max(position - 1, 0) if up else min(position + 1, len(rows) - 1)
            rows.insert(target, rows.pop(position))
        return replace(self, rows=tuple(rows)).with_blank()

    def to_criteria(self, item: Item, *, taken: Collection[str] = ()) -> tuple[Criterion, ...]:
        """Return the criteria that were typed.

        Args:
            item: the item as it is now; a criterion that it has, and that is shown as it is, is
                unchanged, however a form shortens it.
            taken: ids that no new criterion may have.

        Raises:
            FieldError: a row has no text or no points.
        """
        known = {criterion.id: criterion for criterion in item.criteria}
        names = {*known, *taken}
        criteria = []
        for row in self.rows:
            if row.is_blank or not (row.is_new or row.id in known):
                continue
            text, points = _read_row(row, known.get(row.id))
            name = new_criterion_id(text, names) if row.is_new else row.id
            names.add(name)
            earlier = known.get(name) or Criterion(id=name, text=text, points=points)
            criteria.append(replace(earlier, text=text, points=points, retired=row.retired))
        return tuple(criteria)

    def merge(self, *, seen: Item, now: Item, last: int) -> CriteriaForm:
        """Return the form with what somebody else changed meanwhile, and nothing typed is lost.

        Args:
            seen: the item as the sender saw it.
            now: the item as it is now.
            last: the number of the last edit now.
        """
        before = {row.id: row for row in self.from_criteria(seen.criteria, last=0).rows}
        after = {row.id: row for row in self.from_criteria(now.criteria, last=0).rows}
        criteria = {criterion.id: criterion for criterion in now.criteria}
        merged = {
            row.id: row
            if row.is_new or row.id not in after
            else _merge_row(row, before.get(row.id), after[row.id], criteria[row.id])
            for row in self.rows
        }
        merged = {name: row for name, row in merged.items() if not row.is_blank}
        order = list(merged)
        if [name for name in order if name in before] == [n for n in before if n in merged]:
            order = [*(n for n in after if n in merged), *(n for n in order if n not in after)]
        rows = [merged[name] for name in order]
        rows += [row for name, row in after.items() if name not in merged and not row.is_new]
        return replace(self, rows=tuple(rows), last=last).with_blank()


def _read_row(row: TypedCriterion, known: Criterion | None) -> tuple[str, Fraction]:
    """Return the text and points of a row."""
    text, points = one_line(row.text), parse_points(row.points)
    if known and text == one_line(known.text):
        text = known.text
    if known and row.points == signed_points(known.points):
        points = known.points
    if not text:
        fault = "needs a text" if row.is_new else "needs a text; to stop using one, retire it"
        raise FieldError(f"A rubric item {fault}.", field=f"text-{row.id}")
    if points is None or not row.points.strip():
        raise FieldError("Points are numbers, such as 1.5 or -1.", field=f"points-{row.id}")
    return text, points


def _merge_row(
    mine: TypedCriterion,
    before: TypedCriterion | None,
    theirs: TypedCriterion,
    criterion: Criterion,
) -> TypedCriterion:
    """Take what I did not touch from them; where both changed it, keep mine and show theirs."""
    values: Mapping[str, tuple[str, str, str]] = {
        name: (getattr(before or theirs, name), getattr(mine, name), getattr(theirs, name))
        for name in ("text", "points", "retired")
    }
    untouched = {name: other for name, (was, own, other) in values.items() if own == was}
    clash = any(own not in {was, other} and other != was for was, own, other in values.values())
    return replace(mine, **untouched, other=criterion if clash else None)  # type: ignore[arg-type]  # each is of its own field
