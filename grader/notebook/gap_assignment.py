"""Decides which prompt a run of student text answers: the one above it, or the one below.

Most people answer below the prompt; some answer above it, all the way through. From the first
prompt to the last, the cheapest way of sending every run up or down is looked for: an empty
prompt costs most, and among equals text goes to the prompt above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grader.model import Picture

_EMPTY = 1000
_TORN = 1200
_SPLIT = 30
_DROP = 20
_ACROSS_HEADING = 15
_DOWN = 10
_MANY = 50


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
class Path:
    """A way of sending the runs so far: the first `up[g]` units of gap g go up, the rest down."""

    cost: int = 0
    up: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where every unit went: to a prompt by its number, or nowhere."""

    to_prompts: dict[int, list[Unit]]
    dropped: dict[int, list[Unit]]
    """By gap."""


def cascade(gaps: Sequence[Gap], *, prompts: Sequence[Prompt]) -> Sent:
    """Send each unit to a prompt.

    Args:
        gaps: One more than there are prompts: gap g lies above prompt g.
        prompts: The prompts, in order.

    Returns:
        Where the units went.
    """
    fed: dict[bool, Path] = {True: Path()}  # whether the prompt above already has an answer
    for number, gap in enumerate(gaps):
        above = prompts[number - 1] if number else None
        below = prompts[number] if number < len(prompts) else None
        fed = _extended(fed, gap=gap, above=above, below=below)
    best = min(fed.values(), key=lambda path: path.cost)
    return _sent(gaps, up=best.up, last=len(prompts))


def _extended(
    fed: dict[bool, Path], *, gap: Gap, above: Prompt | None, below: Prompt | None
) -> dict[bool, Path]:
    """The best paths after one more gap, for a fed and an unfed prompt below it."""
    after: dict[bool, Path] = {}
    count = len(gap.units)
    for split in range(count, -1, -1) if count <= _MANY else (count, 0):
        fates = _fates(gap.units, split=split, above=above, below=below)
        step = _cost(gap.units, fates=fates, above=above, below=below)
        for had, path in fed.items():
            starved = above is not None and above.needed and not had and "up" not in fates
            cost = path.cost + step + _EMPTY * starved
            now = "down" in fates
            if now not in after or cost < after[now].cost:
                after[now] = Path(cost=cost, up=(*path.up, split))
    return after


def _fates(
    units: Sequence[Unit], *, split: int, above: Prompt | None, below: Prompt | None
) -> list[str]:
    """What becomes of each unit: 'up', 'down' or 'drop'."""
    fates = []
    for number, unit in enumerate(units):
        if number < split:
            goes = above is not None and unit.may_go_up
            fates.append("up" if goes else "drop")
        else:
            goes = below is not None and unit.may_go_down
            fates.append("down" if goes else "drop")
    return fates


def _cost(
    units: Sequence[Unit], *, fates: Sequence[str], above: Prompt | None, below: Prompt | None
) -> int:
    cost = _DROP * fates.count("drop") + _DOWN * fates.count("down")
    pairs = list(zip(units, fates, strict=True))
    cost += _ACROSS_HEADING * sum(u.heading_below for u, fate in pairs if fate == "down")
    if above and below and "up" in fates and "down" in fates:
        down = [unit for unit, fate in pairs if fate == "down"]
        first = next(unit for unit, fate in pairs if fate == "up")
        joined = all(unit.may_go_up for unit in down)
        cost += _tearing(first, down=down, above=above, below=below) if joined else 0
    return cost


def _tearing(first: Unit, *, down: Sequence[Unit], above: Prompt, below: Prompt) -> int:
    """What it costs to give the later part of one run to the next prompt.

    The words decide. Where they don't, the part goes down only if the prompt above has its
    answer typed into its own cell.
    """
    said = frozenset(word for unit in down for word in unit.words)
    for_above = len(said & (above.words - below.words))
    for_below = len(said & (below.words - above.words))
    own_cell = first.cell == above.cell and all(unit.cell != above.cell for unit in down)
    fits = for_below > for_above or (for_below == for_above and own_cell)
    return _SPLIT if fits else _TORN


def _sent(gaps: Sequence[Gap], *, up: Sequence[int], last: int) -> Sent:
    to_prompts: dict[int, list[Unit]] = {}
    dropped: dict[int, list[Unit]] = {}
    for number, (gap, split) in enumerate(zip(gaps, up, strict=True)):
        for place, unit in enumerate(gap.units):
            if place < split and unit.may_go_up and number > 0:
                to_prompts.setdefault(number - 1, []).append(unit)
            elif place >= split and unit.may_go_down and number < last:
                to_prompts.setdefault(number, []).append(unit)
            else:
                dropped.setdefault(number, []).append(unit)
    return Sent(to_prompts=to_prompts, dropped=dropped)
