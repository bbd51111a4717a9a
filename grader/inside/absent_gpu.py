"""Let a GPU that isn't there mean the CPU: `.cuda()`, `device="mps"` and the like leave a note.

Only what would raise is changed: `torch.cuda.is_available()` stays false, and on a computer with a
GPU everything is as it was. Nothing is imported before the notebook imports torch.
"""

import contextlib
import functools
import sys
import time
import types

from inside import after_import

KINDS = frozenset({"cuda", "hip", "mps", "xpu"})
"""Types of device that mean the CPU where there is none."""
TENSOR_FACTORIES = ("new_empty", "new_full", "new_ones", "new_tensor", "new_zeros")
LIKE_FACTORIES = ("empty_like", "full_like", "ones_like", "rand_like", "randint_like")
LIKE_FACTORIES += ("randn_like", "zeros_like")
TENSOR_TYPES = tuple(
    f"{name}Tensor"
    for name in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte")
)
TOTAL_MEMORY = 16 * 1024**3
"""Bytes that a GPU would have, for notebooks that divide by it."""
CHANGE_NAME = "_absent_gpu"
"""The attribute of torch that holds its change."""
PROPERTIES = types.SimpleNamespace(
    name="cpu", total_memory=TOTAL_MEMORY, major=0, minor=0, multi_processor_count=1
)
ANSWERS = {
    "current_device": 0,
    "current_device_index": 0,
    "current_allocated_memory": 0,
    "driver_allocated_memory": 0,
    "recommended_max_memory": TOTAL_MEMORY,
    "get_device_name": "cpu",
    "get_device_capability": (0, 0),
    "get_device_properties": PROPERTIES,
    "get_rng_state_all": [],
    "list_gpu_processes": "",
    "mem_get_info": (TOTAL_MEMORY, TOTAL_MEMORY),
    "memory_summary": "",
    "utilization": 0,
    "can_device_access_peer": False,
}
"""What functions of `torch.cuda` and its like answer where they would raise; else None."""


class IdleStream:
    """A queue of work on a GPU, where everything is done at once."""

    def __init__(self, *args, **kwargs):
        self.time = time.perf_counter()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def record(self, stream=None):
        """Note the time, as an event does."""
        self.time = time.perf_counter()

    def elapsed_time(self, end):
        """Return the milliseconds between two events."""
        return (end.time - self.time) * 1000

    def query(self):
        """Return that all is done."""
        return True

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


def is_looking(frame):
    """Return whether a frame is of torch's compiler, which is told by the error."""
    return frame.f_globals.get("__name__", "").startswith("torch._")


def change_ahead():
    """Change torch once for many kernels, if it is imported."""
    if "torch" in sys.modules:
        AbsentGpu(None).change_once()


class StandingType(type):
    """A type that stands before another: its instances are the other's, but it makes them."""

    def __call__(cls, *args, **kwargs):
        return cls.make(*args, **kwargs)

    def __instancecheck__(cls, value):
        return isinstance(value, cls.real)

    def __subclasscheck__(cls, other):
        return issubclass(other, cls.real)

    def __eq__(cls, other):
        return other is cls or other is cls.real

    def __hash__(cls):
        return hash(cls.real)

    def __getattr__(cls, name):
        if name in {"real", "make"}:
            raise AttributeError(name)
        return getattr(cls.real, name)


def stand_before(real, make):
    """Return a type for `real` whose calls are `make`'s."""
    names = {"real": real, "make": staticmethod(make), "__module__": real.__module__}
    return StandingType(real.__name__, (), names)


class AbsentGpu:
    """What turns a notebook's wishes for a GPU to the CPU."""

    def __init__(self, notes):
        self.notes = notes
        self.torch = None
        self.real_device = None
        self.presence = {}

    def install(self):
        """Change torch as soon as it is imported."""
        after_import.call_after_import({"torch": self.change_once})

    def change_once(self):
        """Change torch, or take over the change that was made ahead."""
        torch = sys.modules["torch"]
        change = getattr(torch, CHANGE_NAME, None)
        if change is None:
            self.change_torch()
            setattr(torch, CHANGE_NAME, self)
        else:
            change.notes = self.notes

    # ------------------------------------------------------------ devices

    def is_absent(self, kind):
        """Return whether this computer has no device of a type."""
        if kind not in self.presence:
            owner = self.torch.backends if kind == "mps" else self.torch
            module = getattr(owner, "cuda" if kind == "hip" else kind, None)
            try:
                self.presence[kind] = bool(module.is_available())
            except Exception:
                self.presence[kind] = False
        return not self.presence[kind]

    def has_none(self):
        """Return whether this computer has no GPU of any type."""
        return all(map(self.is_absent, KINDS))

    def tell(self, kind):
        """Leave the note that the CPU was used."""
        self.notes.add(f"`{kind}` meant the CPU: there is no GPU where notebooks are graded.")

    def replace(self, device):
        """Return the device that a notebook gets for the one it names."""
        if isinstance(device, str):
            kind = device.partition(":")[0]
        elif isinstance(device, self.real_device):
            kind = device.type
        elif type(device) is int:
            kind = "cuda" if self.has_none() else ""
        else:
            return device
        if kind not in KINDS or not self.is_absent(kind):
            return device
        self.tell(kind)
        return self.real_device("cpu")

    def replace_in(self, options):
        """Replace the device among keyword arguments."""
        if options.get("device") is not None:
            options["device"] = self.replace(options["device"])
        if options.get("pin_memory") and self.has_none():
            options["pin_memory"] = False

    # ------------------------------------------------------------ torch

    def change_torch(self):
        """Put a function before each one that takes a device."""
        torch = self.torch = sys.modules["torch"]
        self.real_device = torch.device
        with contextlib.suppress(Exception):
            self.change_factories(torch)
        for change in (self.change_methods, self.change_types, self.change_loading):
            with contextlib.suppress(Exception):  # another version of torch lacks something
                change(torch)
        for module in ("cuda", "mps", "xpu", "accelerator"):
            with contextlib.suppress(Exception):
                self.change_functions(getattr(torch, module), module)

    def before(self, owner, name, call):
        """Put `call` before a function: it gets the real one, then the arguments."""
        real = getattr(owner, name, None)
        if real is None:
            return

        def function(*args, **kwargs):
            return call(real, *args, **kwargs)

        # Its name is that under which it is found: pickle and TorchScript look there.
        function.__name__, function.__doc__ = name, real.__doc__
        function.__qualname__ = f"{owner.__name__}.{name}" if isinstance(owner, type) else name
        function.__module__ = owner.__module__ if isinstance(owner, type) else owner.__name__
        setattr(owner, name, function)
        self.tell_torchscript(real, function)

    def tell_torchscript(self, real, replacement):
        """Let TorchScript compile calls of a replacement as those of the real one."""
        builtin_operators = self.torch.jit._builtins._get_builtin_table()
        if id(real) in builtin_operators:
            builtin_operators[id(replacement)] = builtin_operators[id(real)]

    def change_factories(self, torch):
        """Let functions that make tensors make them on the CPU."""
        from torch.utils import _device

        names = {function.__name__ for function in _device._device_constructors()}

        def make(real, *args, **kwargs):
            if kwargs:
                self.replace_in(kwargs)
            return real(*args, **kwargs)

        for name in (*sorted(names), *LIKE_FACTORIES):
            self.before(torch, name, make)
        for name in TENSOR_FACTORIES:
            self.before(torch.Tensor, name, make)
        self.before(torch.nn.Module, "to_empty", make)

    def change_methods(self, torch):
        """Let tensors and modules go to the CPU."""
        for owner in (torch.Tensor, torch.nn.Module):
            self.before(owner, "to", self.move)
            for kind in ("cuda", "xpu"):
                self.before(owner, kind, functools.partial(self.stay, kind))
        for owner in (torch.UntypedStorage, torch.TypedStorage):
            self.before(owner, "cuda", functools.partial(self.stay, "cuda"))
        self.before(torch.Tensor, "pin_memory", self.pin)
        self.before(torch.Tensor, "type", self.change_type)

    def move(self, real, value, *args, **kwargs):
        """Let `x.to("cuda")` go to the CPU."""
        if args:
            args = (self.replace(args[0]), *args[1:])
        if kwargs:
            self.replace_in(kwargs)
        return real(value, *args, **kwargs)

    def stay(self, kind, real, value, *args, **kwargs):
        """Let `x.cuda()` be `x`."""
        if not self.is_absent(kind):
            return real(value, *args, **kwargs)
        self.tell(kind)
        return value

    def pin(self, real, tensor, *args, **kwargs):
        """Let `x.pin_memory()` be `x`: there is no GPU that would gain by it."""
        return tensor if self.has_none() else real(tensor, *args, **kwargs)

    def change_type(self, real, tensor, dtype=None, *args, **kwargs):
        """Let `x.type("torch.cuda.FloatTensor")` mean the CPU's type."""
        return real(tensor, self.replace_type(dtype), *args, **kwargs)

    def replace_type(self, dtype):
        """Return the type of tensor that a notebook gets for the one it names."""
        if isinstance(dtype, str) and dtype.startswith("torch.cuda.") and self.is_absent("cuda"):
            self.tell("cuda")
            return dtype.replace("torch.cuda.", "torch.")
        return dtype

    def change_types(self, torch):
        """Let devices, generators and default types be the CPU's."""
        real_device, real_generator = torch.device, torch.Generator

        def make_device(*args, **kwargs):
            wanted = kwargs.get("type", args[0] if args else None)
            device = self.replace(wanted)
            return real_device(*args, **kwargs) if device is wanted else device

        def make_generator(device="cpu"):
            return real_generator(self.replace(device))

        def set_default(real, device, *args, **kwargs):
            return real(self.replace(self.replace_type(device)), *args, **kwargs)

        torch.device = stand_before(real_device, make_device)
        torch.Generator = stand_before(real_generator, make_generator)
        self.tell_torchscript(real_device, torch.device)
        self.tell_torchscript(real_generator, torch.Generator)
        self.before(torch, "set_default_device", set_default)
        self.before(torch, "set_default_tensor_type", set_default)
        if not torch.backends.cuda.is_built():
            for name in TENSOR_TYPES:
                setattr(torch.cuda, name, getattr(torch, name))

    def change_loading(self, torch):
        """Let what was saved on a GPU be loaded."""

        def load(real, f, map_location=None, *args, **kwargs):
            if map_location is None and self.has_none():
                map_location = "cpu"
            elif isinstance(map_location, dict):
                map_location = {key: self.replace(value) for key, value in map_location.items()}
            return real(f, self.replace(map_location), *args, **kwargs)

        def fork(real, devices=None, *args, **kwargs):
            return real([] if self.has_none() else devices, *args, **kwargs)

        self.before(torch, "load", load)
        self.before(torch.jit, "load", load)
        self.before(torch.random, "fork_rng", fork)

    def change_functions(self, module, kind):
        """Let functions of `torch.cuda` that would raise without a GPU do nothing."""
        for owner in (module, getattr(module, "nvtx", None)):
            for name, value in list(vars(owner).items()) if owner is not None else ():
                is_own = str(getattr(value, "__module__", "")).startswith(f"torch.{kind}")
                if name.startswith("_") or not is_own:
                    continue
                if isinstance(value, types.FunctionType):
                    self.before(owner, name, self.forgive(name, kind))
        for name in ("Event", "Stream", "CUDAGraph", "device", "device_of"):
            value = getattr(module, name, None)
            if isinstance(value, type) and kind != "accelerator":
                make = functools.partial(self.make_idle, value, kind)
                setattr(module, name, stand_before(value, make))

    def make_idle(self, real, kind, *args, **kwargs):
        """Make an object of `torch.cuda`, or one that does nothing where there is no GPU."""
        if not self.is_absent(kind):
            return real(*args, **kwargs)
        self.tell(kind)
        return IdleStream()

    def forgive(self, name, kind):
        """Return a call that does nothing where the real one raises for want of a GPU."""

        def call(real, *args, **kwargs):
            try:
                return real(*args, **kwargs)
            except Exception:
                absent = self.has_none() if kind == "accelerator" else self.is_absent(kind)
                if not absent or is_looking(sys._getframe(2)):
                    raise
            self.tell(kind)
            if name in {"initial_seed", "get_rng_state"}:
                return getattr(self.torch, name)()  # the CPU's
            if name in {"current_stream", "default_stream", "stream"}:
                return IdleStream()
            return ANSWERS.get(name)

        return call
