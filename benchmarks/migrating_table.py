"""The tables of docs/migrating.md: points side by side, and what one gains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "migrating.md"
RECORD = Path(__file__).parent / "results" / "migrating.json"
BEGIN = "<!-- made by `make migrating`: don't edit -->\n"
END = "<!-- end -->\n"
ALL = "*"
PENDING = "·"
Record = Mapping[str, list[dict[str, Any]]]


def page(record: Record) -> str:
    """The page with its tables made anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{tables(record)}{END}{after}"


def tables(record: Record) -> str:
    """All tables: one an assignment, and what one gains."""
    compared = [one for name in record for one in record[name]]
    parts = ["\n".join(_points(one)) for one in compared]
    return "\n" + "\n\n".join([*parts, "\n".join(_gains(compared))]) + "\n\n"


def unexplained(record: Record) -> Iterator[str]:
    """Differences that no submission says why of, and submissions that a side doesn't have."""
    for one in (one for name in record for one in record[name]):
        for row in one["rows"]:
            for question in _differing(one, row):
                if _why(row, question) == "":
                    yield f"{one['title']}, {row['case']}, {question}: {_cell(row, question)}"


def _points(one: Mapping[str, Any]) -> Iterator[str]:
    questions = one["questions"]
    yield f"**{one['title']}**, {one['peer'].replace('==', ' ')}"
    yield ""
    yield "| submission | " + " | ".join(f"`{q}`" for q in questions) + " | |"
    yield "| --- |" + " --- |" * (len(questions) + 1)
    for row in one["rows"]:
        cells = [_cell(row, question) for question in questions]
        whys = dict.fromkeys(_why(row, q) or "?" for q in _differing(one, row))
        yield f"| {row['case']} | {' | '.join(cells)} | {'; '.join(whys) or 'equal'} |"


def _gains(compared: list[dict[str, Any]]) -> Iterator[str]:
    yield "| assignment | grader | seconds a notebook | forged notebooks that gained points |"
    yield "| --- | --- | --- | --- |"
    for one in compared:
        forged = [row for row in one["rows"] if row["forged"]]
        seconds = one["seconds"]
        here = f"{seconds['ours']:.1f} ({seconds['one']:.1f} one at a time)"
        for grader, took, side in (
            (one["peer"].partition("==")[0], f"{seconds['theirs']:.1f}", "theirs"),
            ("this grader", here, "ours"),
        ):
            gained = sum(any(row[side].get(q) for q in one["automatic"]) for row in forged)
            yield f"| {one['title']} | {grader} | {took} | {gained} of {len(forged)} |"


def _differing(one: Mapping[str, Any], row: Mapping[str, Any]) -> Iterator[str]:
    for question in one["questions"]:
        if row["theirs"].get(question) != row["ours"].get(question):
            yield question


def _why(row: Mapping[str, Any], question: str) -> str:
    differs = row["differs"]
    return str(differs.get(question) or differs.get(ALL) or "")


def _cell(row: Mapping[str, Any], question: str) -> str:
    theirs, ours = (_number(row[side].get(question)) for side in ("theirs", "ours"))
    return theirs if theirs == ours else f"**{theirs} / {ours}**"


def _number(points: float | None) -> str:
    return PENDING if points is None else f"{points:g}"
