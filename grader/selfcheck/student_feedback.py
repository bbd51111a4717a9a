"""Words findings for students: what, where, one question and the cost, without the solution.

Every output (terminal, box, JSON, JUnit, GitHub) shows the `ItemFeedback` that is made here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.checks.finding_text import capitalize, to_sentence
from grader.model import Finding, Item, Rubric, Verdict
from grader.report.text_format import VERDICTS, format_count, points_with_unit, printable
from grader.selfcheck.public_findings import LOSING_VERDICTS, SelfcheckResult, blocked_items

FIRST_CELL = "put `import grader` in the first cell, then Restart and run all"
"""What to do where nothing was recorded."""
_CELL = re.compile(r"\bcell (\d+)\b")
_MIN_RANGE = 3
"""Consecutive items from which they are named as a range: 'V3 to V6'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFeedback:
    """One finding in words."""

    finding: Finding
    title: str
    """What the check examines; '' for several findings with the same blocker."""
    cell: int | None
    """The number of the cell to look at: the first that it lists, or the last it is about."""
    location: str
    """The cell as its owner finds it: 'cell 20'; '' for none."""
    statement: str
    """What was found and what was expected."""
    hint: str
    """One question, or what to try."""
    cost: str
    """The points it costs, and what can't be checked until it is fixed."""

    @property
    def text(self) -> str:
        """Statement, hint and cost as a paragraph."""
        return " ".join(part for part in (self.statement, self.hint, self.cost) if part)

    @property
    def located_title(self) -> str:
        """The title with the location in parentheses; '' without a title."""
        location = f" ({self.location})" if self.location else ""
        return f"{self.title}{location}" if self.title else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFeedback:
    """One item in words."""

    item: Item
    verdict: Verdict
    passed: int
    total: int
    findings: tuple[FindingFeedback, ...]
    """The findings that did not pass; all of them where that was asked for."""

    @property
    def count(self) -> str:
        """'1 of 2 checks passed'."""
        checks = format_count(self.total, singular="check")
        return f"{self.passed} of {checks} passed"


def list_feedback(
    result: SelfcheckResult, *, only_item: str = "", include_passed: bool = False
) -> tuple[ItemFeedback, ...]:
    """Return the items that were judged, in the rubric's order.

    Args:
        result: The findings.
        only_item: The id of the only item to return; '' for all.
        include_passed: Whether to include findings that passed, and each blocked one separately.
    """
    return tuple(
        _item_feedback(result, item, findings, include_passed=include_passed)
        for item in result.public.rubric.items
        if (findings := [f for f in result.findings if f.item == item.id])
        and only_item in {"", item.id}
    )


def _item_feedback(
    result: SelfcheckResult, item: Item, findings: Sequence[Finding], *, include_passed: bool
) -> ItemFeedback:
    # A sentence may begin with a name of the notebook, which must not be capitalized.
    bound_checks = result.public.checks.rubric_checks
    names = frozenset(name for bound in bound_checks for name in bound.check.code_names())
    feedback = [
        _finding_feedback(result, f, names=names)
        for f in findings
        if include_passed or f.verdict is not Verdict.PASSED
    ]
    return ItemFeedback(
        item=item,
        verdict=_item_verdict([f.verdict for f in findings]),
        passed=sum(f.verdict is Verdict.PASSED for f in findings),
        total=len(findings),
        findings=tuple(feedback if include_passed else _merge_blocked(feedback)),
    )


def _merge_blocked(feedback_list: Sequence[FindingFeedback]) -> Iterator[FindingFeedback]:
    """Yield the findings, but only the first of those with the same blocker."""
    blocked_counts = Counter(feedback.finding.blocked_by for feedback in feedback_list)
    seen_blockers: set[str] = set()
    for feedback in feedback_list:
        blocker = feedback.finding.blocked_by
        if not blocker or blocked_counts[blocker] == 1:
            yield feedback
        elif blocker not in seen_blockers:
            seen_blockers.add(blocker)
            yield replace(feedback, title="", location="")


def _item_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict that all findings share, or the most important one."""
    if len(set(verdicts)) == 1:
        return verdicts[0]
    if any(verdict in LOSING_VERDICTS for verdict in verdicts):
        earned = {Verdict.PASSED, Verdict.PARTIAL} & set(verdicts)
        return Verdict.PARTIAL if earned else Verdict.FAILED
    return Verdict.ERROR if Verdict.ERROR in verdicts else Verdict.PENDING


def _finding_feedback(
    result: SelfcheckResult, finding: Finding, *, names: frozenset[str]
) -> FindingFeedback:
    cell = _main_cell(finding)
    statement, hint, cost = _describe_finding(result, finding)
    labels = result.cell_labels
    return FindingFeedback(
        finding=finding,
        title=capitalize(finding.title, names=names),
        cell=cell,
        location="" if cell is None else labels.get(cell, ""),
        statement=to_sentence(_label_cells(statement, labels), names=names),
        hint=to_sentence(_label_cells(hint, labels), names=names),
        cost=cost,
    )


def _main_cell(finding: Finding) -> int | None:
    """Return the cell that the finding lists first, else the last that it is about."""
    for cell in finding.cells[:1]:
        if re.search(rf"\bcell {cell}\b", finding.found):
            return cell
    return finding.cells[-1] if finding.cells and finding.cells[-1] >= 0 else None


def _describe_finding(result: SelfcheckResult, finding: Finding) -> tuple[str, str, str]:
    """Return the statement, the hint and the cost."""
    match finding.verdict:
        case Verdict.PASSED:
            return "Passed", "", ""
        case Verdict.BLOCKED:
            return f"Can't be checked until {finding.blocked_by} is fixed", "", ""
        case Verdict.ERROR:
            return finding.found, "", ""
        case Verdict.PENDING:
            return f"{finding.found} A person decides", "", ""
        case Verdict.FAILED | Verdict.PARTIAL:
            return _expectation(finding), finding.hint, _describe_cost(result, finding)


def _expectation(finding: Finding) -> str:
    """Return what was found and what was expected."""
    statement, expected = finding.found.rstrip(". "), finding.expected
    if re.fullmatch(r"\([\d, ]*\)", expected):  # a shape
        statement += f"; {expected} was expected"
    elif expected and expected != finding.title:
        statement += f". Expected: {expected}"
    return statement


def _describe_cost(result: SelfcheckResult, finding: Finding) -> str:
    lost = finding.possible - finding.earned
    parts = [f"\u2212{points_with_unit(lost)}."] if lost else []
    if blocked := [item.id for item in blocked_items(result, finding)]:
        names = join_item_ids(blocked, rubric=result.public.rubric)
        parts.append(f"Until it runs, {names} can't be checked.")
    return " ".join(parts)


def join_item_ids(ids: Sequence[str], *, rubric: Rubric) -> str:
    """Return items as a person lists them: 'Q2.3.2 and V3 to V6'."""
    order = [item.id for item in rubric.items if item.kind == "auto"]
    runs: list[list[str]] = []
    for name in ids:
        consecutive = runs and order.index(name) == order.index(runs[-1][-1]) + 1
        if consecutive and name[:1] == runs[-1][-1][:1]:
            runs[-1].append(name)
        else:
            runs.append([name])
    words = []
    for run in runs:
        words += [f"{run[0]} to {run[-1]}"] if len(run) >= _MIN_RANGE else run
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _label_cells(text: str, labels: Mapping[int, str]) -> str:
    """Return the text with cells named as their owner finds them."""
    return _CELL.sub(lambda cell: labels.get(int(cell[1]), cell[0]).partition(", `")[0], text)


def closing_line(result: SelfcheckResult) -> str:
    """Return the last line of every output; users' documents quote it verbatim."""
    later_count, written_count = result.later_count, result.written_count
    return (
        f"public checks passed: {result.passed_count} of {len(result.findings)}; "
        f"{later_count} more {'runs' if later_count == 1 else 'run'} after you submit; "
        f"{written_count} {'answer is' if written_count == 1 else 'answers are'} read by a person. "
        "This is not your grade; nothing left this computer."
    )


def render_text(result: SelfcheckResult, *, only_item: str = "") -> str:
    """Return the result as plain text, for where there is no HTML and no terminal."""
    lines = []
    for item_feedback in list_feedback(result, only_item=only_item):
        item, sign = item_feedback.item, VERDICTS[item_feedback.verdict].sign
        lines.append(f"{sign} {item.id}  {item.title}: {item_feedback.count}")
        for feedback in item_feedback.findings:
            lines += [f"    {text}" for text in (feedback.located_title, feedback.text) if text]
    if not only_item:
        lines += [f"· {notice}" for notice in result.notices]
        lines += [file_only_line(result)] if result.file_only_items else []
        lines.append(closing_line(result))
    return printable("\n".join(lines))


def file_only_line(result: SelfcheckResult) -> str:
    """Return which items only `grade check` can judge."""
    names = join_item_ids([item.id for item in result.file_only_items], rubric=result.public.rubric)
    verb = "looks" if len(result.file_only_items) == 1 else "look"
    return f"{names} {verb} at the saved file: save the notebook, then run `grade check`."
