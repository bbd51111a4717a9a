"""Have methods of a notebook's own modules recorded that no hook of torch sees.

`module.forward(x)` skips the hooks, and so does a method of another name that uses the layers.
"""

import functools
import inspect
import os
import sys
import types

LIBRARY_PATHS = tuple(path + os.sep for path in sys.path if os.path.isabs(path))  # noqa: PTH117
"""Where this interpreter's libraries are."""


def is_own_class(cls):
    """Return whether the notebook, or a file beside it, defines a class."""
    if cls.__module__ == "__main__":
        return True
    path = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    return bool(path) and not path.startswith(LIBRARY_PATHS)


def watch_direct_calls(torch, recorder):
    """Wrap the methods of each class of modules that a notebook defines from now on."""
    base = torch.nn.Module

    def watch_subclass(cls, **kwargs):
        super(base, cls).__init_subclass__(**kwargs)
        if is_own_class(cls):
            wrap_methods(cls, recorder)

    base.__init_subclass__ = classmethod(watch_subclass)
    find_source = torch._sources.get_source_lines_and_file
    # TorchScript names the file in its messages.
    torch._sources.get_source_lines_and_file = lambda obj, *rest: find_source(
        inspect.unwrap(obj), *rest
    )
    for cls in (torch.nn.Sequential,):
        cls.forward = wrap_forward(cls.forward, "forward", recorder)


def wrap_methods(cls, recorder):
    """Wrap the public methods that a class defines itself, and `__call__`.

    A plain class's are wrapped, too: its objects may hold the layers of an encoder.
    """
    for name, method in list(vars(cls).items()):
        if not is_plain_function(method) or (name.startswith("_") and name != "__call__"):
            continue
        is_forward = name in {"forward", "__call__"}
        wrapped = wrap_forward if is_forward else wrap_method
        setattr(cls, name, wrapped(method, name, recorder))


def is_plain_function(value):
    """Return whether a value is a function that returns when its body has run."""
    return isinstance(value, types.FunctionType) and not (
        inspect.iscoroutinefunction(value)
        or inspect.isgeneratorfunction(value)
        or inspect.isasyncgenfunction(value)
    )


def in_globals_of(function, wrapper):
    """Return a wrapper that looks names up where the wrapped function does, as TorchScript needs.

    The wrapper may use no name but its own and those of the function around it.
    """
    moved = types.FunctionType(
        wrapper.__code__,
        function.__globals__,
        function.__name__,
        wrapper.__defaults__,
        wrapper.__closure__,
    )
    return functools.update_wrapper(moved, function)


def wrap_forward(forward, name, recorder):
    """Record a call of `forward` that did not come by way of calling the module."""

    def wrapper(self, *args, **kwargs):
        __tracebackhide__ = True  # of no interest to students
        if recorder.is_calling(self):
            return forward(self, *args, **kwargs)
        recorder.before_forward(self, args)
        output = None
        try:
            output = forward(self, *args, **kwargs)
        finally:
            recorder.after_forward(self, args, kwargs, output, name)
        return output

    return in_globals_of(forward, wrapper)


def wrap_method(method, name, recorder):
    """Record a call of another method as one of the module."""

    def wrapper(self, *args, **kwargs):
        __tracebackhide__ = True  # of no interest to students
        begin = recorder.begin_method(self)
        output = method(self, *args, **kwargs)
        recorder.end_method(self, begin, (args, kwargs), output, name)
        return output

    return in_globals_of(method, wrapper)
