"""Number the modules that a run calls; modules that hold the same parameters are one.

An object of a plain class that holds layers, or tensors to train, is a module here, too.
"""

import contextlib

from inside.watched_calls import flatten_arrays

MAX_ENCODERS = 64
"""Most ways of making vectors that are remembered of one module."""


def is_layer(value):
    """Return whether a value is a module of torch."""
    return "_parameters" in getattr(value, "__dict__", ())


def list_parameters(module):
    """Return the parameters of a module, or of the layers and tensors that an object holds."""
    if is_layer(module):
        return list(module.named_parameters())
    parameters = []
    for name, held in vars(module).items() if hasattr(module, "__dict__") else ():
        parts = list(held.values()) if isinstance(held, dict) else held
        for part in parts if isinstance(parts, (list, tuple)) else [held]:
            if is_layer(part):
                parameters += [
                    (f"{name}.{inner}", value) for inner, value in part.named_parameters()
                ]
            elif hasattr(part, "requires_grad") and part.requires_grad and part.is_leaf:
                parameters.append((name, part))
    return parameters


class Encoder:
    """A module, and the method and form by which it made vectors of arrays that it was given."""

    def __init__(self, module, method, form=None):
        self.module = module
        self.method = method
        self.form = form
        """How it was called; None where that is not known."""
        self.position = None
        """The output through which a gradient flowed back; None where none did."""

    def __call__(self, *arrays):
        return self.call(self.module, arrays)

    def call(self, module, arrays):
        """Call a module of its class on arrays, in their places where these are as many."""
        method = self.find_method(module)
        if self.form is None or self.form.count != len(arrays):
            return method(*arrays)
        return self.form.call(method, arrays)

    def find_method(self, module):
        """Return what is called of a module of its class."""
        if self.method in {"forward", "__call__"} and callable(module):
            return module
        return getattr(module, self.method)

    def encode(self, torch, module, batch, choose):
        """Return what a module of its class gives for a batch, asked as the notebook did.

        `choose`: returns the output that counts of what a call gives.
        """
        form = self.form
        if form is None or not form.has_single_inputs(batch.shape[1:]):
            count = 1 if form is None else form.count
            return first_rows(choose(self.call(module, [batch] * count)), len(batch), count)
        with contextlib.suppress(Exception):  # it may take no batch
            output = choose(self.call(module, [batch]))
            if len(output) == len(batch):
                return output
        method = self.find_method(module)
        if form.takes_any_number(module.forward if method is module else method):
            return join_rows(torch, form.call_on_any(method, list(batch)), len(batch), choose)
        parts = []
        for inputs in batch.split(form.count):
            padded = [*inputs, *[inputs[-1]] * (form.count - len(inputs))]
            rows = join_rows(torch, form.call(method, padded), form.count, choose)
            parts.append(rows[: len(inputs)])
        return torch.cat(parts)


def first_rows(output, size, count):
    """Return an output, or the rows of a batch of it that stood in several places."""
    is_joined = count > 1 and getattr(output, "ndim", 0) > 1 and len(output) == count * size
    return output[:size] if is_joined else output


def join_rows(torch, result, count, choose):
    """Return the rows of so many inputs, of which each may have an output of its own."""
    parts = flatten_arrays(result)
    if len(parts) == count:
        return torch.cat([part if part.ndim > 1 else part[None] for part in parts])
    return choose(result)


class FollowedModules:
    """Modules in the order of their first call."""

    def __init__(self, most):
        self.most = most
        self.modules = []
        self.numbers = {}
        self.outputs = {}
        """By number, the output through which a gradient last flowed back."""
        self.encoders = {}
        """By number, the ways in which vectors were made: by module, method, shape of the input."""
        self.lost = 0
        """Calls of modules beyond the most that are followed."""

    def __iter__(self):
        return iter(self.modules)

    def __len__(self):
        return len(self.modules)

    def __getitem__(self, number):
        return self.modules[number]

    def copy(self):
        """Return a copy that later calls do not change."""
        copied = FollowedModules(self.most)
        copied.modules, copied.numbers = list(self.modules), dict(self.numbers)
        copied.outputs, copied.lost = dict(self.outputs), self.lost
        copied.encoders = {number: dict(known) for number, known in self.encoders.items()}
        return copied

    def find_number(self, module):
        """Return the number of a module, a new one at its first call; None where it has none.

        A wrapper that holds another module's parameters and no others is that module.
        """
        known, parameters = self.find_known(module)
        if known is not None or not parameters or any(value.is_meta for value in parameters):
            return known
        if len(self.modules) >= self.most:
            self.lost += 1
            return None
        self.modules.append(module)
        # The parameters are held, so that no later one gets the identity of one that is gone.
        self.numbers[tuple(map(id, parameters))] = len(self.modules) - 1, parameters
        return len(self.modules) - 1

    def find_known(self, module):
        """Return the number that a module has, or None, and its parameters if it was not seen."""
        for number, known in enumerate(self.modules):
            if known is module:
                return number, ()
        parameters = tuple(value for _, value in list_parameters(module))
        number, _ = self.numbers.get(tuple(map(id, parameters)), (None, ()))
        return number, parameters

    def add_encoder(self, number, encoder, shape):
        """Return the way in which a module has just made vectors of an input of a shape."""
        known = self.encoders.setdefault(number, {})
        form = encoder.form
        how = None if form is None else repr((form.args, form.kwargs))
        key = id(encoder.module), encoder.method, tuple(shape), how
        encoder = known.pop(key, encoder)
        if len(known) < MAX_ENCODERS:
            known[key] = encoder
        return encoder

    def find_encoders(self, shape, numbers):
        """Return what made vectors of inputs of a shape, one or a batch; what was trained last.

        `numbers`: the modules that count.
        """
        shape = tuple(shape)
        encoders = [
            encoder
            for number in sorted(numbers)
            for (_, _, seen, _), encoder in self.encoders.get(number, {}).items()
            if seen[-len(shape) :] == shape
        ]
        return sorted(encoders, key=lambda encoder: encoder.position is not None)

    def find_stepped(self, optimizer):
        """Return the numbers of the modules whose parameters an optimizer holds."""
        ids = {id(value) for group in optimizer.param_groups for value in group["params"]}
        return [
            number
            for number, module in enumerate(self.modules)
            if any(id(value) in ids for _, value in list_parameters(module))
        ]

    def trained_position(self, cls):
        """Return through which of its outputs a class was trained, or None."""
        return next((p for n, p in self.outputs.items() if type(self.modules[n]) is cls), None)
