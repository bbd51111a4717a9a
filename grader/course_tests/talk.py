"""Talk with a notebook on behalf of one test: requests go out, values and exceptions come back."""

import re

import pytest
from course_tests import changes, remote_objects
from course_tests.class_stubs import ClassStubs
from course_tests.own_paths import OwnFiles, OwnValueEncoder
from course_tests.trusted_values import encode_own
from inside import frames
from inside.plain_values import Malformed, ValueDecoder

MAX_REQUESTS = 10_000
"""Requests of one test to one notebook."""
READING = frozenset(["name", "files", "read_file", "figures", "printed"])
"""Operations that run none of the notebook's code, and so leave its fork as it was."""
MAX_CALLBACKS = 50
"""Deepest nesting of callbacks."""
MAX_LABEL = 200
"""Characters of the words by which an object is told."""
MAX_STEPS = 200
"""Steps on the notebook's word that are kept."""
METHOD_CALL = re.compile(r"\.[^\W\d]\w*\(\.\.\.\)$")
NOTEBOOK, REFERENCE = "notebook", "reference"


class NotebookGone(pytest.fail.Exception):
    """The notebook does not answer this test any more; `except Exception` must not catch it.

    status: 'timed_out', 'died', 'invalid', or 'too_much' for a test that asks without an end.
    """

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Talk:
    """One test's talk with the notebook, or with the reference.

    exchange: sends a body and returns the next one, or raises NotebookGone.
    folder: the tests' folder, whose name is not told.
    may_change: the calls that may change what they are given; None for all of them.
    """

    def __init__(self, party, exchange, folder, may_change=None):
        self.party = party
        self.files = OwnFiles(folder)
        self.exchange = exchange
        self.may_change = may_change
        self.count = 0
        self.callbacks = []
        self.depth = 0
        self.word_steps = []
        """What was taken on the notebook's word, in the test's own terms, in order."""
        self.own_steps = []
        """What an object did that no plain value would have asked it to do; see `take_step`."""
        self.changes = []
        """The calls that changed what they were given."""
        self.raised = []
        """Exceptions that came from the notebook."""
        self.missing = []
        """Names that it did not have."""
        self.remotes = {}
        self.is_gone = self.fetching = False
        self.has_touched = False
        """Whether the fork may not be what it was when the test began."""
        self.stubs = ClassStubs(self.ask)

    # ------------------------------------------------------------ requests

    def ask(self, operation, *args, label="", options=None):
        """Do one operation over there and return its value, or raise what it raised."""
        self.has_touched |= operation not in READING
        encoder = OwnValueEncoder(self.refer, self.files)
        header = {
            "op": operation,
            "args": [encoder.encode(value) for value in args],
            "options": {name: encoder.encode(value) for name, value in (options or {}).items()},
        }
        label = shorten(label)
        reply, arrays = self.send(header, encoder.arrays)
        number = self.count
        while "callback" in reply:
            reply, arrays = self.send(*self.answer_callback(reply, arrays))
        if reply.get("n") != number:
            raise self.give_up("invalid")  # the answer to another question
        sent = (*args[1:], *(options or {}).values()) if operation == "call" else ()
        try:
            value = self.read_reply(reply, arrays, sent, label)
        except StopIteration:  # it would end a `map` of the test's before its end
            if args[:1] != ("next",):
                self.take_word(f"{label} raised StopIteration")
            raise
        is_told = sent and METHOD_CALL.search(label)
        if is_told or (operation in ("call", "get") and is_verdict(value)):
            self.take_step(label)
        return value

    def fetch(self, name):
        """Return the value of one of the notebook's names; its classes and functions stay there."""
        self.fetching = True
        try:
            return self.ask("name", name, label=name)
        except NameError:
            self.missing.append(name)
            raise NameError(f"no name {name} was left when the run ended") from None
        finally:
            self.fetching = False

    def send(self, header, arrays):
        """Send a request or a callback's result, and return the parsed reply."""
        self.count += 1
        if self.count > MAX_REQUESTS:
            self.has_touched = True
            raise self.give_up("too_much")
        request = frames.pack_body({**header, "n": self.count}, arrays)
        self.files.refuse_told(request)
        try:
            reply, reply_arrays = frames.unpack_body(self.exchange(self.party, request))
        except NotebookGone:
            self.is_gone = True
            raise
        except Exception as error:
            raise self.give_up("invalid") from error
        if not isinstance(reply, dict):
            raise self.give_up("invalid")
        return reply, reply_arrays

    def give_up(self, status):
        """Return what is raised once nothing more can be asked."""
        self.is_gone = True
        return NotebookGone(status)

    def read_reply(self, reply, arrays, sent, label):
        """Return the value of a reply, after what the call changed was changed here."""
        decoder = ValueDecoder(arrays, lambda tree: self.resolve(tree, label))
        try:
            if "stop" in reply:
                raised, value = True, StopIteration(decoder.decode(reply["stop"]))
            else:
                raised = "raised" in reply
                value = decoder.decode(reply["raised" if raised else "value"])
                self.bring_changes(reply.get("changed", ()), sent, decoder, label)
        except Exception as error:  # whatever it sent, it is no value
            raise self.give_up("invalid") from error
        if not raised:
            return value
        if not isinstance(value, BaseException):
            raise self.give_up("invalid")
        self.raised.append(value)
        raise value

    def bring_changes(self, changed, sent, decoder, label):
        """Change a test's own objects as a call did, where it may.

        A test that passes where the reference leaves what it is given as it is, is run again with
        the student's changes kept to the student: else a call could empty the inputs that the
        expected value is computed from.
        """
        for number, tree in changed:
            value = decoder.decode(tree)
            own = sent[range(len(sent))[number]]
            step = f"{without_keys(label)}, argument {number}"
            if self.may_change is None or step in self.may_change:
                changes.change_in_place(own, value)
            if step not in self.changes and len(self.changes) < MAX_STEPS:
                self.changes.append(step)

    def answer_callback(self, reply, arrays):
        """Call a function of the test for the notebook; return its result as a message."""
        encoder = OwnValueEncoder(self.refer, self.files)
        self.depth += 1
        if self.depth > MAX_CALLBACKS:
            raise self.give_up("too_much")
        try:
            decoder = ValueDecoder(arrays, lambda tree: self.resolve(tree, "an argument"))
            function = self.callbacks[range(len(self.callbacks))[reply["callback"]]]
            args = [decoder.decode(tree) for tree in reply.get("args", ())]
            options = {k: decoder.decode(tree) for k, tree in reply.get("options", {}).items()}
        except Exception as error:
            raise self.give_up("invalid") from error
        try:
            value = function(*args, **options)
            return {"op": "result", "value": encoder.encode(value)}, encoder.arrays
        except Exception as error:
            encoder = OwnValueEncoder(self.refer, self.files)
            return {"op": "result", "raised": encoder.encode(error)}, encoder.arrays
        finally:
            self.depth -= 1

    # ------------------------------------------------------------ objects

    def refer(self, value):
        """Return the tree of what has no plain value here, for the notebook."""
        if isinstance(value, remote_objects.Remote):
            if remote_objects.talk_of(value) is not self:
                raise TypeError("an object of the notebook can't be given to another notebook")
            return {"": "object", "id": remote_objects.number_of(value)}
        number = self.stubs.number_of(value)
        if number is not None:
            return {"": "object", "id": number}
        return encode_own(value, self.number_callback)

    def number_callback(self, function):
        """Return the number of a function of the test."""
        self.callbacks.append(function)
        return len(self.callbacks) - 1

    def resolve(self, tree, label):
        """Return what a reference of the notebook's stands for here."""
        if tree[""] == "error":
            return self.stubs.make_error(
                tree, ValueDecoder({}, lambda part: self.resolve(part, label))
            )
        if tree[""] != "object":
            raise Malformed("unknown tag")
        if "class" in tree:
            known = self.stubs.find_class(tree)
            if known is not None and ("bases" in tree or not self.fetching):
                return known
        number = int(tree["id"])
        if number not in self.remotes:
            plain = remote_objects.read_base(tree, lambda part: self.resolve(part, label))
            self.remotes[number] = remote_objects.make_remote(self, tree, label, plain)
        return self.remotes[number]

    def take_word(self, step):
        """Note a step that rests on the notebook's word."""
        step = without_keys(shorten(step))
        if step not in self.word_steps and len(self.word_steps) < MAX_STEPS:
            self.word_steps.append(step)

    def take_step(self, step):
        """Note what an object did that is told, or decides, what is expected.

        It is an operator, a method that was given something, or one that gave a truth value. A
        plain value in its place would have done it here.
        """
        step = without_keys(shorten(step))
        if step not in self.own_steps and len(self.own_steps) < MAX_STEPS:
            self.own_steps.append(step)


def shorten(label):
    """Return a label in bounds: that of a chain of attributes grows with it."""
    return label if len(label) <= MAX_LABEL else f"…{label[-MAX_LABEL + 1 :]}"


def without_keys(label):
    """Return a label without what stands in brackets, which may be an input."""
    return re.sub(r"\[[^\[\]]*\]", "[...]", label)


def is_verdict(value):
    """Return whether a value is a truth, or an array of them."""
    if isinstance(value, remote_objects.Remote):
        return False
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) in ("bool", "torch.bool")
