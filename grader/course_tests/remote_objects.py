"""Stand for objects that stay in the notebook: what is done with them is done over there.

One whose class is derived from a plain type, `class Bag(dict)`, is compared here, by its value.

A remote object equals no plain value. Where the notebook's own word decides, `a == b` among its
objects, `bool(a)`, `a < b`, `x in a` or `isinstance(a, Theirs)`, the step is noted.
"""

import operator

from inside.plain_bases import READERS
from inside.plain_values import Malformed, ValueDecoder

READABLE_DUNDERS = frozenset(
    ["__name__", "__qualname__", "__dict__", "__annotations__", "__defaults__", "__module__"]
)
"""Special attributes that tests read; others are looked for by libraries, and are not there."""
WORD = "on the notebook's word"
_set, _get = object.__setattr__, object.__getattribute__


class Remote:
    """An object of the notebook's, known by its number."""

    __slots__ = ("__weakref__", "_label", "_number", "_plain", "_talk")
    __array_ufunc__ = None  # NumPy leaves operators to this class

    def __hash__(self):
        kinds = ("str", "int", "float", "bytes", "tuple", "frozenset")
        try:
            if does_plainly(self, "__hash__") and _get(self, "_plain").base in kinds:
                return hash(plain_value(self))
        except TypeError:  # a part of it has none
            pass
        return object.__hash__(self)

    def __repr__(self):
        return _get(self, "_label")

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__") and name not in READABLE_DUNDERS:
            raise AttributeError(name)
        if name.startswith(("_repr_", "_ipython_")):
            raise AttributeError(name)
        return _ask(self, "get", self, name, label=f"{self!r}.{name}")

    def __setattr__(self, name, value):
        _ask(self, "set", self, name, value)

    def __delattr__(self, name):
        _ask(self, "delete", self, name)

    def __call__(self, *args, **options):
        return _ask(self, "call", self, *args, options=options, label=f"{self!r}(...)")

    # ------------------------------------------------------------ values

    def __str__(self):
        return _operate("str", self)

    def __format__(self, spec):
        return _operate("format", self, spec)

    def __dir__(self):
        return _operate("dir", self)

    def __len__(self):
        return _operate("len", self)

    def __length_hint__(self):
        return 0

    def __index__(self):
        return _operate("index", self)

    def __int__(self):
        if does_plainly(self, "__int__"):
            return int(plain_value(self))
        return _operate_on_word("int", self)

    def __float__(self):
        if does_plainly(self, "__float__"):
            return float(plain_value(self))
        return _operate_on_word("float", self)

    def __complex__(self):
        return _operate_on_word("complex", self)

    def __round__(self, *digits):
        return _operate_on_word("round", self, *digits)

    def __bytes__(self):
        return _operate("bytes", self)

    def __getitem__(self, key):
        return _operate("getitem", self, key, label=f"{self!r}[{key!r}]")

    def __setitem__(self, key, value):
        _operate("setitem", self, key, value)

    def __delitem__(self, key):
        _operate("delitem", self, key)

    def __iter__(self):
        # `iter(f)` over there, and then one value at a time: an endless one ends at the bound.
        iterator = _operate("iter", self, label=f"iter({self!r})")
        return _Steps(iterator) if isinstance(iterator, Remote) else iter(iterator)

    def __next__(self):
        return _operate("next", self, label=f"next({self!r})")

    def __reversed__(self):
        return _operate("reversed", self)

    def __enter__(self):
        return _operate("enter", self, label=f"{self!r}.__enter__()")

    def __exit__(self, kind, error, trace):
        if isinstance(error, AssertionError) or not isinstance(error, (Exception, type(None))):
            kind, error = AssertionError, AssertionError()  # its text may tell what is expected
        is_hidden = bool(_operate("exit", self, kind, error, None))
        if is_hidden and error is not None:
            _note(self, f"{self!r}.__exit__ hides {kind.__name__}")
        return is_hidden

    # ------------------------------------------------------------ on the notebook's word

    def __eq__(self, other):
        if may_compare_plainly(self, other, "__eq__"):
            return plain_value(self) == plain_value(other)
        if not isinstance(other, Remote) or talk_of(other) is not talk_of(self):
            return False
        return _take_word(self, "eq", other, sign="==")

    def __ne__(self, other):
        if may_compare_plainly(self, other, "__ne__"):
            return plain_value(self) != plain_value(other)
        if not isinstance(other, Remote) or talk_of(other) is not talk_of(self):
            # True of any object, so no proof of a right value.
            talk_of(self).take_step(f"{self!r} != ...")
            return True
        return _take_word(self, "ne", other, sign="!=")

    def __contains__(self, other):
        if does_plainly(self, "__contains__") and not isinstance(other, Remote):
            return other in plain_value(self)
        _note(self, f"{other!r} in {self!r}")
        return _ask_truth(self, "contains", self, other)

    def __bool__(self):
        if does_plainly(self, "__bool__") and does_plainly(self, "__len__"):
            return bool(plain_value(self))
        _note(self, f"bool({self!r})")
        return _ask_truth(self, "truth", self)

    def __instancecheck__(self, other):
        if not isinstance(other, Remote):
            return False
        _note(self, f"isinstance({other!r}, {self!r})")
        return _ask_truth(self, "isinstance", other, self)

    def __subclasscheck__(self, other):
        if not isinstance(other, Remote):
            return False
        _note(self, f"issubclass({other!r}, {self!r})")
        return _ask_truth(self, "issubclass", other, self)


class _Steps:
    """Iterates over an iterator of the notebook's."""

    def __init__(self, iterator):
        self.iterator = iterator

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.iterator)


def talk_of(remote):
    """Return the talk that a remote object belongs to."""
    return _get(remote, "_talk")


def number_of(remote):
    """Return the notebook's number of a remote object."""
    return _get(remote, "_number")


class PlainBase:
    """The plain type that the class of a remote object is derived from.

    own: methods that the class defines itself. value: the plain value, if that never changes.
    """

    def __init__(self, base, own, value):
        self.base = base
        self.own = own
        self.value = value


def read_base(tree, resolve):
    """Return what a reference tells of a plain type, or None."""
    if "base" not in tree:
        return None
    base, own = str(tree["base"]), frozenset(map(str, tree["own"]))
    value = ValueDecoder({}, resolve).decode(tree["plain"]) if "plain" in tree else None
    if base not in READERS or ("plain" in tree and type(value) is not READERS[base][0]):
        raise Malformed("no plain value of its type")
    return PlainBase(base, own, value)


def does_plainly(remote, method):
    """Return whether an object does something as its plain value does."""
    plain = _get(remote, "_plain")
    return plain is not None and method not in plain.own


def may_compare_plainly(remote, other, method):
    """Return whether plain values are compared; two of one notebook's may do that otherwise.

    With what is no object of the notebook's, only plain values are ever compared.
    """
    if not isinstance(other, Remote):
        return _get(remote, "_plain") is not None
    is_plain = _get(remote, "_plain") is not None and _get(other, "_plain") is not None
    is_own = does_plainly(remote, method) and does_plainly(other, method)
    return is_plain and (is_own or talk_of(remote) is not talk_of(other))


def plain_value(value):
    """Return the plain value in a remote object whose class is derived from a plain type.

    Any other value is returned as it is.
    """
    plain = _get(value, "_plain") if isinstance(value, Remote) else None
    if plain is None:
        return value
    if plain.value is not None:
        return plain.value
    read = _ask(value, "plain", value)
    if type(read) is not READERS[plain.base][0]:
        raise talk_of(value).give_up("invalid")
    return read


def make_remote(talk, tree, label, plain=None):
    """Return a remote object whose class has the name of the object's own."""
    kind = talk.stubs.classes.setdefault(
        ("type", str(tree["t"])), type(str(tree["t"]), (Remote,), {"__slots__": ()})
    )
    remote = kind()
    _set(remote, "_talk", talk)
    _set(remote, "_plain", plain)
    _set(remote, "_number", int(tree["id"]))
    _set(remote, "_label", label or f"<{tree['t']}>")
    return remote


def _ask(remote, operation, *args, label="", options=None):
    return talk_of(remote).ask(operation, *args, label=label, options=options)


def _operate(name, remote, *operands, label=""):
    return _ask(remote, "operator", name, remote, *operands, label=label)


def _operate_on_word(name, remote, *operands, label=""):
    """Do an operation whose result takes the place of the object: noted, see `Talk`."""
    talk_of(remote).take_step(label or f"{name}({remote!r})")
    return _operate(name, remote, *operands, label=label)


def _note(remote, step):
    talk_of(remote).take_word(step)


def _take_word(remote, name, other, *, sign):
    """Compare over there; what comes back may be an array of such words."""
    _note(remote, f"{remote!r} {sign} {other!r}")
    return _operate(name, remote, other, label=f"({remote!r} {sign} ...)")


def _ask_truth(remote, name, *operands):
    value = _ask(remote, "operator", name, *operands)
    if not isinstance(value, bool):
        raise TypeError(f"{name} gave {type(value).__name__}, no bool")
    return value


def _forward(name):
    def method(self, other):
        return _operate_on_word(name, self, other, label=f"{name}({self!r}, ...)")

    return method


def _reflected(name):
    def method(self, other):
        label = f"{name}(..., {self!r})"
        talk_of(self).take_step(label)
        return _ask(self, "operator", name, other, self, label=label)

    return method


def _unary(name):
    return lambda self: _operate_on_word(name, self, label=f"{name}({self!r})")


def _ordered(name, sign):
    def method(self, other):
        if may_compare_plainly(self, other, f"__{name}__") and does_plainly(self, f"__{name}__"):
            return getattr(operator, name)(plain_value(self), plain_value(other))
        return _take_word(self, name, other, sign=sign)

    return method


for _name, _sign in {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items():
    setattr(Remote, f"__{_name}__", _ordered(_name, _sign))
ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
BITWISE = ("and", "or", "xor")
for _name in (*ARITHMETIC, "lshift", "rshift", *BITWISE):
    _function = f"{_name}_" if _name in {"and", "or"} else _name
    setattr(Remote, f"__{_name}__", _forward(_function))
    setattr(Remote, f"__r{_name}__", _reflected(_function))
for _name in (*ARITHMETIC, *BITWISE):
    setattr(Remote, f"__i{_name}__", _forward(f"i{_name}"))
for _name in ("neg", "pos", "invert", "abs"):
    setattr(Remote, f"__{_name}__", _unary(_name))
