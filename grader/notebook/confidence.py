"""Rate the confidence that the text found for an item is its whole answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.model import Item
from grader.notebook.gap_assignment import Unit, UnitPlacement
from grader.notebook.markdown_words import split_words
from grader.notebook.prompt_search import Anchor

MISSING_PROMPT, SPLIT_TEXT, UNUSUAL_SIDE, UNASSIGNED_TEXT, NOT_LOCATED = 0.6, 0.6, 0.7, 0.4, 0.3
"""The confidence that is left, by what speaks against an answer."""
_MIN_UNASSIGNED_WORDS = 12
"""Words from which a text that belongs to no question may be an answer."""
_MAX_LISTED_CELLS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerConfidence:
    """How sure it is where an item is answered, from 0 to 1, and why not surer."""

    value: float
    reason: str = ""


CERTAIN = AnswerConfidence(value=1.0)


def rate_confidence(
    placement: UnitPlacement,
    *,
    items: Sequence[Item],
    anchors: Sequence[Anchor],
    units: Mapping[str, Sequence[Unit]],
) -> Mapping[str, AnswerConfidence]:
    """Rate the answers of the written items.

    Args:
        placement: The student's text, and what of it went to which prompt.
        items: All items of the rubric.
        anchors: Where the questions stand.
        units: What each item was given in the end.

    Returns:
        The greatest doubt by item; items without an entry are certain.
    """
    anchor_by_item = {anchor.item: anchor for anchor in anchors}
    unassigned_cells = _unassigned_cells(placement, units=units)
    items_above = _items_unusually_answered_above(placement)
    split_reasons = _split_reasons(placement)
    confidences = {}
    for item in items:
        if item.kind != "written" or not item.prompt:
            continue
        anchor = anchor_by_item.get(item.id)
        confidence = _rate_location(
            anchor, has_answer=bool(units.get(item.id)), unassigned_cells=unassigned_cells
        )
        if confidence is None and item.id in split_reasons:
            confidence = AnswerConfidence(value=SPLIT_TEXT, reason=split_reasons[item.id])
        if confidence is None and item.id in items_above:
            reason = "it stands above its question, and the others stand below theirs"
            confidence = AnswerConfidence(value=UNUSUAL_SIDE, reason=reason)
        if confidence is None and anchor is not None and anchor.ratio < 1:
            confidence = AnswerConfidence(value=round(anchor.ratio, 3))
        if confidence is not None:
            confidences[item.id] = confidence
    return confidences


def _rate_location(
    anchor: Anchor | None, *, has_answer: bool, unassigned_cells: Sequence[int]
) -> AnswerConfidence | None:
    """Return the doubt about where the question stands, or about text that no question got."""
    if anchor is not None and anchor.evidence:
        reason = (
            "the question's own words are not in the notebook; "
            f"{anchor.evidence} told where it stands"
        )
        return AnswerConfidence(value=anchor.ratio, reason=reason)
    if anchor is None and has_answer:
        reason = "the question is not in the notebook, and this stands where it should be"
        return AnswerConfidence(value=MISSING_PROMPT, reason=reason)
    if has_answer or not unassigned_cells:
        return None
    unassigned_text = f"the text of {_list_cells(unassigned_cells)} was taken for no answer"
    if anchor is None:
        reason = f"neither the question nor an answer was found, and {unassigned_text}"
        return AnswerConfidence(value=NOT_LOCATED, reason=reason)
    reason = f"nothing stands where an answer should, and {unassigned_text}"
    return AnswerConfidence(value=UNASSIGNED_TEXT, reason=reason)


def _unassigned_cells(
    placement: UnitPlacement, *, units: Mapping[str, Sequence[Unit]]
) -> Sequence[int]:
    """Return the cells of text that went to no question and may be an answer."""
    assigned_ids = {id(unit) for item_units in units.values() for unit in item_units}
    cells = [
        unit.cell
        for dropped_units in placement.dropped.values()
        for unit in dropped_units
        if id(unit) not in assigned_ids
        and (unit.pictures or len(split_words(unit.text)) >= _MIN_UNASSIGNED_WORDS)
    ]
    return list(dict.fromkeys(cells))


def _items_unusually_answered_above(placement: UnitPlacement) -> frozenset[str]:
    """Return the items answered above the question, where most are answered below."""
    above = []
    for number, answer_units in placement.to_prompts.items():
        ids_above = {id(unit) for unit in placement.gaps[number]}
        if all(id(unit) in ids_above for unit in answer_units):
            above.append(number)
    if 2 * len(above) >= len(placement.to_prompts):
        return frozenset()
    return frozenset(placement.prompts[number].item for number in above)


def _split_reasons(placement: UnitPlacement) -> Mapping[str, str]:
    """Return the items between whose prompts one run of text was cut in two, each with a reason."""
    reasons: dict[str, str] = {}
    for number, gap in enumerate(placement.gaps[1:-1], 1):
        ids_above = {id(unit) for unit in placement.to_prompts.get(number - 1, ())}
        ids_below = {id(unit) for unit in placement.to_prompts.get(number, ())}
        is_split = any(
            id(upper) in ids_above
            and id(lower) in ids_below
            and lower.may_go_up
            and upper.may_go_down
            for upper, lower in pairwise(gap)
        )
        if is_split:
            above, below = placement.prompts[number - 1].item, placement.prompts[number].item
            reason = f"the text between {above} and {below} was shared out between the two"
            reasons |= dict.fromkeys((above, below), reason)
    return reasons


def _list_cells(cells: Sequence[int]) -> str:
    more = " …" if len(cells) > _MAX_LISTED_CELLS else ""
    numbers = ", ".join(map(str, cells[:_MAX_LISTED_CELLS])) + more
    return f"cell {numbers}" if len(cells) == 1 else f"cells {numbers}"
