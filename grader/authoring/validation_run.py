"""Tests an assignment as code is tested: reference, template, cases and mutants, over seeds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.authoring.assignments import REFERENCE_RUNS, Assignment
from grader.authoring.mutant_verdicts import (
    case_result,
    keyed_findings,
    mutant_result,
    triggered_checks,
)
from grader.authoring.stated_points import compare_stated_points
from grader.authoring.test_plan import explains, uniform_points
from grader.authoring.test_remarks import remark_on_tests
from grader.authoring.trial_runs import TrialRun, TrialRunner, draw_seeds, open_trial_runner
from grader.model import (
    CaseResult,
    CheckCoverage,
    Mutant,
    MutantResult,
    Rubric,
    TestRemark,
    Validation,
)
from grader.pipeline import SessionOptions
from grader.report.progress import RunWatcher
from grader.report.text_format import format_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """The extent of a validation."""

    seeds: int = 3
    """Number of hidden seeds under which each notebook is judged."""
    new_seeds: bool = False
    """Whether the seeds are new ones, instead of those of earlier validations."""
    max_mutants: int | None = None
    """The most mutants, spread evenly over all; None for all."""


def validate_assignment(
    assignment: Assignment, *, effort: Effort, options: SessionOptions, watcher: RunWatcher
) -> Validation:
    """Run an assignment's notebooks and judge whether they score as expected.

    Raises:
        RubricError: A file of it can't be used, or the reference does not run.
        IsolationError: The isolation that is asked for can't be had.
    """
    started = time.monotonic()
    chosen_mutants = _spread_evenly(assignment.mutants.mutants, effort.max_mutants)
    texts = assignment.notebook_texts(chosen_mutants)
    rubric, plan = assignment.rubric, assignment.plan
    watcher.begin(rubric=rubric, count=len(texts), unchanged=0, judged=0)
    seeds = draw_seeds(rubric.id, count=effort.seeds, new=effort.new_seeds)
    with open_trial_runner(rubric, seeds=seeds, options=options, notify=watcher.note) as runner:
        watcher.ready()
        trials = _run_watched(runner, texts[:REFERENCE_RUNS], watcher=watcher)
        reference = _reference_result(rubric, trials)
        if not reference.passed:
            return _reference_only(rubric, reference, effort=effort, started=started)
        trials += _run_watched(runner, texts[REFERENCE_RUNS:], watcher=watcher)
        remarks = remark_on_tests(runner.judges[0].checks, runner.session.constants)
    # The trials are in the order of `Assignment.notebook_texts`.
    first_case = REFERENCE_RUNS + 1
    last_case = first_case + len(plan.cases)
    results = tuple(
        mutant_result(mutant, trial, why=plan.survival_reason(mutant))
        for mutant, trial in zip(chosen_mutants, trials[last_case:], strict=True)
    )
    is_complete = len(chosen_mutants) == len(assignment.mutants.mutants)
    return Validation(
        assignment=rubric.id,
        title=rubric.title,
        reference=reference,
        template=_template_result(
            trials[REFERENCE_RUNS], points={} if rubric.imported_from else plan.template_points
        ),
        cases=tuple(
            case_result(case.name, [trial], points=case.points)
            for case, trial in zip(plan.cases, trials[first_case:last_case], strict=True)
        ),
        mutants=results,
        skipped_cells=assignment.mutants.skipped_cells,
        checks=_check_coverage(assignment, results, trials[REFERENCE_RUNS:last_case])
        if is_complete
        else (),
        stale_explanations=_stale_explanations(assignment, results) if is_complete else (),
        seeds=effort.seeds,
        notebooks=len(texts),
        seconds=time.monotonic() - started,
        remarks=(*remarks, *_gifts(trials[REFERENCE_RUNS], rubric=rubric)),
        unsettled=_tell_unsettled(rubric),
        stated_points=tuple(compare_stated_points(assignment.template(), rubric=rubric)),
        imported_from=rubric.imported_from,
    )


def _tell_unsettled(rubric: Rubric) -> tuple[str, ...]:
    """Return what an import left to a person: the assignment does not hold with it."""
    return tuple(
        f"{entry.file}, cell {entry.cell}: {entry.text}"
        if entry.cell
        else f"{entry.file}: {entry.text}"
        for entry in rubric.unsettled
    )


def _run_watched(
    runner: TrialRunner, texts: Sequence[str], *, watcher: RunWatcher
) -> list[TrialRun]:
    trials = []
    for trial in runner.run_all(texts):
        for graded in trial.grades[:1]:  # none where it could not be graded
            watcher.done(graded)
        trials.append(trial)
    return trials


def _reference_only(
    rubric: Rubric, reference: CaseResult, *, effort: Effort, started: float
) -> Validation:
    """Return the result where the reference fails: by it nothing else can be judged."""
    problem = "not run, nor is anything else, until the reference scores as it must"
    return Validation(
        assignment=rubric.id,
        title=rubric.title,
        reference=reference,
        template=CaseResult(name="template", problem=problem),
        cases=(),
        mutants=(),
        skipped_cells={},
        checks=(),
        stale_explanations=(),
        seeds=effort.seeds,
        notebooks=REFERENCE_RUNS,
        seconds=time.monotonic() - started,
        unsettled=_tell_unsettled(rubric),
        imported_from=rubric.imported_from,
    )


def _spread_evenly(all_mutants: Sequence[Mutant], limit: int | None) -> tuple[Mutant, ...]:
    """Return at most `limit` mutants, spread over all; listed ones are preferred."""
    if limit is None or len(all_mutants) <= limit:
        return tuple(all_mutants)
    listed = [mutant for mutant in all_mutants if mutant.is_listed][:limit]
    others = [mutant for mutant in all_mutants if not mutant.is_listed]
    remaining = limit - len(listed)
    return (*(others[index * len(others) // remaining] for index in range(remaining)), *listed)


def _reference_result(rubric: Rubric, trials: Sequence[TrialRun]) -> CaseResult:
    """Judge the reference, which must have full automatic points and answer all written items."""
    first_grade = next((grade for trial in trials for grade in trial.grades), None)
    written = [item.id for item in rubric.items if item.kind == "written"]
    answers = first_grade.answers if first_grade else {}
    unanswered = [i for i in written if not (i in answers and answers[i].text.strip())]
    problem = ""
    # What another grader left to people need not be solved in its source.
    if first_grade and unanswered and not rubric.imported_from:
        problem = f"no answer was found to {', '.join(unanswered)}"
    points = uniform_points(rubric, "full")
    return case_result("reference", trials, points=points, problem=problem)


def _template_result(trial: TrialRun, *, points: Mapping[str, Fraction]) -> CaseResult:
    """Judge the blank template, which must have the given points and answer no written item."""
    answers = trial.grades[0].answers if trial.grades else {}
    answered = [item for item, answer in answers.items() if answer.text.strip()]
    problem = f"the template's own text is taken for an answer to {', '.join(answered)}"
    return case_result("template", [trial], points=points, problem=problem if answered else "")


def _gifts(trial: TrialRun, *, rubric: Rubric) -> Iterator[TestRemark]:
    """Yield what a blank notebook earns by tests that were made elsewhere."""
    if not rubric.imported_from:
        return
    for finding in next(iter(trial.findings()), ()):
        if finding.earned:
            text = f"a blank notebook earns {format_number(finding.earned)} here"
            yield TestRemark(test=f"{finding.item} {finding.code}", text=text)


def _check_coverage(
    assignment: Assignment, results: Sequence[MutantResult], trials: Sequence[TrialRun]
) -> tuple[CheckCoverage, ...]:
    """Return how often each check took points; the template counts as a case."""
    by_cases = [key for trial in trials for key in triggered_checks(trial)]
    by_mutants = [key for result in results for key in result.caught_by]
    reasons = {
        (table.item, table.check): table.why for table in assignment.plan.mutants.untriggered
    }
    all_findings = (findings for trial in trials for findings in trial.findings())
    return tuple(
        CheckCoverage(
            item=finding.item,
            code=finding.code,
            title=finding.title,
            mutants=by_mutants.count(key),
            cases=by_cases.count(key),
            why=reasons.get((finding.item, finding.code), ""),
        )
        for key, finding in keyed_findings(next(all_findings, ()))
    )


def _stale_explanations(assignment: Assignment, results: Sequence[MutantResult]) -> tuple[str, ...]:
    """Return the entries of `mutants.toml` that no longer explain anything."""
    mutants_file = assignment.plan.mutants
    explained_mutants = [result.mutant for result in results if result.why]
    return (
        *(
            f"[[given]] cell {table.cell}, line {table.line}"
            for index, table in enumerate(mutants_file.given)
            if index not in assignment.mutants.used_given
        ),
        *(
            f"[[explained]] cell {table.cell}, line {table.line}, change {table.change}, "
            f"after {table.after}"
            for table in mutants_file.explained
            if not any(explains(table, mutant) for mutant in explained_mutants)
        ),
    )
