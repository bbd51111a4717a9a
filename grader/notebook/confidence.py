"""Rates how certain it is that the text assigned to an item is its whole answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.model import Item
from grader.notebook.gap_assignment import Unit, UnitPlacement
from grader.notebook.markdown_words import split_words
from grader.notebook.prompt_search import Anchor

MISSING_PROMPT, SPLIT_TEXT, UNUSUAL_SIDE, UNASSIGNED_TEXT, NOT_LOCATED = 0.6, 0.6, 0.7, 0.4, 0.3
"""The confidence in an answer, by the reason why it is uncertain."""
_MIN_UNASSIGNED_WORDS = 12
"""The least words of a text without a question that may be an answer."""
_MAX_LISTED_CELLS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerConfidence:
    """The confidence in an answer, from 0 to 1, and why it is below 1."""

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
        placement: The pieces of the student's text, and the prompt that each was assigned to.
        items: All items of the rubric.
        anchors: The occurrences of the prompts.
        units: The pieces of text that are each item's answer.

    Returns:
        By item, the confidence in its answer; items without an entry are certain.
    """
    anchor_by_item = {anchor.item: anchor for anchor in anchors}
    unassigned_cells = _unassigned_cells(placement, units=units)
    above_prompt = _rate_unusual_sides(placement)
    split = _rate_split_texts(placement)
    confidences = {}
    for item in items:
        if item.kind != "written" or not item.prompt:
            continue
        anchor = anchor_by_item.get(item.id)
        confidence = _rate_location(
            anchor, has_answer=bool(units.get(item.id)), unassigned_cells=unassigned_cells
        )
        confidence = confidence or split.get(item.id) or above_prompt.get(item.id)
        if confidence is None and anchor is not None and anchor.ratio < 1:
            confidence = AnswerConfidence(value=round(anchor.ratio, 3))
        if confidence is not None:
            confidences[item.id] = confidence
    return confidences


def _rate_location(
    anchor: Anchor | None, *, has_answer: bool, unassigned_cells: Sequence[int]
) -> AnswerConfidence | None:
    """Rate the location of the question, and text that was assigned to none; None if certain."""
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
    """Return the cells with text that was assigned to no question and may be an answer."""
    assigned_ids = {id(unit) for item_units in units.values() for unit in item_units}
    cells = [
        unit.cell
        for dropped_units in placement.dropped.values()
        for unit in dropped_units
        if id(unit) not in assigned_ids
        and (unit.pictures or len(split_words(unit.text)) >= _MIN_UNASSIGNED_WORDS)
    ]
    return list(dict.fromkeys(cells))


def _rate_unusual_sides(placement: UnitPlacement) -> Mapping[str, AnswerConfidence]:
    """Rate the items that are answered above their prompt, where most are answered below."""
    above = []
    for prompt_index, answer_units in placement.to_prompts.items():
        ids_above = {id(unit) for unit in placement.gaps[prompt_index]}
        if all(id(unit) in ids_above for unit in answer_units):
            above.append(placement.prompts[prompt_index].item)
    if 2 * len(above) >= len(placement.to_prompts):
        return {}
    reason = "it stands above its question, and the others stand below theirs"
    return dict.fromkeys(above, AnswerConfidence(value=UNUSUAL_SIDE, reason=reason))


def _rate_split_texts(placement: UnitPlacement) -> Mapping[str, AnswerConfidence]:
    """Rate the items between whose prompts one run of text was cut in two."""
    confidences: dict[str, AnswerConfidence] = {}
    for prompt_index, gap in enumerate(placement.gaps[1:-1], 1):
        ids_above = {id(unit) for unit in placement.to_prompts.get(prompt_index - 1, ())}
        ids_below = {id(unit) for unit in placement.to_prompts.get(prompt_index, ())}
        is_split = any(
            id(upper) in ids_above
            and id(lower) in ids_below
            and lower.may_go_up
            and upper.may_go_down
            for upper, lower in pairwise(gap)
        )
        if is_split:
            above, below = (p.item for p in placement.prompts[prompt_index - 1 : prompt_index + 1])
            reason = f"the text between {above} and {below} was shared out between the two"
            confidence = AnswerConfidence(value=SPLIT_TEXT, reason=reason)
            confidences |= dict.fromkeys((above, below), confidence)
    return confidences


def _list_cells(cells: Sequence[int]) -> str:
    more = " …" if len(cells) > _MAX_LISTED_CELLS else ""
    numbers = ", ".join(map(str, cells[:_MAX_LISTED_CELLS])) + more
    return f"cell {numbers}" if len(cells) == 1 else f"cells {numbers}"
