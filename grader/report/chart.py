"""Draw labeled points at several stages, as SVG that follows the page's theme.

It writes the SVG itself: a plotting library takes longer for one such figure than all other steps
after the run of a submission together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, pairwise

from markupsafe import Markup, escape

from grader.report.axis_scale import Scale
from grader.report.projection import Plane

SHAPES = (
    ("M -4.5 0 a 4.5 4.5 0 1 0 9 0 a 4.5 4.5 0 1 0 -9 0 z", "●"),
    ("M -4.5 -4.5 h 9 v 9 h -9 z", "■"),
    ("M 0 -4.5 L 4.5 4.5 h -9 z", "▲"),
    ("M 0 -6.4 L 6.4 0 L 0 6.4 L -6.4 0 z", "◆"),
    ("M 0 4.5 L 4.5 -4.5 h -9 z", "▼"),
)
"""A shape for each stage: its path around a point, and its sign in the legend."""
COLORS = ("var(--chart-1)", "var(--chart-2)", "var(--chart-3)", "var(--chart-4)")
"""The colors of labels in turn, which the style sheet defines."""
WIDTH, HEIGHT = 360.0, 273.6
LEFT, RIGHT, TOP, BOTTOM = 50.4, 352.8, 8.2, 232.6
_LETTER, _LINE = 7.5, 15.0
"""Approximate width of a letter and height of a line, in units of the drawing."""
_GRID = 'stroke="currentColor" stroke-opacity="0.15" stroke-width="0.6"'
_AXIS = 'stroke="currentColor" stroke-width="0.8"'
_TRAIL = 'stroke="currentColor" stroke-opacity="0.6" stroke-width="1.2" stroke-dasharray="1.2 1.98"'

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAlternative:
    """A drawing's title and description for screen readers."""

    name: str
    """Unique on the page; ids are made from it."""
    title: str
    description: str
    """What it shows."""


def draw_chart(
    plane: Plane, *, labels: Sequence[str], stages: int, alternative: TextAlternative
) -> Markup:
    """Draw the plane as inline SVG: each label has a color, each stage a shape.

    Args:
        plane: a point for each label of the first stage, then of the next, and so on.
        labels: the labels of the points; untrusted text.
        stages: the number of stages.
        alternative: the description for screen readers.
    """
    x_scale = Scale.from_numbers(plane.points[:, 0], start=LEFT, end=RIGHT)
    y_scale = Scale.from_numbers(plane.points[:, 1], start=BOTTOM, end=TOP)
    points = [(x_scale.position(float(x)), y_scale.position(float(y))) for x, y in plane.points]
    count = len(labels)
    by_stage = [points[stage * count : (stage + 1) * count] for stage in range(stages)]
    parts = (
        *_axes(x_scale, y_scale=y_scale, shares=plane.shares),
        *_trails(by_stage),
        *_points(by_stage),
        *_labels(points, labels=tuple(labels) * stages),
    )
    ids = f"{alternative.name}-title", f"{alternative.name}-words"
    head = (
        f'<svg viewBox="0 0 {_num(WIDTH)} {_num(HEIGHT)}" class="chart" role="img" '
        f'aria-labelledby="{escape(ids[0])} {escape(ids[1])}" fill="none" stroke-linejoin="round">'
        f'<title id="{escape(ids[0])}">{escape(alternative.title)}</title>'
        f'<desc id="{escape(ids[1])}">{escape(alternative.description)}</desc>'
    )
    return Markup("\n".join((head, *parts, "</svg>")))  # noqa: S704 - numbers, and escaped words


def _num(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _axes(x_scale: Scale, *, y_scale: Scale, shares: tuple[float, float]) -> Iterator[str]:
    """Yield two axes with ticks and names, and a faint grid."""
    grid, ticks = [], []
    for number, label in x_scale.ticks():
        x = _num(x_scale.position(number))
        grid.append(f"M {x} {TOP} V {BOTTOM}")
        ticks.append(f"M {x} {BOTTOM} v 3")
        yield _text(label, x=x, y="247.4", attributes='text-anchor="middle"')
    for number, label in y_scale.ticks():
        y = y_scale.position(number)
        grid.append(f"M {LEFT} {_num(y)} H {RIGHT}")
        ticks.append(f"M {LEFT} {_num(y)} h -3")
        yield _text(label, x="43.9", y=_num(y + 4.2), attributes='text-anchor="end"')
    yield f'<path d="{" ".join(grid)}" {_GRID}/>'
    yield f'<path d="M {LEFT} {TOP} V {BOTTOM} H {RIGHT} {" ".join(ticks)}" {_AXIS}/>'
    first, second = shares
    x_name = f"first component ({first:.0%} of variance)"
    yield _text(x_name, x="201.6", y="262.4", attributes='text-anchor="middle"')
    rotation = 'text-anchor="middle" transform="rotate(-90 10.5 120.4)"'
    yield _text(f"second component ({second:.0%})", x="10.5", y="120.4", attributes=rotation)


def _text(text: str, *, x: str, y: str, attributes: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="currentColor" {attributes}>{escape(text)}</text>'


def _trails(by_stage: Sequence[Sequence[Point]]) -> Iterator[str]:
    """Yield a dotted line from each point to its position at the next stage."""
    for before, after in pairwise(by_stage):
        for (x0, y0), (x1, y1) in zip(before, after, strict=True):
            yield f'<path d="M {_num(x0)} {_num(y0)} L {_num(x1)} {_num(y1)}" {_TRAIL}/>'


def _points(by_stage: Sequence[Sequence[Point]]) -> Iterator[str]:
    for stage, (shape, _) in zip(by_stage, cycle(SHAPES), strict=False):
        for (x, y), color in zip(stage, cycle(COLORS), strict=False):
            yield f'<path d="{shape}" transform="translate({_num(x)} {_num(y)})" fill="{color}"/>'


def _labels(points: Sequence[Point], *, labels: Sequence[str]) -> Iterator[str]:
    """Yield each label beside its point, clear of other labels and points."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    for point, label in zip(points, labels, strict=True):
        box = _free_box(point, width=_LETTER * len(label), taken=taken)
        taken.append(box)
        yield _text(label, x=_num(box[0]), y=_num(box[3] - 3))


def _free_box(point: Point, *, width: float, taken: Sequence[Box]) -> Box:
    """Return the nearest box for a label that overlaps least and stays inside the axes."""
    x, y = point
    boxes = [
        (left, top, left + width, top + _LINE)
        for distance in (9.0, 22.0, 36.0)
        for left, top in (
            (x + distance, y - _LINE / 2),
            (x - distance - width, y - _LINE / 2),
            (x - width / 2, y - distance - _LINE),
            (x - width / 2, y + distance),
        )
    ]
    best, least = boxes[0], float("inf")
    for box in boxes:
        cost = _outside(box) + sum(_overlap(box, other) for other in taken)
        if cost < least:
            best, least = box, cost
        if not cost:
            break
    return best


def _overlap(box: Box, other: Box) -> float:
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def _outside(box: Box) -> float:
    """Return the area of the box that lies outside the axes."""
    left, top, right, bottom = box
    return 1000.0 * (
        max(0.0, LEFT + 1.6 - left)
        + max(0.0, right - 358)
        + max(0.0, 3.6 - top)
        + max(0.0, bottom - (BOTTOM - 1))
    )
