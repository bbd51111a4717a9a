"""Tests an assignment as code is tested: reference, template, cases and mutants, over seeds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from grader.authoring.assignments import REFERENCE_RUNS, Assignment
from grader.authoring.mutant_verdicts import (
    case_result,
    keyed_findings,
    mutant_result,
    triggered_checks,
)
from grader.authoring.test_plan import explains, uniform_points
from grader.authoring.trial_runs import TrialRun, draw_seeds, open_trial_runner
from grader.model import CaseResult, CheckUse, Mutant, MutantResult, Rubric, Validation
from grader.pipeline import SessionOptions
from grader.report.progress import RunWatcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is tried."""

    seeds: int = 3
    new_seeds: bool = False
    max_mutants: int | None = None
    """Mutants at most, spread evenly over all; None for all."""


def validate_assignment(
    assignment: Assignment, *, effort: Effort, opening: SessionOptions, watcher: RunWatcher
) -> Validation:
    """Run an assignment's notebooks and judge whether they score what they must.

    Raises:
        RubricError: A file of it can't be used, or the reference does not run.
        IsolationError: The isolation that is asked for can't be had.
    """
    started = time.monotonic()
    chosen_mutants = _spread_evenly(assignment.mutants.mutants, effort.max_mutants)
    texts = assignment.notebook_texts(chosen_mutants)
    rubric = assignment.rubric
    watcher.begin(rubric=rubric, count=len(texts), unchanged=0, judged=0)
    seeds = draw_seeds(rubric.id, count=effort.seeds, new=effort.new_seeds)
    with open_trial_runner(rubric, seeds=seeds, opening=opening, notify=watcher.note) as runner:
        watcher.ready()
        trials = list(runner.run_all(texts, on_graded=watcher.done))
    validation = _conclude(assignment, chosen_mutants, trials)
    return replace(
        validation, seeds=effort.seeds, notebooks=len(texts), seconds=time.monotonic() - started
    )


def _spread_evenly(all_mutants: Sequence[Mutant], limit: int | None) -> tuple[Mutant, ...]:
    """Return at most that many mutants, from everywhere, and the assignment's own first of all."""
    if limit is None or len(all_mutants) <= limit:
        return tuple(all_mutants)
    listed = [mutant for mutant in all_mutants if mutant.own][:limit]
    others = [mutant for mutant in all_mutants if not mutant.own]
    remaining = limit - len(listed)
    return (*(others[index * len(others) // remaining] for index in range(remaining)), *listed)


def _conclude(
    assignment: Assignment, chosen_mutants: Sequence[Mutant], trials: Sequence[TrialRun]
) -> Validation:
    """Judge the trials, which come in the order of `Assignment.notebook_texts`."""
    rubric, plan = assignment.rubric, assignment.plan
    first_case = REFERENCE_RUNS + 1
    last_case = first_case + len(plan.cases)
    results = tuple(
        mutant_result(mutant, trial, why=plan.survival_reason(mutant))
        for mutant, trial in zip(chosen_mutants, trials[last_case:], strict=True)
    )
    complete = len(chosen_mutants) == len(assignment.mutants.mutants)
    return Validation(
        assignment=rubric.id,
        title=rubric.title,
        reference=_reference_result(rubric, trials[:REFERENCE_RUNS]),
        template=_template_result(trials[REFERENCE_RUNS], points=plan.template_points),
        cases=tuple(
            case_result(case.name, [trial], points=case.points)
            for case, trial in zip(plan.cases, trials[first_case:last_case], strict=True)
        ),
        mutants=results,
        skipped_cells=assignment.mutants.skipped_cells,
        checks=_check_uses(assignment, results, trials[REFERENCE_RUNS:last_case])
        if complete
        else (),
        stale_explanations=tuple(_stale_explanations(assignment, results)) if complete else (),
        seeds=0,
        notebooks=0,
        seconds=0.0,
    )


def _reference_result(rubric: Rubric, trials: Sequence[TrialRun]) -> CaseResult:
    """Expect full automatic points each time, and an answer to every written item."""
    first_grade = next((grade for trial in trials for grade in trial.grades), None)
    written = [item.id for item in rubric.items if item.kind == "written"]
    answers = first_grade.answers if first_grade else {}
    unanswered = [i for i in written if not (i in answers and answers[i].text.strip())]
    problem = ""
    if first_grade and unanswered:
        problem = f"no answer was found to {', '.join(unanswered)}"
    points = uniform_points(rubric, "full")
    return case_result("reference", trials, points=points, problem=problem)


def _template_result(trial: TrialRun, *, points: Mapping[str, Fraction]) -> CaseResult:
    """Expect no points where none are due, and no written answer."""
    answers = trial.grades[0].answers if trial.grades else {}
    answered = [item for item, answer in answers.items() if answer.text.strip()]
    problem = f"the template's own text is taken for an answer to {', '.join(answered)}"
    return case_result("template", [trial], points=points, problem=problem if answered else "")


def _check_uses(
    assignment: Assignment, results: Sequence[MutantResult], trials: Sequence[TrialRun]
) -> tuple[CheckUse, ...]:
    """Return how often each check was triggered; the template counts as a case."""
    by_cases = [key for trial in trials for key in triggered_checks(trial)]
    by_mutants = [key for result in results for key in result.caught_by]
    reasons = {
        (table.item, table.check): table.why for table in assignment.plan.mutants.untriggered
    }
    all_findings = (findings for trial in trials for findings in trial.findings())
    return tuple(
        CheckUse(
            item=finding.item,
            code=finding.code,
            title=finding.title,
            mutants=by_mutants.count(key),
            cases=by_cases.count(key),
            why=reasons.get((finding.item, finding.code), ""),
        )
        for key, finding in keyed_findings(next(all_findings, ()))
    )


def _stale_explanations(assignment: Assignment, results: Sequence[MutantResult]) -> list[str]:
    """Return the explanations that explain nothing any more, so that they are removed."""
    mutants_file = assignment.plan.mutants
    messages = [
        f"[[given]] cell {table.cell}, line {table.line}"
        for index, table in enumerate(mutants_file.given)
        if index not in assignment.mutants.used_given
    ]
    explained_mutants = [result.mutant for result in results if result.why]
    return messages + [
        f"[[explained]] cell {table.cell}, line {table.line}, change {table.change}, "
        f"after {table.after}"
        for table in mutants_file.explained
        if not any(explains(table, mutant) for mutant in explained_mutants)
    ]
