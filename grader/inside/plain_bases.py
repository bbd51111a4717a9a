"""Read the plain value in an object whose class is derived from a plain type.

It is read by the type's own methods, which no class of the notebook's can replace.
"""

READERS = {
    "str": (str, str.__str__),
    "int": (int, int.__int__),
    "float": (float, float.__float__),
    "bytes": (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    "tuple": (tuple, lambda value: tuple(tuple.__iter__(value))),
    "list": (list, list.copy),
    "dict": (dict, dict.copy),
    "set": (set, lambda value: set(set.__iter__(value))),
    "frozenset": (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
}
"""By name, the types, and what reads the value of one of theirs."""
true_lineage = type.__dict__["__mro__"].__get__
"""Returns a class and what it is derived from, whatever its metaclass says."""
FIXED = (str, int, float, bytes)
"""Types whose values never change, and have no parts."""
OWN_METHODS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
OWN_METHODS += ("__contains__", "__bool__", "__len__", "__hash__", "__int__", "__float__")
"""Methods by which a class may answer in its own way."""


def base_of(value):
    """Return the name of the plain type that a class is derived from, or None."""
    return next((name for name, (base, _) in READERS.items() if isinstance_of(value, base)), None)


def isinstance_of(value, base):
    """Return whether the true class of a value is derived from a type."""
    return base in true_lineage(type(value))


def read_plain(value):
    """Return the plain value in an object, or raise TypeError."""
    name = base_of(value)
    if name is None:
        raise TypeError("no plain value")
    return READERS[name][1](value)


def describe_base(value):
    """Return what a reference tells of the plain type that its class is derived from."""
    name = base_of(value)
    if name is None:
        return {}
    base = READERS[name][0]
    own = [m for m in OWN_METHODS if defines_itself(type(value), base, m)]
    described = {"base": name, "own": own}
    plain = read_plain(value)
    parts = plain if base is tuple else [plain]
    if base in (*FIXED, tuple) and all(type(part) in FIXED for part in parts):
        described["plain"] = plain
    return described


def defines_itself(kind, base, method):
    """Return whether a class has a method of its own in place of a type's."""
    for part in true_lineage(kind):
        if part is base:
            return False
        if method in vars(part):
            return part.__module__ not in ("enum", "collections", "typing")
    return False
