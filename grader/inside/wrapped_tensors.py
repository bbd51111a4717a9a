"""Look into the tensors that torch wraps while it maps or differentiates a function."""


def is_traced(torch):
    """Return whether torch traces or compiles what runs: what is computed would get into it."""
    if torch is None:
        return False
    return torch._C._get_tracing_state() is not None or torch.compiler.is_compiling()


def is_wrapped(torch, value):
    """Return whether a value is a tensor that exists only while torch transforms a function."""
    return isinstance(value, torch.Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(
        value
    )


def unwrap_batches(torch, value):
    """Return a tensor of `torch.vmap` with its hidden dimension in front, or the value itself."""
    functorch = torch._C._functorch
    while isinstance(value, torch.Tensor) and functorch.is_batchedtensor(value):
        hidden = functorch.maybe_get_bdim(value)
        value = functorch.get_unwrapped(value).movedim(hidden, 0)
    return value


def unwrap(torch, value):
    """Return the numbers behind a wrapped tensor, or the value itself."""
    while is_wrapped(torch, value):
        batches = unwrap_batches(torch, value)
        value = torch._C._functorch.get_unwrapped(value) if batches is value else batches
    return value
