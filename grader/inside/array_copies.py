"""Copy the arrays that a notebook hands over, as they are at that time, within bounds."""

import contextlib
from collections import deque

from inside import wrapped_tensors
from inside.watched_calls import flatten_arrays

RECENT_INPUTS = 8
"""How many inputs are remembered, so that an equal one is kept once."""
MAX_ELEMENTS = 200_000
"""Arrays with more elements are not kept."""


class ArrayCopies:
    """Copies of arrays; inputs that are equal share one."""

    torch = None

    def __init__(self):
        self.new_bytes = 0
        self.recent_inputs = deque(maxlen=RECENT_INPUTS)

    def copy_array(self, value):
        """Copy a tensor or array as it is now; return None for anything else."""
        torch = self.torch
        if torch is not None and isinstance(value, torch.Tensor):
            value = wrapped_tensors.unwrap(torch, value)
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
            with contextlib.suppress(Exception):  # torch cannot compare all kinds of tensors
                if recent.dtype == array.dtype and self.torch.equal(recent, array):
                    return recent
        self.new_bytes += array.nbytes
        self.recent_inputs.append(array)
        return array

    def take_new_bytes(self):
        """Return how many bytes of inputs came since the last time."""
        taken, self.new_bytes = self.new_bytes, 0
        return taken
