"""Draws labelled points at several moments, as SVG that follows the page's theme."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from markupsafe import Markup

from grader.model import Numbers
from grader.report.plane import Plane
from grader.report.svg import as_inline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPES = (("o", "●"), ("s", "■"), ("^", "▲"), ("D", "◆"), ("v", "▼"))
"""A shape for each moment: as matplotlib names it, and as a legend writes it."""
INK = "#010200"
LABEL_COLOURS = ("#010201", "#010202", "#010203", "#010204")
"""Stand-ins, one for each label in turn; the style sheet says what they look like."""
THEME = {INK: "currentColor"} | {
    colour: f"var(--chart-{place})" for place, colour in enumerate(LABEL_COLOURS, start=1)
}
_LETTER, _LINE = 7.5, 15.0
"""About how wide a letter and how high a line of a label is, in points."""


def chart(
    plane: Plane, *, labels: Sequence[str], stages: int, name: str, title: str, description: str
) -> Markup:
    """The plane as an inline SVG: colour tells labels apart, shape tells stages apart.

    Args:
        plane: a point for each label of the first stage, then of the next, and so on.
        labels: what the points are called; may be foreign text.
        stages: how many moments there are.
        name: unique on the page; ids are made from it.
        title: the chart's name, for a screen reader.
        description: what it shows, in words.
    """
    import matplotlib as mpl  # noqa: PLC0415 - slow to import, and most commands draw nothing
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - see above
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.size": 11.0}):
        figure = Figure(figsize=(5.0, 3.8))
        figure.subplots_adjust(left=0.14, right=0.98, bottom=0.15, top=0.97)
        FigureCanvasSVG(figure)  # the figure keeps it
        axes = figure.add_subplot()
        _dress(axes, shares=plane.shares)
        _draw_points(axes, plane.points.reshape(stages, len(labels), 2))
        figure.draw_without_rendering()
        _write_labels(axes, plane.points, labels=tuple(labels) * stages)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    words = {stand_in(place): label for place, label in enumerate(tuple(labels) * stages)}
    return as_inline(
        written.getvalue(),
        colours=THEME,
        words=words,
        name=name,
        title=title,
        description=description,
    )


def stand_in(place: int) -> str:
    """What is drawn in a label's place: matplotlib shall not read a student's text as its own."""
    return f"label{place}"


def _dress(axes: Axes, *, shares: tuple[float, float]) -> None:
    axes.set_xlabel(f"first component ({shares[0]:.0%} of variance)", color=INK)
    axes.set_ylabel(f"second component ({shares[1]:.0%})", color=INK)
    axes.tick_params(colors=INK, length=3)
    axes.margins(0.18)
    axes.grid(color=INK, alpha=0.15, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.locator_params(nbins=6)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(INK)


def _draw_points(axes: Axes, places: Numbers) -> None:
    """The points, a shape a stage, and a dotted line from each to where it went."""
    for stage, (shape, _) in zip(places, _shapes(), strict=False):
        for label, (x, y) in enumerate(stage):
            colour = LABEL_COLOURS[label % len(LABEL_COLOURS)]
            axes.plot(x, y, shape, color=colour, markersize=9, zorder=3)
    for before, after in pairwise(places):
        for (x0, y0), (x1, y1) in zip(before, after, strict=True):
            axes.plot((x0, x1), (y0, y1), ":", color=INK, alpha=0.6, linewidth=1.2, zorder=2)


def _shapes() -> Iterator[tuple[str, str]]:
    while True:
        yield from SHAPES


def _write_labels(axes: Axes, points: Numbers, *, labels: Sequence[str]) -> None:
    """Each label beside its point, where it covers no other label and no other point."""
    scale = 72.0 / axes.figure.dpi
    centres = [(float(x) * scale, float(y) * scale) for x, y in axes.transData.transform(points)]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in centres]
    for place, (centre, label) in enumerate(zip(centres, labels, strict=True)):
        box = _free_box(centre, width=_LETTER * len(label), taken=taken)
        taken.append(box)
        left, bottom = box[0] - centre[0], box[1] - centre[1]
        axes.annotate(
            stand_in(place),
            points[place],
            xytext=(left, bottom + 3),
            textcoords="offset points",
            color=INK,
        )


Box = tuple[float, float, float, float]


def _free_box(centre: tuple[float, float], *, width: float, taken: Sequence[Box]) -> Box:
    """The nearest place for a label that overlaps least of what is taken, and stays inside."""
    x, y = centre
    boxes = [
        (left, bottom, left + width, bottom + _LINE)
        for far in (9.0, 22.0, 36.0)
        for left, bottom in (
            (x + far, y - _LINE / 2),
            (x - far - width, y - _LINE / 2),
            (x - width / 2, y + far),
            (x - width / 2, y - far - _LINE),
        )
    ]
    return min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken) + _outside(box))


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _outside(box: Box) -> float:
    """How badly the box leaves the canvas of 5 by 3.8 inches, as an area."""
    left, bottom, right, top = box
    return 1000.0 * (
        max(0, 52 - left) + max(0, right - 358) + max(0, 42 - bottom) + max(0, top - 270)
    )
