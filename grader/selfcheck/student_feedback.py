"""Says to students what was found: what, where, one question and the cost; never the solution."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.model import Finding, Item, Rubric, Verdict
from grader.report.text_format import VERDICTS, format_count, points_with_unit, printable
from grader.selfcheck.public_findings import (
    LOSING_VERDICTS,
    SelfcheckResult,
    blocked_items,
    points_lost,
)

_CELL = re.compile(r"\bcell (\d+)\b")
_IN_ROW = 3
"""So many items in a row are told as 'V3 to V6'."""
FIRST_CELL = "put `import grader` in the first cell, then Restart and run all"
"""What to do where nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFeedback:
    """One finding in words."""

    finding: Finding
    title: str
    """What it checks; '' for several that wait for the same."""
    cell: int | None
    """The cell to look at: the last that it is about."""
    location: str
    """'cell 20', or nothing."""
    statement: str
    """What was found and what was expected."""
    hint: str
    """One question, or what to try."""
    cost: str
    """What it costs, and what can't be checked until it is mended."""

    @property
    def text(self) -> str:
        """All of it in a paragraph."""
        return " ".join(part for part in (self.statement, self.hint, self.cost) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFeedback:
    """One item in words."""

    item: Item
    verdict: Verdict
    passed: int
    total: int
    findings: tuple[FindingFeedback, ...]
    """What was not passed; all of it where that was wanted."""

    @property
    def count(self) -> str:
        """'1 of 2 checks passed'."""
        return (
            f"{self.passed} of {format_count(self.total, singular='check', plural='checks')} passed"
        )


def list_feedback(
    result: SelfcheckResult, *, only_item: str = "", include_passed: bool = False
) -> tuple[ItemFeedback, ...]:
    """Every item that was judged, or only the one of that id, in the rubric's order.

    With `every`, what passed is told, too.
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
    passed = sum(f.verdict is Verdict.PASSED for f in findings)
    feedback = [
        _finding_feedback(result, f)
        for f in findings
        if include_passed or f.verdict is not Verdict.PASSED
    ]
    return ItemFeedback(
        item=item,
        verdict=_verdict([f.verdict for f in findings]),
        passed=passed,
        total=len(findings),
        findings=tuple(feedback if include_passed else _merge_blocked(feedback)),
    )


def _merge_blocked(feedback_list: Sequence[FindingFeedback]) -> Iterator[FindingFeedback]:
    """The same, but those that wait for the same thing as one."""
    blocked_counts = Counter(feedback.finding.blocked_by for feedback in feedback_list)
    seen_blockers: set[str] = set()
    for feedback in feedback_list:
        blocker = feedback.finding.blocked_by
        if not blocker or blocked_counts[blocker] == 1:
            yield feedback
        elif blocker not in seen_blockers:
            seen_blockers.add(blocker)
            yield replace(feedback, title="", location="")


def _verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """The item's: the same for all, or else what asks for most attention."""
    if len(set(verdicts)) == 1:
        return verdicts[0]
    if any(verdict in LOSING_VERDICTS for verdict in verdicts):
        earned = {Verdict.PASSED, Verdict.PARTIAL} & set(verdicts)
        return Verdict.PARTIAL if earned else Verdict.FAILED
    return Verdict.ERROR if Verdict.ERROR in verdicts else Verdict.PENDING


def _finding_feedback(result: SelfcheckResult, finding: Finding) -> FindingFeedback:
    cell = finding.cells[-1] if finding.cells and finding.cells[-1] >= 0 else None
    statement, hint, cost = _describe_finding(result, finding)
    names = _notebook_names(result)
    return FindingFeedback(
        finding=finding,
        title=_capitalize(finding.title, names=names),
        cell=cell,
        location="" if cell is None else result.cell_labels.get(cell, ""),
        statement=_to_sentence(_label_cells(statement, result.cell_labels), names=names),
        hint=_to_sentence(_label_cells(hint, result.cell_labels), names=names),
        cost=cost,
    )


def _describe_finding(result: SelfcheckResult, finding: Finding) -> tuple[str, str, str]:
    """What is said of it, asked and charged."""
    if finding.verdict is Verdict.PASSED:
        return "Passed", "", ""
    if finding.verdict is Verdict.BLOCKED:
        return f"Can't be checked until {finding.blocked_by} is mended", "", ""
    if finding.verdict is Verdict.ERROR:
        return finding.found, "", ""
    if finding.verdict is Verdict.PENDING:
        return f"{finding.found}: a person decides", "", ""
    return _found_and_expected(finding), finding.hint, _describe_cost(result, finding)


def _found_and_expected(finding: Finding) -> str:
    """Found and expected; a shape goes into the sentence."""
    statement = finding.found.rstrip(". ")
    if re.fullmatch(r"\([\d, ]*\)", finding.expected):
        return f"{statement}; {finding.expected} was expected"
    return f"{statement}. Expected: {finding.expected}" if finding.expected else statement


def _notebook_names(result: SelfcheckResult) -> frozenset[str]:
    """Names of the notebook that a sentence may begin with: they stay as they are written."""
    called = result.public.checks.rubric_checks
    return frozenset(name for bound_check in called for name in bound_check.check.code_names())


def _describe_cost(result: SelfcheckResult, finding: Finding) -> str:
    cost = points_lost(finding)
    parts = [f"It costs {points_with_unit(cost)}."] if cost else []
    blocked = blocked_items(result, finding)
    if blocked:
        names = join_item_ids([item.id for item in blocked], rubric=result.public.rubric)
        parts.append(f"Until it runs, {names} can't be checked.")
    return " ".join(parts)


def join_item_ids(ids: Sequence[str], *, rubric: Rubric) -> str:
    """Items as a person lists them: 'Q2.3.2 and V3 to V6'."""
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
        words += [f"{run[0]} to {run[-1]}"] if len(run) >= _IN_ROW else run
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _to_sentence(text: str, *, names: frozenset[str]) -> str:
    """A text that begins and ends as a sentence does."""
    text = _capitalize(text.strip(), names=names)
    return text if not text or text[-1] in ".?!" else f"{text}."


def _capitalize(text: str, *, names: frozenset[str]) -> str:
    """The text with a capital letter, unless it begins with a name."""
    word = re.match(r"[^\W\d_]+(?![\w(.])", text)
    if word is None or word[0] in names:
        return text
    return f"{text[0].upper()}{text[1:]}"


def _label_cells(text: str, cell_labels: Mapping[int, str]) -> str:
    """The text with cells named as their owner finds them."""

    def label(match: re.Match[str]) -> str:
        return cell_labels.get(int(match[1]), match[0]).partition(", `")[0]

    return _CELL.sub(label, text)


def closing_line(result: SelfcheckResult) -> str:
    """The last line, word for word."""
    later_count, written_count = result.later_count, result.written_count
    total = len(result.findings)
    return (
        f"public checks passed: {result.passed_count} of {total}; "
        f"{later_count} more {'runs' if later_count == 1 else 'run'} after you hand in; "
        f"{written_count} {'answer is' if written_count == 1 else 'answers are'} read by a person. "
        "This is not your grade; nothing left this computer."
    )


def render_text(result: SelfcheckResult, *, only_item: str = "") -> str:
    """All of it as plain text, for where there is no HTML and no terminal."""
    return printable("\n".join(_text_lines(result, only_item=only_item)))


def _text_lines(result: SelfcheckResult, *, only_item: str) -> Iterator[str]:
    for item_feedback in list_feedback(result, only_item=only_item):
        yield f"{VERDICTS[item_feedback.verdict].sign} {item_feedback.item.id}  {item_feedback.item.title}: {item_feedback.count}"
        for feedback in item_feedback.findings:
            location = f" ({feedback.location})" if feedback.location else ""
            if feedback.title:
                yield f"    {feedback.title}{location}"
            yield f"    {feedback.text}"
    if not only_item:
        yield from (f"· {notice}" for notice in result.notices)
        if result.file_only_items:
            yield file_only_line(result)
        yield closing_line(result)


def file_only_line(result: SelfcheckResult) -> str:
    """What only the saved file can tell."""
    names = join_item_ids([item.id for item in result.file_only_items], rubric=result.public.rubric)
    verb = "looks" if len(result.file_only_items) == 1 else "look"
    return f"{names} {verb} at the saved file: save it, then `grade check` tells."
