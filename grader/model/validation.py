"""What testing an assignment came to: its cases, its mutants, and the checks they triggered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Fate(StrEnum):
    """What became of a mutant."""

    CAUGHT = "caught"
    """It lost points in an item it belongs to."""
    STOPPED = "stopped"
    """A cell of it raised or hung, which nobody can overlook."""
    ELSEWHERE = "elsewhere"
    """It lost points, but in no item it belongs to."""
    SURVIVED = "survived"
    """It lost nothing."""
    UNTRIED = "untried"
    """It could not be graded: a fault of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The reference with one small change that should cost points."""

    cell: str
    """The id of the changed cell; '' for a change of the file as a whole."""
    line: int
    """The changed line of that cell, from 1; 0 where it is more than a line."""
    change: str
    """What was done, in words: 'call left out'."""
    before: str
    after: str
    """The line before and after, without indentation."""
    items: tuple[str, ...]
    """The items it belongs to: it must lose points in one of them; any will do where none is
    named."""
    sources: Mapping[str, str]
    """The changed cells' new sources, by id."""
    outputs: str = "kept"
    """What became of the saved outputs: 'kept', 'cleared' or 'without figures'."""
    own: bool = False
    """Whether it comes from the assignment's own list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """A mutant, and what the checks made of it under every seed."""

    mutant: Mutant
    fate: Fate
    caught_by: tuple[str, ...] = ()
    """'ITEM CODE' of each check that took points, in the rubric's order."""
    wavers: bool = False
    """Whether its points depend on the hidden seed."""
    why: str = ""
    """Why it may survive, or waver, as the assignment's files say."""

    @property
    def escaped(self) -> bool:
        """Whether somebody has to do something about it."""
        missed = self.fate not in {Fate.CAUGHT, Fate.STOPPED}
        return (missed or self.wavers) and not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """An item that did not score what it should, under the seed where it was farthest off."""

    item: str
    expected: Fraction
    earned: Fraction
    found: str = ""
    """What the checks said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A submission with expected scores, and where they were not met."""

    name: str
    shortfalls: tuple[Shortfall, ...] = ()
    wavers: bool = False
    """Whether its points depend on the hidden seed, or on the run."""
    problem: str = ""
    """Why it could not be graded, or what is missing."""

    @property
    def holds(self) -> bool:
        """Whether it scored what it should, each time."""
        return not (self.shortfalls or self.wavers or self.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUse:
    """A check of the rubric, and how often something triggered it."""

    item: str
    code: str
    title: str
    mutants: int
    """Mutants that lost points by it."""
    cases: int
    """Cases that did."""
    why: str = ""
    """Why nothing need trigger it, as the assignment's files say."""

    @property
    def idle(self) -> bool:
        """Whether nothing triggers it and nobody says why."""
        return not (self.mutants or self.cases or self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """An assignment, tested as code is tested."""

    assignment: str
    title: str
    reference: CaseResult
    template: CaseResult
    cases: tuple[CaseResult, ...]
    mutants: tuple[MutantResult, ...]
    left_aside: Mapping[str, str]
    """Cells that were not changed, and why."""
    checks: tuple[CheckUse, ...]
    stale: tuple[str, ...]
    """Explanations that explain nothing any more."""
    seeds: int
    """Hidden seeds that each notebook was asked with."""
    notebooks: int
    """Notebooks that were run."""
    seconds: float

    @property
    def escaped(self) -> tuple[MutantResult, ...]:
        """Mutants that somebody has to do something about."""
        return tuple(result for result in self.mutants if result.escaped)

    @property
    def idle(self) -> tuple[CheckUse, ...]:
        """Checks that nothing triggers."""
        return tuple(use for use in self.checks if use.idle)

    @property
    def holds(self) -> bool:
        """Whether nothing is left to mend."""
        case_results = (self.reference, self.template, *self.cases)
        return all(case.holds for case in case_results) and not (
            self.escaped or self.idle or self.stale
        )
