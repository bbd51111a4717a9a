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
import importlib.machinery
import inspect
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from inside import frames
from inside.asked_modules import InitialWeights, ModuleFinder, NothingToAsk, seed_torch
from inside.followed_modules import list_parameters
from inside.kept_folder import KeptFolder
from inside.watched_calls import flatten_arrays

# Bound before student code runs.
_asarray, _ndarray = np.asarray, np.ndarray
_isinstance, _type, _str, _list, _dict, _tuple = isinstance, type, str, list, dict, tuple

KINDS = "biuf"
"""Kinds of NumPy dtype that cross the wall."""
MAX_ELEMENTS = 200_000
"""Most elements of an array in the namespace whose values are sent."""
MAX_HELD, MAX_NAMES, MAX_PARTS = 512, 4096, 64
"""Most arrays and names of a namespace that are told, and parts of a list that are looked at."""
HISTORY_ENDS = 4
"""Parts of a longer list that are looked at, of its start and of its end."""
MAX_RECORDED = 3_500
"""Most arrays of a recording that are sent."""


class NotNumbers(TypeError):
    """A value that was asked for is no array of numbers; the notebook itself raised nothing."""


def to_plain_array(value):
    """Convert a tensor or array to a plain numeric NumPy array, or raise NotNumbers."""
    torch = sys.modules.get("torch")
    if torch is not None and _isinstance(value, torch.Tensor):
        value = value.detach().to("cpu")
        if value.dtype in (torch.bfloat16, torch.float16):
            value = value.float()
        value = value.resolve_conj().resolve_neg().contiguous().numpy()
    array = _asarray(value)
    if array.dtype.kind not in KINDS or array.dtype.itemsize > 8:
        names = {None: "None", ...: "`...`, what a blank gives"}
        what = names[value] if value is None or value is ... else _type(value).__name__
        raise NotNumbers(f"{what}, which is not an array of numbers")
    return array


def is_array(value):
    """Return whether a value is a tensor or a NumPy array."""
    torch = sys.modules.get("torch")
    return _isinstance(value, _ndarray) or (torch is not None and _isinstance(value, torch.Tensor))


def is_number_list(value):
    """Return whether a value is a list of floating point numbers."""
    return (
        _isinstance(value, (_list, _tuple))
        and 0 < len(value) <= MAX_ELEMENTS
        and all(_type(part) is float for part in value)
    )


class ObservedNotebook:
    """What questions are about: a notebook's namespace, recorder and notes."""

    def __init__(self, namespace, recorder, notes, forgotten=None, moments=None):
        self.namespace = namespace
        self.moments = moments
        self.forgotten = {} if forgotten is None else forgotten
        self.recorder = recorder
        self.notes = notes
        self.modules = {}
        self.folder = KeptFolder(os.getcwd())  # noqa: PTH109 (a string)

    def restore_forgotten(self):
        """Put back what `%reset` deleted and the notebook did not make anew."""
        for name, value in self.forgotten.items():
            self.namespace.setdefault(name, value)

    # ------------------------------------------------------------ arrays

    def collect_arrays(self, params, inputs):
        """Return every numeric array in the namespace by name, with all public names.

        Parts of a tuple are `name/0` and so on, those of a tuple in it `name/0/0`.
        """
        out, shapes, names = {}, {}, []
        for name, value in _list(self.namespace.items()):
            if not _isinstance(name, _str) or name.startswith("_"):
                continue
            names.append(name[:100])
            try:
                held = self.arrays_in(name, value)
            except Exception:  # whatever a student's own object does costs only itself
                continue
            for key, candidate in held:
                if len(out) >= MAX_HELD:
                    break
                try:
                    array = to_plain_array(candidate)
                except Exception:
                    continue
                shapes[key] = {"shape": _list(array.shape), "dtype": _str(array.dtype)}
                shapes[key]["grad"] = bool(getattr(candidate, "requires_grad", False))
                if array.size <= MAX_ELEMENTS:
                    out[key] = array
        return {"arrays": shapes, "names": names[:MAX_NAMES]}, out

    def arrays_in(self, key, value, depth=3):
        """Return the arrays in a value, with their keys; a list of rows of numbers is one, too."""
        if is_array(value):
            return [(key, value)]
        if hasattr(value, "to_numpy") and _type(value).__module__.partition(".")[0] == "pandas":
            numbers = value.select_dtypes("number") if hasattr(value, "columns") else value
            return [(key, numbers.to_numpy())]
        if hasattr(_type(value), "__dataclass_fields__"):
            fields = _type(value).__dataclass_fields__
            value = [getattr(value, name) for name in fields if hasattr(value, name)]
        if _isinstance(value, _dict):
            value = _list(value.values())
        if not _isinstance(value, (_list, _tuple)) or not depth:
            return [(key, _asarray(value))] if is_number_list(value) else []
        if is_number_list(value) or (
            len(value) > 0 and all(is_number_list(part) for part in value)
        ):
            return [(key, _asarray(value))]
        if len(value) > MAX_PARTS:  # a long history: its ends
            value = [*value[:HISTORY_ENDS], *value[-HISTORY_ENDS:]]
        parts = [self.arrays_in(f"{key}/{i}", part, depth - 1) for i, part in enumerate(value)]
        return [pair for part in parts for pair in part]

    # ------------------------------------------------------------ recording

    def collect_recording(self, params, inputs):
        """Return what the recorder kept; its arrays have the keys `a0`, `a1` and so on.

        params: `may_call` is false where a call of a module ended the answer before.
        """
        kept = self.recorder
        if params.get("may_call", True):
            with kept.guard():
                kept.encode_again()
        out, keys, modules = {}, {}, []
        sent = frozenset(kept.find_sent())
        for number, module in enumerate(kept.modules):
            snapshots = {}
            for label, (state, weights) in kept.weights.of(number).items():
                weight_keys = None
                if weights is not None and number in sent:
                    weight_keys = self.add_all(out, keys, [value for _, value in weights])
                snapshots[label] = {"state": state, "weights": weight_keys}
            modules.append({"class": _type(module).__name__[:100], "snapshots": snapshots})
        events = [
            {key: value for key, value in event.items() if key != "encoder"}
            | {"args": {name: self.add_all(out, keys, v) for name, v in event["args"].items()}}
            for event in sorted([*kept.head, *kept.tail], key=lambda event: event["n"])
        ]
        lost = kept.modules.lost + sum(key is None for key in keys.values())
        data = {"events": events, "count": kept.count, "modules": modules, "lost": lost}
        data["faults"] = kept.faults
        return data, out

    def add_all(self, out, keys, values):
        """Add arrays to `out`, the same one once, and return their keys; None for no numbers."""
        for value in values:
            if id(value) not in keys:
                fits = len(out) < MAX_RECORDED
                keys[id(value)] = self.add_array(out, value) if fits else None
        return [keys[id(value)] for value in values]

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
        rows = inputs[params["calls"][0][0]].shape[1:]
        module, encoder, how, start = self.get_module(torch, params["module"], rows)
        data = {"class": _type(module).__name__[:100], "how": how, "calls": []}
        parameters = list_parameters(module)[:64]
        data["parameters"] = [[n[:100], _list(p.shape)] for n, p in parameters]
        out = {}
        for index, (key, set_name) in enumerate(params["calls"]):
            start.restore()
            call = {"unmatched": self.set_weights(start, params, inputs, set_name)}
            try:
                seed_torch(torch)
                choose = partial(self.choose_output, module, encoder)
                batch = self.cast(torch, module, inputs[key])
                out[f"out{index}"] = to_plain_array(encoder.encode(torch, module, batch, choose))
            except BaseException as error:
                call["error"] = describe_error(error)
            data["calls"].append(call)
        start.restore()  # the live process may be asked, and goes on
        return data, out

    def choose_output(self, module, encoder, result):
        """Return the output that counts of a module that returns several, or the result itself.

        It is the one through which a gradient flowed back where the notebook trained, or else the
        first vector or matrix.
        """
        parts = flatten_arrays(result)
        if _isinstance(result, (_list, _tuple, _dict)) and parts:
            position = encoder.position
            if position is None:
                position = self.recorder.modules.trained_position(_type(module))
            matrices = [part for part in parts if part.ndim in {1, 2}]
            if position is not None and position < len(parts):
                return parts[position]
            return (matrices or parts)[0]
        return result

    def cast(self, torch, module, array):
        """Convert an input to the dtype and the device of the module's parameters."""
        parameters = [parameter for _, parameter in list_parameters(module)]
        tensor = torch.from_numpy(array.copy())
        return tensor.to(parameters[0].device, parameters[0].dtype) if parameters else tensor

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

    def get_module(self, torch, name, rows):
        """Return the module, how it is called, how it was found, and its initial weights.

        It is found once in a batch. `rows`: the shape of one input.
        """
        key = name, _tuple(rows)
        if key not in self.modules:
            finder = ModuleFinder(self.namespace, self.recorder)
            module, encoder, how = finder.find_module(torch, name, rows)
            self.modules[key] = module, encoder, how, InitialWeights(torch, module)
        return self.modules[key]

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
    loop = asyncio.get_event_loop()
    if not loop.is_running():  # a fork's, which only counts as running
        asyncio._set_running_loop(None)
        try:
            return loop.run_until_complete(value)
        finally:
            asyncio._set_running_loop(loop)
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
        notebook.restore_forgotten()
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
