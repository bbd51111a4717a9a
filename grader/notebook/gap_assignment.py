"""Decides which prompt a run of student text answers: the one above it, or the one below.

Most people answer below the prompt; some answer above it, all the way through. From the first
prompt to the last, the cheapest way of sending every run up or down is looked for: an empty
prompt costs most, and among equals text goes to the prompt above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    """No heading or code of the handout stands between it and the prompt above."""
    may_go_down: bool = True
    """No code of the handout stands between it and the prompt below."""
    heading_below: bool = False
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An occurrence of a prompt; one that is not needed may stay without an answer."""

    item: str
    cell: int
    needed: bool
    words: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Gap:
    """The student text between two prompts, before the first or after the last."""

    units: list[Unit] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialPlacement:
    """A way of sending the runs so far: the first `up[g]` units of gap g go up, the rest down."""

    cost: int = 0
    up_counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlacement:
    """Where every unit went: to a prompt by its number, or nowhere."""

    to_prompts: dict[int, list[Unit]]
    dropped: dict[int, list[Unit]]
    """By gap."""


def place_units(gaps: Sequence[Gap], *, prompts: Sequence[Prompt]) -> UnitPlacement:
    """Send each unit to a prompt.

    Args:
        gaps: One more than there are prompts: gap g lies above prompt g.
        prompts: The prompts, in order.

    Returns:
        Where the units went.
    """
    best_placements: dict[bool, PartialPlacement] = {
        True: PartialPlacement()
    }  # whether the prompt above already has an answer
    for number, gap in enumerate(gaps):
        above = prompts[number - 1] if number else None
        below = prompts[number] if number < len(prompts) else None
        best_placements = _extend_placements(best_placements, gap=gap, above=above, below=below)
    best = min(best_placements.values(), key=lambda placement: placement.cost)
    return _build_placement(gaps, up_counts=best.up_counts, prompt_count=len(prompts))


def _extend_placements(
    best_placements: dict[bool, PartialPlacement],
    *,
    gap: Gap,
    above: Prompt | None,
    below: Prompt | None,
) -> dict[bool, PartialPlacement]:
    """The best paths after one more gap, for a fed and an unfed prompt below it."""
    extended: dict[bool, PartialPlacement] = {}
    count = len(gap.units)
    for split in range(count, -1, -1) if count <= _MAX_SPLIT_UNITS else (count, 0):
        directions = _directions(gap.units, split=split, above=above, below=below)
        gap_cost = _gap_cost(gap.units, directions=directions, above=above, below=below)
        for was_answered, placement in best_placements.items():
            left_empty = (
                above is not None and above.needed and not was_answered and "up" not in directions
            )
            cost = placement.cost + gap_cost + _EMPTY_COST * left_empty
            is_answered = "down" in directions
            if is_answered not in extended or cost < extended[is_answered].cost:
                extended[is_answered] = PartialPlacement(
                    cost=cost, up_counts=(*placement.up_counts, split)
                )
    return extended


def _directions(
    units: Sequence[Unit], *, split: int, above: Prompt | None, below: Prompt | None
) -> list[str]:
    """What becomes of each unit: 'up', 'down' or 'drop'."""
    directions = []
    for number, unit in enumerate(units):
        if number < split:
            is_reachable = above is not None and unit.may_go_up
            directions.append("up" if is_reachable else "drop")
        else:
            is_reachable = below is not None and unit.may_go_down
            directions.append("down" if is_reachable else "drop")
    return directions


def _gap_cost(
    units: Sequence[Unit], *, directions: Sequence[str], above: Prompt | None, below: Prompt | None
) -> int:
    cost = _DROP_COST * directions.count("drop") + _DOWN_COST * directions.count("down")
    pairs = list(zip(units, directions, strict=True))
    cost += _HEADING_COST * sum(u.heading_below for u, direction in pairs if direction == "down")
    if above and below and "up" in directions and "down" in directions:
        down = [unit for unit, direction in pairs if direction == "down"]
        first = next(unit for unit, direction in pairs if direction == "up")
        joined = all(unit.may_go_up for unit in down)
        cost += _run_split_cost(first, down=down, above=above, below=below) if joined else 0
    return cost


def _run_split_cost(first: Unit, *, down: Sequence[Unit], above: Prompt, below: Prompt) -> int:
    """What it costs to give the later part of one run to the next prompt.

    The words decide. Where they don't, the part goes down only if the prompt above has its
    answer typed into its own cell.
    """
    down_words = frozenset(word for unit in down for word in unit.words)
    for_above = len(down_words & (above.words - below.words))
    for_below = len(down_words & (below.words - above.words))
    own_cell = first.cell == above.cell and all(unit.cell != above.cell for unit in down)
    fits = for_below > for_above or (for_below == for_above and own_cell)
    return _SPLIT_COST if fits else _TORN_COST


def _build_placement(
    gaps: Sequence[Gap], *, up_counts: Sequence[int], prompt_count: int
) -> UnitPlacement:
    to_prompts: dict[int, list[Unit]] = {}
    dropped: dict[int, list[Unit]] = {}
    for number, (gap, split) in enumerate(zip(gaps, up_counts, strict=True)):
        for unit_index, unit in enumerate(gap.units):
            if unit_index < split and unit.may_go_up and number > 0:
                to_prompts.setdefault(number - 1, []).append(unit)
            elif unit_index >= split and unit.may_go_down and number < prompt_count:
                to_prompts.setdefault(number, []).append(unit)
            else:
                dropped.setdefault(number, []).append(unit)
    return UnitPlacement(to_prompts=to_prompts, dropped=dropped)
