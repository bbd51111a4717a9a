"""Tests of charts: `figures` are the notebook's, those too that a call in a test draws."""

import pytest

RAIN = [63, 48, 55, 71, 84, 92]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]


def bar_chart(figures):
    """Return the first chart that has bars."""
    charts = [axes for figure in figures for axes in figure.axes if axes.bars]
    assert charts, "no figure of the notebook has bars"
    return charts[0]


def drawn_points(axes):
    """Return the points of each group of a chart, drawn by `scatter` or as a line's markers."""
    groups = [group.points for group in axes.points]
    groups += [list(zip(line.x, line.y, strict=True)) for line in axes.lines]
    return sorted(sorted(points) for points in groups)


@pytest.fixture
def groups(draw):
    """Return groups of points that nobody knows beforehand."""
    names = draw.sample(["cats", "dogs", "elks", "foxes", "geese"], 3)
    return {name: list(map(tuple, draw.uniform(10, 90, (4, 2)).tolist())) for name in names}


# ---------------------------------------------------------------- Q1


def test_bars(figures):
    """The bars are upright, and as high as the rain of each month."""
    bars = sorted(bar_chart(figures).bars, key=lambda bar: bar.x)
    assert [bar.height for bar in bars] == RAIN


def test_bars_months(figures):
    """Below each bar stands its month."""
    assert bar_chart(figures).xticks == MONTHS


def test_bars_labels(figures):
    """The bars have a title and labels on both axes; that of the rain names its unit."""
    chart = bar_chart(figures)
    assert chart.title != ""
    assert chart.xlabel != ""
    assert "mm" in chart.ylabel


# ---------------------------------------------------------------- Q2


def test_scatter_points(scatter_groups, figures, groups):
    """`scatter_groups` draws each group's points in a new figure, for any groups."""
    before = len(figures)
    scatter_groups(groups)
    scatter_groups(groups)
    assert len(figures) == before + 2
    assert drawn_points(figures[-1].axes[0]) == sorted(map(sorted, groups.values()))


def test_scatter_legend(scatter_groups, figures, groups):
    """The legend names each group once."""
    scatter_groups(groups)
    assert sorted(figures[-1].axes[0].legend) == sorted(groups)


def test_scatter_labels(scatter_groups, figures):
    """Both axes have labels with units: height (cm), weight (kg)."""
    scatter_groups({"cats": [(24.0, 4.1), (26.0, 4.6)]})
    chart = figures[-1].axes[0]
    assert "cm" in chart.xlabel
    assert "kg" in chart.ylabel
