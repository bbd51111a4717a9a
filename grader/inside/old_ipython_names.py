"""Keep names that IPython had before version 9, which Colab and many notebooks still use."""

import warnings

import IPython.core.display
import IPython.display
from IPython.core.interactiveshell import InteractiveShell


def keep_old_ipython_names():
    """Let `from IPython.core.display import display` and the like work, as in older versions."""
    names = {
        IPython.core.display: {"display": IPython.display.display},
        IPython.display: {"set_matplotlib_formats": set_matplotlib_formats},
        InteractiveShell: {"magic": run_magic_line},
    }
    for owner, functions in names.items():
        for name, function in functions.items():
            if not hasattr(owner, name):
                setattr(owner, name, function)


def set_matplotlib_formats(*formats, **options):
    """Choose the formats of inline figures."""
    from matplotlib_inline.backend_inline import set_matplotlib_formats as choose

    choose(*formats, **options)


def run_magic_line(self, line):
    """Run a line magic with its arguments, given as one text."""
    warnings.warn("`magic(...)` is deprecated, use run_line_magic(...)", DeprecationWarning, 2)
    name, _, rest = line.strip().removeprefix("%").partition(" ")
    return self.run_line_magic(name, rest.strip())
