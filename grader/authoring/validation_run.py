"""Tests an assignment as code is tested: reference, template, cases and mutants, over seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from grader.authoring import test_plan as plans
from grader.authoring.blanking import template
from grader.authoring.editable_notebook import Book, opened
from grader.authoring.mutant_verdicts import (
    case_result,
    full_points,
    keyed,
    mutant_result,
    triggered,
)
from grader.authoring.mutants import Mutants, mutants, patched
from grader.authoring.test_plan import Case, Plan, explains
from grader.authoring.trial_runs import Bench, Tried, bench, seeds
from grader.model import (
    CaseResult,
    CheckUse,
    Finding,
    Graded,
    Mutant,
    MutantResult,
    Rubric,
    Validation,
)
from grader.pipeline import Opening

REPEATS = 3
"""How often the reference is run: what it scores must not depend on the run."""


class Watcher(Protocol):
    """Who is told how it goes."""

    def begin(self, *, rubric: Rubric, count: int, kept: int, judged: int) -> None:
        """So many notebooks are about to run."""
        ...

    def ready(self) -> None:
        """The reference is live."""
        ...

    def note(self, text: str) -> None:
        """Something about this machine that the person should know."""
        ...

    def done(self, graded: Graded) -> None:
        """One more was tried."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is tried."""

    seeds: int = 3
    new_seeds: bool = False
    most: int | None = None
    """Mutants at most, spread evenly over all; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An assignment with everything that is tested of it."""

    rubric: Rubric
    book: Book
    plan: Plan
    mutants: Mutants

    @classmethod
    def of(cls, rubric: Rubric) -> Assignment:
        """The assignment of a rubric; runs nothing.

        Raises:
            RubricError: a file of it can't be used.
        """
        book, plan = opened(rubric.reference), plans.read(rubric)
        return cls(
            rubric=rubric,
            book=book,
            plan=plan,
            mutants=mutants(book, rubric=rubric, plan=plan),
        )

    def texts(self, made: Sequence[Mutant]) -> list[str]:
        """The notebooks to be run: reference, template, cases, mutants."""
        solved = self.book.as_handed_in()
        return [
            *[self.book.text()] * REPEATS,
            template(self.book).text(),
            *(self._text_of(case) for case in self.plan.cases),
            *(solved.with_sources(m.sources).with_outputs(m.outputs).text() for m in made),
        ]

    def _text_of(self, case: Case) -> str:
        if case.notebook is not None:
            return case.notebook.read_text(encoding="utf-8")
        solved = case.start == "reference"
        start = self.book.as_handed_in() if solved else template(self.book)
        return start.with_sources(patched(start, case.patches, what=f"case {case.name}")).text()


def validate(
    assignment: Assignment, *, effort: Effort, opening: Opening, watcher: Watcher
) -> Validation:
    """Test an assignment.

    Raises:
        RubricError: a file of it can't be used, or the reference does not run.
        IsolationError: the walls that are wanted can't be had.
    """
    begun = time.monotonic()
    made = _spread(assignment.mutants.made, effort.most)
    texts = assignment.texts(made)
    rubric = assignment.rubric
    watcher.begin(rubric=rubric, count=len(texts), kept=0, judged=0)
    drawn = seeds(rubric.id, count=effort.seeds, new=effort.new_seeds)
    with bench(rubric, seeds=drawn, opening=opening, tell=watcher.note) as ready:
        watcher.ready()
        tried = _tried(ready, texts, done=watcher.done)
    report = _report(assignment, made, tried, whole=len(made) == len(assignment.mutants.made))
    return replace(
        report, seeds=effort.seeds, notebooks=len(texts), seconds=time.monotonic() - begun
    )


def _tried(ready: Bench, texts: Sequence[str], *, done: Callable[[Graded], None]) -> list[Tried]:
    return list(ready.try_all(texts, done=done))


def _spread(made: Sequence[Mutant], most: int | None) -> tuple[Mutant, ...]:
    """At most so many, from everywhere, and the assignment's own first of all."""
    if most is None or len(made) <= most:
        return tuple(made)
    own = [mutant for mutant in made if mutant.own][:most]
    others = [mutant for mutant in made if not mutant.own]
    room = most - len(own)
    return (*(others[place * len(others) // room] for place in range(room)), *own)


def _report(
    assignment: Assignment, made: Sequence[Mutant], tried: Sequence[Tried], *, whole: bool
) -> Validation:
    rubric, plan = assignment.rubric, assignment.plan
    first = REPEATS + 1
    last = first + len(plan.cases)
    results = tuple(
        mutant_result(mutant, one, why=plan.why(mutant))
        for mutant, one in zip(made, tried[last:], strict=True)
    )
    results = tuple(_unexplained_if_fine(result) for result in results)
    cases = tuple(
        case_result(case.name, [one], points=case.points)
        for case, one in zip(plan.cases, tried[first:last], strict=True)
    )
    return Validation(
        assignment=rubric.id,
        title=rubric.title,
        reference=_reference(rubric, tried[:REPEATS]),
        template=_template(tried[REPEATS], points=plan.template),
        cases=cases,
        mutants=results,
        left_aside=assignment.mutants.left_aside,
        checks=_uses(assignment, results, tried[REPEATS:last]) if whole else (),
        stale=tuple(_stale(assignment, results)) if whole else (),
        seeds=0,
        notebooks=0,
        seconds=0.0,
    )


def _unexplained_if_fine(result: MutantResult) -> MutantResult:
    """Without its explanation, where it needs none."""
    return result if replace(result, why="").escaped else replace(result, why="")


def _reference(rubric: Rubric, tries: Sequence[Tried]) -> CaseResult:
    """Full automatic marks each time, and a written answer to everything that asks for one."""
    graded = next((one for tried in tries for one in tried.graded), None)
    empty = [
        item.id
        for item in rubric.items
        if item.kind == "written"
        and graded is not None
        and not (item.id in graded.answers and graded.answers[item.id].text.strip())
    ]
    problem = f"no answer was found to {', '.join(empty)}" if empty else ""
    return case_result("reference", tries, points=full_points(rubric), problem=problem)


def _template(tried: Tried, *, points: Mapping[str, Fraction]) -> CaseResult:
    """Nothing where nothing is due, and no written answer."""
    answered = [
        item
        for graded in tried.graded[:1]
        for item, answer in graded.answers.items()
        if answer.text.strip()
    ]
    problem = f"the template's own text is taken for an answer to {', '.join(answered)}"
    return case_result("template", [tried], points=points, problem=problem if answered else "")


def _uses(
    assignment: Assignment, results: Sequence[MutantResult], cases: Sequence[Tried]
) -> tuple[CheckUse, ...]:
    """How often each check of the rubric was triggered; the template counts as a case."""
    by_cases = [key for tried in cases for key in triggered(tried)]
    by_mutants = [key for result in results for key in result.caught_by]
    idle = {(one.item, one.check): one.why for one in assignment.plan.mutants.untriggered}
    return tuple(
        CheckUse(
            item=finding.item,
            code=finding.code,
            title=finding.title,
            mutants=by_mutants.count(key),
            cases=by_cases.count(key),
            why=idle.get((finding.item, finding.code), ""),
        )
        for key, finding in _all_checks(cases)
    )


def _all_checks(cases: Sequence[Tried]) -> list[tuple[str, Finding]]:
    for tried in cases:
        for findings in tried.findings():
            return keyed(findings)
    return []


def _stale(assignment: Assignment, results: Sequence[MutantResult]) -> list[str]:
    """Explanations that explain nothing any more, so that the files stay true."""
    file = assignment.plan.mutants
    told = [
        f"[[given]] cell {one.cell}, line {one.line}"
        for place, one in enumerate(file.given)
        if place not in assignment.mutants.used
    ]
    explained = [result.mutant for result in results if result.why]
    return told + [
        f"[[explained]] cell {one.cell}, line {one.line}, change {one.change}, after {one.after}"
        for one in file.explained
        if not any(explains(one, mutant) for mutant in explained)
    ]
