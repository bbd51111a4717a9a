"""Finds the criteria of a rubric on Canvas that stand for the items of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grader.canvas.records import CanvasAssignment, CanvasCriterion
from grader.exports.row_matching import normalize_text
from grader.model import Item, Rubric


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionMatch:
    """The criterion of each item; none where they don't fit one to one."""

    by_item: Mapping[str, str]
    """Ids of criteria, by the item's id."""
    note: str = ""
    """Why there is none, where the assignment has a rubric."""


def match_criteria(assignment: CanvasAssignment, *, rubric: Rubric) -> CriterionMatch:
    """Match items and criteria by id or title; all of them, or none.

    A rubric that is filled in part would show a student fewer points than they have.
    """
    criteria = assignment.rubric
    if not criteria:
        return CriterionMatch(by_item={})
    fitting = {
        item.id: [criterion.id for criterion in criteria if _fits(criterion, item)]
        for item in rubric.items
    }
    unclear = [item_id for item_id, ids in fitting.items() if len(ids) != 1]
    by_item = {item_id: ids[0] for item_id, ids in fitting.items() if len(ids) == 1}
    unused = [c.description for c in criteria if c.id not in by_item.values()]
    if unclear or unused or len(set(by_item.values())) != len(by_item):
        listed = "; ".join([*unclear, *unused]) or "two questions fit one criterion"
        return CriterionMatch(
            by_item={},
            note="Canvas's rubric stays empty, since its criteria must be called as the questions "
            f"are, by id or title, each once: {listed}",
        )
    return CriterionMatch(by_item=by_item)


def _fits(criterion: CanvasCriterion, item: Item) -> bool:
    name = normalize_text(criterion.description)
    item_id, title = normalize_text(item.id), normalize_text(item.title)
    begins_with_id = name.startswith(item_id) and name[len(item_id) :][:1] in set(" :.)-")
    return name in {item_id, title} or (begins_with_id and title in name)
