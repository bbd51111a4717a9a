"""Answer questions about a live notebook with plain data, never with a verdict.

Kinds of question:

arrays      every numeric array in the namespace, alone or in a tuple, list or dict
recording   what the recorder saw: events, modules, snapshots of weights
notes       what was neutralized, by cell
modules     names of all imported modules, in order
forward     outputs of a module of the notebook, for weights and inputs of the question
function    what a function of the notebook returns for arguments of the question
"""

import asyncio
import contextlib
import importlib.machinery
import inspect
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from inside import frames

# Bound before student code runs.
_asarray, _ndarray = np.asarray, np.ndarray
_isinstance, _type, _str, _list, _dict, _tuple = isinstance, type, str, list, dict, tuple

KINDS = "biuf"
"""Kinds of NumPy dtype that cross the wall."""
MAX_ELEMENTS = 200_000
"""Most elements of an array in the namespace whose values are sent."""


class NothingToAsk(Exception):
    """The notebook has nothing of the kind that a question is about."""


def to_plain_array(value):
    """Convert a tensor or array to a plain numeric NumPy array, or raise TypeError."""
    torch = sys.modules.get("torch")
    if torch is not None and _isinstance(value, torch.Tensor):
        value = value.detach().to("cpu")
        if value.dtype in (torch.bfloat16, torch.float16):
            value = value.float()
        value = value.resolve_conj().resolve_neg().contiguous().numpy()
    array = _asarray(value)
    if array.dtype.kind not in KINDS or array.dtype.itemsize > 8:
        raise TypeError(f"{_type(value).__name__} is not a numeric array")
    return array


def is_array(value):
    """Return whether a value is a tensor or a NumPy array."""
    torch = sys.modules.get("torch")
    return _isinstance(value, _ndarray) or (torch is not None and _isinstance(value, torch.Tensor))


class InitialWeights:
    """A copy of a module's weights and buffers as they were at its construction."""

    def __init__(self, torch, module):
        self.torch = torch
        self.parameters = _list(module.parameters())
        self.parameter_indices = {name: i for i, (name, _) in enumerate(module.named_parameters())}
        tensors = [*self.parameters, *module.buffers()]
        self.saved = [(tensor, tensor.detach().clone(), tensor._version) for tensor in tensors]

    def set_parameter(self, index, value):
        """Copy an array into a parameter."""
        with self.torch.no_grad():
            self.parameters[index].copy_(self.torch.from_numpy(value))

    def restore(self):
        """Restore everything that was written to since."""
        with self.torch.no_grad():
            for index, (tensor, value, version) in enumerate(self.saved):
                if tensor._version != version:
                    tensor.copy_(value)
                    self.saved[index] = (tensor, value, tensor._version)


def seed_torch(torch, number=0):
    """Seed torch's generator.

    `torch.manual_seed` also prepares, for 12 ms, to seed a GPU that may be used later.
    """
    if torch.backends.cuda.is_built():
        torch.manual_seed(number)
    else:
        torch.default_generator.manual_seed(number)


class ObservedNotebook:
    """What questions are about: a notebook's namespace, recorder and notes."""

    def __init__(self, namespace, recorder, notes):
        self.namespace = namespace
        self.recorder = recorder
        self.notes = notes
        self.modules = {}

    # ------------------------------------------------------------ arrays

    def collect_arrays(self, params, inputs):
        """Return every numeric array in the namespace by name; parts of a tuple as `name/0`."""
        out, shapes = {}, {}
        for name, value in _list(self.namespace.items()):
            if not _isinstance(name, _str) or name.startswith("_") or len(out) >= 128:
                continue
            for key, candidate in self.arrays_in(name, value):
                try:
                    array = to_plain_array(candidate)
                except Exception:
                    continue
                shapes[key] = {"shape": _list(array.shape), "dtype": _str(array.dtype)}
                shapes[key]["grad"] = bool(getattr(candidate, "requires_grad", False))
                if array.size <= MAX_ELEMENTS:
                    out[key] = array
        return {"arrays": shapes}, out

    def arrays_in(self, name, value):
        """Return the arrays in one value, at most one level down, with their keys."""
        if is_array(value):
            return [(name, value)]
        if _isinstance(value, _dict):
            value = _list(value.values())
        if _isinstance(value, (_list, _tuple)) and len(value) <= 16:
            return [(f"{name}/{i}", part) for i, part in enumerate(value) if is_array(part)]
        return []

    # ------------------------------------------------------------ recording

    def collect_recording(self, params, inputs):
        """Return what the recorder kept; its arrays have the keys `a0`, `a1` and so on."""
        recorder = self.recorder
        with contextlib.suppress(Exception):
            recorder.encode_again()
        out, events, keys_by_identity = {}, [], {}
        for event in [*recorder.head, *recorder.tail]:
            args = {}
            for name, values in event["args"].items():
                args[name] = [self.add_array(out, value) for value in values]
            events.append({**event, "args": args})
        modules = []
        for number, module in enumerate(recorder.modules[:8]):
            snapshots = {}
            for label, (state, weights) in recorder.snapshots.get(number, {}).items():
                if id(weights) not in keys_by_identity:
                    keys_by_identity[id(weights)] = [
                        [name, self.add_array(out, value)] for name, value in weights
                    ]
                parts = keys_by_identity[id(weights)]
                snapshots[label] = {"state": state, "weights": parts}
            modules.append({"class": _type(module).__name__[:100], "snapshots": snapshots})
        return {"events": events, "count": recorder.count, "modules": modules}, out

    def add_array(self, out, value):
        """Add an array to `out`, and return its key, or None if it is not numeric."""
        try:
            array = to_plain_array(value)
        except Exception:
            return None
        key = f"a{len(out)}"
        out[key] = array
        return key

    def list_notes(self, params, inputs):
        """Return what was neutralized, by cell."""
        return {"notes": [[cell, notes] for cell, notes in self.notes.by_cell.items()]}, {}

    def list_modules(self, params, inputs):
        """Return what was imported from the standard library and installed packages, in order."""
        names = [
            name
            for name, module in _list(sys.modules.items())
            if (spec := getattr(module, "__spec__", None)) is not None
            and spec.name == name
            and (spec.origin or spec.submodule_search_locations)
        ]
        top_level = {name.partition(".")[0] for name in names} - {"__main__", "inside"}
        known = {top for top in top_level if top in sys.builtin_module_names or is_importable(top)}
        return {"modules": [name for name in names if name.partition(".")[0] in known]}, {}

    # ------------------------------------------------------------ forward

    def run_forward(self, params, inputs):
        """Call a module several times, each with its own weights where a set is named.

        params: `module`, a class name that helps to find it; `sets`, lists of keys of arrays by
        name; `calls`, each `[key of the input, name of a set or null]`; `names`, parameter names.
        """
        torch = sys.modules.get("torch")
        if torch is None:
            raise NothingToAsk("torch was never imported")
        torch.set_num_threads(1)
        torch.set_grad_enabled(True)
        module, how, start = self.get_module(torch, params["module"])
        data = {"class": _type(module).__name__[:100], "how": how, "calls": []}
        data["parameters"] = [[n[:100], _list(p.shape)] for n, p in module.named_parameters()]
        data["parameters"] = data["parameters"][:64]
        out = {}
        for index, (key, set_name) in enumerate(params["calls"]):
            start.restore()
            call = {"unmatched": self.set_weights(start, params, inputs, set_name)}
            try:
                seed_torch(torch)
                result = to_plain_array(module(self.cast(torch, module, inputs[key])))
                out[f"out{index}"] = result
            except BaseException as error:
                call["error"] = describe_error(error)
            data["calls"].append(call)
        return data, out

    def cast(self, torch, module, array):
        """Convert an input to the dtype and the device of the module's parameters."""
        parameter = next(module.parameters(), None)
        tensor = torch.from_numpy(array.copy())
        return tensor if parameter is None else tensor.to(parameter.device, parameter.dtype)

    def set_weights(self, start, params, inputs, set_name):
        """Copy weights into parameters of the same shapes; return the shapes that match none.

        A parameter with the weight's name in `names` is preferred to one that is merely free.
        """
        if set_name is None:
            return []
        values = [inputs[key] for key in params["sets"][set_name]]
        named = self.match_by_name(start, params.get("names", []), values)
        free_indices, unmatched = (
            [i for i in range(len(start.parameters)) if i not in named.values()],
            [],
        )
        for position, value in enumerate(values):
            if position in named:
                start.set_parameter(named[position], value)
                continue
            index = next(
                (i for i in free_indices if _tuple(start.parameters[i].shape) == value.shape), None
            )
            if index is None:
                unmatched.append(_list(value.shape))
                continue
            free_indices.remove(index)
            start.set_parameter(index, value)
        return unmatched

    def match_by_name(self, start, names, values):
        """Map indices of weights to those of the parameters with the same name and shape."""
        matches = {}
        for position, (name, value) in enumerate(zip(names, values, strict=False)):
            index = start.parameter_indices.get(name)
            if index is not None and _tuple(start.parameters[index].shape) == value.shape:
                matches[position] = index
        return matches

    def get_module(self, torch, name):
        """Return the module, how it was found, and its initial weights; found once in a batch."""
        if name not in self.modules:
            module, how = self.find_module(torch, name)
            self.modules[name] = module, how, InitialWeights(torch, module)
        return self.modules[name]

    def find_module(self, torch, name):
        """Find the notebook's module: a new one of its class, else one that it used."""
        base = torch.nn.Module
        cls = self.namespace.get(name)
        used = _list(self.recorder.modules)
        if not (inspect.isclass(cls) and issubclass(cls, base)):
            cls = next((type(m) for m in reversed(used) if m.__module__ == "__main__"), None)
        if cls is None:
            own_classes = [
                value
                for value in self.namespace.values()
                if inspect.isclass(value)
                and issubclass(value, base)
                and value.__module__ == "__main__"
            ]
            cls = own_classes[-1] if own_classes else None
        if cls is not None:
            module = self.instantiate(torch, cls)
            if module is not None:
                return module, "new"
        instances = [m for m in used if cls is None or type(m) is cls]
        instances += [v for v in self.namespace.values() if _isinstance(v, base)]
        if not instances:
            raise NothingToAsk(f"no class {name} and no other torch module")
        return instances[-1].train(), "used"

    def instantiate(self, torch, cls):
        """Construct the class, or return None where it needs arguments."""
        seed_torch(torch)
        try:
            return cls().train()
        except Exception:
            return None

    # ------------------------------------------------------------ function

    def call_function(self, params, inputs):
        """Call a function with `args`, keys of arrays in order, and `options`, JSON by keyword.

        With `gradients`, indices of arguments, also return the gradient at each of them of the
        sum of the first value times the array `pull`.
        """
        function = self.namespace.get(params["name"])
        if not callable(function):
            raise NothingToAsk(f"no function {params['name']}")
        args = [inputs[key] for key in params["args"]]
        torch = sys.modules.get("torch")
        if torch is not None and params.get("tensors", True):
            torch.set_num_threads(1)
            torch.set_grad_enabled(True)
            seed_torch(torch)
            args = [torch.from_numpy(array.copy()) for array in args]
        leaves = {index: args[index].requires_grad_() for index in params.get("gradients", [])}
        # A function may write to what it is given, and could not to a leaf.
        args = [arg.clone() if index in leaves else arg for index, arg in enumerate(args)]
        result = wait_for_result(function(*args, **params.get("options", {})))
        values = result if _isinstance(result, (_list, _tuple)) else [result]
        out = {f"out{index}": to_plain_array(value) for index, value in enumerate(values)}
        if leaves:
            (values[0] * torch.from_numpy(inputs["pull"].copy())).sum().backward()
            gradients = {
                index: leaf.grad for index, leaf in leaves.items() if leaf.grad is not None
            }
            out |= {f"grad{index}": to_plain_array(grad) for index, grad in gradients.items()}
        return {}, out


def wait_for_result(value):
    """Return what a coroutine returns, as `await` in a cell would, or the value itself."""
    if not inspect.iscoroutine(value):
        return value
    if asyncio._get_running_loop() is None:
        return asyncio.get_event_loop().run_until_complete(value)
    with ThreadPoolExecutor(1) as executor:  # the live process, whose loop runs
        return executor.submit(asyncio.run, value).result()


def is_importable(name):
    """Return whether a fresh interpreter would find a module of that name."""
    try:
        return importlib.machinery.PathFinder.find_spec(name) is not None
    except Exception:
        return False


def describe_error(error):
    """Describe an exception in a short text, whatever its own __str__ does."""
    try:
        return f"{_type(error).__name__}: {_str(error)[:500]}"
    except BaseException:
        return "an exception that cannot be printed"


def answer(notebook, question, arrays):
    """Answer one question with the body of one frame."""
    kinds = {
        "arrays": notebook.collect_arrays,
        "recording": notebook.collect_recording,
        "notes": notebook.list_notes,
        "modules": notebook.list_modules,
        "forward": notebook.run_forward,
        "function": notebook.call_function,
    }
    head = {"id": question["id"], "nonce": question["nonce"]}
    try:
        inputs = {name: arrays[key] for name, key in question.get("arrays", {}).items()}
        data, out = kinds[question["kind"]](question["params"], inputs)
        body = frames.pack_body({**head, "status": "ok", "data": data}, out)
    except NothingToAsk as missing:
        return frames.pack_body({**head, "status": "missing", "error": str(missing)})
    except BaseException as error:
        return frames.pack_body({**head, "status": "raised", "error": describe_error(error)})
    if len(body) > frames.MAX_FRAME_BYTES:  # refused on its way, it would end the asking
        return frames.pack_body({**head, "status": "invalid"})
    return body
