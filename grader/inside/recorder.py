"""Record a notebook's own run: calls of named functions, forwards of modules, optimizer steps.

It keeps numbers, never a verdict. A notebook can forge all of it: see docs/security.md.
"""

import builtins
import contextlib
import functools
from collections import deque

from inside import (
    backward_passes,
    direct_calls,
    followed_modules,
    passed_on,
    weight_snapshots,
    wrapped_tensors,
)
from inside.after_import import call_after_import
from inside.array_copies import MAX_ELEMENTS, ArrayCopies
from inside.call_forms import CallForm
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
SENT_TRAINED, SENT_OTHERS = 4, 3
"""How many modules' weights are told: of those that were trained, and of others."""
MAX_BYTES, MAX_MODULE_BYTES = 64 * 2**20, 16 * 2**20
"""Most bytes of arrays in events, and in those about one module; older ones go first."""
MAX_FAULTS = 8
"""Most faults of the recorder's own that are told."""


class Recorder:
    """Events of a run in order, and snapshots of weights."""

    def __init__(self, names, notes):
        self.names = tuple(names)
        self.notes = notes
        self.head = []
        self.tail = deque(maxlen=TAIL_EVENTS)
        self.count = 0
        self.modules = followed_modules.FollowedModules(MAX_MODULES)
        self.weights = weight_snapshots.WeightSnapshots()
        self.passes = backward_passes.BackwardPasses()
        self.steps = {}
        self.event_counts = {}
        self.answered = set()
        self.last_number = None
        self.calling = []
        self.inside_watched = 0
        self.sizes = {}
        self.copies = ArrayCopies()
        self.again = False
        self.faults = []
        self.torch = None

    def install(self, shell):
        """Start recording."""
        setattr(builtins, WATCH_BUILTIN, self.watch_function)
        shell.ast_transformers.append(WatchTransformer(self.names))
        call_after_import({"torch": self.hook_torch})

    @contextlib.contextmanager
    def guard(self):
        """Let a fault of ours cost the notebook nothing, and keep it for whoever judges."""
        try:
            yield
        except Exception as error:
            if len(self.faults) < MAX_FAULTS:
                self.faults.append(f"{type(error).__name__}: {error}"[:200])

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
        event |= {"about": number, "size": own_bytes + self.copies.take_new_bytes()}
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

    # ------------------------------------------------------------ watched functions

    def watch_function(self, function, name=None):
        """Wrap a function so that its calls are recorded; return anything else as it is.

        Of a class the methods are, as those of modules are by themselves.
        """
        if isinstance(function, type):
            if self.torch is not None and not issubclass(function, self.torch.nn.Module):
                with contextlib.suppress(Exception):  # it may forbid that
                    direct_calls.wrap_methods(function, self)
            return function
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
        if not self.inside_watched and not wrapped_tensors.is_traced(self.torch):
            with self.guard():
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
        event["args"] = {key: self.copies.copy_arrays(value) for key, value in arguments.items()}
        self.snapshot_last_called("call")
        self.add_event(event, self.last_number)
        return event

    def follow_result(self, event, result):
        """Note in a call's event whether its result is finite, and when a gradient flows back."""
        if event is None or self.torch is None:
            return
        with self.guard():
            for part in flatten_arrays(result):
                if not isinstance(part, self.torch.Tensor):
                    continue
                event["finite"] &= bool(
                    self.torch.isfinite(wrapped_tensors.unwrap(self.torch, part)).all()
                )
                followed = wrapped_tensors.unwrap_batches(self.torch, part)
                if followed.requires_grad:
                    followed.register_hook(functools.partial(self.follow_call, event))

    def follow_call(self, event, gradient):
        """Note that a gradient flowed back through a recorded call."""
        event["pulled"] = True
        with self.guard():
            self.passes.note(self.torch, event)

    # ------------------------------------------------------------ torch

    def hook_torch(self):
        """Hook modules, optimizers and cosine similarity, for all of torch."""
        import torch
        from torch.nn.modules import module
        from torch.optim import optimizer

        self.torch = self.copies.torch = torch
        module.register_module_forward_pre_hook(self.before_forward)
        module.register_module_forward_hook(self.after_hook, with_kwargs=True, always_call=True)
        direct_calls.watch_direct_calls(torch, self)
        self.passes.watch_losses(torch)
        optimizer.register_optimizer_step_pre_hook(self.before_step)
        optimizer.register_optimizer_step_post_hook(self.after_step)
        real_similarity = torch.nn.functional.cosine_similarity

        @functools.wraps(real_similarity)
        def cosine_similarity(*args, **kwargs):
            event = None
            with self.guard():
                event = self.record_similarity(args, kwargs)
            result = real_similarity(*args, **kwargs)
            self.follow_result(event, result)
            return result

        torch.nn.functional.cosine_similarity = cosine_similarity
        torch.cosine_similarity = cosine_similarity

    def record_similarity(self, args, kwargs):
        """Record a similarity with gradients, and whether a watched function computes it."""
        values = [*args, *kwargs.values()][:2]
        if wrapped_tensors.is_traced(self.torch) or not any(
            getattr(v, "requires_grad", False) for v in values
        ):
            return None
        self.snapshot_last_called("call")
        left, right = (self.copies.copy_arrays(value) for value in values)
        event = {"kind": "similarity", "pulled": False, "within": bool(self.inside_watched)}
        event["finite"] = True
        event |= {"grads": ["one", "two"], "args": {"one": left, "two": right}}
        self.add_event(event, self.last_number)
        return event

    def list_weights(self, number):
        """Return a module's parameters by name."""
        named = followed_modules.list_parameters(self.modules[number])
        return [(name, wrapped_tensors.unwrap(self.torch, value)) for name, value in named]

    def snapshot_weights(self, number, moment):
        """Copy a module's weights, once for each moment."""
        if moment not in self.weights.of(number):
            self.weights.take(self.torch, number, moment, self.list_weights(number))

    def snapshot_last_called(self, label):
        """Copy the weights of the module that was called last."""
        if self.last_number is not None:
            self.snapshot_weights(self.last_number, label)

    def before_forward(self, module, args):
        """Note that a module is called."""
        self.calling.append((module, self.count))
        with self.guard():
            number = self.number_if_recorded(module)
            if number is not None:
                self.snapshot_weights(number, "first")

    def after_hook(self, module, args, *rest):
        """Record a call that ended; after a raise torch leaves out the keyword arguments."""
        kwargs, output = rest if len(rest) == 2 else ({}, rest[-1])
        self.after_forward(module, args, kwargs, output, "forward")

    def after_forward(self, module, args, kwargs, output, name):
        """Record a call that ended of a module, or of an object's method that makes it one."""
        begin = self.count
        while self.calling:
            called, begin = self.calling.pop()
            if called is module:
                break
        with self.guard():
            number = self.number_if_recorded(module)
            if number is not None:
                arguments = [*args, *kwargs.values()]
                called = getattr(module, "_orig_mod", module)  # the one that was compiled
                way = called, name, CallForm(args, kwargs)
                self.record_outer(number, begin, arguments, output, way)

    def record_outer(self, number, begin, args, output, way):
        """Record a call in the place of those within it of the module that it wraps.

        A wrapper that takes several inputs at once, or gives something else than as many numbers as
        it got of the module, leaves those as they are. `way`: the module called, its method, and
        the form of the call.
        """
        events = [*self.head, *self.tail] if self.count > begin else []
        within = [
            event
            for event in events
            if event["kind"] == "forward"
            and event["module"] == number
            and event["n"] >= begin
            and not event["superseded"]
        ]
        if within and not passed_on.passes_on(self.torch, within, args, output):
            return
        same = [event["encoder"] for event in within if passed_on.gave(self.torch, event, output)]
        for event in within:
            event["superseded"] = True
        self.record_forward(number, args, output, way, *same[:1])

    def calling_layers(self):
        """Return the modules of torch that are being called: objects of plain classes hide none."""
        return [module for module, _ in self.calling if followed_modules.is_layer(module)]

    def is_calling(self, module):
        """Return whether it is this module that is being called."""
        return bool(self.calling) and self.calling[-1][0] is module

    def begin_method(self, module):
        """Note that a method of a module is called; return the number of events so far.

        Within a call of the module itself it is no event, but may be what makes its vectors.
        """
        layers = self.calling_layers()
        if wrapped_tensors.is_traced(self.torch) or (layers and layers[-1] is not module):
            return None
        with self.guard():
            number = self.modules.find_number(module)
            if number is not None:
                self.snapshot_weights(number, "first")
                return self.count
        return None

    def end_method(self, module, begin, arguments, output, name):
        """Record the method's call as one of the module. `arguments`: by position, by name."""
        if begin is None:
            return
        with self.guard():
            number = self.modules.find_number(module)
            by_position, by_name = arguments
            args = [*by_position, *by_name.values()]
            if number is None or not flatten_arrays(args):
                return
            way = module, name, CallForm(by_position, by_name)
            if self.calling_layers():
                self.note_encoder(number, args, output, way)
            else:
                self.record_outer(number, begin, args, output, way)

    def note_encoder(self, number, args, output, way):
        """Note what makes vectors within a call of its module: each tower of two, say."""
        outputs = flatten_arrays(output)
        encoder, _ = self.follow_encoder(number, args, outputs, way)
        part = wrapped_tensors.unwrap_batches(self.torch, outputs[0]) if len(outputs) == 1 else None
        if encoder is not None and part is not None and part.requires_grad:
            part.register_hook(lambda gradient: setattr(encoder, "position", 0))

    def number_if_recorded(self, module):
        """Return the number of a module whose call is recorded, or None.

        The outermost call is, and below it those of the notebook's own classes, and of what such a
        class merely wraps.
        """
        if wrapped_tensors.is_traced(self.torch):
            return None
        outer = [other for other in self.calling_layers() if other is not module]
        if outer and not direct_calls.is_own_class(type(module)):
            if not module._modules:
                return None
            number, _ = self.modules.find_known(module)
            return number if number == self.modules.find_known(outer[-1])[0] else None
        return self.modules.find_number(module)

    def record_forward(self, number, args, output, way, encoder=None):
        """Record inputs, outputs and the weights that made them.

        `encoder`: what gave the same before it was passed on.
        """
        torch = self.torch
        self.last_number = number
        grad = torch.is_grad_enabled()
        is_head = self.is_head(number)
        state = (
            self.weights.find_state(torch, self.list_weights(number)) if is_head or not grad else -1
        )
        outputs = [
            part
            for part in flatten_arrays(output)
            if isinstance(part, torch.Tensor) and part.numel() <= MAX_ELEMENTS
        ]
        if outputs:
            self.answered.add(number)
        new_encoder, positions = self.follow_encoder(number, args, outputs, encoder is None and way)
        event = {"kind": "forward", "module": number, "state": state, "grad": grad}
        event |= {"steps": self.steps.get(number, 0), "pulled": -1, "again": self.again}
        event |= {"superseded": False, "encoder": encoder or new_encoder, "finite": True}
        inputs, copies = self.copies.copy_inputs(args), self.copies.copy_arrays(outputs)
        event["args"] = {"in": inputs, "out": copies}
        for position in positions:
            part = wrapped_tensors.unwrap_batches(torch, outputs[position])
            if part.requires_grad:
                part.register_hook(functools.partial(self.follow_output, event, position, is_head))
        self.add_event(event, number)

    def follow_encoder(self, number, args, outputs, way):
        """Return the way in which vectors were made, or None, and the outputs to follow."""
        inputs = flatten_arrays(list(args))
        positions, is_encoder = passed_on.find_vectors(inputs, outputs)
        if not (way and is_encoder):
            return None, positions
        encoder = followed_modules.Encoder(*way)
        return self.modules.add_encoder(number, encoder, inputs[0].shape), positions

    def follow_output(self, event, position, keep, gradient):
        """Note that a gradient flowed back through one output of a recorded call.

        Where it flows on through another output, the first is the one that the loss was made of.
        What flows back several times adds up, as it does in weights.
        """
        with self.guard():
            number = event["module"]
            self.passes.reach(self.torch, event, number, self.list_weights(number))
            event["finite"] &= self.passes.is_finite
        if keep:
            key, copies = f"pull{position}", self.copies.copy_arrays(gradient)
            known = event["args"].get(key, copies)
            event["args"][key] = copies if known is copies else [known[0] + copies[0]]
        if event["pulled"] >= 0:
            return
        event["pulled"] = position
        self.modules.outputs[event["module"]] = position
        if event["encoder"] is not None and not event["superseded"]:
            event["encoder"].position = position

    def find_sent(self):
        """Return the modules whose weights are sent: the last ones trained, and the last others."""
        holders = self.weights.holders()
        trained = [n for n in holders if n in self.steps or n in self.modules.outputs]
        others = [n for n in holders if n not in trained]
        return sorted({*trained[:1], *trained[-SENT_TRAINED:], *others[-SENT_OTHERS:]})

    def encode_again(self):
        """Call the modules that are sent again on their last inputs, with their final weights."""
        forwards = [e for e in [*self.head, *self.tail] if e["kind"] == "forward"]
        if not forwards:
            return
        self.again = True
        self.event_counts.clear()  # so that these events replace none
        with self.torch.no_grad():
            for number in self.find_sent():
                self.snapshot_weights(number, "end")
                for event in [e for e in forwards if e["module"] == number][-3:]:
                    with contextlib.suppress(Exception):  # it may need more than arrays
                        self.encode_inputs(number, event["args"]["in"])

    def encode_inputs(self, number, inputs):
        """Call a module on inputs in the way in which it made vectors of such."""
        if inputs:
            known = self.modules.find_encoders(inputs[0].shape, [number])
            (known[-1] if known else self.modules[number])(*inputs)

    def before_step(self, optimizer, args, kwargs):
        """Snapshot the weights that an optimizer is about to change."""
        with self.guard():
            for number in self.modules.find_stepped(optimizer):
                self.snapshot_weights(number, "step")
                self.passes.step(number, self.list_weights(number))

    def after_step(self, optimizer, args, kwargs):
        """Record that an optimizer has stepped."""
        with self.guard():
            numbers = self.modules.find_stepped(optimizer)
            for number in numbers:
                self.steps[number] = self.steps.get(number, 0) + 1
            event = {"kind": "step", "modules": numbers, "args": {}}
            event["ascends"] = any(group.get("maximize") for group in optimizer.param_groups)
            self.add_event(event, numbers[0] if numbers else None)
