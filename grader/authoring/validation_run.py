"""Tests an assignment as code is tested: reference, template, cases and mutants, over seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from grader.authoring import test_plan as plans
from grader.authoring.blanking import make_template
from grader.authoring.editable_notebook import EditableNotebook, read_editable_notebook
from grader.authoring.mutant_verdicts import (
    case_result,
    full_points,
    keyed_findings,
    mutant_result,
    triggered_checks,
)
from grader.authoring.mutants import MutantSet, make_mutants, patched_sources
from grader.authoring.test_plan import SubmissionCase, ValidationPlan, explains
from grader.authoring.trial_runs import TrialRun, TrialRunner, draw_seeds, open_trial_runner
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
from grader.pipeline import SessionOptions

REFERENCE_RUNS = 3
"""How often the reference is run: what it scores must not depend on the run."""


class ValidationWatcher(Protocol):
    """Who is told how it goes."""

    def begin(self, *, rubric: Rubric, count: int, unchanged: int, judged: int) -> None:
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
    max_mutants: int | None = None
    """Mutants at most, spread evenly over all; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An assignment with everything that is tested of it."""

    rubric: Rubric
    notebook: EditableNotebook
    plan: ValidationPlan
    mutants: MutantSet

    @classmethod
    def from_rubric(cls, rubric: Rubric) -> Assignment:
        """The assignment of a rubric; runs nothing.

        Raises:
            RubricError: a file of it can't be used.
        """
        notebook, plan = read_editable_notebook(rubric.reference), plans.read_plan(rubric)
        return cls(
            rubric=rubric,
            notebook=notebook,
            plan=plan,
            mutants=make_mutants(notebook, rubric=rubric, plan=plan),
        )

    def notebook_texts(self, chosen_mutants: Sequence[Mutant]) -> list[str]:
        """The notebooks to be run: reference, template, cases, mutants."""
        solved = self.notebook.as_submitted()
        return [
            *[self.notebook.to_json()] * REFERENCE_RUNS,
            make_template(self.notebook).to_json(),
            *(self._case_text(case) for case in self.plan.cases),
            *(
                solved.with_sources(m.sources).with_outputs(m.outputs).to_json()
                for m in chosen_mutants
            ),
        ]

    def _case_text(self, case: SubmissionCase) -> str:
        if case.notebook is not None:
            return case.notebook.read_text(encoding="utf-8")
        from_reference = case.start == "reference"
        start = self.notebook.as_submitted() if from_reference else make_template(self.notebook)
        return start.with_sources(
            patched_sources(start, case.patches, context=f"case {case.name}")
        ).to_json()


def validate_assignment(
    assignment: Assignment, *, effort: Effort, opening: SessionOptions, watcher: ValidationWatcher
) -> Validation:
    """Test an assignment.

    Raises:
        RubricError: a file of it can't be used, or the reference does not run.
        IsolationError: the walls that are wanted can't be had.
    """
    started = time.monotonic()
    chosen_mutants = _spread_evenly(assignment.mutants.mutants, effort.max_mutants)
    texts = assignment.notebook_texts(chosen_mutants)
    rubric = assignment.rubric
    watcher.begin(rubric=rubric, count=len(texts), unchanged=0, judged=0)
    drawn_seeds = draw_seeds(rubric.id, count=effort.seeds, new=effort.new_seeds)
    with open_trial_runner(
        rubric, seeds=drawn_seeds, opening=opening, notify=watcher.note
    ) as runner:
        watcher.ready()
        trials = _run_trials(runner, texts, on_graded=watcher.done)
    validation = _make_validation(
        assignment,
        chosen_mutants,
        trials,
        complete=len(chosen_mutants) == len(assignment.mutants.mutants),
    )
    return replace(
        validation, seeds=effort.seeds, notebooks=len(texts), seconds=time.monotonic() - started
    )


def _run_trials(
    runner: TrialRunner, texts: Sequence[str], *, on_graded: Callable[[Graded], None]
) -> list[TrialRun]:
    return list(runner.run_all(texts, on_graded=on_graded))


def _spread_evenly(all_mutants: Sequence[Mutant], limit: int | None) -> tuple[Mutant, ...]:
    """At most so many, from everywhere, and the assignment's own first of all."""
    if limit is None or len(all_mutants) <= limit:
        return tuple(all_mutants)
    listed = [mutant for mutant in all_mutants if mutant.own][:limit]
    others = [mutant for mutant in all_mutants if not mutant.own]
    remaining = limit - len(listed)
    return (*(others[index * len(others) // remaining] for index in range(remaining)), *listed)


def _make_validation(
    assignment: Assignment,
    chosen_mutants: Sequence[Mutant],
    trials: Sequence[TrialRun],
    *,
    complete: bool,
) -> Validation:
    rubric, plan = assignment.rubric, assignment.plan
    first_case = REFERENCE_RUNS + 1
    last_case = first_case + len(plan.cases)
    results = tuple(
        mutant_result(mutant, trial, why=plan.survival_reason(mutant))
        for mutant, trial in zip(chosen_mutants, trials[last_case:], strict=True)
    )
    results = tuple(_drop_needless_reason(result) for result in results)
    cases = tuple(
        case_result(case.name, [trial], points=case.points)
        for case, trial in zip(plan.cases, trials[first_case:last_case], strict=True)
    )
    return Validation(
        assignment=rubric.id,
        title=rubric.title,
        reference=_reference_result(rubric, trials[:REFERENCE_RUNS]),
        template=_template_result(trials[REFERENCE_RUNS], points=plan.template_points),
        cases=cases,
        mutants=results,
        left_aside=assignment.mutants.skipped_cells,
        checks=_check_uses(assignment, results, trials[REFERENCE_RUNS:last_case])
        if complete
        else (),
        stale=tuple(_stale_explanations(assignment, results)) if complete else (),
        seeds=0,
        notebooks=0,
        seconds=0.0,
    )


def _drop_needless_reason(result: MutantResult) -> MutantResult:
    """Without its explanation, where it needs none."""
    return result if replace(result, why="").escaped else replace(result, why="")


def _reference_result(rubric: Rubric, trials: Sequence[TrialRun]) -> CaseResult:
    """Full automatic marks each time, and a written answer to everything that asks for one."""
    first_grade = next((grade for trial in trials for grade in trial.grades), None)
    unanswered = [
        item.id
        for item in rubric.items
        if item.kind == "written"
        and first_grade is not None
        and not (item.id in first_grade.answers and first_grade.answers[item.id].text.strip())
    ]
    problem = f"no answer was found to {', '.join(unanswered)}" if unanswered else ""
    return case_result("reference", trials, points=full_points(rubric), problem=problem)


def _template_result(trial: TrialRun, *, points: Mapping[str, Fraction]) -> CaseResult:
    """Nothing where nothing is due, and no written answer."""
    answered = [
        item
        for grade in trial.grades[:1]
        for item, answer in grade.answers.items()
        if answer.text.strip()
    ]
    problem = f"the template's own text is taken for an answer to {', '.join(answered)}"
    return case_result("template", [trial], points=points, problem=problem if answered else "")


def _check_uses(
    assignment: Assignment, results: Sequence[MutantResult], trials: Sequence[TrialRun]
) -> tuple[CheckUse, ...]:
    """How often each check of the rubric was triggered; the template counts as a case."""
    by_cases = [key for trial in trials for key in triggered_checks(trial)]
    by_mutants = [key for result in results for key in result.caught_by]
    untriggered_reasons = {
        (table.item, table.check): table.why for table in assignment.plan.mutants.untriggered
    }
    return tuple(
        CheckUse(
            item=finding.item,
            code=finding.code,
            title=finding.title,
            mutants=by_mutants.count(key),
            cases=by_cases.count(key),
            why=untriggered_reasons.get((finding.item, finding.code), ""),
        )
        for key, finding in _first_keyed_findings(trials)
    )


def _first_keyed_findings(trials: Sequence[TrialRun]) -> list[tuple[str, Finding]]:
    for trial in trials:
        for findings in trial.findings():
            return keyed_findings(findings)
    return []


def _stale_explanations(assignment: Assignment, results: Sequence[MutantResult]) -> list[str]:
    """Explanations that explain nothing any more, so that the files stay true."""
    mutants_file = assignment.plan.mutants
    messages = [
        f"[[given]] cell {table.cell}, line {table.line}"
        for index, table in enumerate(mutants_file.given)
        if index not in assignment.mutants.used_given
    ]
    explained_mutants = [result.mutant for result in results if result.why]
    return messages + [
        f"[[explained]] cell {table.cell}, line {table.line}, change {table.change}, after {table.after}"
        for table in mutants_file.explained
        if not any(explains(table, mutant) for mutant in explained_mutants)
    ]
