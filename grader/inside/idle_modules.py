"""Stand for modules that nobody needs here: every name is there, and calling it does nothing."""

import importlib.abc
import importlib.machinery


class IdleStub:
    """An object whose every attribute can be called, and nothing happens.

    tell: is called with the full name of what is called; what it returns is the result.
    """

    def __init__(self, name, tell):
        self.__dict__.update(_name=name, _tell=tell)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return IdleStub(f"{self.__dict__['_name']}.{name}", self.__dict__["_tell"])

    def __call__(self, *args, **kwargs):
        return self.__dict__["_tell"](self.__dict__["_name"])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


class IdleLoader(importlib.abc.Loader):
    """Makes a module that has every public name, as an `IdleStub`."""

    def __init__(self, tell):
        self.tell = tell

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        def get_stub(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return IdleStub(f"{module.__name__}.{name}", self.tell)

        module.__getattr__ = get_stub
        module.__path__ = []


class IdleFinder(importlib.abc.MetaPathFinder):
    """Finds modules of some names, and what is below them."""

    def __init__(self, names, tell):
        self.names = frozenset(names)
        self.loader = IdleLoader(tell)

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] not in self.names:
            return None
        return importlib.machinery.ModuleSpec(fullname, self.loader, is_package=True)
