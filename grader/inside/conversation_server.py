"""Let a test of the course use the notebook's objects: one operation a frame, answered by values.

The test runs elsewhere, in `course_tests`. It names an operation and the objects; plain values
cross by `plain_values`, every other object stays here and is known by a number. What a call did to
its arguments in place is told with its value. A function of the test is a callback: calling it here
asks the test, which may ask in turn before it answers.
"""

import base64
import builtins
import contextlib
import importlib
import io
import operator
import os
import pathlib
import pickle
import shutil
import sys
import tempfile

from inside import frames, plain_bases
from inside.kept_figures import describe_figures
from inside.plain_values import (
    ERROR_PACKAGES,
    KNOWN_PACKAGES,
    MAX_BASES,
    ValueDecoder,
    ValueEncoder,
)
from inside.questions import wait_for_result
from inside.typed_lines import type_lines

MUTABLE = ("list", "dict", "set", "bytearray", "ndarray", "DataFrame", "Series", "Tensor", "deque")
"""Names of types whose values a call may change in place."""
MAX_TEXT = 2000
"""Characters of the text of an exception."""
MAX_ATTRIBUTES = 100
"""Attributes of an exception that are told with it."""
MAX_CAUSES = 5
MAX_OBJECTS = 1_000_000
MAX_PRINTED = 1 << 20
"""Bytes of what is printed that are told."""
MAX_FILES = 2000
"""Files of the working folder that are listed."""

OWN_BUILTINS = frozenset({"open", "input", "display", "get_ipython"})
"""Builtins that a test may take as names of the notebook: they touch its files and its input."""

_BaseException = BaseException


class UnknownObject(LookupError):
    """A number that no object has."""


class ConversationServer:
    """Serves one test from a fork of the notebook.

    receive: returns the next body; send: sends one. `busy` is called with whether the notebook
    works now, or waits for the test.
    """

    def __init__(self, namespace, receive, send, *, output, busy=lambda working: None):
        self.namespace = namespace
        self.receive = receive
        self.send = send
        self.output = output
        self.busy = busy
        self.objects = []
        self.numbers = {}
        self.given_folders = {}

    # ------------------------------------------------------------ messages

    def serve(self):
        """Answer until a callback's result comes, which is returned undecoded, or the test ends."""
        while True:
            self.busy(False)
            header, arrays = frames.unpack_body(self.receive())
            self.busy(True)
            if header["op"] == "end":
                for folder in self.given_folders.values():
                    shutil.rmtree(folder, ignore_errors=True)
                os._exit(0)
            if header["op"] == "result":
                return header, arrays
            self.answer(header, arrays)

    def answer(self, header, arrays):
        """Do one operation and send what came of it."""
        encoder = ValueEncoder(self.refer)
        try:
            reply = self.perform(header, ValueDecoder(arrays, self.resolve), encoder)
        except StopIteration as stop:
            reply = {"stop": encoder.encode(stop.value)}
        except _BaseException as error:
            encoder = ValueEncoder(self.refer)
            reply = {"raised": self.error_tree(error, encoder, MAX_CAUSES)}
        body = frames.pack_body({**reply, "n": header["n"]}, encoder.arrays)
        if len(body) > frames.MAX_FRAME_BYTES:
            body = frames.pack_body({"too_large": True, "n": header["n"]})
        self.send(body)

    def perform(self, header, decoder, encoder):
        """Return the reply to one operation."""
        method = getattr(self, "do_" + header["op"])
        arguments = [decoder.value(tree) for tree in header.get("args", ())]
        options = {name: decoder.value(tree) for name, tree in header.get("options", {}).items()}
        if header["op"] != "call":
            return {"value": encoder.encode(method(*arguments, **options))}
        before = [self.snapshot(value) for value in (*arguments[1:], *options.values())]
        value = encoder.encode(method(*arguments, **options))
        changed = [
            [number, encoder.encode(now)]
            for number, (now, then) in enumerate(
                zip((*arguments[1:], *options.values()), before, strict=True)
            )
            if then is not None and self.snapshot(now) != then
        ]
        return {"value": value, "changed": changed}

    def snapshot(self, value):
        """Return what tells whether a mutable argument was changed; None of any other value."""
        if type(value).__name__ not in MUTABLE:
            return None
        encoder = ValueEncoder(self.refer)
        tree = encoder.encode(value)
        return tree, {key: array.tobytes() for key, array in encoder.arrays.items()}

    # ------------------------------------------------------------ objects

    def refer(self, value):
        """Return the tree of a reference to an object, which is kept as long as the test runs."""
        kind = type(value)
        if isinstance(value, _BaseException):
            return self.error_tree(value, ValueEncoder(self.refer))
        tree = {"": "object", "id": self.number(value), "t": kind.__name__[:100]}
        if isinstance(value, type):
            tree["class"] = value.__name__[:100]
            tree |= known_name(value)
            if issubclass(value, _BaseException):
                tree |= self.lineage(value)
        elif callable(value):
            tree["name"] = str(getattr(value, "__name__", ""))[:100]
        described = plain_bases.describe_base(value)
        if "plain" in described:
            described["plain"] = ValueEncoder(self.refer).encode(described["plain"])
        return tree | described

    def lineage(self, kind):
        """Return what a class of exceptions is derived from: each class once, in its order.

        `b` tells, for it and for each of them, which of them are its bases, by their numbers.
        """
        bases = [base for base in kind.__mro__[1:] if issubclass(base, _BaseException)][:MAX_BASES]
        positions = {id(base): index for index, base in enumerate(bases)}

        def direct(derived):
            return [positions[id(base)] for base in derived.__bases__ if id(base) in positions]

        trees = [
            (known_name(base) or {"id": self.number(base), "class": base.__name__[:100]})
            | {"b": direct(base)}
            for base in bases
        ]
        return {"bases": trees, "b": direct(kind)}

    def number(self, value):
        """Return the number of an object."""
        if id(value) not in self.numbers:
            if len(self.objects) >= MAX_OBJECTS:
                raise MemoryError("too many objects in one test")
            self.numbers[id(value)] = len(self.objects)
            self.objects.append(value)
        return self.numbers[id(value)]

    def resolve(self, tree):
        """Return what a tree of the test's side stands for."""
        if tree[""] == "object":
            return self.objects[tree["id"]]
        if tree[""] == "file":
            return self.place_file(tree)
        if tree[""] in GIVEN:
            return GIVEN[tree[""]](Callback(self, tree["id"], tree["name"]))
        if tree[""] == "pickle":
            return pickle.loads(bytes.fromhex(tree["v"]))  # noqa: S301 (it comes from our side)
        if tree[""] == "known":
            target = sys.modules.get(tree["m"]) or __import__(tree["m"], fromlist=["_"])
            for part in tree["q"].split("."):
                target = getattr(target, part)
            return target
        raise UnknownObject(tree[""])

    def place_file(self, tree):
        """Return the path of the copy of a file of the test's, in a folder of its own."""
        if tree["id"] not in self.given_folders:
            self.given_folders[tree["id"]] = tempfile.mkdtemp()
        path = pathlib.Path(self.given_folders[tree["id"]], tree["name"])
        if "v" in tree:
            path.write_bytes(base64.b85decode(tree["v"]))
        return str(path) if tree["as"] == "str" else path

    def error_tree(self, error, encoder, causes=0):
        """Return the tree of an exception: its class, its arguments, and where it was raised.

        causes: how many more are told of those that it was raised from, each from the next; with
        any the attributes of one that is of no class of the notebook's.
        """
        try:
            text = str(error)[:MAX_TEXT]
        except _BaseException:
            text = ""
        args = error.args if type(error.args) is tuple else ()
        tree = {
            "": "error",
            "id": self.number(error),
            "text": text,
            "class": self.refer(type(error)),
        }
        tree["args"] = [encoder.encode(part) for part in args]
        if causes and known_name(type(error)):  # those of its own classes are asked for
            own = list(getattr(error, "__dict__", {}).items())[:MAX_ATTRIBUTES]
            tree["own"] = [[str(name), encoder.encode(part)] for name, part in own]
        if causes and error.__cause__ is not None:
            tree["cause"] = self.error_tree(error.__cause__, encoder, causes - 1)
        return tree | raised_at(error, self.namespace)

    # ------------------------------------------------------------ operations

    def do_name(self, name):
        """Return the value of a name; raise NameError where the notebook left none."""
        if name in self.namespace:
            return self.namespace[name]
        if name in OWN_BUILTINS and hasattr(builtins, name):
            return getattr(builtins, name)
        raise MissingName(name)

    def do_assign(self, name, value):
        """Set a name of the notebook."""
        self.namespace[name] = value

    def do_remove(self, name):
        """Delete a name of the notebook."""
        if name not in self.namespace:
            raise NameError(f"name '{name}' is not defined")
        del self.namespace[name]

    def do_module(self, wanted, whole):
        """Import a module, and return it or the package that it is in."""
        importlib.import_module(whole)
        return importlib.import_module(wanted)

    def do_call(self, function, *args, **options):
        """Call an object; a coroutine's result is waited for."""
        return wait_for_result(function(*args, **options))

    def do_plain(self, value):
        """Return the plain value in an object whose class is derived from a plain type."""
        return plain_bases.read_plain(value)

    def do_get(self, value, name):
        """Return an attribute."""
        return getattr(value, name)

    def do_set(self, value, name, part):
        """Set an attribute."""
        setattr(value, name, part)

    def do_delete(self, value, name):
        """Delete an attribute."""
        delattr(value, name)

    def do_operator(self, name, *operands):
        """Apply a function of the module `operator`, or a builtin of one argument."""
        return OPERATORS[name](*operands)

    def do_printed(self):
        """Return what the notebook printed in this conversation."""
        return self.output.text()

    def do_stdin(self, lines):
        """Let `input()` and standard input read these lines."""
        source = io.StringIO("".join(f"{line}\n" for line in lines))
        sys.stdin = source
        type_lines(source)

    def do_files(self):
        """Return the names of the files in the working folder, with their sizes."""
        names = {}
        for folder, _, files in os.walk("."):
            for name in files:
                path = os.path.relpath(os.path.join(folder, name))  # noqa: PTH118 (a plain text)
                if len(names) < MAX_FILES and os.path.isfile(path):  # noqa: PTH113
                    names[path] = os.path.getsize(path)  # noqa: PTH202
        return names

    def do_read_file(self, name):
        """Return the bytes of a file in the working folder."""
        with open(name, "rb") as file:  # noqa: PTH123 (a plain text)
            return file.read()

    def do_figures(self):
        """Return the notebook's figures as plain data, in the order in which they were made."""
        return describe_figures()


class MissingName(NameError):
    """A name that the notebook does not have."""


class Callback:
    """A function of the test, as the notebook calls it."""

    def __init__(self, conversation, number, name):
        self.conversation = conversation
        self.number = number
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args, **options):
        conversation = self.conversation
        encoder = ValueEncoder(conversation.refer)
        request = {
            "callback": self.number,
            "args": [encoder.encode(value) for value in args],
            "options": {name: encoder.encode(value) for name, value in options.items()},
        }
        conversation.send(frames.pack_body(request, encoder.arrays))
        header, arrays = conversation.serve()
        decoder = ValueDecoder(arrays, conversation.resolve)
        if "raised" in header:
            raise decoder.value(header["raised"])
        return decoder.value(header["value"])


def walk(step):
    """Yield what a function of the test gives one by one, until it gives nothing."""
    while part := step():
        yield part[0]


class GivenIterable:
    """An object of the test that the notebook walks through, as often as it likes."""

    def __init__(self, begin):
        self.begin = begin

    def __iter__(self):
        return iter(self.begin())


GIVEN = {"callback": lambda function: function, "iterator": walk, "iterable": GivenIterable}
"""What is made of a function of the test, by tag."""
OPERATORS = {
    name: getattr(operator, name)
    for name in (
        *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "lshift", "rshift"),
        *("and_", "or_", "xor", "neg", "pos", "invert", "abs", "eq", "ne", "lt", "le", "gt", "ge"),
        *("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul"),
        *("iand", "ior", "ixor", "contains", "getitem", "setitem", "delitem", "index", "truth"),
    )
} | {
    "str": str,
    "repr": repr,
    "format": format,
    "len": len,
    "iter": iter,
    "next": next,
    "reversed": reversed,
    "int": int,
    "float": float,
    "complex": complex,
    "round": round,
    "bytes": bytes,
    "divmod": divmod,
    "hash": hash,
    "dir": dir,
    "isinstance": isinstance,
    "issubclass": issubclass,
    "enter": lambda value: type(value).__enter__(value),
    "exit": lambda value, *error: type(value).__exit__(value, *error),
    "shape": lambda value: tuple(value.shape),
}
"""Operations on objects, by name."""


def known_name(kind):
    """Return the qualified name of a class that is the same on both sides; {} of any other."""
    module, name = getattr(kind, "__module__", ""), getattr(kind, "__qualname__", "")
    known = ERROR_PACKAGES if issubclass(kind, _BaseException) else KNOWN_PACKAGES
    if type(module) is not str or module.partition(".")[0] not in known:
        return {}
    target = sys.modules.get(module)
    for part in name.split("."):
        target = getattr(target, part, None)
    return {"m": module, "q": name} if target is kind else {}


def raised_at(error, namespace):
    """Return the innermost function and line of the notebook's own code in an exception's trace."""
    where, trace = {}, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            where = {"function": trace.tb_frame.f_code.co_name[:100], "line": trace.tb_lineno}
        trace = trace.tb_next
    return where


class CapturedOutput:
    """What a conversation prints, in a file that has no name any more."""

    def __init__(self):
        self.descriptor = None

    def capture(self):
        """Send descriptors 1 and 2, and `print`, to the file."""
        try:
            with tempfile.TemporaryFile(buffering=0) as file:
                self.descriptor = os.dup(file.fileno())
        except OSError:  # a full disk: then nothing of what is printed is known
            self.descriptor = None
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere if self.descriptor is None else self.descriptor, 1)
        os.dup2(nowhere, 2)
        # Unbuffered: what child processes and C libraries write stands between what Python wrote.
        options = {"encoding": "utf-8", "errors": "replace", "write_through": True}
        streams = [io.FileIO(descriptor, "w", closefd=False) for descriptor in (1, 2)]
        before = sys.stdout
        sys.stdout = sys.__stdout__ = io.TextIOWrapper(streams[0], **options)
        with contextlib.suppress(Exception):  # it is whatever the notebook made of it
            # A logger, or a name that a cell gave the stream, still writes to the one of before.
            before.write = sys.stdout.write
        sys.stderr = sys.__stderr__ = io.TextIOWrapper(streams[1], **options)

    def text(self):
        """Return the text so far."""
        sys.stdout.flush()
        if self.descriptor is None:
            return ""
        size = os.fstat(self.descriptor).st_size
        return os.pread(self.descriptor, min(size, MAX_PRINTED), 0).decode("utf-8", "replace")
