"""Turns a rubric's checks into questions, and the answers into findings."""

from __future__ import annotations

import ast
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from grader.checks.check import (
    QUESTIONS_WITHOUT_CALL,
    Check,
    CheckOutcome,
    Evidence,
    SeededRandom,
    failed,
)
from grader.checks.execution import FAILED_STATUSES, failure_cause
from grader.checks.finding_text import to_sentence
from grader.checks.lacks import find_lack
from grader.checks.memo import memoized
from grader.errors import CourseTestFault, RecorderFault, ReferenceFault
from grader.model import (
    CellRun,
    CheckSpec,
    Fault,
    Finding,
    Item,
    Notebook,
    Question,
    Rubric,
    Verdict,
    shorten,
)
from grader.notebook import assigning_cells
from grader.notebook.student_code import parse_source

Registry = Mapping[str, type[Check]]
"""Checks by their code."""
_LOG = logging.getLogger(__name__)
_RECORDER_KINDS = frozenset({"forward", "recording"})
"""Kinds of question whose answers rest on what the recorder saw."""
NOT_JUDGED, NO_COST = "The grader could not judge this: ", ". It costs you nothing."
"""What stands before and after the reason in a finding that is a fault of ours."""
TEST_KIND = "test"
"""The kind of question that is a test of the course."""
_LOST = frozenset({"timed_out", "died", "invalid"})
"""Statuses of an answer that did not arrive."""
_SYNTAX_ERRORS = frozenset({"SyntaxError", "IndentationError", "TabError"})
"""Names of errors for which no statement of a cell ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricCheck:
    """A check as an item of a rubric calls it."""

    item: Item
    spec: CheckSpec
    check: Check
    """With the parameters that the rubric gives it."""

    @property
    def title(self) -> str:
        """The check's title for its parameters."""
        return self.check.describe()

    def needs_any(self, others: Iterable[RubricCheck]) -> bool:
        """Return whether it needs one of the others: by item, or by code in the same item."""
        return any(
            _names_need(need, item=self.item.id, other_item=other.item.id, code=other.spec.code)
            for need in self.spec.needs
            for other in others
            if other.spec is not self.spec
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """The result of judging a submission."""

    findings: tuple[Finding, ...]
    """One for every check of the rubric, in its order."""
    faults: tuple[Fault, ...] = ()
    """Exceptions in checks; each such check has a finding with the verdict ERROR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRubric:
    """A rubric's checks, with the questions that they ask of every submission."""

    rubric_checks: tuple[RubricCheck, ...]
    judging_order: tuple[int, ...]
    """Indices of `rubric_checks`, those that others need first."""
    questions: tuple[Question, ...]
    """The questions to every submission, each once."""
    constant_questions: tuple[Question, ...]
    """The questions to the reference, whose answers are in the evidence of all submissions."""
    rng: SeededRandom
    """Where the inputs of questions come from."""

    @property
    def test_questions(self) -> tuple[Question, ...]:
        """The questions that are tests of the course, which a process of ours runs."""
        return tuple(q for q in self.questions if q.kind == TEST_KIND)

    @property
    def moments(self) -> tuple[str, ...]:
        """The moments of a notebook's run that tests are about, by name."""
        names = (q.params.get("at") for q in self.test_questions)
        return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))

    @property
    def notebook_questions(self) -> tuple[Question, ...]:
        """All other questions, which a notebook answers by itself."""
        return tuple(q for q in self.questions if q.kind != TEST_KIND)

    @property
    def notebook_constants(self) -> tuple[Question, ...]:
        """The constant questions that the reference answers by itself."""
        return tuple(q for q in self.constant_questions if q.kind != TEST_KIND)

    def names_by_item(self) -> Mapping[str, frozenset[str]]:
        """Return, by item, the names in student code that its checks are about."""
        names: dict[str, frozenset[str]] = {}
        for rubric_check in self.rubric_checks:
            item = rubric_check.item.id
            names[item] = names.get(item, frozenset()) | {*rubric_check.check.code_names()}
        return names

    def all_names(self) -> frozenset[str]:
        """Return the names in student code that its checks are about."""
        return frozenset[str]().union(*self.names_by_item().values())

    def weight_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of all parameters that its checks look at, each once."""
        shapes = (shape for c in self.rubric_checks for shape in c.check.weight_shapes())
        return tuple(dict.fromkeys(shapes))

    def fail_all(self, reason: str) -> tuple[Finding, ...]:
        """Return the findings of all checks where there is nothing to judge, with the reason."""
        outcome = failed(expected="", observed=reason)
        findings = (_make_finding(c, outcome, Verdict.FAILED) for c in self.rubric_checks)
        return tuple(replace(finding, hint="") for finding in findings)

    def leave_open(self, reason: str) -> tuple[Finding, ...]:
        """Return the findings of all checks where a person must look, with the reason."""
        return tuple(replace(f, verdict=Verdict.PENDING) for f in self.fail_all(reason))

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """Return the questions to the reference about one submission that it hasn't answered."""
        with _ignore_overflow():
            questions = _unique_questions(
                question
                for rubric_check in self.rubric_checks
                for question in _try_counter_questions(rubric_check, evidence)
            )
        return tuple(question for question in questions if question.id not in evidence.expected)

    def judge(self, evidence: Evidence) -> Judgment:
        """Judge a submission by every check of the rubric."""
        conclusions: dict[int, _Conclusion] = {}
        for index in self.judging_order:
            earlier = tuple(conclusions.values())
            current_evidence = replace(evidence, findings=tuple(c.finding for c in earlier))
            with _ignore_overflow():
                conclusions[index] = _judge_check(
                    self.rubric_checks[index], current_evidence, earlier
                )
        in_order = [conclusions[index] for index in range(len(self.rubric_checks))]
        return Judgment(
            findings=tuple(conclusion.finding for conclusion in in_order),
            faults=tuple(c.fault for c in in_order if c.fault is not None),
        )


def resolve_checks(rubric: Rubric, *, registry: Registry) -> tuple[RubricCheck, ...]:
    """Return the checks that a rubric calls, with their parameters.

    Raises:
        KeyError: The registry lacks a code.
        pydantic.ValidationError: The parameters are not those of the check.
    """
    return tuple(
        # Parameters that the rubric's loader has validated already pass as they are.
        RubricCheck(item=item, spec=spec, check=registry[spec.code].model_validate(spec.params))
        for item in rubric.items
        for spec in item.checks
    )


def bind_rubric(rubric: Rubric, *, registry: Registry, rng: SeededRandom) -> BoundRubric:
    """Return a rubric's checks, ready to judge any number of submissions."""
    rubric_checks = resolve_checks(rubric, registry=registry)
    return BoundRubric(
        rubric_checks=rubric_checks,
        judging_order=_order_by_needs(rubric_checks),
        rng=rng,
        questions=_unique_questions(q for c in rubric_checks for q in c.check.questions(rng)),
        constant_questions=_unique_questions(
            q for c in rubric_checks for q in c.check.constant_questions(rng)
        ),
    )


def _ignore_overflow() -> np.errstate:
    # A notebook's numbers may overflow: the result is not finite, so it agrees with nothing.
    return np.errstate(over="ignore", invalid="ignore")


def _unique_questions(questions: Iterable[Question]) -> tuple[Question, ...]:
    return tuple({question.id: question for question in questions}.values())


def _try_counter_questions(rubric_check: RubricCheck, evidence: Evidence) -> tuple[Question, ...]:
    try:
        return rubric_check.check.counter_questions(evidence)
    except Exception:  # noqa: BLE001 (a fault of a check must not cost a submission its grade)
        # It asks nothing, and fails again when it judges.
        _LOG.exception("%s failed at its counter-questions", _where(rubric_check))
        return ()


def _where(rubric_check: RubricCheck) -> str:
    return f"check {rubric_check.spec.code} of item {rubric_check.item.id}"


def _names_need(need: str, *, item: str, other_item: str, code: str) -> bool:
    """Return whether a need of a check in `item` names a check of `other_item`."""
    return need == other_item or (need == code and other_item == item)


def _order_by_needs(rubric_checks: tuple[RubricCheck, ...]) -> tuple[int, ...]:
    order: list[int] = []
    remaining = list(range(len(rubric_checks)))
    while remaining:
        others = [rubric_checks[index] for index in remaining]
        ready = (index for index in remaining if not rubric_checks[index].needs_any(others))
        order.append(next(ready, remaining[0]))
        remaining.remove(order[-1])
    return tuple(order)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conclusion:
    """A finding, whether checks that need it are blocked, and the grader's fault behind it."""

    finding: Finding
    stops: bool = False
    fault: Fault | None = None


def _judge_check(
    rubric_check: RubricCheck, evidence: Evidence, earlier: Sequence[_Conclusion]
) -> _Conclusion:
    try:
        outcome = _with_doubt(rubric_check.check, evidence)
        _require_answers(rubric_check.check, outcome, evidence)
    except Exception as error:  # noqa: BLE001 (a fault of a check must not cost a student anything)
        is_told = isinstance(error, (CourseTestFault, RecorderFault, ReferenceFault))
        reason = str(error) if is_told else f"{type(error).__name__} while judging"
        observed = f"{NOT_JUDGED}{reason}{NO_COST}"
        outcome = failed(expected="", observed=observed)
        finding = replace(_make_finding(rubric_check, outcome, Verdict.ERROR), hint="")
        fault = Fault.caught(_where(rubric_check), error, is_told=is_told)
        return _Conclusion(finding=finding, fault=fault)
    finding = _make_finding(rubric_check, outcome, _choose_verdict(outcome))
    if not finding.cells:
        names = outcome.names or rubric_check.check.code_names()
        finding = replace(finding, cells=_cells_assigning(evidence, names))
    finding = _explain_lack(finding, rubric_check, outcome, evidence, earlier)
    if finding.lack:
        return _Conclusion(finding=finding, stops=True)
    if not outcome.unjudged:
        return _Conclusion(finding=finding, stops=outcome.stops)
    return _Conclusion(
        finding=_explain_unjudged(finding, rubric_check.spec, outcome, evidence, earlier),
        stops=True,
    )


def _with_doubt(check: Check, evidence: Evidence) -> CheckOutcome:
    """Return a check's outcome; where points would be lost in doubt, a person decides."""
    outcome = check.judge(evidence)
    doubt = "" if outcome.share == 1 or outcome.pending else check.find_doubt(evidence)
    if not doubt:
        return outcome
    return replace(
        outcome, observed=doubt, share=Fraction(0), pending=True, unjudged=False, stops=False
    )


def _require_answers(check: Check, outcome: CheckOutcome, evidence: Evidence) -> None:
    """Raise where points would be lost for what our own look at the notebook did not tell.

    Raises:
        RecorderFault: An answer was lost that calls nothing of the student's by a name, or the
            recorder failed.
    """
    if outcome.share == 1 or outcome.pending:
        return
    fault = evidence.recording.fault
    for question in check.questions(evidence.rng):
        status = evidence.observation(question).status
        if question.id in QUESTIONS_WITHOUT_CALL and status in _LOST:
            raise RecorderFault("what the notebook left in memory could not be read")
        if fault and question.kind in _RECORDER_KINDS:
            raise RecorderFault(f"its recorder failed while the notebook ran ({fault})")


def _make_finding(rubric_check: RubricCheck, outcome: CheckOutcome, verdict: Verdict) -> Finding:
    spec = rubric_check.spec
    hint = outcome.hint
    if outcome.share < 1 and (outcome.usual or not hint):
        hint = spec.ask or hint
    return Finding(
        item=rubric_check.item.id,
        code=spec.code,
        title=rubric_check.title,
        verdict=verdict,
        earned=spec.points * outcome.share,
        possible=spec.points,
        public=spec.public,
        expected=outcome.expected,
        found=to_sentence(outcome.observed, names=rubric_check.check.code_names()),
        hint=hint,
        cells=outcome.cells,
        exhibit=outcome.exhibit,
    )


def _choose_verdict(outcome: CheckOutcome) -> Verdict:
    if outcome.pending:
        return Verdict.PENDING
    if outcome.share in {0, 1}:
        return Verdict.PASSED if outcome.share else Verdict.FAILED
    return Verdict.PARTIAL


def _explain_lack(
    finding: Finding,
    rubric_check: RubricCheck,
    outcome: CheckOutcome,
    evidence: Evidence,
    earlier: Sequence[_Conclusion],
) -> Finding:
    """Return the finding as blocked by our lack, if that is the cause: see `lacks`."""
    is_open = outcome.share < 1 and not outcome.pending and rubric_check.check.depends_on_run
    if not is_open:
        return finding
    blocking = _blocking_finding(finding, rubric_check.spec, earlier)
    if blocking is not None and blocking.lack:
        blocked = _as_blocked(finding, by=blocking.blocked_by, cells=blocking.cells)
        return replace(blocked, lack=blocking.lack)
    questions = rubric_check.check.questions(evidence.rng)
    lack = find_lack(
        evidence,
        cells=finding.cells,
        answers=[evidence.observation(question) for question in questions],
        is_absent=outcome.unjudged,
    )
    if lack is None:
        return finding
    cells = finding.cells if lack.cell is None else (lack.cell,)
    by = lack.sentence if lack.cell is None else f"cell {lack.cell} ({lack.sentence})"
    return replace(_as_blocked(finding, by=by, cells=cells), lack=lack.sentence)


def _explain_unjudged(
    finding: Finding,
    spec: CheckSpec,
    outcome: CheckOutcome,
    evidence: Evidence,
    earlier: Sequence[_Conclusion],
) -> Finding:
    """Return the finding as blocked if something it needs, or an unrelated error, is the cause."""
    run = _first_failed_run(evidence, outcome.names)
    if run is not None and run.error is not None and run.error.name in _SYNTAX_ERRORS:
        return replace(finding, found=_append_error(finding, run))
    blocking = _blocking_finding(finding, spec, earlier)
    if blocking is not None:
        cell = f", cell {blocking.cells[0]}" if blocking.cells else ""
        by = blocking.blocked_by or f"{blocking.item} ({blocking.title}{cell})"
        return _as_blocked(finding, by=by, cells=blocking.cells)
    if run is None or run.error is None:
        cell = f", cell {finding.cells[0]}" if finding.cells else ""
        by = f"{finding.item} ({outcome.because}{cell})"
        return _as_blocked(finding, by=by, cells=finding.cells) if outcome.because else finding
    cause = _unrelated_cause(run, evidence, outcome.names)
    if cause is not None and cause.error is not None:
        by = f"cell {cause.index} ({cause.error.name})"
        return _as_blocked(finding, by=by, cells=(cause.index,))
    return replace(finding, found=_append_error(finding, run))


def _blocking_finding(
    finding: Finding, spec: CheckSpec, earlier: Sequence[_Conclusion]
) -> Finding | None:
    """Return the first finding that a check needs and that blocks it, in the order of its needs."""
    for need in spec.needs:
        for conclusion in earlier:
            other = conclusion.finding
            if conclusion.stops and _names_need(
                need, item=finding.item, other_item=other.item, code=other.code
            ):
                return other
    return None


def _append_error(finding: Finding, run: CellRun) -> str:
    error = f"{run.error.name}: {shorten(run.error.message, most=160)}" if run.error else ""
    return f"{finding.found.removesuffix('.')} (cell {run.index}: {error})."


def _as_blocked(finding: Finding, *, by: str, cells: tuple[int, ...]) -> Finding:
    return replace(
        finding, verdict=Verdict.BLOCKED, blocked_by=by, cells=cells, hint="", earned=Fraction(0)
    )


@memoized
def _cells_assigning(evidence: Evidence, names: tuple[str, ...]) -> tuple[int, ...]:
    cells = (cell for name in names for cell in assigning_cells(evidence.notebook, name))
    return tuple(sorted(set(cells)))


def _first_failed_run(evidence: Evidence, names: tuple[str, ...]) -> CellRun | None:
    """Return the first cell that should have assigned one of the names, and failed."""
    runs = {run.index: run for run in evidence.record.cells if run.status in FAILED_STATUSES}
    return next((runs[i] for i in _cells_assigning(evidence, names) if i in runs), None)


def _unrelated_cause(run: CellRun, evidence: Evidence, names: tuple[str, ...]) -> CellRun | None:
    """Return the cell that made this one fail; None if a statement that binds a name failed."""
    earlier = failure_cause(run, evidence)
    if earlier is not None or run.error is None:
        return earlier
    return None if run.error.line in _binding_lines(evidence.notebook, run.index, names) else run


def _binding_lines(notebook: Notebook, index: int, names: Collection[str]) -> set[int | None]:
    """Return the lines of the cell's statements that bind one of the names."""
    tree = parse_source(notebook.cells[index].source)
    lines: set[int | None] = set()
    for statement in tree.body if tree is not None else ():
        nodes = list(ast.walk(statement))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        defined = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        if not (stored | defined).isdisjoint(names):
            lines |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return lines
