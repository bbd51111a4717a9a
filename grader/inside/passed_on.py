"""Tell which of nested calls made the vectors, and which merely pass them on or use them."""

from inside import wrapped_tensors
from inside.watched_calls import flatten_arrays


def passes_on(torch, within, args, output):
    """Return whether a call gives, in its own form, what the calls within it gave.

    One that takes several inputs at once, or gives a loss, does not.
    """
    outputs = flatten_arrays(output)
    if len(flatten_arrays(args)) != 1 or len(outputs) != 1:
        return False
    if any(event["pulled"] >= 0 for event in within):  # it trained on the way
        return False
    parts = [event["args"]["out"] for event in within]
    if not all(parts) or any(array.ndim > 2 for arrays in parts for array in arrays):
        return True
    sizes = {sum(array.numel() for array in arrays) for arrays in zip(*parts, strict=False)}
    whole = wrapped_tensors.unwrap(torch, outputs[0])
    return torch.is_tensor(whole) and whole.numel() in sizes


def gave(torch, event, output):
    """Return whether a recorded call gave just this output."""
    parts = flatten_arrays(output)[:1]
    wholes = [wrapped_tensors.unwrap(torch, part) for part in parts if torch.is_tensor(part)]
    return any(
        part.shape == whole.shape and torch.equal(part, whole)
        for whole in wholes
        for part in event["args"]["out"]
    )


def find_vectors(inputs, outputs):
    """Return the outputs that a gradient is followed at, and whether they are vectors of inputs.

    A loss beside other outputs is not followed. Of several inputs each has an output, or all have
    one together.
    """
    rows = len(inputs[0]) if inputs and inputs[0].ndim else 1
    positions = [i for i, output in enumerate(outputs) if output.numel() > max(1, rows)]
    has_vectors = any(outputs[position].ndim <= 2 for position in positions)
    is_each = len(inputs) == 1 or len(inputs) == len(outputs) or are_joined(inputs, outputs)
    is_encoder = has_vectors and is_each and len({array.shape for array in inputs}) == 1
    return positions or range(len(outputs)), is_encoder


def are_joined(inputs, outputs):
    """Return whether one output holds as many vectors as there are inputs, alone or in batches."""
    if len(outputs) != 1 or not outputs[0].ndim or not outputs[0].numel():
        return False
    batched = sum(len(array) if array.ndim else 1 for array in inputs)
    return outputs[0].numel() // outputs[0].shape[-1] in {len(inputs), batched}
