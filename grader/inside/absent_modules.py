"""Stand for modules that are not there: importing them costs nothing, using them fails.

A stub lets pass what needs nothing of the module: an attribute, an annotation, a base class, a
decorator, `isinstance`, a setting. Whatever needs more raises ModuleNotFoundError, in words that
say what is missing where.
"""

import re
import sys
import types

EXCEPTION_NAME = re.compile(r"(Error|Exception|Warning|Timeout|Interrupt|Exit)$")
"""Names that a notebook may catch, so that they must stand for exceptions."""
SETTING = re.compile(r"^(set|set_\w+|use|(enable|disable)_\w+|init_notebook_mode|pandas|despine)$")
"""Functions that only set how other things look: they do nothing, and the cell goes on."""
MAX_NAME = 80
OPERATIONS = (
    "iter next len contains enter exit aenter aexit aiter anext await int float complex index array"
    " neg pos abs invert lt le gt ge add radd sub rsub mul rmul matmul rmatmul truediv rtruediv"
    " floordiv rfloordiv mod rmod pow rpow and rand xor rxor lshift rshift divmod round"
)
"""What needs the real thing, between underscores."""


class Absence:
    """A module that is not there, and the reason in words."""

    def __init__(self, module, reason, *, notes, trees):
        self.module = module
        self.reason = reason
        self.notes = notes
        self.trees = trees

    def note_use(self, name):
        """Note that something of it was used; return the sentence."""
        sentence = f"{name[:MAX_NAME]} was used, but {self.reason}."
        self.notes.add(sentence)
        return sentence

    def fail(self, name):
        """Raise the error of whoever uses it."""
        raise ModuleNotFoundError(self.note_use(name), name=self.module)

    def make(self, name):
        """Make what stands for a name of it: an exception that nobody raises, or a stub."""
        if not EXCEPTION_NAME.search(name):
            return AbsentName(self, name)
        module, _, own_name = name.rpartition(".")
        base = Warning if name.endswith("Warning") else Exception
        new = AbsentName(self, name)._fail
        return type(own_name, (base,), {"__module__": module, "__new__": new})


class AbsentModule(types.ModuleType):
    """A module that is not there; it has every public name."""

    def __init__(self, name, absence):
        super().__init__(name, f"A stub: {absence.reason}.")
        self.__dict__.update(__path__=[], _absence=absence)

    def __getattr__(self, name):
        absence, full_name = self.__dict__["_absence"], f"{self.__dict__['__name__']}.{name}"
        if name == "__version__":
            absence.notes.add(f"{full_name} was answered with 0.0.0: {absence.reason}.")
            return "0.0.0"
        if name.startswith("_"):
            raise AttributeError(f"module {full_name.rpartition('.')[0]!r} has no {name!r}")
        value = self.__dict__[name] = absence.make(full_name)
        return value


class AbsentName:
    """A name of a module that is not there."""

    def __init__(self, absence, name):
        self.__dict__.update(_absence=absence, _name=name)

    def _fail(self, *args, **kwargs):
        self.__dict__["_absence"].fail(self.__dict__["_name"])

    def __call__(self, *args, **kwargs):
        absence, name = self.__dict__["_absence"], self.__dict__["_name"]
        if absence.trees.is_decorating(sys._getframe(1)):
            decorated = args[0] if len(args) == 1 and not kwargs else None
            return AbsentName(absence, getattr(decorated, "__name__", name))
        if SETTING.match(name.rpartition(".")[2]):
            absence.notes.add(f"{name[:MAX_NAME]}(…) did nothing: {absence.reason}.")
            return None
        return absence.fail(name)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return self.__dict__["_absence"].make(f"{self.__dict__['_name']}.{name}")

    def __setattr__(self, name, value):
        """Let a setting pass: there is nothing that it would change."""

    __setitem__ = __setattr__

    def __getitem__(self, key):
        return AbsentName(self.__dict__["_absence"], f"{self.__dict__['_name']}[…]")

    def __or__(self, other):
        return self

    __ror__ = __or__

    def __bool__(self):
        return True

    def __instancecheck__(self, instance):
        return False

    __subclasscheck__ = __instancecheck__

    def __mro_entries__(self, bases):
        own_name = self.__dict__["_name"].rpartition(".")[2]
        return (make_metaclass(bases)(own_name, (AbsentBase,), {"_absent_name": self}),)

    def __format__(self, specification):
        return repr(self) if not specification else self._fail()

    def __repr__(self):
        return f"<{self.__dict__['_name']}: {self.__dict__['_absence'].reason}>"


for _operation in OPERATIONS.split():
    setattr(AbsentName, f"__{_operation}__", AbsentName._fail)


def make_metaclass(bases):
    """Return a metaclass for a base class that is not there, beside those of other bases."""
    metaclasses = {AbsentMeta, *(type(base) for base in bases if isinstance(base, type))}
    derived = [m for m in metaclasses if not any(issubclass(o, m) for o in metaclasses - {m})]
    return derived[0] if len(derived) == 1 else type("AbsentMeta", tuple(derived), {})


class AbsentMeta(type):
    """Makes classes on which names of a base class that is not there, fail as it does."""

    def __getattr__(cls, name):
        if name.startswith("_"):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        stub = cls._absent_name
        return stub.__dict__["_absence"].fail(f"{stub.__dict__['_name']}.{name}")


class AbsentBase:
    """A base class that is not there: its subclasses can be defined, and not be used."""

    def __new__(cls, *args, **kwargs):
        return cls._absent_name._fail()

    def __init_subclass__(cls, **kwargs):
        pass

    def __class_getitem__(cls, item):
        return cls
