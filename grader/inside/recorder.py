"""Watches a notebook's own run: calls of named functions, forwards of modules, optimiser steps.

It keeps numbers, never a verdict. Everything here is on the inside's word: see docs/security.md.
"""

import ast
import builtins
import contextlib
import functools
import importlib.abc
import inspect
import sys
from collections import deque

HEAD = 256
"""Events kept from the start of a run."""
TAIL = 128
"""Events kept from its end."""
MODULES = 32
"""Modules whose weights are followed."""
ELEMENTS = 200_000
"""A larger array is kept as its shape alone."""
WATCH = "__watched__"
"""The builtin that the transformer decorates functions with."""


class Decorate(ast.NodeTransformer):
    """Decorates the functions to watch where a notebook defines them."""

    def __init__(self, names):
        self.names = frozenset(names)

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        if node.name in self.names:
            node.decorator_list.append(ast.Name(id=WATCH, ctx=ast.Load()))
            ast.fix_missing_locations(node)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node):
        self.generic_visit(node)
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node.value, ast.Lambda) and names & self.names:
            decorator = ast.Name(id=WATCH, ctx=ast.Load())
            named = ast.Constant(value=min(names & self.names))
            node.value = ast.Call(func=decorator, args=[node.value, named], keywords=[])
            ast.fix_missing_locations(node)
        return node


class AfterImport(importlib.abc.MetaPathFinder):
    """Calls something once, right after a module was imported."""

    def __init__(self, calls):
        self.calls = dict(calls)

    def find_spec(self, fullname, path=None, target=None):
        call = self.calls.pop(fullname, None)
        if call is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        spec.loader = Afterwards(spec.loader, call)
        return spec


class Afterwards(importlib.abc.Loader):
    """A loader that calls something when the module is complete."""

    def __init__(self, loader, call):
        self.loader = loader
        self.call = call

    def __getattr__(self, name):
        return getattr(self.__dict__["loader"], name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        self.loader.exec_module(module)
        self.call()


def after_import(calls):
    """Call each function as soon as its module is imported: now, if it is already."""
    waiting = {}
    for name, call in calls.items():
        if name in sys.modules:
            call()
        else:
            waiting[name] = call
    sys.meta_path.insert(0, AfterImport(waiting))


class Recorder:
    """What happened, in order."""

    def __init__(self, names, notes):
        self.names = tuple(names)
        self.notes = notes
        self.head = []
        self.tail = deque(maxlen=TAIL)
        self.count = 0
        self.modules = []
        self.states = []
        self.snapshots = {}
        self.steps = {}
        self.inside_module = 0
        self.inside_watched = 0
        self.torch = None

    def install(self, shell):
        """Start to watch."""
        setattr(builtins, WATCH, self.watched)
        shell.ast_transformers.append(Decorate(self.names))
        after_import({"torch": self.watch_torch})

    # ------------------------------------------------------------ events

    def keep(self, event):
        """Add an event."""
        event["cell"] = self.notes.cell
        event["n"] = self.count
        self.count += 1
        if len(self.head) < HEAD:
            self.head.append(event)
        else:
            self.tail.append(event)

    def array(self, value):
        """A copy of a tensor or array as it is now; None for anything else."""
        torch = self.torch
        if torch is not None and isinstance(value, torch.Tensor):
            if value.numel() > ELEMENTS:
                return None
            return value.detach().clone()
        if type(value).__module__ == "numpy" and hasattr(value, "copy"):
            return value.copy() if getattr(value, "size", ELEMENTS) < ELEMENTS else None
        return None

    def arrays(self, value, depth=2):
        """The arrays in a value: itself, or those of a list, tuple or dict, as a flat list."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)) and depth:
            return [found for part in list(value)[:16] for found in self.arrays(part, depth - 1)]
        found = self.array(value)
        return [] if found is None else [found]

    # ------------------------------------------------------------ watched functions

    def watched(self, function, name=None):
        """Wrap a function so that its calls are kept."""
        name = name or getattr(function, "__name__", "")

        @functools.wraps(function)
        def call(*args, **kwargs):
            if not self.inside_watched:
                with contextlib.suppress(Exception):
                    self.keep_call(name, function, args, kwargs)
            self.inside_watched += 1
            try:
                return function(*args, **kwargs)
            finally:
                self.inside_watched -= 1

        return call

    def keep_call(self, name, function, args, kwargs):
        """Keep a call's arguments, by parameter where they can be bound."""
        try:
            bound = inspect.signature(function).bind(*args, **kwargs).arguments
        except (TypeError, ValueError):
            bound = {str(place): value for place, value in enumerate(args)} | kwargs
        flat = {}
        for key, value in bound.items():
            flat[key] = self.arrays(value)
        self.snapshot_all("call")
        self.keep({"kind": "call", "name": name, "args": flat})

    # ------------------------------------------------------------ torch

    def watch_torch(self):
        """Hook modules, optimisers and cosine similarity, for all of torch."""
        import torch
        from torch.nn.modules import module
        from torch.optim import optimizer

        self.torch = torch
        module.register_module_forward_pre_hook(self.before_forward)
        module.register_module_forward_hook(self.after_forward, with_kwargs=True, always_call=True)
        optimizer.register_optimizer_step_pre_hook(self.before_step)
        optimizer.register_optimizer_step_post_hook(self.after_step)
        real = torch.nn.functional.cosine_similarity

        @functools.wraps(real)
        def cosine_similarity(*args, **kwargs):
            with contextlib.suppress(Exception):
                self.keep_similarity(args, kwargs)
            return real(*args, **kwargs)

        torch.nn.functional.cosine_similarity = cosine_similarity
        torch.cosine_similarity = cosine_similarity

    def keep_similarity(self, args, kwargs):
        """Keep a similarity that gradients flow through, unless a watched function takes it."""
        values = [*args, *kwargs.values()][:2]
        if self.inside_watched or not any(getattr(v, "requires_grad", False) for v in values):
            return
        self.snapshot_all("call")
        one, two = (self.arrays(value) for value in values)
        self.keep({"kind": "similarity", "args": {"one": one, "two": two}})

    def number(self, module):
        """The number of a module that is followed, or None."""
        for number, known in enumerate(self.modules):
            if known is module:
                return number
        if len(self.modules) >= MODULES or next(module.parameters(), None) is None:
            return None
        self.modules.append(module)
        return len(self.modules) - 1

    def state(self, number):
        """The index of the module's present weights among the states seen; cheap, not a copy."""
        torch = self.torch
        threads = torch.get_num_threads()
        if threads > 1:  # sums differ with their number
            torch.set_num_threads(1)
        with torch.no_grad():
            sums = [
                float(value)
                for parameter in self.modules[number].parameters()
                for value in (parameter.sum(), parameter.abs().sum())
            ]
        if threads > 1:
            torch.set_num_threads(threads)
        key = (number, *sums)
        if key not in self.states:
            self.states.append(key)
        return self.states.index(key)

    def snapshot(self, number, why):
        """Copy a module's weights, once for each reason."""
        labels = self.snapshots.setdefault(number, {})
        if why in labels:
            return
        state = self.state(number)
        for seen, kept in labels.values():
            if seen == state:
                labels[why] = (seen, kept)
                return
        weights = [
            (name, parameter.detach().clone())
            for name, parameter in self.modules[number].named_parameters()
            if parameter.numel() <= 50 * ELEMENTS
        ]
        labels[why] = (state, weights)

    def snapshot_all(self, why):
        """Copy the weights of the module that was called last."""
        if self.modules:
            last = [e for e in [*self.head, *self.tail] if e["kind"] == "forward"][-1:]
            if last:
                self.snapshot(last[0]["module"], why)

    def before_forward(self, module, args):
        """A module is called; only the outermost counts."""
        self.inside_module += 1
        if self.inside_module == 1:
            try:
                number = self.number(module)
                if number is not None:
                    self.snapshot(number, "first")
            except Exception:
                pass

    def after_forward(self, module, args, *rest):
        """A module has answered, or raised: then torch leaves out the keyword arguments."""
        kwargs, output = rest if len(rest) == 2 else ({}, rest[-1])
        self.inside_module = max(0, self.inside_module - 1)
        if self.inside_module == 0:
            with contextlib.suppress(Exception):
                self.keep_forward(module, [*args, *kwargs.values()], output)

    def keep_forward(self, module, args, output):
        """Keep inputs, output and the weights that made it."""
        number = self.number(module)
        if number is None:
            return
        grad = self.torch.is_grad_enabled()
        state = self.state(number) if self.count < HEAD or not grad else -1
        values = {"in": self.arrays(args), "out": self.arrays(output), "pull": []}
        event = {"kind": "forward", "module": number, "state": state, "grad": grad}
        event |= {"steps": self.steps.get(number, 0), "args": values}
        if self.count < HEAD and getattr(output, "requires_grad", False):
            output.register_hook(lambda gradient: values.update(pull=self.arrays(gradient)))
        self.keep(event)

    def encode_again(self):
        """Call each module once more on what it was last given, as its weights are at the end."""
        forwards = [e for e in [*self.head, *self.tail] if e["kind"] == "forward"]
        with self.torch.no_grad():
            for number, module in enumerate(self.modules[:8]):
                for event in [e for e in forwards if e["module"] == number][-3:]:
                    if event["args"]["in"]:
                        module(*event["args"]["in"])

    def stepped(self, optimizer):
        """The numbers of the modules whose parameters an optimiser holds."""
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return [
            number
            for number, module in enumerate(self.modules)
            if any(id(p) in held for p in module.parameters())
        ]

    def before_step(self, optimizer, args, kwargs):
        """An optimiser is about to step."""
        try:
            for number in self.stepped(optimizer):
                self.snapshot(number, "step")
        except Exception:
            pass

    def after_step(self, optimizer, args, kwargs):
        """An optimiser has stepped."""
        with contextlib.suppress(Exception):
            moved = self.stepped(optimizer)
            for number in moved:
                self.steps[number] = self.steps.get(number, 0) + 1
            self.keep({"kind": "step", "modules": moved, "args": {}})
