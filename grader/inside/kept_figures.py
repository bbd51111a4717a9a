"""Keep the figures that a notebook draws, and describe them as plain data.

The inline backend closes every figure at the end of its cell; one that a cell closes stays here.
"""

import contextlib
import sys

from inside import after_import

MAX_FIGURES = 100
"""Figures that are kept, the first ones."""
MAX_POINTS = 20_000
"""Points of one line or collection that are told."""
_kept = []
"""Each figure with the run of a cell that made it."""


def keep_figures(run_number=lambda: 0):
    """Keep every figure that pyplot makes, from the import of pyplot on.

    run_number: returns the number of the run of a cell that goes on.
    """

    def watch():
        helpers = sys.modules["matplotlib._pylab_helpers"]
        real_set = helpers.Gcf._set_new_active_manager.__func__

        def remember(cls, manager):
            figure = manager.canvas.figure
            if len(_kept) < MAX_FIGURES and all(kept is not figure for _, kept in _kept):
                _kept.append((run_number(), figure))
            return real_set(cls, manager)

        helpers.Gcf._set_new_active_manager = classmethod(remember)

    after_import.call_after_import({"matplotlib._pylab_helpers": watch})


def close_with_cells(shell):
    """Close the open figures when a cell ends or shows them, as the inline backend does."""

    def close(*args, **options):
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")

    def replace_show():
        sys.modules["matplotlib.pyplot"].show = close

    after_import.call_after_import({"matplotlib.pyplot": replace_show})
    shell.events.register("post_execute", close)


def keep_runs(places):
    """Forget the figures of all runs but some, and order theirs.

    places: the place in the notebook of each run that counts, by its number.
    """
    counting = [(run, figure) for run, figure in _kept if run in places]
    _kept[:] = sorted(counting, key=lambda kept: places[kept[0]])


def take_figures():
    """Return what is kept, and keep it no more."""
    taken = list(_kept)
    _kept.clear()
    return taken


@contextlib.contextmanager
def keeping_for_test(kept=None):
    """Let a test draw figures of its own, which are forgotten when it ends.

    kept: what was taken of another notebook, in place of what is kept now.
    """
    before, before_open = list(_kept), dict(open_figures())
    _kept[:] = before if kept is None else kept
    open_figures().clear()  # at its beginning none is open, as where it counts
    try:
        yield
    finally:
        _kept[:] = before
        open_figures().clear()
        open_figures().update(before_open)


def open_figures():
    """Return pyplot's own table of the figures that are open."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    return helpers.Gcf.figs if helpers is not None else {}


def describe_figures():
    """Return each figure as a dictionary of its title and its axes."""
    return [
        {
            "title": figure._suptitle.get_text() if figure._suptitle is not None else "",
            "size": tuple(float(side) for side in figure.get_size_inches()),
            "axes": [describe_axes(axes) for axes in figure.axes],
        }
        for _, figure in _kept
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
