"""Keep how a notebook hands arrays to a module, so that a question can hand over others likewise.

It may take one batch, a batch in each of several places, or one input in each: `encode(a, b, c)`,
`encode([a, b, c])`, `encode({"a": a, "b": b})`.
"""

import inspect

from inside.watched_calls import MAX_PARTS, flatten_arrays

CONSTANTS = (bool, int, float, str, type(None))
"""What is kept of a call beside the places of its arrays."""


class TensorSlot:
    """Stands where a tensor was."""


class ArraySlot(TensorSlot):
    """Stands where an array of NumPy was."""


class CallForm:
    """The arguments of a call, with places for its arrays, and the shape of the first."""

    def __init__(self, args, kwargs):
        arrays = flatten_arrays([*args, *kwargs.values()])
        self.count = len(arrays)
        self.shape = tuple(arrays[0].shape) if arrays else ()
        self.args = [blank(value) for value in args]
        self.kwargs = {key: blank(value) for key, value in kwargs.items()}

    def call(self, function, arrays):
        """Call a function on as many arrays in the same places."""
        rest = iter(arrays)
        args = [fill(value, rest) for value in self.args]
        return function(*args, **{key: fill(value, rest) for key, value in self.kwargs.items()})

    def has_single_inputs(self, rows):
        """Return whether each place took one input of a shape, not a batch of them."""
        return len(self.shape) == len(rows)

    def takes_any_number(self, function):
        """Return whether all places are in one list, or are what `*inputs` takes."""
        if self.kwargs or not self.args:
            return False
        if len(self.args) == 1 and isinstance(self.args[0], (list, tuple)):
            return are_slots(self.args[0])
        kinds = [p.kind for p in inspect.signature(function).parameters.values()]
        return are_slots(self.args) and kinds[:1] == [inspect.Parameter.VAR_POSITIONAL]

    def call_on_any(self, function, arrays):
        """Call a function that takes any number of arrays."""
        is_list = isinstance(self.args[0], (list, tuple))
        slot = self.args[0][0] if is_list else self.args[0]
        filled = [fill(slot, iter([array])) for array in arrays]
        return function(type(self.args[0])(filled)) if is_list else function(*filled)


def are_slots(values):
    """Return whether all values are places of arrays."""
    return all(value is TensorSlot or value is ArraySlot for value in values)


def blank(value, depth=3):
    """Return a value with places for its arrays, and without what is no constant."""
    if isinstance(value, dict) and depth:
        return {key: blank(part, depth - 1) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and depth:
        parts = [blank(part, depth - 1) for part in value[:MAX_PARTS]]
        return parts if isinstance(value, list) else tuple(parts)
    if flatten_arrays(value):
        return ArraySlot if type(value).__module__ == "numpy" else TensorSlot
    return value if type(value) in CONSTANTS else None


def fill(value, arrays):
    """Return a value with arrays in its places."""
    if value is TensorSlot:
        return next(arrays)
    if value is ArraySlot:
        array = next(arrays)
        return array.detach().cpu().numpy() if hasattr(array, "detach") else array
    if isinstance(value, dict):
        return {key: fill(part, arrays) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([fill(part, arrays) for part in value])
    return value
