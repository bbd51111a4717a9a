"""Finds contradictions between the parts of a rubric: sums, ids, and needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter

from grader.model import CheckSpec, Criterion, Item
from grader.rubric.rubric_errors import ARROW, format_complaint, suggest_nearest
from grader.rubric.rubric_tables import RubricFile

_MAX_SUMS = 100_000
_MAX_PERCENT = 100


def find_contradictions(file: RubricFile) -> Iterator[str]:
    """Yield a complaint for each contradiction between parts of a rubric."""
    yield from _repeated_ids(file)
    for item in file.items:
        if item.source == "course" and not item.why:
            fault = "is missing; a course item says why it exists"
            yield format_complaint([f"item {item.id}", "why"], fault)
        yield from _auto_faults(item) if item.kind == "auto" else _written_faults(item)
    total = sum((item.points for item in file.items), Fraction(0))
    if total != file.assignment.total:
        fault = (
            f"is {points_text(file.assignment.total)}, but the items add up to {points_text(total)}"
        )
        yield format_complaint(["assignment", "total"], fault)
    if file.assignment.seed_variable and file.assignment.cell_seed is None:
        keys = ["assignment", "seed_variable"]
        yield format_complaint(keys, "holds `cell_seed` before each cell, and there is none")
    if file.late is not None and file.late.unit == "percent":
        yield from _percent_faults(per_day=file.late.per_day, cap=file.late.cap)
    yield from _notebook_faults(file)
    yield from _distant_needs(file)
    yield from _about_faults(file)
    yield from _need_faults(file)


def points_text(points: Fraction) -> str:
    """Return points as a person writes them: 2.5 rather than 5/2, but 1/3."""
    text = f"{float(points):.10g}"
    return text if Fraction(text) == points else str(points)


def _percent_faults(**percentages: Fraction | None) -> Iterator[str]:
    for key, value in percentages.items():
        if value is not None and value > _MAX_PERCENT:
            fault = f"is {points_text(value)}, more than 100 percent"
            yield format_complaint(["late", key], fault)


def _repeated_ids(file: RubricFile) -> Iterator[str]:
    for name in _repeated(item.id for item in file.items):
        yield format_complaint([f"item {name}", "id"], "there are several items of this id")
    for item in file.items:
        for name in _repeated(criterion.id for criterion in item.criteria):
            keys = [f"item {item.id}", f"criterion {name}", "id"]
            yield format_complaint(keys, "the item has several criteria of this id")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _auto_faults(item: Item) -> Iterator[str]:
    item_key = f"item {item.id}"
    if item.criteria:
        yield format_complaint([item_key, "criterion"], "only written items have criteria")
    if item.answer != "text":
        yield format_complaint([item_key, "answer"], "only written items are answered for a person")
    total = sum((check.points for check in item.checks), Fraction(0))
    if not item.checks:
        yield format_complaint(
            [item_key, "check"], "is missing; an automatic item has at least one check"
        )
    elif total != item.points:
        fault = f"is {points_text(item.points)}, but its checks add up to {points_text(total)}"
        yield format_complaint([item_key, "points"], fault)


def _written_faults(item: Item) -> Iterator[str]:
    item_key = f"item {item.id}"
    for number, check in enumerate(item.checks, 1):
        if check.points:
            fault = "must be 0: a written item's points are given by a person"
            yield format_complaint([item_key, f"check {number}", "points"], fault)
    in_use = item.criteria_for(())
    if in_use and not can_add_up(in_use, points=item.points):
        parts = " + ".join(points_text(criterion.points) for criterion in in_use)
        fault = f"is {points_text(item.points)}, but its criteria ({parts}) cannot add up to that"
        yield format_complaint([item_key, "points"], fault)


def can_add_up(criteria: tuple[Criterion, ...], *, points: Fraction) -> bool:
    """Return whether criteria can add up to the points, or all of them take points."""
    gains = [criterion.points for criterion in criteria if criterion.points > 0]
    losses = [-criterion.points for criterion in criteria if criterion.points < 0]
    if not gains:
        return bool(losses) and max(losses) <= points
    sums = {Fraction(0)}
    for gain in gains:
        sums |= {partial_sum + gain for partial_sum in sums if partial_sum + gain <= points}
        if len(sums) > _MAX_SUMS:
            return True
    return points in sums


def _notebook_faults(file: RubricFile) -> Iterator[str]:
    """Yield complaints about items of no notebook, and notebooks of no item."""
    names = [notebook.id for notebook in file.notebooks]
    for name in _repeated(names):
        yield format_complaint([f"notebook {name}", "id"], "there are several notebooks of this id")
    for name in set(names) - {item.notebook for item in file.items}:
        yield format_complaint([f"notebook {name}"], "no item names it")
    for item in file.items:
        keys = [f"item {item.id}", "notebook"]
        if names and not item.notebook:
            yield format_complaint(keys, f"is missing; one of {', '.join(names)}")
        elif item.notebook and not names:
            yield format_complaint(keys, "this rubric has no [[notebook]]")
        elif item.notebook and item.notebook not in names:
            hint = suggest_nearest(item.notebook, among=names)
            yield format_complaint(keys, f"there is no [[notebook]] '{item.notebook}'; {hint}")


def _distant_needs(file: RubricFile) -> Iterator[str]:
    """Yield complaints about needs of what is in another notebook."""
    notebooks = {item.id: item.notebook for item in file.items}
    for keys, check in _checks(file):
        own = notebooks[keys[0].removeprefix("item ")]
        for need in check.needs:
            if notebooks.get(need, own) != own:
                fault = f"'{need}' is in another notebook, which runs by itself"
                yield format_complaint([*keys, "needs"], fault)


def _about_faults(file: RubricFile) -> Iterator[str]:
    automatic_ids = {item.id for item in file.items if item.kind == "auto"}
    for item in file.items:
        if item.about and item.kind != "written":
            yield format_complaint(
                [f"item {item.id}", "about"], "only written answers are about others"
            )
        for name in item.about:
            if name not in automatic_ids:
                fault = f"'{name}' is not an automatic item of this rubric"
                hint = suggest_nearest(name, among=automatic_ids)
                yield format_complaint([f"item {item.id}", "about"], f"{fault}; {hint}")


def _need_faults(file: RubricFile) -> Iterator[str]:
    known = {item.id for item in file.items} | {c.code for item in file.items for c in item.checks}
    has_unknown = False
    for keys, check in _checks(file):
        for need in check.needs:
            if need not in known:
                has_unknown = True
                fault = f"'{need}' is neither an item nor a check of this rubric"
                yield format_complaint(
                    [*keys, "needs"], f"{fault}; {suggest_nearest(need, among=known)}"
                )
    if not has_unknown:
        yield from _cycle_fault(file)


def _checks(file: RubricFile) -> Iterator[tuple[tuple[str, str], CheckSpec]]:
    """Yield every check with the path of its keys."""
    for item in file.items:
        for number, check in enumerate(item.checks, 1):
            yield (f"item {item.id}", f"check {number}"), check


def _cycle_fault(file: RubricFile) -> Iterator[str]:
    checks_by_need: dict[str, list[tuple[str, str]]] = {}
    for keys, check in _checks(file):
        checks_by_need.setdefault(check.code, []).append(keys)
        checks_by_need.setdefault(keys[0].removeprefix("item "), []).append(keys)
    graph = {
        keys: [other for need in check.needs for other in checks_by_need.get(need, ())]
        for keys, check in _checks(file)
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = ", which needs ".join(ARROW.join(keys) for keys in reversed(error.args[1]))
        yield format_complaint([*error.args[1][-1], "needs"], f"goes round in a circle: {cycle}")
