"""Turn values into plain data and back, by exact types and within bounds; nothing is pickled.

A value becomes a JSON tree and arrays beside it. None, booleans, short whole numbers, finite
floats, texts and lists stand for themselves; everything else is an object with a `""`, its tag.
What has no tag is left to `refer`: objects stay where they are, and only a reference crosses.
"""

import base64
import collections
import datetime as dt
import decimal
import fractions
import math
import pathlib
import sys
import uuid

import numpy as np
from inside import table_values

MAX_PARTS = 200_000
"""Most parts of one value: larger ones are only referred to."""
MAX_DEPTH = 60
"""Deepest nesting of one value."""
MAX_BASES = 60
"""Most classes that one of exceptions is derived from: further ones are not told."""
MAX_BYTES = 128 * 1024 * 1024
"""Most bytes of texts and arrays of one value."""
KNOWN_PACKAGES = frozenset(
    [
        *("builtins", "numpy", "pandas", "torch", "sklearn", "scipy", "polars"),
        *("math", "decimal", "fractions", "datetime", "collections", "pathlib", "json"),
    ]
)
"""Packages whose classes are the same on both sides; never pytest's own exceptions."""
ERROR_PACKAGES = KNOWN_PACKAGES | sys.stdlib_module_names - {"unittest", "bdb"}
"""Packages whose exceptions are: of the standard library, but those that a test runner obeys."""
SMALL_INTEGER = 2**53
LONG_LIST = 64
"""Length from which a list of numbers of one type crosses as an array."""
MAX_RANGE = 10_000_000
"""Longest range: a test may walk it."""
MAX_DIGITS = 1 << 18
"""Hexadecimal digits of the largest whole number; what is done with larger ones takes long."""
ARRAY_KINDS = "biuf"
"""Kinds of dtype that cross as they are; others as a view of such."""


class TooLarge(Exception):
    """A value beyond the bounds."""


def require_walkable(value):
    """Return a range, or an index of pandas that is one; raise TooLarge if it is too long."""
    if len(value) > MAX_RANGE:
        raise TooLarge
    return value


def parse_integer(text):
    """Return the whole number of a hexadecimal text."""
    if len(text) > MAX_DIGITS:
        raise TooLarge
    return int(text, 16)


_TEXT_TYPES = {
    type(...): ("ellipsis", str),  # a blank that was left
    decimal.Decimal: ("decimal", str),
    dt.date: ("date", dt.date.isoformat),
    dt.time: ("time", dt.time.isoformat),
    dt.datetime: ("datetime", dt.datetime.isoformat),
    uuid.UUID: ("uuid", str),
    pathlib.PosixPath: ("path", str),
    pathlib.WindowsPath: ("path", str),
    pathlib.PurePosixPath: ("path", str),
}
_FROM_TEXT = {
    "ellipsis": lambda text: ...,
    "decimal": decimal.Decimal,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "uuid": uuid.UUID,
    "path": pathlib.Path,
    "integer": parse_integer,
    "float": float,
    "bytes": base64.b85decode,
    "bytearray": lambda text: bytearray(base64.b85decode(text)),
}
_SEQUENCES = {
    tuple: "tuple",
    set: "set",
    frozenset: "frozenset",
    collections.deque: "deque",
}
_FROM_SEQUENCE = {tag: kind for kind, tag in _SEQUENCES.items()}
_FROM_SEQUENCE |= {  # as views of dictionaries
    "keys": lambda parts: dict.fromkeys(parts).keys(),
    "values": lambda parts: dict(enumerate(parts)).values(),
    "items": lambda parts: dict(parts).items(),
}
_SEQUENCES |= {type(getattr({}, name)()): name for name in ("keys", "values", "items")}
_MAPPINGS = {
    dict: "dict",
    collections.OrderedDict: "ordered",
    collections.Counter: "counter",
    collections.defaultdict: "defaultdict",
}
_FROM_MAPPING = {
    "dict": dict,
    "ordered": collections.OrderedDict,
    "counter": lambda pairs: collections.Counter(dict(pairs)),
    "defaultdict": lambda pairs: collections.defaultdict(None, pairs),
}
_LIST_DTYPES = {float: np.float64, int: np.int64, bool: np.bool_}


class Malformed(ValueError):
    """A tree that stands for no value."""


class ValueEncoder:
    """Encodes values of one message; its arrays are in `arrays`.

    refer: returns the tree that stands for an object which has no tag.
    """

    def __init__(self, refer):
        self.refer = refer
        self.arrays = {}
        self.parts = self.size = 0

    def encode(self, value):
        """Return the tree of a value, or of a reference to one beyond the bounds."""
        before = len(self.arrays), self.parts, self.size
        try:
            return self.tree(value, 0)
        except Exception:  # too large, cyclic, or a student's own object that raises
            count, self.parts, self.size = before
            for key in list(self.arrays)[count:]:
                del self.arrays[key]
            return self.refer(value)

    def tree(self, value, depth):
        """Return the tree of a value; raise TooLarge beyond the bounds."""
        self.parts += 1
        if depth > MAX_DEPTH or self.parts > MAX_PARTS:
            raise TooLarge
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            if -SMALL_INTEGER < value < SMALL_INTEGER:
                return value
            if value.bit_length() > 3 * MAX_DIGITS:
                raise TooLarge
            return {"": "integer", "v": self.count(hex(value))}
        if kind is float:
            return value if math.isfinite(value) else {"": "float", "v": repr(value)}
        if kind is str:
            return self.count(value)
        if kind is list:
            return self.list_tree(value, depth)
        return self.tagged_tree(value, kind, depth)

    def count(self, text):
        """Return a text, whose size counts."""
        self.add_size(len(text))
        return text

    def add_size(self, size):
        """Count bytes; raise TooLarge beyond the bound."""
        self.size += size
        if self.size > MAX_BYTES:
            raise TooLarge

    def list_tree(self, value, depth):
        """Return the tree of a list; one of many numbers of one type is an array."""
        if len(value) >= LONG_LIST:
            kinds = set(map(type, value))
            dtype = _LIST_DTYPES.get(kinds.pop()) if len(kinds) == 1 else None
            if dtype is not None:
                try:
                    return {"": "list", "a": self.add_array(np.array(value, dtype=dtype))}
                except OverflowError:
                    pass
        return [self.tree(part, depth + 1) for part in value]

    def add_array(self, array):
        """Add an array of a kind that crosses, and return its key."""
        self.add_size(array.nbytes)
        key = f"a{len(self.arrays)}"
        self.arrays[key] = array
        return key

    def tagged_tree(self, value, kind, depth):
        """Return the tree of a value that needs a tag, or of a reference to it."""
        if kind in _TEXT_TYPES:
            tag, to_text = _TEXT_TYPES[kind]
            return {"": tag, "v": self.count(to_text(value))}
        if kind in (bytes, bytearray):
            return {"": kind.__name__, "v": self.count(base64.b85encode(value).decode())}
        if kind in _SEQUENCES:
            return {"": _SEQUENCES[kind], "v": [self.tree(part, depth + 1) for part in value]}
        if kind in _MAPPINGS:
            pairs = [
                [self.tree(key, depth + 1), self.tree(part, depth + 1)]
                for key, part in value.items()
            ]
            return {"": _MAPPINGS[kind], "v": pairs}
        if kind in _FIELD_TYPES:
            if kind is range:
                require_walkable(value)
            return {"": kind.__name__, "v": [self.tree(p, depth + 1) for p in _fields(value)]}
        if _is_named_tuple(kind):
            parts = [self.tree(part, depth + 1) for part in tuple.__iter__(value)]
            return {"": "named", "n": kind.__name__, "f": list(kind._fields), "v": parts}
        if kind is np.ndarray or issubclass(kind, np.generic):
            return self.array_tree(value, kind, depth)
        tree = table_values.encode_table(self, value, kind, depth)
        return self.refer(value) if tree is None else tree

    def array_tree(self, value, kind, depth):
        """Return the tree of a NumPy array or scalar."""
        array = np.asarray(value)
        tag = "array" if kind is np.ndarray else "scalar"
        if array.dtype.kind == "O":
            parts = [self.tree(part, depth + 1) for part in array.ravel().tolist()]
            return {"": tag, "o": parts, "s": list(array.shape)}
        if array.dtype.kind in ARRAY_KINDS and array.dtype.itemsize <= 8:
            plain = array.astype(array.dtype.newbyteorder("="), copy=False)
            return {"": tag, "a": self.add_array(plain)}
        if array.dtype.kind not in "cMmUS" or array.dtype.hasobject:
            return self.refer(value)
        flat = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
        key = self.add_array(np.frombuffer(flat.tobytes(), dtype=np.uint8))
        return {"": tag, "a": key, "d": flat.dtype.str, "s": list(array.shape)}


class ValueDecoder:
    """Decodes the values of one message.

    resolve: returns what a tree with one of the tags stands for that this module does not know.
    """

    def __init__(self, arrays, resolve):
        self.arrays = arrays
        self.resolve = resolve

    def decode(self, tree):
        """Return the value of a tree.

        Raises:
            Malformed: it stands for none.
        """
        try:
            return self.value(tree)
        except Malformed:
            raise
        except Exception as error:  # whatever NumPy, pandas or torch say of what it claims to be
            raise Malformed(f"{type(error).__name__}: {error}"[:200]) from error

    def value(self, tree):
        """Return the value of a tree, or raise whatever its parts raise."""
        if isinstance(tree, list):
            return [self.value(part) for part in tree]
        if not isinstance(tree, dict):
            return tree
        tag = tree[""]
        if tag in _FROM_TEXT:
            return _FROM_TEXT[tag](_text(tree["v"]))
        if tag in _FROM_SEQUENCE:
            return _FROM_SEQUENCE[tag](self.value(part) for part in tree["v"])
        if tag in _FROM_MAPPING:
            return _FROM_MAPPING[tag]([(self.value(k), self.value(v)) for k, v in tree["v"]])
        if tag in _FROM_FIELDS:
            return _FROM_FIELDS[tag](*[self.value(part) for part in tree["v"]])
        if tag == "list":
            return self.arrays[tree["a"]].tolist()
        if tag in ("array", "scalar"):
            return self.array(tree, tag)
        if tag == "named":
            fields = [_text(name) for name in tree["f"]]
            kind = collections.namedtuple(_text(tree["n"]), fields)  # noqa: PYI024 (made at run time)
            return kind(*[self.value(part) for part in tree["v"]])
        if tag in table_values.TAGS:
            return table_values.decode_table(self, tree)
        return self.resolve(tree)

    def array(self, tree, tag):
        """Return a NumPy array or scalar."""
        if "o" in tree:
            array = np.empty(len(tree["o"]), dtype=object)
            array[:] = [self.value(part) for part in tree["o"]] or None
            array = array.reshape(tree["s"])
        else:
            array = self.arrays[tree["a"]]
            if "d" in tree:
                dtype = np.dtype(_text(tree["d"]))
                if dtype.kind not in "cMmUS":
                    raise Malformed("dtype")
                array = np.frombuffer(array.tobytes(), dtype=dtype).reshape(tree["s"]).copy()
        return array[()] if tag == "scalar" else array


def _fields(value):
    """Return what makes up a complex number, a range, a slice or a duration."""
    if type(value) is complex:
        return value.real, value.imag
    if type(value) is dt.timedelta:
        return value.days, value.seconds, value.microseconds
    if type(value) is fractions.Fraction:
        return value.numerator, value.denominator
    return value.start, value.stop, value.step


NAMED_TUPLE_PARTS = {
    *vars(collections.namedtuple("Fields", "field")),  # noqa: PYI024 (for its parts)
    *("__annotations__", "__orig_bases__", "__annotate__", "__annotate_func__", "__replace__"),
    *("__annotations_cache__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__"),
}
"""What a class that `namedtuple` or `NamedTuple` makes has beside its fields."""
_FIELD_TYPES = (complex, range, slice, dt.timedelta, fractions.Fraction)
_FROM_FIELDS = {
    "complex": complex,
    "range": lambda *fields: require_walkable(range(*fields)),
    "slice": slice,
    "timedelta": dt.timedelta,
    "Fraction": fractions.Fraction,
}


def _is_named_tuple(kind):
    """Return whether a subclass of tuple is made by `namedtuple`, with nothing of its own."""
    names = kind.__dict__
    fields = names.get("_fields")
    if kind.__mro__[1:] != (tuple, object) or type(fields) is not tuple:
        return False
    known = NAMED_TUPLE_PARTS | set(fields)
    return all(type(name) is str for name in fields) and known >= set(names)


def _text(value):
    if not isinstance(value, str):
        raise Malformed("no text")
    return value
