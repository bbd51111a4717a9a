"""Answers questions about a live notebook, each batch in a fork, with plain data and no verdict.

Kinds of question:

arrays      every numeric array in the namespace, alone or in a tuple, list or dict
recording   what the recorder saw: events, modules, snapshots of weights
notes       what was neutralised, by cell
modules     names of all that was imported, in order
forward     outputs of a module of the notebook, at weights and inputs of the asker's
function    what a function of the notebook returns for arguments of the asker's
"""

import contextlib
import importlib.machinery
import inspect
import json
import os
import select
import signal
import struct
import sys
import threading
import time

import numpy as np
from inside import frames

# Bound before student code runs.
_fork, _kill, _waitpid, _exit, _pipe, _close = (
    os.fork,
    os.kill,
    os.waitpid,
    os._exit,
    os.pipe,
    os.close,
)
_read, _select, _monotonic = os.read, select.select, time.monotonic
_asarray, _ndarray = np.asarray, np.ndarray
_loads, _pack, _unpack = json.loads, struct.pack, struct.unpack
_isinstance, _type, _str, _list, _dict, _tuple = isinstance, type, str, list, dict, tuple

KINDS = "biuf"
"""Kinds of NumPy dtype that cross the wall."""
OURS = ("notes", "modules")
"""Kinds of question that run nothing of the notebook's, so that they need no fork."""
LARGEST = 200_000
"""Elements of an array of the namespace that is sent along."""


class Missing(Exception):
    """There is nothing in the notebook to ask."""


def plain(value):
    """A tensor or array as a plain numeric NumPy array, or TypeError."""
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
    """Whether a value is a tensor or a NumPy array."""
    torch = sys.modules.get("torch")
    return _isinstance(value, _ndarray) or (torch is not None and _isinstance(value, torch.Tensor))


class Notebook:
    """The namespace and the recorder, as questions see them."""

    def __init__(self, namespace, recorder, notes):
        self.namespace = namespace
        self.recorder = recorder
        self.notes = notes

    # ------------------------------------------------------------ arrays

    def arrays(self, params, given):
        """Every numeric array the namespace holds, by name; parts of a tuple as `name/0`."""
        out, shapes = {}, {}
        for name, value in _list(self.namespace.items()):
            if not _isinstance(name, _str) or name.startswith("_") or len(out) >= 128:
                continue
            for key, found in self.found(name, value):
                try:
                    array = plain(found)
                except Exception:
                    continue
                shapes[key] = {"shape": _list(array.shape), "dtype": _str(array.dtype)}
                shapes[key]["grad"] = bool(getattr(found, "requires_grad", False))
                if array.size <= LARGEST:
                    out[key] = array
        return {"arrays": shapes}, out

    def found(self, name, value):
        """The arrays in one value, at most one level down."""
        if is_array(value):
            return [(name, value)]
        if _isinstance(value, _dict):
            value = _list(value.values())
        if _isinstance(value, (_list, _tuple)) and len(value) <= 16:
            return [(f"{name}/{i}", part) for i, part in enumerate(value) if is_array(part)]
        return []

    # ------------------------------------------------------------ recording

    def recording(self, params, given):
        """What the recorder kept."""
        recorder = self.recorder
        with contextlib.suppress(Exception):
            recorder.encode_again()
        out, events, sent = {}, [], {}
        for event in [*recorder.head, *recorder.tail]:
            args = {}
            for name, values in event["args"].items():
                args[name] = [self.put(out, value) for value in values]
            events.append({**event, "args": args})
        modules = []
        for number, module in enumerate(recorder.modules[:8]):
            snapshots = {}
            for why, (state, weights) in recorder.snapshots.get(number, {}).items():
                if id(weights) not in sent:
                    sent[id(weights)] = [[name, self.put(out, value)] for name, value in weights]
                parts = sent[id(weights)]
                snapshots[why] = {"state": state, "weights": parts}
            modules.append({"class": _type(module).__name__[:100], "snapshots": snapshots})
        return {"events": events, "count": recorder.count, "modules": modules}, out

    def put(self, out, value):
        """Add an array to what is sent; its key, or None."""
        try:
            array = plain(value)
        except Exception:
            return None
        key = f"a{len(out)}"
        out[key] = array
        return key

    def tell_notes(self, params, given):
        """What was neutralised."""
        return {"notes": [[cell, notes] for cell, notes in self.notes.by_cell.items()]}, {}

    def tell_modules(self, params, given):
        """What was imported from the standard library and from installed packages, in order."""
        names = [
            name
            for name, module in _list(sys.modules.items())
            if (spec := getattr(module, "__spec__", None)) is not None
            and spec.name == name
            and (spec.origin or spec.submodule_search_locations)
        ]
        tops = {name.partition(".")[0] for name in names} - {"__main__", "inside"}
        known = {top for top in tops if top in sys.builtin_module_names or on_the_path(top)}
        return {"modules": [name for name in names if name.partition(".")[0] in known]}, {}

    # ------------------------------------------------------------ forward

    def forward(self, params, given):
        """Outputs of a module, for several calls: each may set weights first.

        params: `module`, a class name that helps to find it; `sets`, weights by name as lists of
        keys of arrays; `calls`, each `[key of the input, name of a set or null]`.
        """
        torch = sys.modules.get("torch")
        if torch is None:
            raise Missing("torch was never imported")
        torch.set_num_threads(1)
        torch.set_grad_enabled(True)
        module, how = self.find_module(torch, params["module"])
        data = {"class": _type(module).__name__[:100], "how": how, "calls": []}
        data["parameters"] = [[n[:100], _list(p.shape)] for n, p in module.named_parameters()]
        data["parameters"] = data["parameters"][:64]
        start = [(p, p.detach().clone()) for p in module.parameters()]
        out = {}
        for place, (key, chosen) in enumerate(params["calls"]):
            with torch.no_grad():
                for parameter, value in start:
                    parameter.copy_(value)
            call = {"unmatched": self.set_weights(torch, module, params, given, chosen)}
            try:
                torch.manual_seed(0)
                result = plain(module(self.cast(torch, module, given[key])))
                out[f"out{place}"] = result
            except BaseException as error:
                call["error"] = describe(error)
            data["calls"].append(call)
        return data, out

    def cast(self, torch, module, array):
        """An input in the dtype and on the device of the module's parameters."""
        parameter = next(module.parameters(), None)
        tensor = torch.from_numpy(array.copy())
        return tensor if parameter is None else tensor.to(parameter.device, parameter.dtype)

    def set_weights(self, torch, module, params, given, chosen):
        """Copy weights into the parameters of the same shapes; the shapes that found none."""
        if chosen is None:
            return []
        free, unmatched = _list(module.parameters()), []
        for key in params["sets"][chosen]:
            value = given[key]
            place = next((i for i, p in enumerate(free) if _tuple(p.shape) == value.shape), None)
            if place is None:
                unmatched.append(_list(value.shape))
                continue
            parameter = free.pop(place)
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(value.copy()))
        return unmatched

    def find_module(self, torch, name):
        """The notebook's module: a new one of its class, by name or by what was recorded."""
        base = torch.nn.Module
        found = self.namespace.get(name)
        used = _list(self.recorder.modules)
        if not (inspect.isclass(found) and issubclass(found, base)):
            found = next((type(m) for m in reversed(used) if m.__module__ == "__main__"), None)
        if found is None:
            mine = [
                value
                for value in self.namespace.values()
                if inspect.isclass(value)
                and issubclass(value, base)
                and value.__module__ == "__main__"
            ]
            found = mine[-1] if mine else None
        if found is not None:
            made = self.make(torch, found)
            if made is not None:
                return made, "new"
        lived = [m for m in used if found is None or type(m) is found]
        lived += [v for v in self.namespace.values() if _isinstance(v, base)]
        if not lived:
            raise Missing(f"no class {name} and no other torch module")
        return lived[-1].train(), "used"

    def make(self, torch, cls):
        """A new object of the class, or None where it needs arguments we don't know."""
        torch.manual_seed(0)
        try:
            return cls().train()
        except Exception:
            return None

    # ------------------------------------------------------------ function

    def function(self, params, given):
        """What a function returns: `args`, keys of arrays in order; `options`, JSON by keyword."""
        function = self.namespace.get(params["name"])
        if not callable(function):
            raise Missing(f"no function {params['name']}")
        args = [given[key] for key in params["args"]]
        torch = sys.modules.get("torch")
        if torch is not None and params.get("tensors", True):
            torch.set_num_threads(1)
            torch.set_grad_enabled(True)
            torch.manual_seed(0)
            args = [torch.from_numpy(array.copy()) for array in args]
        result = function(*args, **params.get("options", {}))
        values = result if _isinstance(result, (_list, _tuple)) else [result]
        return {}, {f"out{place}": plain(value) for place, value in enumerate(values)}


def on_the_path(top):
    """Whether a fresh interpreter would find a module of that name."""
    try:
        return importlib.machinery.PathFinder.find_spec(top) is not None
    except Exception:
        return False


def describe(error):
    """An exception as a short text, whatever its own __str__ does."""
    try:
        return f"{_type(error).__name__}: {_str(error)[:500]}"
    except BaseException:
        return "an exception that cannot be printed"


def answer(notebook, question, arrays):
    """One question to one body."""
    kinds = {
        "arrays": notebook.arrays,
        "recording": notebook.recording,
        "notes": notebook.tell_notes,
        "modules": notebook.tell_modules,
        "forward": notebook.forward,
        "function": notebook.function,
    }
    head = {"id": question["id"], "nonce": question["nonce"]}
    prefix = question["id"] + "|"
    given = {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
    try:
        data, out = kinds[question["kind"]](question["params"], given)
        return frames.pack_body({**head, "status": "ok", "data": data}, out)
    except Missing as missing:
        return frames.pack_body({**head, "status": "missing", "error": str(missing)})
    except BaseException as error:
        return frames.pack_body({**head, "status": "raised", "error": describe(error)})


def answer_in_fork(notebook, questions, arrays, fd):
    """The fork's whole life: answer, and vanish without running anything of the notebook's."""
    try:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.settrace(None)
        sink = open(os.devnull, "w")  # noqa: SIM115, PTH123 (the fork ends in _exit)
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = sink
        for question in questions:
            frames.send_bytes(fd, answer(notebook, question, arrays))
    finally:
        _exit(0)


class Patience(Exception):
    """The fork took longer than one question may take."""


def read_with_deadline(fd, count, deadline):
    """Read `count` bytes before the deadline."""
    parts = []
    while count:
        ready, _, _ = _select([fd], [], [], max(0.0, deadline - _monotonic()))
        if not ready:
            raise Patience
        part = _read(fd, min(count, 1 << 20))
        if not part:
            raise frames.Closed
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def serve_batch(notebook, header, arrays, out):
    """Answer a batch; a question that dies or overruns is marked, and a new fork goes on."""
    questions = _list(header["questions"])
    while questions and questions[0]["kind"] in OURS:
        frames.send_bytes(out, answer(notebook, questions.pop(0), arrays))
    while questions:
        reading, writing = _pipe()
        pid = _fork()
        if pid == 0:
            _close(reading)
            answer_in_fork(notebook, questions, arrays, writing)
        _close(writing)
        done, why = forward_answers(reading, len(questions), header["seconds"], out)
        _close(reading)
        with contextlib.suppress(ProcessLookupError):
            _kill(pid, signal.SIGKILL)
        _waitpid(pid, 0)
        questions = questions[done:]
        if questions and why:
            lost = questions.pop(0)
            head = {"id": lost["id"], "nonce": lost["nonce"], "status": why}
            frames.send(out, {**head, "error": ""})


def forward_answers(reading, count, seconds, out):
    """Pass frames on; how many came, and why there were not more."""
    for done in range(count):
        deadline = _monotonic() + seconds
        try:
            (length,) = _unpack("<Q", read_with_deadline(reading, 8, deadline))
            if length > frames.LARGEST:
                return done, "died"
            body = read_with_deadline(reading, length, deadline)
        except Patience:
            return done, "timed_out"
        except frames.Closed:
            return done, "died"
        frames.send_bytes(out, body)
    return count, ""


def serve(notebook, reading, writing):
    """Answer batches until the other end closes."""
    while True:
        try:
            header, arrays = frames.receive(reading)
        except Exception:
            return
        try:
            serve_batch(notebook, header, arrays, writing)
            frames.send(writing, {"end": True, "nonce": header["nonce"]})
        except Exception as error:
            frames.send(writing, {"end": True, "nonce": header["nonce"], "error": describe(error)})


def start(namespace, recorder, notes, *, reading, writing):
    """Serve in a thread that was there before the first line of student code."""
    notebook = Notebook(namespace, recorder, notes)
    thread = threading.Thread(target=serve, args=(notebook, reading, writing), daemon=True)
    thread.start()
