"""Says to students what was found: what, where, one question and the cost; never the solution."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.model import Finding, Item, Rubric, Verdict
from grader.report.text_format import VERDICTS, counted, points, printable
from grader.selfcheck.public_findings import LOST, Checked, costs, held_up

_CELL = re.compile(r"\bcell (\d+)\b")
_IN_ROW = 3
"""So many items in a row are told as 'V3 to V6'."""
FIRST_CELL = "put `import grader` in the first cell, then Restart and run all"
"""What to do where nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One finding in words."""

    finding: Finding
    title: str
    """What it checks; '' for several that wait for the same."""
    cell: int | None
    """The cell to look at: the last that it is about."""
    where: str
    """'cell 20', or nothing."""
    what: str
    """What was found and what was expected."""
    ask: str
    """One question, or what to try."""
    cost: str
    """What it costs, and what can't be checked until it is mended."""

    @property
    def text(self) -> str:
        """All of it in a paragraph."""
        return " ".join(part for part in (self.what, self.ask, self.cost) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldItem:
    """One item in words."""

    item: Item
    verdict: Verdict
    passed: int
    of: int
    told: tuple[Told, ...]
    """What was not passed; all of it where that was wanted."""

    @property
    def count(self) -> str:
        """'1 of 2 checks passed'."""
        return f"{self.passed} of {counted(self.of, one='check', many='checks')} passed"


def told_items(checked: Checked, *, only: str = "", every: bool = False) -> tuple[ToldItem, ...]:
    """Every item that was judged, or only the one of that id, in the rubric's order.

    With `every`, what passed is told, too.
    """
    return tuple(
        _item(checked, item, findings, every=every)
        for item in checked.public.rubric.items
        if (findings := [f for f in checked.findings if f.item == item.id])
        and only in {"", item.id}
    )


def _item(checked: Checked, item: Item, findings: Sequence[Finding], *, every: bool) -> ToldItem:
    passed = sum(f.verdict is Verdict.PASSED for f in findings)
    told = [_told(checked, f) for f in findings if every or f.verdict is not Verdict.PASSED]
    return ToldItem(
        item=item,
        verdict=_verdict([f.verdict for f in findings]),
        passed=passed,
        of=len(findings),
        told=tuple(told if every else _together(told)),
    )


def _together(told: Sequence[Told]) -> Iterator[Told]:
    """The same, but those that wait for the same thing as one."""
    waiting = Counter(one.finding.blocked_by for one in told)
    said: set[str] = set()
    for one in told:
        by = one.finding.blocked_by
        if not by or waiting[by] == 1:
            yield one
        elif by not in said:
            said.add(by)
            yield replace(one, title="", where="")


def _verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """The item's: the same for all, or else what asks for most attention."""
    if len(set(verdicts)) == 1:
        return verdicts[0]
    if any(verdict in LOST for verdict in verdicts):
        earned = {Verdict.PASSED, Verdict.PARTIAL} & set(verdicts)
        return Verdict.PARTIAL if earned else Verdict.FAILED
    return Verdict.ERROR if Verdict.ERROR in verdicts else Verdict.PENDING


def _told(checked: Checked, finding: Finding) -> Told:
    cell = finding.cells[-1] if finding.cells and finding.cells[-1] >= 0 else None
    what, ask, cost = _words(checked, finding)
    names = _names(checked)
    return Told(
        finding=finding,
        title=_begun(finding.title, names=names),
        cell=cell,
        where="" if cell is None else checked.places.get(cell, ""),
        what=_sentence(_placed(what, checked.places), names=names),
        ask=_sentence(_placed(ask, checked.places), names=names),
        cost=cost,
    )


def _words(checked: Checked, finding: Finding) -> tuple[str, str, str]:
    """What is said of it, asked and charged."""
    if finding.verdict is Verdict.PASSED:
        return "Passed", "", ""
    if finding.verdict is Verdict.BLOCKED:
        return f"Can't be checked until {finding.blocked_by} is mended", "", ""
    if finding.verdict is Verdict.ERROR:
        return finding.found, "", ""
    if finding.verdict is Verdict.PENDING:
        return f"{finding.found}: a person decides", "", ""
    return _what(finding), finding.hint, _cost(checked, finding)


def _what(finding: Finding) -> str:
    """Found and expected; a shape goes into the sentence."""
    found = finding.found.rstrip(". ")
    if re.fullmatch(r"\([\d, ]*\)", finding.expected):
        return f"{found}; {finding.expected} was expected"
    return f"{found}. Expected: {finding.expected}" if finding.expected else found


def _names(checked: Checked) -> frozenset[str]:
    """Names of the notebook that a sentence may begin with: they stay as they are written."""
    called = checked.public.checks.called
    return frozenset(name for one in called for name in one.check.names(one.params))


def _cost(checked: Checked, finding: Finding) -> str:
    cost = costs(finding)
    parts = [f"It costs {points(cost)}."] if cost else []
    waiting = held_up(checked, finding)
    if waiting:
        names = in_a_row([item.id for item in waiting], rubric=checked.public.rubric)
        parts.append(f"Until it runs, {names} can't be checked.")
    return " ".join(parts)


def in_a_row(ids: Sequence[str], *, rubric: Rubric) -> str:
    """Items as a person lists them: 'Q2.3.2 and V3 to V6'."""
    order = [item.id for item in rubric.items if item.kind == "auto"]
    runs: list[list[str]] = []
    for name in ids:
        after = runs and order.index(name) == order.index(runs[-1][-1]) + 1
        if after and name[:1] == runs[-1][-1][:1]:
            runs[-1].append(name)
        else:
            runs.append([name])
    words = []
    for run in runs:
        words += [f"{run[0]} to {run[-1]}"] if len(run) >= _IN_ROW else run
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _sentence(text: str, *, names: frozenset[str]) -> str:
    """A text that begins and ends as a sentence does."""
    text = _begun(text.strip(), names=names)
    return text if not text or text[-1] in ".?!" else f"{text}."


def _begun(text: str, *, names: frozenset[str]) -> str:
    """The text with a capital letter, unless it begins with a name."""
    word = re.match(r"[^\W\d_]+(?![\w(.])", text)
    if word is None or word[0] in names:
        return text
    return f"{text[0].upper()}{text[1:]}"


def _placed(text: str, places: Mapping[int, str]) -> str:
    """The text with cells named as their owner finds them."""

    def place(found: re.Match[str]) -> str:
        return places.get(int(found[1]), found[0]).partition(", `")[0]

    return _CELL.sub(place, text)


def closing(checked: Checked) -> str:
    """The last line, word for word."""
    later, read = checked.later, checked.read
    total = len(checked.findings)
    return (
        f"public checks passed: {checked.passed} of {total}; "
        f"{later} more {'runs' if later == 1 else 'run'} after you hand in; "
        f"{read} {'answer is' if read == 1 else 'answers are'} read by a person. "
        "This is not your grade; nothing left this computer."
    )


def plain(checked: Checked, *, only: str = "") -> str:
    """All of it as plain text, for where there is no HTML and no terminal."""
    return printable("\n".join(_lines(checked, only=only)))


def _lines(checked: Checked, *, only: str) -> Iterator[str]:
    for told in told_items(checked, only=only):
        yield f"{VERDICTS[told.verdict].sign} {told.item.id}  {told.item.title}: {told.count}"
        for one in told.told:
            where = f" ({one.where})" if one.where else ""
            if one.title:
                yield f"    {one.title}{where}"
            yield f"    {one.text}"
    if not only:
        yield from (f"· {notice}" for notice in checked.notices)
        if checked.elsewhere:
            yield elsewhere(checked)
        yield closing(checked)


def elsewhere(checked: Checked) -> str:
    """What only the saved file can tell."""
    names = in_a_row([item.id for item in checked.elsewhere], rubric=checked.public.rubric)
    looks = "looks" if len(checked.elsewhere) == 1 else "look"
    return f"{names} {looks} at the saved file: save it, then `grade check` tells."
