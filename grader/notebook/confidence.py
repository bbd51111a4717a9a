"""Says where it is not sure that what was found is a question's answer, and all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.model import Item
from grader.notebook.gap_assignment import Gap, Prompt, Unit, UnitPlacement
from grader.notebook.markdown_words import split_words
from grader.notebook.prompt_search import Anchor

MISSING_PROMPT, SPLIT_TEXT, UNUSUAL_SIDE, UNASSIGNED_TEXT, NOT_LOCATED = 0.6, 0.6, 0.7, 0.4, 0.3
"""How sure it is, by what speaks against it."""
_MIN_UNASSIGNED_WORDS = 12
"""Words of a text that belongs to no question, from which it may be an answer."""
_MAX_LISTED_CELLS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerConfidence:
    """How sure it is where an item is answered, and why not surer."""

    value: float
    reason: str = ""


CERTAIN = AnswerConfidence(value=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementContext:
    """The student's text, the prompts around it, and which of them got what."""

    prompts: Sequence[Prompt]
    gaps: Sequence[Gap]
    placement: UnitPlacement


def rate_confidence(
    context: PlacementContext,
    *,
    items: Sequence[Item],
    anchors: Sequence[Anchor],
    units: Mapping[str, Sequence[Unit]],
) -> Mapping[str, AnswerConfidence]:
    """What is not sure, by written item.

    Args:
        context: What the cascade was given, and what it decided.
        items: All items of the rubric.
        anchors: Where questions were found.
        units: What each item was given in the end.

    Returns:
        The greatest doubt about each item that there is one about.
    """
    anchor_by_item = {anchor.item: anchor for anchor in anchors}
    unassigned = _unassigned_cells(context, units=units)
    answered_above = _unusually_answered_above(context)
    split = _split_items(context)
    confidences = {}
    for item in items:
        if item.kind != "written" or not item.prompt:
            continue
        item_anchor = anchor_by_item.get(item.id)
        confidence = _rate_location(
            item_anchor, has_answer=bool(units.get(item.id)), unassigned=unassigned
        )
        if confidence is None and item.id in split:
            confidence = AnswerConfidence(value=SPLIT_TEXT, reason=split[item.id])
        if confidence is None and item.id in answered_above:
            reason = "it stands above its question, and the others stand below theirs"
            confidence = AnswerConfidence(value=UNUSUAL_SIDE, reason=reason)
        if confidence is not None:
            confidences[item.id] = confidence
        elif item_anchor is not None and item_anchor.ratio < 1:
            confidences[item.id] = AnswerConfidence(value=round(item_anchor.ratio, 3))
    return confidences


def _rate_location(
    anchor: Anchor | None, *, has_answer: bool, unassigned: tuple[int, ...]
) -> AnswerConfidence | None:
    """A doubt about where the question stands, or about text that nobody got."""
    if anchor is not None and anchor.evidence:
        reason = f"the question's own words are not in the notebook; {anchor.evidence} told where it stands"
        return AnswerConfidence(value=anchor.ratio, reason=reason)
    if anchor is None and has_answer:
        reason = "the question is not in the notebook, and this stands where it should be"
        return AnswerConfidence(value=MISSING_PROMPT, reason=reason)
    if has_answer or not unassigned:
        return None
    unassigned_text = f"the text of {_list_cells(unassigned)} was taken for no answer"
    if anchor is None:
        reason = f"neither the question nor an answer was found, and {unassigned_text}"
        return AnswerConfidence(value=NOT_LOCATED, reason=reason)
    return AnswerConfidence(
        value=UNASSIGNED_TEXT,
        reason=f"nothing stands where an answer should, and {unassigned_text}",
    )


def _unassigned_cells(
    context: PlacementContext, *, units: Mapping[str, Sequence[Unit]]
) -> tuple[int, ...]:
    """The cells of text that went to no question."""
    assigned_ids = {id(unit) for item_units in units.values() for unit in item_units}
    unassigned = [
        u
        for item_units in context.placement.dropped.values()
        for u in item_units
        if id(u) not in assigned_ids
    ]
    return tuple(
        dict.fromkeys(
            unit.cell
            for unit in unassigned
            if unit.pictures or len(split_words(unit.text)) >= _MIN_UNASSIGNED_WORDS
        )
    )


def _is_answered_above(context: PlacementContext, number: int) -> bool:
    """Whether all that a prompt got stands above it."""
    answer_units = context.placement.to_prompts.get(number, ())
    ids_above = {id(unit) for unit in context.gaps[number].units}
    return bool(answer_units) and all(id(unit) in ids_above for unit in answer_units)


def _unusually_answered_above(context: PlacementContext) -> frozenset[str]:
    """The items answered above the question, where most are answered below."""
    answered = [
        number for number in range(len(context.prompts)) if number in context.placement.to_prompts
    ]
    above = [number for number in answered if _is_answered_above(context, number)]
    if 2 * len(above) >= len(answered):
        return frozenset()
    return frozenset(context.prompts[number].item for number in above)


def _split_items(context: PlacementContext) -> Mapping[str, str]:
    """The items between whose prompts one run of text was cut in two."""
    reasons: dict[str, str] = {}
    for number, gap in enumerate(context.gaps[1:-1], 1):
        ids_above = {id(unit) for unit in context.placement.to_prompts.get(number - 1, ())}
        ids_below = {id(unit) for unit in context.placement.to_prompts.get(number, ())}
        neighbors = [gap.units[i : i + 2] for i in range(len(gap.units) - 1)]
        is_split = any(
            id(upper) in ids_above
            and id(lower) in ids_below
            and lower.may_go_up
            and upper.may_go_down
            for upper, lower in neighbors
        )
        if is_split:
            above, below = context.prompts[number - 1].item, context.prompts[number].item
            reason = f"the text between {above} and {below} was shared out between the two"
            reasons |= dict.fromkeys((above, below), reason)
    return reasons


def _list_cells(cells: Sequence[int]) -> str:
    numbers = ", ".join(map(str, cells[:_MAX_LISTED_CELLS])) + (
        " …" if len(cells) > _MAX_LISTED_CELLS else ""
    )
    return f"cell {numbers}" if len(cells) == 1 else f"cells {numbers}"
