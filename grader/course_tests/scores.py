"""What a test says beside passing: a share of its points, values that the reference must give."""

import linecache
import math
import numbers
import sys
from fractions import Fraction

import numpy as np
from course_tests.comparison import Comparison
from course_tests.failure_text import show_value

EARNED, AUTOTEST = "earned", "autotest"
CLOSE = 1e-6


class Earned:
    """`earned(points, of=5)`: the test is worth that share; what is no number is worth all."""

    def __init__(self):
        self.share = None
        self.text = ""
        self.is_number = False

    def __call__(self, points, *, of):
        """Keep the share, and return the points."""
        self.share, self.text = Fraction(1), ""
        is_number = isinstance(points, (numbers.Real, np.number)) and not isinstance(
            points, (bool, np.bool_)
        )
        self.is_number = is_number
        if is_number and math.isfinite(points) and 0 <= points < of:
            self.share = Fraction(str(float(points))) / Fraction(str(of))
            self.text = f"it earned {float(points):g} of {of:g} points"
        return points


class Autotest:
    """`autotest(value)`: keeps values, to be compared with those that the reference gives."""

    def __init__(self):
        self.values = []
        self.codes = []

    def __call__(self, value):
        """Keep a value, and the code that gave it."""
        frame = sys._getframe(1)
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        is_whole = line.startswith("autotest(") and line.endswith(")")
        self.codes.append(
            line[len("autotest(") : -1] if is_whole else f"value {len(self.codes) + 1}"
        )
        self.values.append(value)
        return value

    def compare(self, reference):
        """Raise AssertionError where a value is not the reference's."""
        pairs = zip(self.codes, self.values, reference.values, strict=False)
        for code, value, expected in pairs:
            if not agree_rounded(value, expected, digits=2):
                shown, wanted = show_value(value), show_value(expected)
                kinds = (f" of type {type(v).__name__}" for v in (value, expected))
                first, second = kinds if shown == wanted else ("", "")
                raise AssertionError(f"`{code}` gave {shown}{first}; {wanted}{second} was expected")
        if len(self.values) != len(reference.values):
            raise AssertionError("it asked for another number of values than of the reference")


def agree_rounded(value, expected, *, digits, close=CLOSE, any_order=False, types=True):
    """Return whether values agree; a float that is all there is, rounded to some digits.

    digits: as nbgrader's AUTOTEST rounds; None for a tolerance alone.
    """
    comparison = Comparison(close=close, any_order=any_order, types=types)
    if digits is not None and type(value) is float and type(expected) is float:
        return round(value, digits) == round(expected, digits) or comparison.agree(value, expected)
    return comparison.agree(value, expected)
