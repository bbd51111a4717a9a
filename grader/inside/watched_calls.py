"""Find the functions whose calls are watched where a notebook defines them, and their arguments."""

import ast
import functools
import inspect
import types

WATCHED_TYPES = (types.FunctionType, types.MethodType, functools.partial)
"""What is watched where a name is assigned."""
MAX_PARTS = 64
"""Most parts of a list that are looked at."""
TORCH_NAMES = frozenset({"F", "nn", "torch"})
"""The usual names of torch and its parts in a notebook."""
WATCH_BUILTIN = "__watched__"
"""The builtin that the transformer decorates functions with."""


class WatchTransformer(ast.NodeTransformer):
    """Decorates the watched functions where a notebook defines them."""

    def __init__(self, names):
        self.names = frozenset(names)

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        if node.name in self.names:
            node.decorator_list.append(ast.Name(id=WATCH_BUILTIN, ctx=ast.Load()))
            ast.fix_missing_locations(node)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        """Have a plain class watched, too, if it speaks of torch: its objects may hold layers."""
        self.generic_visit(node)
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if names & TORCH_NAMES:
            node.decorator_list.append(ast.Name(id=WATCH_BUILTIN, ctx=ast.Load()))
            ast.fix_missing_locations(node)
        return node

    def visit_Assign(self, node):
        self.generic_visit(node)
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if names & self.names:
            decorator = ast.Name(id=WATCH_BUILTIN, ctx=ast.Load())
            name = ast.Constant(value=min(names & self.names))
            node.value = ast.Call(func=decorator, args=[node.value, name], keywords=[])
            ast.fix_missing_locations(node)
        return node


def flatten_arrays(value, depth=3):
    """Return the tensors and arrays in a value, or in lists, tuples and dicts, as a flat list."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        parts = list(value)[:MAX_PARTS] if depth else []
        return [array for part in parts for array in flatten_arrays(part, depth - 1)]
    # What stands for an array while a function is traced has no shape of numbers.
    is_array = isinstance(getattr(value, "shape", None), tuple) and hasattr(value, "dtype")
    return [value] if is_array else []


def bind_arguments(function, args, kwargs):
    """Return a call's arguments by parameter; those that can't be bound by their position."""
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {str(position): value for position, value in enumerate(args)} | kwargs
    arguments = {}
    for key, value in bound.items():
        kind = signature.parameters[key].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            arguments |= {f"{key}{position}": part for position, part in enumerate(value)}
        else:
            arguments |= value if kind is inspect.Parameter.VAR_KEYWORD else {key: value}
    return arguments


def requires_grad(value):
    """Return whether a gradient flows to anything in a value."""
    return any(getattr(part, "requires_grad", False) for part in flatten_arrays(value))
