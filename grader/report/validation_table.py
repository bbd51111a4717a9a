"""Show in the terminal whether an assignment holds, and what is left to fix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model import CaseResult, MutantOutcome, MutantResult, Validation
from grader.report.text_format import (
    format_count,
    format_number,
    format_seconds,
    one_line,
    printable,
)

WIDTH = 160
"""Characters of a line of code, or of a finding, that are shown."""
OUTCOMES = {
    MutantOutcome.SURVIVED: "no check takes points for it",
    MutantOutcome.ELSEWHERE: "noticed, but in no item it belongs to",
    MutantOutcome.UNGRADED: "could not be graded: please report this",
    MutantOutcome.CAUGHT: "caught or not, depending on the hidden seed",
    MutantOutcome.STOPPED: "its points depend on the hidden seed",
}


def validation_report(result: Validation) -> RenderableType:
    """Return a line for each part of the test, and what is left to fix."""
    parts: list[RenderableType] = [_heading(result), _table(result), *_import_lines(result)]
    for case in (result.reference, result.template, *result.cases):
        if not case.passed:
            parts += _case_lines(case)
    for outcome in OUTCOMES:
        parts += _mutant_lines(
            [mutant for mutant in result.escaped if mutant.outcome is outcome], outcome
        )
    if result.untriggered_checks:
        parts += [
            Text("\nchecks that nothing triggers"),
            *(_indented(f"{c.item} {c.code}: {c.title}") for c in result.untriggered_checks),
        ]
    if result.remarks:
        parts += [
            Text("\nof the course's tests"),
            *(_indented(f"{remark.test}: {remark.text}") for remark in result.remarks),
        ]
    if result.stated_points:
        parts += [
            Text("\nnote: the notebook's text states other points than the rubric"),
            *map(_indented, result.stated_points),
        ]
    if result.stale_explanations:
        parts += [
            Text("\nexplanations that no longer explain anything"),
            *map(_indented, result.stale_explanations),
        ]
    return Group(*parts)


def _import_lines(result: Validation) -> Iterator[RenderableType]:
    """Yield what an import left to a person, and what the following is of its tests."""
    if result.unsettled:
        yield Text(
            "\nnot understood when it was imported: settle it, then delete its [[unsettled]]"
        )
        yield from map(_indented, result.unsettled)
    if result.imported_from and not result.is_tight:
        yield Text(f"\nwhat the tests of {result.imported_from}'s original never noticed")


def _heading(result: Validation) -> Text:
    head = Text()
    head.append(_plain(f"{result.assignment}: {result.title}"), style="bold")
    notebooks = format_count(result.notebooks, singular="notebook")
    seeds = format_count(result.seeds, singular="hidden seed")
    head.append(
        f"\n{notebooks}, each under {seeds}, in {format_seconds(result.seconds)}\n", style="dim"
    )
    return head


def _table(result: Validation) -> Table:
    table = Table.grid(padding=(0, 2))
    reference = "full automatic points, every time" if result.reference.passed else "see below"
    table.add_row(*_row("reference", result.reference.passed, reference))
    table.add_row(*_row("template", result.template.passed, "scores no more than a blank one may"))
    holding = sum(case.passed for case in result.cases)
    cases = f"{holding} of {len(result.cases)} score what they must" if result.cases else "none"
    table.add_row(*_row("cases", holding == len(result.cases), cases))
    is_imported = bool(result.imported_from)
    table.add_row(*_row("mutants", is_imported or not result.escaped, mutation_score(result)))
    if result.checks:
        is_used = is_imported or not result.untriggered_checks
        table.add_row(*_row("checks", is_used, _uses(result)))
    if result.unsettled:
        table.add_row(*_row("import", False, f"{len(result.unsettled)} to settle"))
    faults = sum(remark.is_fault for remark in result.remarks)
    if result.remarks:
        counts = [
            (faults, "test never looks", "tests never look", "at the notebook"),
            (
                len(result.remarks) - faults,
                "step rests",
                "steps rest",
                "on the notebook's own word",
            ),
        ]
        phrases = (
            f"{format_count(count, singular=singular, plural=plural)} {where}"
            for count, singular, plural, where in counts
            if count
        )
        table.add_row(*_row("tests", is_imported or not faults, "; ".join(phrases)))
    if result.stale_explanations:
        explanations = format_count(
            len(result.stale_explanations), singular="explains", plural="explain"
        )
        table.add_row(*_row("explanations", False, f"{explanations} nothing any more"))
    return table


def mutation_score(result: Validation) -> str:
    """Summarize in one line what became of the mutants."""
    words = {
        MutantOutcome.CAUGHT: "caught by a check",
        MutantOutcome.STOPPED: "stopped by an error",
    }
    fates = Counter(
        "explained" if m.why else "to look at" if m.escaped else words[m.outcome]
        for m in result.mutants
    )
    counts = [(fates[name], name) for name in (*words.values(), "explained", "to look at")]
    parts = [f"{amount} {name}" for amount, name in counts if amount]
    return f"{len(result.mutants)}: {', '.join(parts)}" if parts else "none"


def _uses(result: Validation) -> str:
    used = sum(bool(use.mutants or use.cases) for use in result.checks)
    explained = sum(bool(use.why) for use in result.checks)
    text = f"{used} of {len(result.checks)} are triggered by something"
    return f"{text}, {explained} explained" if explained else text


def _row(name: str, passed: bool, text: str) -> tuple[Text, Text, Text]:  # noqa: FBT001 (a row)
    sign = Text("✓", style="green") if passed else Text("✕", style="red")
    return sign, Text(name), Text(text, style="" if passed else "bold")


def _case_lines(case: CaseResult) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(f"\n{_plain(case.name)}")]
    parts += [Padding(Text(_plain(line)), (0, 0, 0, 2)) for line in case.problem.splitlines()]
    parts += [
        _indented(
            f"{s.item}: {format_number(s.expected)} expected, "
            f"{format_number(s.earned)} scored: {s.found}"
        )
        for s in case.shortfalls
    ]
    if case.is_unstable:
        parts.append(_indented("its points depend on the hidden seed or on the run"))
    return parts


def _mutant_lines(results: list[MutantResult], outcome: MutantOutcome) -> list[RenderableType]:
    if not results:
        return []
    head = format_count(len(results), singular="mutant")
    parts: list[RenderableType] = [Text(f"\n{head}: {OUTCOMES[outcome]}")]
    for result in results:
        mutant = result.mutant
        location = (
            f"{mutant.cell}, line {mutant.line}" if mutant.line else mutant.cell or "the file"
        )
        parts.append(_indented(f"{location}: {mutant.change}", style="bold"))
        if mutant.before:
            parts.append(_indented(f"- {mutant.before}", indent=4, style="red"))
            parts.append(_indented(f"+ {mutant.after}", indent=4, style="green"))
        if mutant.items:
            parts.append(_indented(f"belongs to {', '.join(mutant.items)}", indent=4, style="dim"))
        if result.caught_by:
            parts.append(
                _indented(f"noticed by {', '.join(result.caught_by)}", indent=4, style="dim")
            )
    return parts


def _indented(text: str, *, indent: int = 2, style: str = "") -> Padding:
    plain = _plain(text)
    short = plain if len(plain) <= WIDTH else plain[: WIDTH - 1] + "…"
    return Padding(Text(short, style=style), (0, 0, 0, indent))


def _plain(text: str) -> str:
    return printable(one_line(text))
