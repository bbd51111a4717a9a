"""Defines the result of testing an assignment: cases, mutants, and the checks they trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction


class MutantOutcome(StrEnum):
    """Whether the checks of a rubric noticed a mutant, from the worst outcome to the best."""

    SURVIVED = "survived"
    """It lost no points."""
    ELSEWHERE = "elsewhere"
    """It lost points, but only in other items than those it should lose them in."""
    CAUGHT = "caught"
    """It lost points in one of the items that it should lose them in."""
    STOPPED = "stopped"
    """One of its cells raised or hung, so no check needs to notice it."""
    UNGRADED = "untried"
    """It could not be graded, by a fault of the grader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """The reference with one small change that should cost points."""

    cell: str = ""
    """The id of the changed cell; '' for a change of the whole file."""
    line: int = 0
    """The changed line of that cell, from 1; 0 for several lines."""
    change: str
    """The kind of change, such as 'call left out'; the name of a listed mutant."""
    before: str = ""
    after: str = ""
    """The line before and after, without indentation."""
    items: tuple[str, ...] = ()
    """Ids of the items in one of which it must lose points; empty if any item will do."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The changed cells' new sources, by id."""
    outputs: str = "kept"
    """The state of the saved outputs: 'kept', 'cleared' or 'without figures'."""
    is_listed: bool = False
    """Whether it stands in the assignment's `mutants.toml`, instead of being generated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantResult:
    """A mutant with its worst outcome under any seed."""

    mutant: Mutant
    outcome: MutantOutcome
    caught_by: tuple[str, ...] = ()
    """'ITEM CODE' of each check that took points, in the rubric's order."""
    is_unstable: bool = False
    """Whether its points depend on the hidden seed."""
    why: str = ""
    """Why `mutants.toml` lets it survive or be unstable; '' where it doesn't."""

    @property
    def escaped(self) -> bool:
        """Return whether the rubric or `mutants.toml` must be changed because of it."""
        missed = self.outcome not in {MutantOutcome.CAUGHT, MutantOutcome.STOPPED}
        return (missed or self.is_unstable) and not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """An item with another score than expected, under the seed that differed most."""

    item: str
    expected: Fraction
    earned: Fraction
    found: str = ""
    """What the checks that took points reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """A submission with expected scores, and the items that scored otherwise."""

    name: str
    shortfalls: tuple[Shortfall, ...] = ()
    is_unstable: bool = False
    """Whether its points depend on the hidden seed, or on the run."""
    problem: str = ""
    """Why it could not be graded, or which file is missing."""

    @property
    def passed(self) -> bool:
        """Return whether it scored as expected under every seed."""
        return not (self.shortfalls or self.is_unstable or self.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCoverage:
    """A check of the rubric, with the number of mutants and cases that it took points from."""

    item: str
    code: str
    title: str
    mutants: int
    """Number of mutants that it took points from."""
    cases: int
    """Number of cases that it took points from."""
    why: str = ""
    """Why `mutants.toml` says that it may take points from none; '' where it doesn't."""

    @property
    def is_untriggered(self) -> bool:
        """Return whether it took points from nothing and `mutants.toml` gives no reason."""
        return not (self.mutants or self.cases or self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRemark:
    """What an author should know of a test of the course's."""

    __test__ = False  # no test of pytest's, whatever its name

    test: str
    """The item and the name of the test."""
    text: str
    is_fault: bool = False
    """Whether it must be changed before the assignment holds."""


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
    """By the id of a cell that no mutant changes, the reason."""
    checks: tuple[CheckCoverage, ...]
    stale_explanations: tuple[str, ...]
    """Entries of `mutants.toml` that no longer explain anything."""
    seeds: int
    """Number of hidden seeds under which each notebook was judged."""
    notebooks: int
    """Number of notebooks that were run."""
    seconds: float
    remarks: tuple[TestRemark, ...] = ()
    """What is to be known of the course's tests."""
    unsettled: tuple[str, ...] = ()
    """What an import did not understand, and nobody has settled."""
    stated_points: tuple[str, ...] = ()
    """Where the notebook's text states other points than the rubric."""
    imported_from: str = ""
    """Whose assignment it was: what its tests never notice is then told, and no fault of ours."""

    @property
    def escaped(self) -> tuple[MutantResult, ...]:
        """Return the mutants that the rubric or `mutants.toml` must be changed for."""
        return tuple(result for result in self.mutants if result.escaped)

    @property
    def untriggered_checks(self) -> tuple[CheckCoverage, ...]:
        """Return the checks that took points from nothing, without a reason."""
        return tuple(check for check in self.checks if check.is_untriggered)

    @property
    def passed(self) -> bool:
        """Return whether nothing is left to fix."""
        case_results = (self.reference, self.template, *self.cases)
        if not all(case.passed for case in case_results) or self.unsettled:
            return False
        return not self.stale_explanations and (bool(self.imported_from) or self.is_tight)

    @property
    def is_tight(self) -> bool:
        """Return whether the tests notice each mutant, and each check is needed."""
        has_fault = any(remark.is_fault for remark in self.remarks)
        return not (self.escaped or self.untriggered_checks or has_fault)
