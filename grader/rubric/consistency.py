"""What must hold between the parts of a rubric: sums, ids, and what depends on what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from grader.rubric.rubric_errors import ARROW, complaint, nearest
from grader.rubric.schema import CheckTable, CriterionTable, ItemTable, RubricFile

_MAX_SUMS = 100_000
_WHOLE = 100
"""Percent."""


def contradictions(file: RubricFile) -> Iterator[str]:
    """Everything that does not fit together.

    Args:
        file: A rubric whose keys and values are each allowed.

    Yields:
        A complaint each.
    """
    yield from _repeated_ids(file)
    for item in file.item:
        yield from _item_faults(item)
    total = sum((item.points for item in file.item), Fraction(0))
    if total != file.assignment.total:
        fault = f"is {shown(file.assignment.total)}, but the items add up to {shown(total)}"
        yield complaint(["assignment", "total"], fault)
    yield from _late_faults(file)
    yield from _about_faults(file)
    yield from _need_faults(file)


def shown(points: Fraction) -> str:
    """Points as a person writes them: 2.5, not 5/2.

    Args:
        points: Any number of points.

    Returns:
        A decimal where there is a short one.
    """
    text = f"{float(points):.10g}"
    return text if Fraction(text) == points else str(points)


def _late_faults(file: RubricFile) -> Iterator[str]:
    if file.late is None or file.late.unit == "points":
        return
    for name, value in (("per_day", file.late.per_day), ("cap", file.late.cap)):
        if value is not None and value > _WHOLE:
            yield complaint(["late", name], f"is {shown(value)}, more than 100 percent")


def _repeated_ids(file: RubricFile) -> Iterator[str]:
    for name in _repeated(item.id for item in file.item):
        yield complaint([f"item {name}", "id"], "there are several items of this id")
    for item in file.item:
        for name in _repeated(criterion.id for criterion in item.criterion):
            keys = [f"item {item.id}", f"criterion {name}", "id"]
            yield complaint(keys, "the item has several criteria of this id")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _item_faults(item: ItemTable) -> Iterator[str]:
    """Faults within one item."""
    where = f"item {item.id}"
    if item.source == "course" and not item.why:
        yield complaint([where, "why"], "is missing; a course item says why it exists")
    if item.kind == "auto":
        yield from _auto_faults(item, where=where)
    else:
        yield from _written_faults(item, where=where)


def _auto_faults(item: ItemTable, *, where: str) -> Iterator[str]:
    if item.criterion:
        yield complaint([where, "criterion"], "only written items have criteria")
    total = sum((check.points for check in item.check), Fraction(0))
    if not item.check:
        yield complaint([where, "check"], "is missing; an automatic item has at least one check")
    elif total != item.points:
        fault = f"is {shown(item.points)}, but its checks add up to {shown(total)}"
        yield complaint([where, "points"], fault)


def _written_faults(item: ItemTable, *, where: str) -> Iterator[str]:
    for number, check in enumerate(item.check, 1):
        if check.points:
            fault = "must be 0: a written item's points are given by a person"
            yield complaint([where, f"check {number}", "points"], fault)
    if item.criterion and not _can_add_up(item.criterion, points=item.points):
        parts = " + ".join(shown(criterion.points) for criterion in item.criterion)
        fault = f"is {shown(item.points)}, but its criteria ({parts}) cannot add up to that"
        yield complaint([where, "points"], fault)


def _can_add_up(criteria: list[CriterionTable], *, points: Fraction) -> bool:
    """Whether some of the criteria give exactly the points, or all of them only take from these."""
    gains = [criterion.points for criterion in criteria if criterion.points > 0]
    losses = [-criterion.points for criterion in criteria if criterion.points < 0]
    if not gains:
        return bool(losses) and max(losses) <= points
    sums = {Fraction(0)}
    for gain in gains:
        sums |= {before + gain for before in sums if before + gain <= points}
        if len(sums) > _MAX_SUMS:
            return True
    return points in sums


def _about_faults(file: RubricFile) -> Iterator[str]:
    """Written answers about items that are not there, or that no check looks at."""
    judged = {item.id for item in file.item if item.kind == "auto"}
    for item in file.item:
        if item.about and item.kind != "written":
            yield complaint([f"item {item.id}", "about"], "only written answers are about others")
        for name in item.about:
            if name not in judged:
                fault = f"'{name}' is no automatic item of this rubric"
                hint = nearest(name, among=judged)
                yield complaint([f"item {item.id}", "about"], f"{fault}; {hint}")


# ---------------------------------------------------------------- needs


def _need_faults(file: RubricFile) -> Iterator[str]:
    """Needs that name nothing, and checks that wait for each other."""
    known = {item.id for item in file.item} | {c.code for item in file.item for c in item.check}
    unknown = False
    for where, check in _checks(file):
        for need in check.needs:
            if need not in known:
                unknown = True
                fault = f"'{need}' is no item and no check of this rubric"
                yield complaint([*where, "needs"], f"{fault}; {nearest(need, among=known)}")
    if not unknown:
        yield from _cycle(file)


def _checks(file: RubricFile) -> Iterator[tuple[tuple[str, str], CheckTable]]:
    """Every check, and the keys that lead to it."""
    for item in file.item:
        for number, check in enumerate(item.check, 1):
            yield (f"item {item.id}", f"check {number}"), check


def _cycle(file: RubricFile) -> Iterator[str]:
    """A circle of needs, if there is one."""
    behind: dict[str, list[tuple[str, str]]] = {}
    for where, check in _checks(file):
        behind.setdefault(check.code, []).append(where)
        behind.setdefault(where[0].removeprefix("item "), []).append(where)
    graph = {
        where: [other for need in check.needs for other in behind.get(need, ())]
        for where, check in _checks(file)
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        around = ", which needs ".join(ARROW.join(where) for where in reversed(error.args[1]))
        yield complaint([*error.args[1][-1], "needs"], f"goes round in a circle: {around}")
