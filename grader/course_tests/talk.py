"""Talk with a notebook on behalf of one test: requests go out, values and exceptions come back."""

import pytest
from course_tests import changes, remote_objects
from course_tests.class_stubs import ClassStubs
from course_tests.trusted_values import encode_own
from inside import frames
from inside.plain_values import Malformed, ValueDecoder, ValueEncoder

MAX_REQUESTS = 10_000
"""Requests of one test to one notebook."""
READING = frozenset(["name", "files", "read_file", "figures", "printed"])
"""Operations that run none of the notebook's code, and so leave its fork as it was."""
MAX_CALLBACKS = 50
"""Deepest nesting of callbacks."""
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
    """

    def __init__(self, party, exchange):
        self.party = party
        self.exchange = exchange
        self.count = 0
        self.callbacks = []
        self.depth = 0
        self.word_steps = []
        """What was taken on the notebook's word, in the test's own terms, in order."""
        self.operator_steps = 0
        self.raised = []
        """Exceptions that came from the notebook."""
        self.missing = []
        """Names that it did not have."""
        self.remotes = {}
        self.fetching = False
        self.has_touched = False
        """Whether the fork may not be what it was when the test began."""
        self.stubs = ClassStubs()

    # ------------------------------------------------------------ requests

    def ask(self, operation, *args, label="", options=None):
        """Do one operation over there and return its value, or raise what it raised."""
        self.has_touched |= operation not in READING
        encoder = ValueEncoder(self.refer)
        header = {
            "op": operation,
            "args": [encoder.encode(value) for value in args],
            "options": {name: encoder.encode(value) for name, value in (options or {}).items()},
        }
        reply, arrays = self.send(header, encoder.arrays)
        while "callback" in reply:
            reply, arrays = self.send(*self.answer_callback(reply, arrays))
        return self.read_reply(reply, arrays, (*args[1:], *(options or {}).values()), label)

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
            raise NotebookGone("too_much")
        body = self.exchange(self.party, frames.pack_body({**header, "n": self.count}, arrays))
        try:
            reply, reply_arrays = frames.unpack_body(body)
        except Exception as error:
            raise NotebookGone("invalid") from error
        if not isinstance(reply, dict):
            raise NotebookGone("invalid")
        return reply, reply_arrays

    def read_reply(self, reply, arrays, sent, label):
        """Return the value of a reply, after what the call changed was changed here."""
        decoder = ValueDecoder(arrays, lambda tree: self.resolve(tree, label))
        try:
            if "stop" in reply:
                raised, value = True, StopIteration(decoder.decode(reply["stop"]))
            else:
                raised = "raised" in reply
                value = decoder.decode(reply["raised" if raised else "value"])
                for number, tree in reply.get("changed", ()):
                    changes.change_in_place(sent[number], decoder.decode(tree))
        except (Malformed, LookupError, TypeError, RecursionError) as error:
            raise NotebookGone("invalid") from error
        if not raised:
            return value
        if not isinstance(value, BaseException):
            raise NotebookGone("invalid")
        self.raised.append(value)
        raise value

    def answer_callback(self, reply, arrays):
        """Call a function of the test for the notebook; return its result as a message."""
        encoder = ValueEncoder(self.refer)
        self.depth += 1
        try:
            if self.depth > MAX_CALLBACKS:
                raise RecursionError("callbacks nested deeper than allowed")
            decoder = ValueDecoder(arrays, lambda tree: self.resolve(tree, "an argument"))
            function = self.callbacks[reply["callback"]]
            args = [decoder.decode(tree) for tree in reply.get("args", ())]
            options = {k: decoder.decode(tree) for k, tree in reply.get("options", {}).items()}
        except (Malformed, LookupError, TypeError, AttributeError) as error:
            raise NotebookGone("invalid") from error
        try:
            value = function(*args, **options)
            return {"op": "result", "value": encoder.encode(value)}, encoder.arrays
        except Exception as error:
            encoder = ValueEncoder(self.refer)
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
            self.remotes[number] = remote_objects.make_remote(self, tree, label)
        return self.remotes[number]

    def take_word(self, step):
        """Note a step that rests on the notebook's word."""
        if step not in self.word_steps:
            self.word_steps.append(step)
