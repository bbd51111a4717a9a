"""Assigns each run of student text to the prompt above it, or to the one below.

Most students answer below the prompt; some answer above it throughout. Dynamic programming finds
the cheapest assignment of all runs: a prompt without an answer costs most, and among equals text
goes to the prompt above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.model import Picture

_EMPTY_COST = 1000
_TORN_COST = 1200
_SPLIT_COST = 30
_DROP_COST = 20
_HEADING_COST = 15
_DOWN_COST = 10
_MAX_SPLIT_UNITS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A piece of student text within one cell."""

    cell: int
    text: str
    pictures: tuple[Picture, ...] = ()
    may_go_up: bool = True
    """Whether no heading or code of the handout stands between it and the prompt above."""
    may_go_down: bool = True
    """Whether no code of the handout stands between it and the prompt below."""
    heading_below: bool = False
    loose: bool = False
    """Whether it stands among code, so that it is an answer only where one is missing."""
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An occurrence of a prompt."""

    item: str
    cell: int
    needed: bool
    """Whether it should have an answer."""
    words: frozenset[str] = frozenset()


Gap = Sequence[Unit]
"""The student text between two prompts, before the first or after the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlacement:
    """Prompts, the gaps around them, and the prompt that each unit was assigned to."""

    prompts: Sequence[Prompt]
    gaps: Sequence[Gap]
    """Gap i is above prompt i; the last gap is below all prompts."""
    to_prompts: dict[int, list[Unit]]
    """Assigned units by the index of their prompt."""
    dropped: dict[int, list[Unit]]
    """Units that were assigned to no prompt, by the index of their gap."""


def place_units(gaps: Sequence[Gap], *, prompts: Sequence[Prompt]) -> UnitPlacement:
    """Assign each unit to a prompt, or to none.

    Args:
        gaps: The gaps, one more than there are prompts: gap i is above prompt i.
        prompts: The prompts, in order.
    """
    placement = _place(gaps, prompts=prompts)
    if not _answers_with_introduction(placement):
        return placement
    introduction = [
        replace(unit, may_go_down=unit.may_go_down and not unit.heading_below) for unit in gaps[0]
    ]
    return _place([introduction, *gaps[1:]], prompts=prompts)


def _answers_with_introduction(placement: UnitPlacement) -> bool:
    """Return whether text above the first heading answers in place of what stands below its prompt.

    Where all other answers stand above their prompts, too, it is an answer.
    """
    if not any(unit.heading_below for unit in placement.to_prompts.get(0, ())):
        return False
    stands_below = any(
        unit is answer
        for number, units in placement.to_prompts.items()
        for unit in placement.gaps[number + 1]
        for answer in units
    )
    return stands_below and any(unit.may_go_up for unit in placement.gaps[1])


def _place(gaps: Sequence[Gap], *, prompts: Sequence[Prompt]) -> UnitPlacement:
    best_splits: _BestSplits = {True: (0, ())}
    for number, gap in enumerate(gaps):
        above = prompts[number - 1] if number else None
        below = prompts[number] if number < len(prompts) else None
        best_splits = _extend_splits(best_splits, gap=gap, above=above, below=below)
    _, splits = min(best_splits.values(), key=lambda cost_and_splits: cost_and_splits[0])
    to_prompts: dict[int, list[Unit]] = {}
    dropped: dict[int, list[Unit]] = {}
    for number, (gap, split) in enumerate(zip(gaps, splits, strict=True)):
        for position, unit in enumerate(gap):
            if position < split and unit.may_go_up and number > 0:
                to_prompts.setdefault(number - 1, []).append(unit)
            elif position >= split and unit.may_go_down and number < len(prompts):
                to_prompts.setdefault(number, []).append(unit)
            else:
                dropped.setdefault(number, []).append(unit)
    return UnitPlacement(prompts=prompts, gaps=gaps, to_prompts=to_prompts, dropped=dropped)


_BestSplits = dict[bool, tuple[int, tuple[int, ...]]]
"""The cheapest assignment so far, by whether the last prompt has an answer: its cost, and for each
gap the number of units that go up; the others go down."""


def _extend_splits(
    best_splits: _BestSplits, *, gap: Gap, above: Prompt | None, below: Prompt | None
) -> _BestSplits:
    """Return the cheapest assignments after one more gap."""
    extended: _BestSplits = {}
    for split in range(len(gap), -1, -1) if len(gap) <= _MAX_SPLIT_UNITS else (len(gap), 0):
        up = [unit for unit in gap[:split] if above is not None and unit.may_go_up]
        down = [unit for unit in gap[split:] if below is not None and unit.may_go_down]
        gap_cost = _DROP_COST * (len(gap) - len(up) - len(down)) + _DOWN_COST * len(down)
        gap_cost += _HEADING_COST * sum(unit.heading_below for unit in down)
        if above and below and up and down and all(unit.may_go_up for unit in down):
            gap_cost += _run_split_cost(up[0], down=down, above=above, below=below)
        for was_answered, (cost, splits) in best_splits.items():
            left_empty = above is not None and above.needed and not was_answered and not up
            total_cost = cost + gap_cost + _EMPTY_COST * left_empty
            if bool(down) not in extended or total_cost < extended[bool(down)][0]:
                extended[bool(down)] = (total_cost, (*splits, split))
    return extended


def _run_split_cost(first: Unit, *, down: Sequence[Unit], above: Prompt, below: Prompt) -> int:
    """Return the cost of giving the later part of one run to the next prompt.

    It is low if the part has more words of that prompt than of the one above, or as many while the
    answer above stands in its prompt's own cell.
    """
    down_words = frozenset(word for unit in down for word in unit.words)
    for_above = len(down_words & (above.words - below.words))
    for_below = len(down_words & (below.words - above.words))
    own_cell = first.cell == above.cell and all(unit.cell != above.cell for unit in down)
    fits = for_below > for_above or (for_below == for_above and own_cell)
    return _SPLIT_COST if fits else _TORN_COST
