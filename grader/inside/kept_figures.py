"""Keep the figures that a notebook draws, and describe them as plain data.

The inline backend closes every figure at the end of its cell; one that a cell closes stays here.
"""

import sys

from inside import after_import

MAX_FIGURES = 100
"""Figures that are kept, the first ones."""
MAX_POINTS = 20_000
"""Points of one line or collection that are told."""
_kept = []


def keep_figures():
    """Keep every figure that pyplot makes, from the import of pyplot on."""

    def watch():
        helpers = sys.modules["matplotlib._pylab_helpers"]
        real_set = helpers.Gcf._set_new_active_manager.__func__

        def remember(cls, manager):
            figure = manager.canvas.figure
            if len(_kept) < MAX_FIGURES and all(kept is not figure for kept in _kept):
                _kept.append(figure)
            return real_set(cls, manager)

        helpers.Gcf._set_new_active_manager = classmethod(remember)

    after_import.call_after_import({"matplotlib._pylab_helpers": watch})


def describe_figures():
    """Return each figure as a dictionary of its title and its axes."""
    return [
        {
            "title": figure._suptitle.get_text() if figure._suptitle is not None else "",
            "size": tuple(float(side) for side in figure.get_size_inches()),
            "axes": [describe_axes(axes) for axes in figure.axes],
        }
        for figure in _kept
        if figure.axes
    ]


def describe_axes(axes):
    """Return what a reader of a chart sees of one pair of axes."""
    legend = axes.get_legend()
    return {
        "title": axes.get_title() or axes.get_title("left") or axes.get_title("right"),
        "xlabel": axes.get_xlabel(),
        "ylabel": axes.get_ylabel(),
        "xscale": axes.get_xscale(),
        "yscale": axes.get_yscale(),
        "xlim": tuple(map(float, axes.get_xlim())),
        "ylim": tuple(map(float, axes.get_ylim())),
        "xticks": [label.get_text() for label in axes.get_xticklabels()],
        "yticks": [label.get_text() for label in axes.get_yticklabels()],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "lines": [describe_line(line) for line in axes.get_lines()],
        "bars": [describe_bar(patch) for patch in axes.patches if hasattr(patch, "get_width")],
        "points": [describe_points(part) for part in axes.collections if len(offsets(part))],
        "images": [tuple(image.get_array().shape) for image in axes.get_images()],
        "texts": [text.get_text() for text in axes.texts],
    }


def describe_line(line):
    """Return the data, the label and the style of a line."""
    x, y = line.get_data(orig=False)
    return {
        "x": [float(value) for value in x[:MAX_POINTS]],
        "y": [float(value) for value in y[:MAX_POINTS]],
        "label": str(line.get_label()),
        "style": str(line.get_linestyle()),
        "marker": str(line.get_marker()),
    }


def describe_bar(patch):
    """Return the position and the size of a bar."""
    names = ("x", "y", "width", "height")
    return {name: float(getattr(patch, f"get_{name}")()) for name in names}


def offsets(part):
    """Return the points of a collection; () of one that has none."""
    return part.get_offsets() if hasattr(part, "get_offsets") else ()


def describe_points(part):
    """Return the points of a scatter plot and their label."""
    points = [(float(x), float(y)) for x, y in offsets(part)[:MAX_POINTS]]
    return {"points": points, "label": str(part.get_label())}
