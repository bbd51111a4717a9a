"""Render the page on how well assignments are tested: mutation scores and survivors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from grader.model import MutantOutcome, MutantResult, Validation
from grader.report.text_format import one_line

TOP = """# How well the assignments are tested

Made by `grade validate --report` (`make validate`); a test holds its counts current. A mutant is
the reference with one small wrong change: a call or a statement left out, two arguments swapped, a
number one up, an operator turned, a result made constant, or a mistake that the assignment lists
itself. Each must lose points in an item that its cell belongs to, under every hidden seed.
*Stopped* means that a cell raises an error or never ends, which nobody can overlook. A mutant that
loses nothing stands below with the reason why that is right.
"""


def mutants_page(results: Sequence[Validation]) -> str:
    """Render the page as Markdown.

    Args:
        results: the assignments, all of their mutants tried.
    """
    return "\n".join([TOP, *(_assignment_section(result) for result in results)])


def _assignment_section(result: Validation) -> str:
    parts = [f"## {result.assignment}: {result.title}", "", _summary(result), ""]
    parts += [*_by_change(result), ""]
    parts += [*_survivors(result), *_left_aside(result), *_check_table(result)]
    return "\n".join(parts)


def _summary(result: Validation) -> str:
    outcomes = Counter(mutant.outcome for mutant in result.mutants)
    caught, stopped = outcomes[MutantOutcome.CAUGHT], outcomes[MutantOutcome.STOPPED]
    total = len(result.mutants)
    return (
        f"{total} mutants, {caught + stopped} noticed ({(caught + stopped) / max(1, total):.0%}): "
        f"{caught} caught by a check, {stopped} stopped by an error; "
        f"{sum(bool(mutant.why) for mutant in result.mutants)} explained, "
        f"{len(result.escaped)} not. "
        f"{sum(case.passed for case in result.cases)} of {len(result.cases)} cases hold."
    )


def _by_change(result: Validation) -> list[str]:
    rows = ["| change | mutants | caught | stopped | explained | unexplained |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    by_change: dict[str, list[MutantResult]] = {}
    for mutant in result.mutants:
        change = "of its own" if mutant.mutant.is_listed else mutant.mutant.change
        by_change.setdefault(change, []).append(mutant)
    for change, group in by_change.items():
        outcomes = Counter(mutant.outcome for mutant in group)
        explained = sum(bool(mutant.why) for mutant in group)
        unexplained = sum(mutant.escaped for mutant in group)
        caught = sum(r.outcome is MutantOutcome.CAUGHT and not r.why for r in group)
        stopped = outcomes[MutantOutcome.STOPPED]
        cells = (change, len(group), caught, stopped, explained, unexplained)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return rows


def _survivors(result: Validation) -> list[str]:
    by_reason: dict[str, list[MutantResult]] = {}
    for mutant in result.mutants:
        if mutant.why or mutant.escaped:
            by_reason.setdefault(mutant.why or "**Nobody has said why.**", []).append(mutant)
    if not by_reason:
        return ["Nothing survives.", ""]
    lines = ["### Survivors", ""]
    for why, group in by_reason.items():
        lines += [f"{one_line(why)}", ""]
        lines += [f"- {_describe_mutant(mutant)}" for mutant in group]
        lines.append("")
    return lines


def _describe_mutant(result: MutantResult) -> str:
    mutant = result.mutant
    location = f"`{mutant.cell}`, line {mutant.line}" if mutant.line else f"`{mutant.cell}`"
    change = (
        f": `{_inline_code(mutant.before)}` → `{_inline_code(mutant.after)}`"
        if mutant.before
        else ""
    )
    noticed = f" (noticed by {', '.join(result.caught_by)})" if result.caught_by else ""
    return f"{location}, {mutant.change}{change}{noticed}"


def _inline_code(text: str) -> str:
    return one_line(text).replace("`", "'")[:120]


def _left_aside(result: Validation) -> list[str]:
    lines = [f"- `{cell}`: {one_line(why)}" for cell, why in result.skipped_cells.items()]
    return ["### Cells that are not changed", "", *lines, ""] if lines else []


def _check_table(result: Validation) -> list[str]:
    rows = ["### Checks", "", "| item | check | what | mutants | cases |"]
    rows.append("| --- | --- | --- | ---: | ---: |")
    rows += [
        f"| {use.item} | {use.code} | {one_line(use.title)} | {use.mutants} | {use.cases} |"
        for use in result.checks
    ]
    notes = [f"{use.item} {use.code}: {one_line(use.why)}" for use in result.checks if use.why]
    return [*rows, "", *notes, *([""] if notes else [])]
