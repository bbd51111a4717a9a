"""Defines the result of testing an assignment: cases, mutants, and the checks they trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Fate(StrEnum):
    """The outcome of a mutant."""

    CAUGHT = "caught"
    """It lost points in one of its items."""
    STOPPED = "stopped"
    """One of its cells raised or hung, which nobody can overlook."""
    ELSEWHERE = "elsewhere"
    """It lost points, but in none of its items."""
    SURVIVED = "survived"
    """It lost nothing."""
    UNTRIED = "untried"
    """It could not be graded: a fault of the grader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The reference with one small change that should cost points."""

    cell: str
    """The id of the changed cell; '' for a change of the whole file."""
    line: int
    """The changed line of that cell, from 1; 0 for several lines."""
    change: str
    """The change in words: 'call left out'."""
    before: str
    after: str
    """The line before and after, without indentation."""
    items: tuple[str, ...]
    """Ids of its items: it must lose points in one of them, or in any item if this is empty."""
    sources: Mapping[str, str]
    """The changed cells' new sources, by id."""
    outputs: str = "kept"
    """The state of the saved outputs: 'kept', 'cleared' or 'without figures'."""
    own: bool = False
    """Whether it comes from the assignment's own list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """A mutant with its outcome under every seed."""

    mutant: Mutant
    fate: Fate
    caught_by: tuple[str, ...] = ()
    """'ITEM CODE' of each check that took points, in the rubric's order."""
    wavers: bool = False
    """Whether its points depend on the hidden seed."""
    why: str = ""
    """Why the assignment's files let it survive or waver; '' where they don't."""

    @property
    def escaped(self) -> bool:
        """Return whether a person has to do something about it."""
        missed = self.fate not in {Fate.CAUGHT, Fate.STOPPED}
        return (missed or self.wavers) and not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """An item with another score than expected, under the seed that differed most."""

    item: str
    expected: Fraction
    earned: Fraction
    found: str = ""
    """The checks' feedback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A submission with expected scores, and the items that missed them."""

    name: str
    shortfalls: tuple[Shortfall, ...] = ()
    wavers: bool = False
    """Whether its points depend on the hidden seed, or on the run."""
    problem: str = ""
    """Why it could not be graded, or which file is missing."""

    @property
    def holds(self) -> bool:
        """Return whether it always scored as expected."""
        return not (self.shortfalls or self.wavers or self.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUse:
    """A check of the rubric, with the number of mutants and cases that triggered it."""

    item: str
    code: str
    title: str
    mutants: int
    """Mutants that lost points by it."""
    cases: int
    """Cases that lost points by it."""
    why: str = ""
    """Why the assignment's files say that nothing need trigger it; '' where they don't."""

    @property
    def idle(self) -> bool:
        """Return whether nothing triggers it and no file says why."""
        return not (self.mutants or self.cases or self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The result of testing an assignment."""

    assignment: str
    title: str
    reference: CaseResult
    template: CaseResult
    cases: tuple[CaseResult, ...]
    mutants: tuple[MutantResult, ...]
    skipped_cells: Mapping[str, str]
    """Reasons why cells were not changed, by cell."""
    checks: tuple[CheckUse, ...]
    stale_explanations: tuple[str, ...]
    """Explanations in the assignment's files that no longer apply."""
    seeds: int
    """Number of hidden seeds that each notebook was asked with."""
    notebooks: int
    """Number of notebooks that were run."""
    seconds: float

    @property
    def escaped(self) -> tuple[MutantResult, ...]:
        """Return the mutants that a person has to do something about."""
        return tuple(result for result in self.mutants if result.escaped)

    @property
    def idle(self) -> tuple[CheckUse, ...]:
        """Return the checks that nothing triggers."""
        return tuple(use for use in self.checks if use.idle)

    @property
    def holds(self) -> bool:
        """Return whether nothing is left to mend."""
        case_results = (self.reference, self.template, *self.cases)
        return all(case.holds for case in case_results) and not (
            self.escaped or self.idle or self.stale_explanations
        )
