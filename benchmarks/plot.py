"""A record as one calm figure: seconds a notebook by variant, and our cost by size and width."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.record import CLASS, OURS, Record
from benchmarks.table import main_rows

INK, MUTED, BLUE, GRAY = "#24292f", "#6e7781", "#1f6feb", "#afb8c1"


def draw(record: Record, *, path: Path) -> None:
    """Write the figure as SVG: readable without color, and on a white page."""
    figure = Figure(figsize=(9.5, 3.6), layout="constrained", facecolor="white")
    bars, sizes, widths = figure.subplots(1, 3, width_ratios=(2.2, 1, 1))
    _bars(bars, record)
    mine = [m for m in record.measures if m.variant.split()[0] == OURS and m.task == CLASS]
    by_size: dict[int, list[float]] = {}
    by_width: dict[int, list[float]] = {}
    for m in mine:
        if m.jobs == max(one.jobs for one in record.of(OURS)[:1]):
            by_size.setdefault(m.notebooks, []).append(m.wall / m.notebooks)
        if m.notebooks == record.of(OURS)[0].notebooks:
            by_width.setdefault(m.jobs, []).append(m.wall / m.notebooks)
    _line(sizes, by_size, title="ours, by class size", label="notebooks")
    _line(widths, by_width, title="ours, by -j", label="notebooks at once")
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _bars(axes: Axes, record: Record) -> None:
    rows = main_rows(record)[::-1]
    names = [row.variant for row in rows]
    colors = [BLUE if name.split()[0] == OURS else GRAY for name in names]
    bars = axes.barh(names, [row.wall for row in rows], color=colors, height=0.62)
    axes.bar_label(bars, labels=[f"{row.wall:.2f} s" for row in rows], padding=4, color=INK)
    axes.set_title("seconds a notebook (less is better)", loc="left", color=INK, fontsize=10)
    axes.set_xlim(0, 1.2 * max(row.wall for row in rows))
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.xaxis.set_visible(False)


def _line(axes: Axes, points: Mapping[int, list[float]], *, title: str, label: str) -> None:
    places = sorted(points)
    heights = [median(points[place]) for place in places]
    axes.plot(places, heights, "o-", color=BLUE, linewidth=1.5, markersize=5)
    axes.set_title(title, loc="left", color=INK, fontsize=10)
    axes.set_xlabel(label, color=MUTED)
    axes.set_ylim(0, 1.25 * max(heights, default=1.0))
    if places and places[-1] > 10 * places[0]:
        axes.set_xscale("log")
    axes.set_xticks(places, [str(place) for place in places])
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRAY)
    axes.tick_params(colors=MUTED, labelsize=9)
