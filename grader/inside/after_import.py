"""Call functions right after modules are imported: now, if they already are."""

import importlib.abc
import importlib.util
import sys


class AfterImportFinder(importlib.abc.MetaPathFinder):
    """Calls a function once, right after a module was imported."""

    def __init__(self, callbacks):
        self.callbacks = dict(callbacks)

    def find_spec(self, fullname, path=None, target=None):
        callback = self.callbacks.pop(fullname, None)
        if callback is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        spec.loader = AfterImportLoader(spec.loader, callback)
        return spec


class AfterImportLoader(importlib.abc.Loader):
    """A loader that calls a function when the module is complete."""

    def __init__(self, loader, callback):
        self.loader = loader
        self.callback = callback

    def __getattr__(self, name):
        return getattr(self.__dict__["loader"], name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.callback()


def call_after_import(callbacks):
    """Call each function as soon as its module is imported: now, if it already is."""
    pending = {}
    for name, callback in callbacks.items():
        if name in sys.modules:
            callback()
        else:
            pending[name] = callback
    sys.meta_path.insert(0, AfterImportFinder(pending))
