"""Keep the names that matplotlib's seaborn styles had before version 3.8."""

import sys

from inside.after_import import call_after_import

PREFIX = "seaborn-v0_8"


def keep_old_style_names():
    """Let `plt.style.use("seaborn")` and the like work, now or once matplotlib is imported."""
    call_after_import({"matplotlib.style": add_old_names})


def add_old_names():
    """Add each style under its old name, unless there is one of that name."""
    library = sys.modules["matplotlib.style"].library
    for name in [name for name in library if name.startswith(PREFIX)]:
        library.setdefault(f"seaborn{name.removeprefix(PREFIX)}", library[name])
