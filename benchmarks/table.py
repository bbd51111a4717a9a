"""A record as tables: Markdown for the README, rich for the terminal. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from benchmarks.record import (
    AGAIN,
    CLASS,
    FLOOR,
    JUDGED,
    OURS,
    Measure,
    Record,
    Row,
    per_notebook,
    rows,
)

HEAD = (
    "variant",
    "books",
    "s each",
    "x ours",
    "CPU s",
    "x floor",
    "first s",
    "peak MB",
    "figures",
)
MEGA = 1_000_000


def markdown(record: Record) -> str:
    """The whole page."""
    machine = ", ".join(f"{name} {value}" for name, value in record.machine.items())
    parts = [
        "Made by `make bench`; how to read it stands in `benchmarks/README.md`.",
        f"Machine: {machine}.",
        _markdown_table(HEAD, [cells(row) for row in main_rows(record)]),
        _markdown_table(CURVE_HEAD, curve(record)) if curve(record) else "",
        further(record) if record.of(OURS) else "",
        walls(record),
        "\n".join(_explanations(record)),
        "\n".join(_doubts(record)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def terminal(record: Record) -> Table:
    """The main table for a terminal."""
    table = _table("Each notebook, by variant", head=HEAD)
    for row in main_rows(record):
        table.add_row(*cells(row))
    return table


def terminal_curve(record: Record) -> Table:
    """The runs of our own command, for a terminal."""
    table = _table("Our command, by size of the class and by -j", head=CURVE_HEAD)
    for line in curve(record):
        table.add_row(*line)
    return table


def main_rows(record: Record) -> tuple[Row, ...]:
    """The variants in the order in which they are explained."""
    return rows(record, variants=record.explained)


def cells(row: Row) -> tuple[str, ...]:
    """A row as text."""
    rounds = f" x {row.rounds}" if row.rounds > 1 else ""
    return (
        row.variant,
        f"{row.notebooks}{rounds}",
        f"{row.wall:.2f}",
        _times(row.against_ours),
        f"{row.cpu:.2f}",
        _times(row.against_floor),
        "-" if row.first is None else f"{row.first:.1f}",
        "-" if row.peak is None else f"{row.peak / MEGA:.0f}",
        "yes" if row.proven else "NO",
    )


CURVE_HEAD = ("grade", "notebooks", "-j", "wall, s", "s each", "CPU s")
TASKS = {CLASS: "a folder", AGAIN: "again, unchanged", JUDGED: "`grade again`"}


def curve(record: Record) -> list[tuple[str, ...]]:
    """Our own runs by task, size and width; medians where there are several."""
    mine = [m for m in record.measures if m.variant.split()[0] == OURS]
    shapes = sorted({(list(TASKS).index(m.task), m.notebooks, m.jobs) for m in mine})
    return [_curve_line(mine, shape) for shape in shapes]


def further(record: Record) -> str:
    """What one more notebook takes, from our classes of two sizes; '' where there is one size."""
    runs = [m for m in record.of(OURS) if m.jobs == record.of(OURS)[0].jobs]
    small, large = (pick(runs, key=lambda m: m.notebooks).notebooks for pick in (min, max))
    if small == large:
        return ""
    wall, cpu = (
        (_whole(runs, large, what) - _whole(runs, small, what)) / (large - small)
        for what in ("wall", "cpu")
    )
    told = [f"{wall:.2f} s", f"{cpu:.2f} CPU s"]
    floor = per_notebook(record.of(FLOOR), what="cpu")
    told += [f"{cpu / floor:.1f} times the floor's CPU"] if floor else []
    for row in main_rows(record):
        if row.variant != FLOOR and not row.variant.startswith(OURS):
            told.append(f"{row.wall / wall:.0f} times the throughput of {row.variant}")
    sizes = f"a class of {large} less a class of {small}"
    return f"Each further notebook ({sizes}), our start paid: {'; '.join(told)}."


def walls(record: Record) -> str:
    """What the walls add to a submission; '' where they were not measured."""
    bare = record.walls.get("none")
    if bare is None or len(record.walls) == 1:
        return ""
    added = [
        f"{taken - bare:+.1f} ms at `{level}`"
        for level, taken in record.walls.items()
        if level != "none"
    ]
    return f"What walls add to the {bare:.0f} ms of a room with one small cell: {', '.join(added)}."


def _whole(runs: Sequence[Measure], notebooks: int, what: str) -> float:
    alike = [m for m in runs if m.notebooks == notebooks]
    return (per_notebook(alike, what=what) or 0.0) * notebooks


def _curve_line(mine: Sequence[Measure], shape: tuple[int, int, int]) -> tuple[str, ...]:
    runs = [m for m in mine if (list(TASKS).index(m.task), m.notebooks, m.jobs) == shape]
    wall, cpu = (per_notebook(runs, what=what) or 0.0 for what in ("wall", "cpu"))
    return (
        TASKS[runs[0].task],
        str(runs[0].notebooks),
        str(runs[0].jobs),
        f"{wall * runs[0].notebooks:.1f}",
        f"{wall:.3f}",
        f"{cpu:.3f}",
    )


def _explanations(record: Record) -> list[str]:
    measured = {row.variant for row in main_rows(record)}
    return [
        f"- **{name}** {does}. Leaves out: {leaves_out}."
        for name, (does, leaves_out) in record.explained.items()
        if name in measured
    ]


def _doubts(record: Record) -> list[str]:
    found = record.problems()
    return ["**Not to be trusted:**", "", *(f"- {line}" for line in found)] if found else []


def _markdown_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rules = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rules, *lines))


def _table(title: str, *, head: Sequence[str]) -> Table:
    """An empty table that fits a terminal of 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False, title=title)
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.{2 if ratio < 1 else 3}g}"
