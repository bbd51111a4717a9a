"""The page that says how well assignments are tested: mutation scores and every survivor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from grader.model import Fate, MutantResult, Validation
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
    """The page, in Markdown.

    Args:
        results: the assignments, all of their mutants tried.
    """
    return "\n".join([TOP, *(_assignment(result) for result in results)])


def _assignment(result: Validation) -> str:
    parts = [f"## {result.assignment}: {result.title}", "", _summary(result), ""]
    parts += [*_by_change(result), ""]
    parts += [*_survivors(result), *_left_aside(result), *_checks(result)]
    return "\n".join(parts)


def _summary(result: Validation) -> str:
    fates = Counter(one.fate for one in result.mutants)
    noticed = fates[Fate.CAUGHT] + fates[Fate.STOPPED]
    all_of_them = len(result.mutants)
    return (
        f"{all_of_them} mutants, {noticed} noticed ({noticed / max(1, all_of_them):.0%}): "
        f"{fates[Fate.CAUGHT]} caught by a check, {fates[Fate.STOPPED]} stopped by an error; "
        f"{sum(bool(one.why) for one in result.mutants)} explained, {len(result.escaped)} not. "
        f"{sum(case.holds for case in result.cases)} of {len(result.cases)} cases hold."
    )


def _by_change(result: Validation) -> list[str]:
    rows = ["| change | mutants | caught | stopped | explained | unexplained |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    changes = {("of its own" if r.mutant.own else r.mutant.change): None for r in result.mutants}
    for change in changes:
        mine = [r for r in result.mutants if _change(r) == change]
        fates = Counter(one.fate for one in mine)
        why = sum(bool(one.why) for one in mine)
        open_ = sum(one.escaped for one in mine)
        caught = fates[Fate.CAUGHT] - sum(bool(r.why) for r in mine if r.fate is Fate.CAUGHT)
        row = f"| {change} | {len(mine)} | {caught} | {fates[Fate.STOPPED]} | {why} | {open_} |"
        rows.append(row)
    return rows


def _change(result: MutantResult) -> str:
    return "of its own" if result.mutant.own else result.mutant.change


def _survivors(result: Validation) -> list[str]:
    told: dict[str, list[MutantResult]] = {}
    for one in result.mutants:
        if one.why or one.escaped:
            told.setdefault(one.why or "**Nobody has said why.**", []).append(one)
    if not told:
        return ["Nothing survives.", ""]
    lines = ["### Survivors", ""]
    for why, mine in told.items():
        lines += [f"{one_line(why)}", ""]
        lines += [f"- {_in_words(one)}" for one in mine]
        lines.append("")
    return lines


def _in_words(result: MutantResult) -> str:
    mutant = result.mutant
    where = f"`{mutant.cell}`, line {mutant.line}" if mutant.line else f"`{mutant.cell}`"
    change = f": `{_code(mutant.before)}` → `{_code(mutant.after)}`" if mutant.before else ""
    noticed = f" (noticed by {', '.join(result.caught_by)})" if result.caught_by else ""
    return f"{where}, {mutant.change}{change}{noticed}"


def _code(text: str) -> str:
    return one_line(text).replace("`", "'")[:120]


def _left_aside(result: Validation) -> list[str]:
    cells: Mapping[str, str] = result.left_aside
    if not cells:
        return []
    return [
        "### Cells that are not changed",
        "",
        *(f"- `{cell}`: {one_line(why)}" for cell, why in cells.items()),
        "",
    ]


def _checks(result: Validation) -> list[str]:
    rows = ["### Checks", "", "| item | check | what | mutants | cases |"]
    rows.append("| --- | --- | --- | ---: | ---: |")
    rows += [
        f"| {use.item} | {use.code} | {one_line(use.title)} | {use.mutants} | {use.cases} |"
        for use in result.checks
    ]
    notes = [f"{use.item} {use.code}: {one_line(use.why)}" for use in result.checks if use.why]
    return [*rows, "", *notes, *([""] if notes else [])]
