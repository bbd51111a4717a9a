"""Show an exhibit as a table of cosines, a chart, and the chart in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from markupsafe import Markup

from grader.model import Exhibit, Finding
from grader.report.chart import SHAPES, TextAlternative, draw_chart
from grader.report.projection import Plane, cosines, principal_plane
from grader.report.text_format import one_line

LONGEST_LABEL = 24
UNDEFINED = "undefined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitView:
    """An exhibit, ready for the page."""

    name: str
    """The id it has on the page."""
    title: str
    caption: str
    stages: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    """A pair of labels, and its cosine at each stage, formatted."""
    legend: tuple[tuple[str, str], ...]
    """The shape of each stage's points, and the stage's name."""
    chart: Markup | None


ExhibitKey = tuple[str, tuple[str, ...], tuple[tuple[str, bytes], ...]]


def exhibit_key(exhibit: Exhibit) -> ExhibitKey:
    """Return a key that is equal for exhibits that would be drawn alike."""
    stages = tuple((stage.name, stage.vectors.tobytes()) for stage in exhibit.stages)
    return (exhibit.title, exhibit.labels, stages)


def unique_exhibits(findings: Iterable[Finding]) -> dict[ExhibitKey, ExhibitView]:
    """Return the exhibits of the findings in order, without repetitions."""
    views: dict[ExhibitKey, ExhibitView] = {}
    for finding in findings:
        exhibit = finding.exhibit
        if exhibit is not None and _is_complete(exhibit) and exhibit_key(exhibit) not in views:
            views[exhibit_key(exhibit)] = exhibit_view(exhibit, name=f"exhibit-{len(views) + 1}")
    return views


def exhibit_view(exhibit: Exhibit, *, name: str) -> ExhibitView:
    """Lay out an exhibit as table, chart and words."""
    labels = [one_line(label)[:LONGEST_LABEL] for label in exhibit.labels]
    stages = tuple(one_line(stage.name)[:LONGEST_LABEL] for stage in exhibit.stages)
    columns = [
        [_format_cosine(value) for value in cosines(stage.vectors)] for stage in exhibit.stages
    ]
    plane = principal_plane(np.concatenate([stage.vectors for stage in exhibit.stages]))
    return ExhibitView(
        name=name,
        title=one_line(exhibit.title),
        caption=one_line(exhibit.caption),
        stages=stages,
        rows=tuple(
            (f"{first} and {second}", values)
            for (first, second), values in zip(
                combinations(labels, 2), zip(*columns, strict=True), strict=True
            )
        ),
        legend=tuple((SHAPES[n % len(SHAPES)][1], stage) for n, stage in enumerate(stages)),
        chart=None
        if plane is None
        else draw_chart(
            plane,
            labels=labels,
            stages=len(stages),
            alternative=TextAlternative(
                name=name,
                title=f"{one_line(exhibit.title)}, in the plane of two principal components",
                description=_describe_chart(plane, labels=labels, stages=stages),
            ),
        ),
    )


def _is_complete(exhibit: Exhibit) -> bool:
    """Return whether every stage has a row of the same length for every label."""
    shapes = {stage.vectors.shape for stage in exhibit.stages}
    label_count = len(exhibit.labels)
    return (
        label_count > 1
        and len(shapes) == 1
        and all(s[:1] == (label_count,) and len(s) > 1 for s in shapes)
    )


def _format_cosine(cosine: float | None) -> str:
    return UNDEFINED if cosine is None else f"{cosine:.4f}".replace("-", "\u2212")


def _describe_chart(plane: Plane, *, labels: list[str], stages: tuple[str, ...]) -> str:
    """Describe where each point is at each stage, for screen readers."""
    positions = plane.points.reshape(len(stages), len(labels), 2)
    descriptions = [
        f"{label}: "
        + ", ".join(
            f"{stage} at ({positions[s, n, 0]:.2f}, {positions[s, n, 1]:.2f})"
            for s, stage in enumerate(stages)
        )
        for n, label in enumerate(labels)
    ]
    return "A scatter plot. " + "; ".join(descriptions) + "."
