"""Record a notebook's own run: calls of named functions, forwards of modules, optimizer steps.

It keeps numbers, never a verdict. A notebook can forge all of it: see docs/security.md.
"""

import ast
import builtins
import contextlib
import functools
import importlib.abc
import inspect
import sys
from collections import deque

HEAD_EVENTS = 256
"""Events kept from the start of a run."""
TAIL_EVENTS = 128
"""Events kept from the end of a run."""
MAX_MODULES = 32
"""Most modules whose weights are followed."""
MAX_ELEMENTS = 200_000
"""Arrays with more elements are not kept."""
SMALL_ELEMENTS = 20_000
"""Weights of other shapes than the assignment's are kept up to this size."""
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

    def visit_Assign(self, node):
        self.generic_visit(node)
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node.value, ast.Lambda) and names & self.names:
            decorator = ast.Name(id=WATCH_BUILTIN, ctx=ast.Load())
            name = ast.Constant(value=min(names & self.names))
            node.value = ast.Call(func=decorator, args=[node.value, name], keywords=[])
            ast.fix_missing_locations(node)
        return node


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


class Recorder:
    """Events of a run in order, and snapshots of weights."""

    weight_shapes = None
    """The shapes of the assignment's parameters; None where all weights are kept."""

    def __init__(self, names, notes):
        self.names = tuple(names)
        self.notes = notes
        self.head = []
        self.tail = deque(maxlen=TAIL_EVENTS)
        self.count = 0
        self.modules = []
        self.states = []
        self.snapshots = {}
        self.steps = {}
        self.inside_module = 0
        self.inside_watched = 0
        self.torch = None

    def install(self, shell):
        """Start recording."""
        setattr(builtins, WATCH_BUILTIN, self.watch_function)
        shell.ast_transformers.append(WatchTransformer(self.names))
        call_after_import({"torch": self.hook_torch})

    # ------------------------------------------------------------ events

    def add_event(self, event):
        """Add an event with its cell and number."""
        event["cell"] = self.notes.cell
        event["n"] = self.count
        self.count += 1
        if len(self.head) < HEAD_EVENTS:
            self.head.append(event)
        else:
            self.tail.append(event)

    def copy_array(self, value):
        """Copy a tensor or array as it is now; return None for anything else."""
        torch = self.torch
        if torch is not None and isinstance(value, torch.Tensor):
            if value.numel() > MAX_ELEMENTS:
                return None
            return value.detach().clone()
        if type(value).__module__ == "numpy" and hasattr(value, "copy"):
            return value.copy() if getattr(value, "size", MAX_ELEMENTS) < MAX_ELEMENTS else None
        return None

    def copy_arrays(self, value, depth=2):
        """Copy the arrays in a value, or in a list, tuple or dict, to a flat list."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)) and depth:
            return [
                array for part in list(value)[:16] for array in self.copy_arrays(part, depth - 1)
            ]
        array = self.copy_array(value)
        return [] if array is None else [array]

    # ------------------------------------------------------------ watched functions

    def watch_function(self, function, name=None):
        """Wrap a function so that its calls are recorded."""
        name = name or getattr(function, "__name__", "")

        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            if not self.inside_watched:
                with contextlib.suppress(Exception):
                    self.record_call(name, function, args, kwargs)
            self.inside_watched += 1
            try:
                return function(*args, **kwargs)
            finally:
                self.inside_watched -= 1

        return wrapper

    def record_call(self, name, function, args, kwargs):
        """Record a call's arguments, by parameter where they can be bound."""
        try:
            arguments = inspect.signature(function).bind(*args, **kwargs).arguments
        except (TypeError, ValueError):
            arguments = {str(position): value for position, value in enumerate(args)} | kwargs
        arrays = {}
        for key, value in arguments.items():
            arrays[key] = self.copy_arrays(value)
        self.snapshot_last_called("call")
        self.add_event({"kind": "call", "name": name, "args": arrays})

    # ------------------------------------------------------------ torch

    def hook_torch(self):
        """Hook modules, optimizers and cosine similarity, for all of torch."""
        import torch
        from torch.nn.modules import module
        from torch.optim import optimizer

        self.torch = torch
        module.register_module_forward_pre_hook(self.before_forward)
        module.register_module_forward_hook(self.after_forward, with_kwargs=True, always_call=True)
        optimizer.register_optimizer_step_pre_hook(self.before_step)
        optimizer.register_optimizer_step_post_hook(self.after_step)
        real_similarity = torch.nn.functional.cosine_similarity

        @functools.wraps(real_similarity)
        def cosine_similarity(*args, **kwargs):
            with contextlib.suppress(Exception):
                self.record_similarity(args, kwargs)
            return real_similarity(*args, **kwargs)

        torch.nn.functional.cosine_similarity = cosine_similarity
        torch.cosine_similarity = cosine_similarity

    def record_similarity(self, args, kwargs):
        """Record a similarity with gradients, unless a watched function computes it."""
        values = [*args, *kwargs.values()][:2]
        if self.inside_watched or not any(getattr(v, "requires_grad", False) for v in values):
            return
        self.snapshot_last_called("call")
        left, right = (self.copy_arrays(value) for value in values)
        self.add_event({"kind": "similarity", "args": {"one": left, "two": right}})

    def module_number(self, module):
        """Return the number of a followed module, or None."""
        for number, known in enumerate(self.modules):
            if known is module:
                return number
        if len(self.modules) >= MAX_MODULES or next(module.parameters(), None) is None:
            return None
        self.modules.append(module)
        return len(self.modules) - 1

    def state_index(self, number):
        """Return the index of the module's present weights among the states seen, by their sums."""
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

    def snapshot_weights(self, number, label):
        """Copy a module's weights, once for each label."""
        labels = self.snapshots.setdefault(number, {})
        if label in labels:
            return
        state = self.state_index(number)
        for earlier_state, earlier_weights in labels.values():
            if earlier_state == state:
                labels[label] = (earlier_state, earlier_weights)
                return
        weights = [
            (name, parameter.detach().clone())
            for name, parameter in self.modules[number].named_parameters()
            if self.keeps_weights(parameter)
        ]
        labels[label] = (state, weights)

    def keeps_weights(self, parameter):
        """Return whether a parameter is small enough, or of a shape of the assignment's."""
        shapes = self.weight_shapes
        if shapes is None or tuple(parameter.shape) in shapes:
            return parameter.numel() <= 50 * MAX_ELEMENTS
        return parameter.numel() <= SMALL_ELEMENTS

    def snapshot_last_called(self, label):
        """Copy the weights of the module that was called last."""
        if self.modules:
            last = [e for e in [*self.head, *self.tail] if e["kind"] == "forward"][-1:]
            if last:
                self.snapshot_weights(last[0]["module"], label)

    def before_forward(self, module, args):
        """Note that a module is called; only the outermost counts."""
        self.inside_module += 1
        if self.inside_module == 1:
            try:
                number = self.module_number(module)
                if number is not None:
                    self.snapshot_weights(number, "first")
            except Exception:
                pass

    def after_forward(self, module, args, *rest):
        """Record a call that ended; after a raise torch leaves out the keyword arguments."""
        kwargs, output = rest if len(rest) == 2 else ({}, rest[-1])
        self.inside_module = max(0, self.inside_module - 1)
        if self.inside_module == 0:
            with contextlib.suppress(Exception):
                self.record_forward(module, [*args, *kwargs.values()], output)

    def record_forward(self, module, args, output):
        """Record inputs, output and the weights that made it."""
        number = self.module_number(module)
        if number is None:
            return
        grad = self.torch.is_grad_enabled()
        state = self.state_index(number) if self.count < HEAD_EVENTS or not grad else -1
        values = {"in": self.copy_arrays(args), "out": self.copy_arrays(output), "pull": []}
        event = {"kind": "forward", "module": number, "state": state, "grad": grad}
        event |= {"steps": self.steps.get(number, 0), "args": values}
        if self.count < HEAD_EVENTS and getattr(output, "requires_grad", False):
            output.register_hook(lambda gradient: values.update(pull=self.copy_arrays(gradient)))
        self.add_event(event)

    def encode_again(self):
        """Call each module again on its last inputs, with its final weights."""
        forwards = [e for e in [*self.head, *self.tail] if e["kind"] == "forward"]
        with self.torch.no_grad():
            for number, module in enumerate(self.modules[:8]):
                for event in [e for e in forwards if e["module"] == number][-3:]:
                    if event["args"]["in"]:
                        module(*event["args"]["in"])

    def stepped_modules(self, optimizer):
        """Return the numbers of the modules whose parameters an optimizer holds."""
        parameter_ids = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return [
            number
            for number, module in enumerate(self.modules)
            if any(id(p) in parameter_ids for p in module.parameters())
        ]

    def before_step(self, optimizer, args, kwargs):
        """Snapshot the weights that an optimizer is about to change."""
        try:
            for number in self.stepped_modules(optimizer):
                self.snapshot_weights(number, "step")
        except Exception:
            pass

    def after_step(self, optimizer, args, kwargs):
        """Record that an optimizer has stepped."""
        with contextlib.suppress(Exception):
            numbers = self.stepped_modules(optimizer)
            for number in numbers:
                self.steps[number] = self.steps.get(number, 0) + 1
            self.add_event({"kind": "step", "modules": numbers, "args": {}})
