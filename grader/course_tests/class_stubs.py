"""Stand for classes of exceptions of the notebook's, so that `except` and `pytest.raises` work.

What else is asked of such a class or of its exceptions, attributes, methods, to make one, is done
over there.
"""

import sys
from typing import NamedTuple

from inside.plain_values import ERROR_PACKAGES, KNOWN_PACKAGES, MAX_BASES, Malformed

MAX_LINE = 1_000_000
NEVER_RAISED = (KeyboardInterrupt, GeneratorExit, SystemExit)
"""Exceptions that would end more than a test here; a class of the same name stands for them."""


class KnownError(NamedTuple):
    """An exception of the notebook, its number, its text and where it was raised."""

    error: Exception
    number: int
    text: str
    where: tuple


class NotebookClass(type):
    """The class of classes that stand for the notebook's."""

    def __getattr__(cls, name):
        return cls._stubs.ask_attribute(cls, name)

    def __call__(cls, *args, **options):
        if cls._stubs.number_of(cls) is None:  # a class that the test derived
            return super().__call__(*args, **options)
        return cls._stubs.ask("call", cls, *args, options=options, label=f"{cls.__name__}(...)")


class ClassStubs:
    """The classes of one talk, and the exceptions that came from it.

    ask: does an operation over there; see `Talk`.
    """

    def __init__(self, ask):
        self.ask = ask
        self.classes = {}
        self.numbers = {}
        self.errors = {}

    def ask_attribute(self, value, name):
        """Return an attribute of the notebook's exception or class; special ones are not there."""
        if self.number_of(value) is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        # Not by the name of the class: a student may raise one that is derived from it.
        return self.ask("get", value, name, label=f"exception.{name}")

    def known(self, error):
        """Return what is known of an exception of the notebook's; None of any other object."""
        known = self.errors.get(id(error))
        return known if known is not None and known.error is error else None

    def where_raised(self, error):
        """Return the function and the line where it was raised, or (None, None)."""
        known = self.known(error)
        return (None, None) if known is None else known.where

    def find_class(self, tree):
        """Return the class that a reference stands for here, or None for one that stays there."""
        kind = find_known(tree)
        if "bases" in tree:
            if kind is None or issubclass(kind, NEVER_RAISED):
                kind = self.make_class(tree)
            self.numbers[kind] = tree["id"]
        return kind

    def number_of(self, value):
        """Return the notebook's number of a class or of an exception that came from there."""
        try:
            if isinstance(value, type) and value.__module__ != "builtins":
                return self.numbers.get(value)
        except (AttributeError, TypeError):
            return None
        known = self.known(value)
        return None if known is None else known.number

    def make_class(self, tree):
        """Return a class with the name, derived from what the notebook's is derived from.

        Of its bases those that are known are themselves, those of the notebook's are such classes.
        """
        if int(tree["id"]) not in self.classes:
            lineage = tree["bases"][:MAX_BASES]
            stubs = {}
            for index in reversed(range(len(lineage))):  # bases stand behind what derives from them
                stubs[index] = self.stand_for(lineage[index], stubs)
            self.add_class(tree, stubs)
        return self.classes[int(tree["id"])]

    def stand_for(self, tree, stubs):
        """Return the classes that stand for one in a lineage: itself, a stub, or its bases."""
        known = find_known(tree)
        if known is not None and issubclass(known, Exception):
            return (known,)
        return (self.add_class(tree, stubs),) if "class" in tree else bases_of(tree, stubs)

    def add_class(self, tree, stubs):
        """Return the stub of a class of the notebook's, from those that were made before it."""
        number = int(tree["id"])
        if number not in self.classes:
            self.classes[number] = self.derive(str(tree["class"]), bases_of(tree, stubs))
            self.numbers[self.classes[number]] = number
        return self.classes[number]

    def make_error(self, tree, decoder):
        """Return an exception of the notebook's, to be raised here."""
        kind = self.find_class(tree["class"])
        if kind is None or not issubclass(kind, Exception):
            raise Malformed("no class of exceptions")
        try:
            args = [decoder.decode(part) for part in tree["args"]]
        except Malformed:  # arrays of arguments stay there
            args = [str(tree["text"])]
        error = self.new_error(kind, args)
        error.args = tuple(args)
        text = str(tree["text"])
        self.errors[id(error)] = KnownError(error, tree["id"], text, place_of(tree))
        if safe_text(error) != text:
            error.args = (text,)
        if safe_text(error) != text:  # its text is made of what stayed there
            error.__class__ = with_text(type(error), text)
        own = {str(name): decoder.decode(part) for name, part in tree.get("own", ())}
        error.__dict__.update((k, v) for k, v in own.items() if not hasattr(type(error), k))
        if "cause" in tree:
            error.__cause__ = decoder.decode(tree["cause"])
        return error

    def derive(self, name, bases):
        """Return a new class of exceptions; the first base counts if all don't go together."""
        names = {
            "__module__": "notebook",
            "__getattr__": ask_attribute,
            "__str__": text_of,
            "_stubs": self,
        }
        for chosen in (bases, bases[:1]):
            try:
                return NotebookClass(name, chosen or (Exception,), dict(names))
            except TypeError:
                continue
        return NotebookClass(name, (Exception,), names)

    def text_of(self, error):
        """Return the text of an exception, as the notebook has it."""
        known = self.known(error)
        return BaseException.__str__(error) if known is None else known.text

    def new_error(self, kind, args):
        """Return a new exception of a class, or of one of that name where it can't be made."""
        for make in (kind.__new__, Exception.__new__):
            try:
                return make(kind, *args)
            except Exception:
                continue
        return Exception.__new__(self.derive(kind.__name__, ()))


def ask_attribute(error, name):
    """Return an attribute of an exception whose class stands for the notebook's."""
    return type(error)._stubs.ask_attribute(error, name)


def text_of(error):
    """Return the text of such an exception."""
    return type(error)._stubs.text_of(error)


def bases_of(tree, stubs):
    """Return the classes that stand for the bases of one, each once, most derived ones only."""
    classes = dict.fromkeys(kind for index in tree["b"] for kind in stubs.get(index, ()))
    return tuple(k for k in classes if not any(k is not o and issubclass(o, k) for o in classes))


def with_text(kind, text):
    """Return a class of exceptions of that kind that have a text of their own."""
    names = {"__str__": lambda _error: text, "__module__": kind.__module__}
    return type(kind.__name__, (kind,), names)


def safe_text(error):
    """Return the text of an exception, whatever its own `__str__` does."""
    try:
        return str(error)
    except Exception:
        return ""


def place_of(tree):
    """Return the function and the line where an exception was raised, or (None, None)."""
    match tree.get("function"), tree.get("line"):
        case str(function), int(line) if 0 < line < MAX_LINE:
            return function[:100], line
    return None, None


def find_known(tree):
    """Return the imported class of that qualified name, or None.

    The way to it leads through a module of a known package and through classes alone: no other
    module that this one has imported, such as `unittest.mock`, can be reached.
    """
    module, name = str(tree.get("m", "")), str(tree.get("q", ""))
    if module.partition(".")[0] not in ERROR_PACKAGES:
        return None
    value = sys.modules.get(module)
    for part in name.split("."):
        value = getattr(value, "__dict__", {}).get(part)
        if not isinstance(value, type):
            return None
    known = ERROR_PACKAGES if issubclass(value, Exception) else KNOWN_PACKAGES
    return value if str(value.__module__).partition(".")[0] in known else None
