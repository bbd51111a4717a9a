"""Compare a value with the one that the reference gave: deep, within a tolerance, in any order."""

import math
import numbers

import numpy as np
from course_tests.remote_objects import Remote, plain_value

KINDS = (
    ("a truth value", (bool, np.bool_)),
    ("a number", (numbers.Number, np.number)),
    ("a text", (str,)),
    ("a list", (list,)),
    ("a tuple", (tuple,)),
    ("a set", (set, frozenset)),
    ("a dictionary", (dict,)),
    ("an array", (np.ndarray,)),
)
"""What values are called, the first that fits."""


class Comparison:
    """How values are compared.

    close: the largest difference of two numbers, relative and absolute.
    any_order: whether the order of lists, arrays and rows does not matter.
    types: whether a list is no tuple, and a whole number no float.
    """

    def __init__(self, *, close=1e-6, any_order=False, types=True):
        self.close = close
        self.any_order = any_order
        self.types = types

    def agree(self, value, expected):
        """Return whether a value is the expected one."""
        try:
            return self.same(plain(value), plain(expected))
        except (TypeError, ValueError, RecursionError):
            return False

    def same(self, value, expected):
        """Compare values without tables and tensors."""
        if isinstance(value, Remote) or isinstance(expected, Remote):
            return False
        if not self.types:
            value, expected = as_sequence(value), as_sequence(expected)
        kind = kind_of(expected)
        if kind_of(value) != kind:
            return False
        compare = {
            "a number": self.same_number,
            "a list": self.same_parts,
            "a tuple": self.same_parts,
            "a set": self.same_in_any_order,
            "a dictionary": self.same_dictionary,
            "an array": self.same_array,
        }.get(kind, same_plainly)
        return compare(value, expected)

    def same_dictionary(self, value, expected):
        """Compare dictionaries, whose order does not matter."""
        if value.keys() != expected.keys():
            return False
        return all(self.same(plain(value[key]), plain(expected[key])) for key in value)

    def same_number(self, value, expected):
        """Compare numbers: whole ones exactly, others within the tolerance."""
        whole = [isinstance(number, (int, np.integer)) for number in (value, expected)]
        if self.types and whole[0] != whole[1]:
            return False
        if all(whole):
            return int(value) == int(expected)
        if isinstance(value, complex) or isinstance(expected, complex):
            return abs(value - expected) <= self.close * max(1.0, abs(expected))
        value, expected = float(value), float(expected)
        if math.isnan(expected):
            return math.isnan(value)
        return math.isclose(value, expected, rel_tol=self.close, abs_tol=self.close)

    def same_parts(self, values, expected):
        """Compare sequences part by part, or in any order."""
        if len(values) != len(expected):
            return False
        if self.any_order:
            return self.same_in_any_order(values, expected)
        pairs = zip(values, expected, strict=True)
        return all(self.same(plain(a), plain(b)) for a, b in pairs)

    def same_in_any_order(self, values, expected):
        """Return whether each value has a partner of its own."""
        remaining = list(expected)
        for value in values:
            partner = next(
                (i for i, part in enumerate(remaining) if self.same(plain(value), plain(part))),
                None,
            )
            if partner is None:
                return False
            del remaining[partner]
        return not remaining

    def same_array(self, value, expected):
        """Compare arrays of one shape."""
        if value.shape != expected.shape:
            return False
        numeric = [array.dtype.kind in "biufc" for array in (value, expected)]
        if not all(numeric) or self.any_order:
            return self.same_parts(value.tolist(), expected.tolist())
        options = {"rtol": self.close, "atol": self.close, "equal_nan": True}
        return bool(np.allclose(value, expected, **options)) if value.size else True


def same_plainly(value, expected):
    """Compare values that are no numbers and have no parts."""
    return type(value) is type(expected) and bool(value == expected)


def kind_of(value):
    """Return what a value is called."""
    return next((name for name, kinds in KINDS if isinstance(value, kinds)), type(value).__name__)


def as_sequence(value):
    """Return a tuple or an array as a list, a truth value as it is, a whole number as a float."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return list(value)
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return float(value) if is_whole and abs(int(value)) < 2**53 else value


def plain(value):
    """Return a table or tensor as what it is made of, any other value as it is."""
    value = plain_value(value)
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        return np.asarray(value.detach().cpu())
    if hasattr(value, "columns") and hasattr(value, "to_numpy"):
        return {"columns": list(value.columns), "rows": [list(row) for row in value.to_numpy()]}
    if hasattr(value, "index") and hasattr(value, "to_numpy"):
        pairs = zip(value.index.tolist(), value.tolist(), strict=True)
        return {"name": value.name, "values": [list(pair) for pair in pairs]}
    return value
