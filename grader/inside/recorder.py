"""Record a notebook's own run: calls of named functions, forwards of modules, optimizer steps.

It keeps numbers, never a verdict. A notebook can forge all of it: see docs/security.md.
"""

import builtins
import contextlib
import functools
from collections import deque

from inside import direct_calls, followed_modules
from inside.after_import import call_after_import
from inside.watched_calls import (
    WATCH_BUILTIN,
    WATCHED_TYPES,
    WatchTransformer,
    bind_arguments,
    flatten_arrays,
    requires_grad,
)

HEAD_EVENTS = 256
"""Events kept from the start of a run."""
TAIL_EVENTS = 128
"""Events kept from the end of a run."""
MODULE_EVENTS = 48
"""Events kept from the start of each module, whenever it is first called."""
MAX_MODULES = 256
"""Most modules that are followed."""
MODULES_WITH_WEIGHTS = 4, 8
"""How many modules' weights are kept: of the first, and of the last."""
SENT_TRAINED, SENT_OTHERS = 4, 3
"""How many modules' weights are told: of those that were trained, and of others."""
RECENT_INPUTS = 8
"""How many inputs are remembered, so that an equal one is kept once."""
MAX_BYTES, MAX_MODULE_BYTES = 64 * 2**20, 16 * 2**20
"""Most bytes of arrays in events, and in those about one module; older ones go first."""
MAX_ELEMENTS = 200_000
"""Arrays with more elements are not kept."""
SMALL_ELEMENTS = 20_000
"""Weights of other shapes than the assignment's are kept up to this size."""


def holds_weights(labels):
    """Return whether a module's snapshots still hold weights."""
    return any(weights is not None for _, weights in labels.values())


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
        self.modules = followed_modules.FollowedModules(MAX_MODULES)
        self.states = {}
        self.snapshots = {}
        self.steps = {}
        self.event_counts = {}
        self.calls = {}
        self.answered = set()
        self.last_number = None
        self.calling = []
        self.inside_watched = 0
        self.sizes = {}
        self.new_input_bytes = 0
        self.recent_inputs = deque(maxlen=RECENT_INPUTS)
        self.again = False
        self.torch = None

    def install(self, shell):
        """Start recording."""
        setattr(builtins, WATCH_BUILTIN, self.watch_function)
        shell.ast_transformers.append(WatchTransformer(self.names))
        call_after_import({"torch": self.hook_torch})

    # ------------------------------------------------------------ events

    def add_event(self, event, number=None):
        """Add an event with its cell and place; the first events about each module are kept."""
        event["cell"] = self.notes.cell
        event["n"] = self.count
        self.count += 1
        kept = self.head if self.is_head(number) else self.tail
        self.event_counts[number] = self.event_counts.get(number, 0) + 1
        if len(self.tail) == TAIL_EVENTS and kept is self.tail:
            self.drop_arrays(kept[0])
        args = event["args"]
        own_bytes = sum(array.nbytes for key in args if key != "in" for array in args[key])
        event |= {"about": number, "size": own_bytes + self.new_input_bytes}
        self.new_input_bytes = 0
        self.sizes[number] = self.sizes.get(number, 0) + event["size"]
        if not self.fits(number):
            self.make_room(number)
        if not self.fits(number):
            self.lose_arrays(event)
        kept.append(event)

    def make_room(self, number):
        """Let arrays of a module's last events go, the oldest first, until what is kept fits."""
        for oldest in [event for event in self.tail if event["about"] == number]:
            self.lose_arrays(oldest)
            if self.fits(number):
                return

    def fits(self, number):
        """Return whether the arrays in events about a module, and all, are within their bounds."""
        return self.sizes[number] <= MAX_MODULE_BYTES and sum(self.sizes.values()) <= MAX_BYTES

    def drop_arrays(self, event):
        """Count an event's arrays no longer."""
        self.sizes[event["about"]] -= event["size"]
        event["size"] = 0

    def lose_arrays(self, event):
        """Keep an event without its arrays."""
        self.modules.lost += bool(event["size"])
        self.drop_arrays(event)
        event["args"] = {key: [] for key in event["args"]}

    def is_head(self, number):
        """Return whether the next event of a module is one of the first."""
        of_module = self.event_counts.get(number, 0)
        is_first = len(self.head) < HEAD_EVENTS
        is_first |= number is not None and of_module < MODULE_EVENTS
        return is_first and self.sizes.get(number, 0) <= MAX_MODULE_BYTES // 2

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

    def copy_arrays(self, value):
        """Copy the arrays in a value, or in a list, tuple or dict, to a flat list."""
        copies = (self.copy_array(array) for array in flatten_arrays(value))
        return [array for array in copies if array is not None]

    def copy_inputs(self, values):
        """Copy the arrays that a module is given; equal ones share one copy."""
        return [self.share_input(array) for array in self.copy_arrays(values)]

    def share_input(self, array):
        """Return the recent input that equals an array, or the array itself."""
        for recent in self.recent_inputs:
            if recent.dtype == array.dtype and self.torch.equal(recent, array):
                return recent
        self.new_input_bytes += array.nbytes
        self.recent_inputs.append(array)
        return array

    # ------------------------------------------------------------ watched functions

    def watch_function(self, function, name=None):
        """Wrap a function so that its calls are recorded; return anything else as it is."""
        if name is not None and not isinstance(function, WATCHED_TYPES):
            return function
        name = name or getattr(function, "__name__", "")

        def wrapper(*args, **kwargs):
            __tracebackhide__ = True  # of no interest to students
            return self.call_watched(name, function, args, kwargs)

        if not hasattr(function, "__globals__"):
            return functools.wraps(function)(wrapper)
        return direct_calls.in_globals_of(function, wrapper)

    def call_watched(self, name, function, args, kwargs):
        """Call a watched function; its call is recorded unless another one makes it."""
        __tracebackhide__ = True
        event = None
        if not self.inside_watched and not self.is_traced():
            with contextlib.suppress(Exception):
                event = self.record_call(name, function, args, kwargs)
        self.inside_watched += 1
        try:
            result = function(*args, **kwargs)
        finally:
            self.inside_watched -= 1
        self.follow_result(event, result)
        return result

    def record_call(self, name, function, args, kwargs):
        """Record a call's arguments, by parameter where they can be bound."""
        arguments = bind_arguments(function, args, kwargs)
        event = {"kind": "call", "name": name, "pulled": False, "within": False, "finite": True}
        event["grads"] = [key for key, value in arguments.items() if requires_grad(value)]
        event["args"] = {key: self.copy_arrays(value) for key, value in arguments.items()}
        self.snapshot_last_called("call")
        self.add_event(event, self.last_number)
        return event

    def follow_result(self, event, result):
        """Note in a call's event whether its result is finite, and when a gradient flows back."""
        if event is None:
            return
        with contextlib.suppress(Exception):
            for part in flatten_arrays(result):
                event["finite"] &= bool(self.torch.isfinite(part).all())
                if getattr(part, "requires_grad", False):
                    part.register_hook(lambda gradient: event.update(pulled=True))

    # ------------------------------------------------------------ torch

    def hook_torch(self):
        """Hook modules, optimizers and cosine similarity, for all of torch."""
        import torch
        from torch.nn.modules import module
        from torch.optim import optimizer

        self.torch = torch
        module.register_module_forward_pre_hook(self.before_forward)
        module.register_module_forward_hook(self.after_forward, with_kwargs=True, always_call=True)
        direct_calls.watch_direct_calls(torch, self)
        optimizer.register_optimizer_step_pre_hook(self.before_step)
        optimizer.register_optimizer_step_post_hook(self.after_step)
        real_similarity = torch.nn.functional.cosine_similarity

        @functools.wraps(real_similarity)
        def cosine_similarity(*args, **kwargs):
            event = None
            with contextlib.suppress(Exception):
                event = self.record_similarity(args, kwargs)
            result = real_similarity(*args, **kwargs)
            self.follow_result(event, result)
            return result

        torch.nn.functional.cosine_similarity = cosine_similarity
        torch.cosine_similarity = cosine_similarity

    def record_similarity(self, args, kwargs):
        """Record a similarity with gradients, and whether a watched function computes it."""
        values = [*args, *kwargs.values()][:2]
        if self.is_traced() or not any(getattr(v, "requires_grad", False) for v in values):
            return None
        self.snapshot_last_called("call")
        left, right = (self.copy_arrays(value) for value in values)
        event = {"kind": "similarity", "pulled": False, "within": bool(self.inside_watched)}
        event["finite"] = True
        event |= {"grads": ["one", "two"], "args": {"one": left, "two": right}}
        self.add_event(event, self.last_number)
        return event

    def state_index(self, number):
        """Return the index of a module's present weights among all seen, by their sums.

        Modules that hold the same weights, a copy say, are in the same state.
        """
        torch = self.torch
        threads = torch.get_num_threads()
        if threads > 1:  # sums differ with their number
            torch.set_num_threads(1)
        with torch.no_grad():
            sums = [
                (tuple(parameter.shape), float(parameter.sum()), float(parameter.abs().sum()))
                for parameter in self.modules[number].parameters()
            ]
        if threads > 1:
            torch.set_num_threads(threads)
        return self.states.setdefault(tuple(sums), len(self.states))

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
        self.drop_old_weights()

    def drop_old_weights(self):
        """Forget the weights of modules between the first and the last ones; keep their states."""
        first, last = MODULES_WITH_WEIGHTS
        holders = [number for number, labels in self.snapshots.items() if holds_weights(labels)]
        for number in holders[first:-last]:
            labels = self.snapshots[number]
            self.snapshots[number] = {label: (state, None) for label, (state, _) in labels.items()}

    def keeps_weights(self, parameter):
        """Return whether a parameter is small enough, or of a shape of the assignment's."""
        shapes = self.weight_shapes
        if shapes is None or tuple(parameter.shape) in shapes:
            return parameter.numel() <= 50 * MAX_ELEMENTS
        return parameter.numel() <= SMALL_ELEMENTS

    def snapshot_last_called(self, label):
        """Copy the weights of the module that was called last."""
        if self.last_number is not None:
            self.snapshot_weights(self.last_number, label)

    def before_forward(self, module, args):
        """Note that a module is called."""
        self.calling.append((module, self.count))
        with contextlib.suppress(Exception):
            number = self.number_if_recorded(module)
            if number is not None:
                self.snapshot_weights(number, "first")

    def after_forward(self, module, args, *rest):
        """Record a call that ended; after a raise torch leaves out the keyword arguments."""
        kwargs, output = rest if len(rest) == 2 else ({}, rest[-1])
        begin = self.count
        while self.calling:
            called, begin = self.calling.pop()
            if called is module:
                break
        with contextlib.suppress(Exception):
            number = self.number_if_recorded(module)
            if number is not None:
                self.record_outer(number, begin, [*args, *kwargs.values()], output)

    def record_outer(self, number, begin, args, output):
        """Record a call in the place of those within it of the module that it wraps.

        A wrapper that takes several inputs at once, or gives something else than one output, leaves
        those as they are.
        """
        events = [*self.head, *self.tail] if self.count > begin else []
        within = [
            event
            for event in events
            if event["kind"] == "forward" and event["module"] == number and event["n"] >= begin
        ]
        if within and (len(flatten_arrays(args)) != 1 or len(flatten_arrays(output)) != 1):
            return
        for event in within:
            event["superseded"] = True
        self.record_forward(number, args, output)

    def is_calling(self, module):
        """Return whether it is this module that is being called."""
        return bool(self.calling) and self.calling[-1][0] is module

    def begin_method(self, module):
        """Note that a method of a module is called; return how often the module was, so far."""
        if self.calling:
            return None
        with contextlib.suppress(Exception):
            number = self.modules.find_number(module)
            if number is not None:
                self.snapshot_weights(number, "first")
                return self.calls.get(number, 0)
        return None

    def end_method(self, module, seen, args, output):
        """Record the method's call, unless the module itself was called in it."""
        if seen is None:
            return
        with contextlib.suppress(Exception):
            number = self.modules.find_number(module)
            if self.calls.get(number, 0) == seen and flatten_arrays(list(args)):
                self.record_forward(number, args, output)

    def is_traced(self):
        """Return whether torch traces or compiles what runs: what is computed would get into it."""
        torch = self.torch
        if torch is None:
            return False
        return torch._C._get_tracing_state() is not None or torch.compiler.is_compiling()

    def number_if_recorded(self, module):
        """Return the number of a module whose call is recorded, or None.

        The outermost call is, and below it those of the notebook's own classes.
        """
        if self.is_traced():
            return None
        is_inner = any(other is not module for other, _ in self.calling)
        if is_inner and not direct_calls.is_own_class(type(module)):
            return None
        return self.modules.find_number(module)

    def record_forward(self, number, args, output):
        """Record inputs, outputs and the weights that made them."""
        torch = self.torch
        self.calls[number] = self.calls.get(number, 0) + 1
        self.last_number = number
        grad = torch.is_grad_enabled()
        is_head = self.is_head(number)
        state = self.state_index(number) if is_head or not grad else -1
        outputs = [
            part
            for part in flatten_arrays(output)
            if isinstance(part, torch.Tensor) and part.numel() <= MAX_ELEMENTS
        ]
        if outputs:
            self.answered.add(number)
        event = {"kind": "forward", "module": number, "state": state, "grad": grad}
        event |= {"steps": self.steps.get(number, 0), "pulled": -1, "again": self.again}
        event["superseded"] = False
        copies = [part.detach().clone() for part in outputs]
        event["args"] = {"in": self.copy_inputs(args), "out": copies, "pull": []}
        for position, part in enumerate(outputs):
            if part.requires_grad:
                part.register_hook(functools.partial(self.follow_output, event, position, is_head))
        self.add_event(event, number)

    def follow_output(self, event, position, keep, gradient):
        """Note that a gradient flowed back through one output of a recorded call.

        Where it flows on through another output, the first is the one that the loss was made of.
        """
        if event["pulled"] >= 0:
            return
        event["pulled"] = position
        self.modules.outputs[event["module"]] = position
        if keep:
            event["args"]["pull"] = self.copy_arrays(gradient)

    def find_answered(self):
        """Return the modules that gave an output, those that were trained last."""
        trained = {*self.steps, *self.modules.outputs}
        numbers = sorted(self.answered, key=lambda number: (number in trained, number))
        return [self.modules[number] for number in numbers]

    def trained_position(self, cls):
        """Return through which of its outputs a class was trained, or None."""
        positions = self.modules.outputs.items()
        return next((p for n, p in positions if type(self.modules[n]) is cls), None)

    def find_sent(self):
        """Return the modules whose weights are sent: the last ones trained, and the last others."""
        holders = [n for n, labels in self.snapshots.items() if holds_weights(labels)]
        trained = [n for n in holders if n in self.steps or n in self.modules.outputs]
        others = [n for n in holders if n not in trained]
        return sorted({*trained[:1], *trained[-SENT_TRAINED:], *others[-SENT_OTHERS:]})

    def encode_again(self):
        """Call the modules that are sent again on their last inputs, with their final weights."""
        forwards = [e for e in [*self.head, *self.tail] if e["kind"] == "forward"]
        self.again = True
        self.event_counts.clear()  # so that these events replace none
        with self.torch.no_grad():
            for number in self.find_sent():
                self.snapshot_weights(number, "end")
                for event in [e for e in forwards if e["module"] == number][-3:]:
                    if event["args"]["in"]:
                        self.modules[number](*event["args"]["in"])

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
            event = {"kind": "step", "modules": numbers, "args": {}}
            self.add_event(event, numbers[0] if numbers else None)
