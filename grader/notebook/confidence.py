"""Says where it is not sure that what was found is a question's answer, and all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.model import Item
from grader.notebook.gap_assignment import Gap, Prompt, Sent, Unit
from grader.notebook.markdown_words import words
from grader.notebook.prompt_search import Anchor

WITHOUT_PROMPT, SHARED, AGAINST, LEFT_OVER, NOWHERE = 0.6, 0.6, 0.7, 0.4, 0.3
"""How sure it is, by what speaks against it."""
_STRAY = 12
"""Words of a text that belongs to no question, from which it may be an answer."""
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """How sure it is where an item is answered, and why not surer."""

    confidence: float
    why: str = ""


SURE = Doubt(confidence=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The student's text, the prompts around it, and which of them got what."""

    prompts: Sequence[Prompt]
    gaps: Sequence[Gap]
    sent: Sent


def doubts(
    sending: Sending,
    *,
    items: Sequence[Item],
    found: Sequence[Anchor],
    units: Mapping[str, Sequence[Unit]],
) -> Mapping[str, Doubt]:
    """What is not sure, by written item.

    Args:
        sending: What the cascade was given, and what it decided.
        items: All items of the rubric.
        found: Where questions were found.
        units: What each item was given in the end.

    Returns:
        The greatest doubt about each item that there is one about.
    """
    clues = {anchor.item: anchor for anchor in found}
    stray = _stray(sending, units=units)
    against = _against_the_others(sending)
    shared = _shared(sending)
    unsure = {}
    for item in items:
        if item.kind != "written" or not item.prompt:
            continue
        clue = clues.get(item.id)
        told = _of_a_place(clue, given=bool(units.get(item.id)), stray=stray)
        if told is None and item.id in shared:
            told = Doubt(confidence=SHARED, why=shared[item.id])
        if told is None and item.id in against:
            why = "it stands above its question, and the others stand below theirs"
            told = Doubt(confidence=AGAINST, why=why)
        if told is not None:
            unsure[item.id] = told
        elif clue is not None and clue.ratio < 1:
            unsure[item.id] = Doubt(confidence=round(clue.ratio, 3))
    return unsure


def _of_a_place(clue: Anchor | None, *, given: bool, stray: tuple[int, ...]) -> Doubt | None:
    """A doubt about where the question stands, or about text that nobody got."""
    if clue is not None and clue.how:
        why = f"the question's own words are not in the notebook; {clue.how} told where it stands"
        return Doubt(confidence=clue.ratio, why=why)
    if clue is None and given:
        why = "the question is not in the notebook, and this stands where it should be"
        return Doubt(confidence=WITHOUT_PROMPT, why=why)
    if given or not stray:
        return None
    left = f"the text of {_cells(stray)} was taken for no answer"
    if clue is None:
        why = f"neither the question nor an answer was found, and {left}"
        return Doubt(confidence=NOWHERE, why=why)
    return Doubt(confidence=LEFT_OVER, why=f"nothing stands where an answer should, and {left}")


def _stray(sending: Sending, *, units: Mapping[str, Sequence[Unit]]) -> tuple[int, ...]:
    """The cells of text that went to no question."""
    given = {id(unit) for some in units.values() for unit in some}
    left = [u for some in sending.sent.dropped.values() for u in some if id(u) not in given]
    return tuple(
        dict.fromkeys(
            unit.cell for unit in left if unit.pictures or len(words(unit.text)) >= _STRAY
        )
    )


def _from_above(sending: Sending, number: int) -> bool:
    """Whether all that a prompt got stands above it."""
    got = sending.sent.to_prompts.get(number, ())
    above = {id(unit) for unit in sending.gaps[number].units}
    return bool(got) and all(id(unit) in above for unit in got)


def _against_the_others(sending: Sending) -> frozenset[str]:
    """The items answered above the question, where most are answered below."""
    answered = [
        number for number in range(len(sending.prompts)) if number in sending.sent.to_prompts
    ]
    above = [number for number in answered if _from_above(sending, number)]
    if 2 * len(above) >= len(answered):
        return frozenset()
    return frozenset(sending.prompts[number].item for number in above)


def _shared(sending: Sending) -> Mapping[str, str]:
    """The items between whose prompts one run of text was cut in two."""
    told: dict[str, str] = {}
    for number, gap in enumerate(sending.gaps[1:-1], 1):
        up = {id(unit) for unit in sending.sent.to_prompts.get(number - 1, ())}
        down = {id(unit) for unit in sending.sent.to_prompts.get(number, ())}
        parts = [gap.units[i : i + 2] for i in range(len(gap.units) - 1)]
        cut = any(
            id(one) in up and id(other) in down and other.may_go_up and one.may_go_down
            for one, other in parts
        )
        if cut:
            above, below = sending.prompts[number - 1].item, sending.prompts[number].item
            why = f"the text between {above} and {below} was shared out between the two"
            told |= dict.fromkeys((above, below), why)
    return told


def _cells(cells: Sequence[int]) -> str:
    shown = ", ".join(map(str, cells[:_SHOWN])) + (" …" if len(cells) > _SHOWN else "")
    return f"cell {shown}" if len(cells) == 1 else f"cells {shown}"
