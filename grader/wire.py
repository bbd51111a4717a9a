"""The door in the wall: untrusted bytes to records, under a byte cap and a deadline, or WireError.

A frame is 8 bytes of length, then a body: 4 bytes of header length, a JSON header, and arrays as
safetensors (https://huggingface.co/docs/safetensors). Nothing is ever unpickled, and nothing that
came through is believed: it is parsed, cleaned and bounded here, and judged elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import select
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from safetensors.numpy import load, save

from grader.errors import WireError
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array

FRAME_BYTES = 192 * 1024 * 1024
"""Largest frame that is read."""
BATCH_BYTES = 2 * FRAME_BYTES
"""Most that the arrays of all answers to one batch may take."""
HEADER_BYTES = 8 * 1024 * 1024
"""Largest JSON header that is parsed."""
TENSOR_HEADER_BYTES = 512 * 1024
"""Largest safetensors header that is parsed: its cost grows with the number of arrays."""
GLANCE = 0.25
"""Seconds after which a wait looks whether it should go on."""
TEXT = 4000
"""Characters kept of one text."""
KINDS = frozenset("biuf")
"""Kinds of NumPy dtype that may cross."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CELL_FILE = re.compile(r"\b\d{5,}\.py, (?=line \d)")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_WORD = re.compile(r"[^\s:'\"()<>,]+")
_LIBRARIES = ("/site-packages/", "/dist-packages/")
CELL_LINE = re.compile(r"(?:Cell )?In ?\[\d+\], line (\d+)")
"""Where IPython's tracebacks name a line of a cell."""
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+~@-]+/)+([\w.+~@-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A parsed frame: still nothing but a claim."""

    header: Mapping[str, Json]
    arrays: Mapping[str, Array]


def clean(text: object, *, most: int = TEXT) -> str:
    """A text without control sequences, bounded in length; newlines and tabs stay."""
    whole = text if isinstance(text, str) else str(text)
    whole = whole[: 4 * most].encode("utf-8", "replace").decode("utf-8", "replace")
    return _CONTROL.sub("", _ANSI.sub("", whole))[:most]


def scrub(text: object, *, most: int = TEXT) -> str:
    """A cleaned text without addresses and without paths of this machine."""
    cleaned = _CELL_FILE.sub("", _ADDRESS.sub("0x…", clean(text, most=most)))
    return _PATH.sub(r"\1", _WORD.sub(_without_library, cleaned))


def _without_library(word: re.Match[str]) -> str:
    """A word without the way to an installed package; a pattern's time would be squared."""
    whole = word.group()
    end = max(whole.rfind(name) for name in _LIBRARIES)
    return whole if end < 0 else whole[: whole.find("/")] + whole[end + len(_LIBRARIES[0]) :]


def _no_constant(word: str) -> NoReturn:
    raise WireError(f"{word} in a header")


def parse(body: bytes) -> Frame:
    """Open a body.

    Raises:
        WireError: whatever is wrong with it.
    """
    try:
        (length,) = struct.unpack("<I", body[:4])
        if length > min(HEADER_BYTES, len(body) - 4):
            raise WireError("header longer than allowed")
        header = json.loads(body[4 : 4 + length], parse_constant=_no_constant)
        if not isinstance(header, dict):
            raise WireError("header is not an object")
        return Frame(header=header, arrays=_tensors(body[4 + length :]))
    except WireError:
        raise
    except (Exception, RecursionError) as error:
        raise WireError(f"unreadable frame: {type(error).__name__}") from error


def _tensors(data: bytes) -> Mapping[str, Array]:
    if not data:
        return {}
    (length,) = struct.unpack("<Q", data[:8])
    if length > TENSOR_HEADER_BYTES:
        raise WireError("array header longer than allowed")
    arrays = load(data)
    if any(array.dtype.kind not in KINDS for array in arrays.values()):
        raise WireError("an array is not numeric")
    return arrays


def compose(header: Mapping[str, Json], arrays: Mapping[str, Array] | None = None) -> bytes:
    """Close a frame, ready to be written."""
    return _framed(header, _closed(arrays or {}))


def _closed(arrays: Mapping[str, Array]) -> bytes:
    plain = {key: np.asarray(value, order="C") for key, value in arrays.items()}
    return save(plain) if plain else b""


def _framed(header: Mapping[str, Json], arrays: bytes) -> bytes:
    text = json.dumps(header, allow_nan=False).encode()
    length = struct.pack("<Q", 4 + len(text) + len(arrays))
    return b"".join((length, struct.pack("<I", len(text)), text, arrays))


class Channel:
    """Two pipes to the other side; every read and write has a deadline.

    Args:
        reading: descriptor frames arrive on; set to non-blocking.
        writing: descriptor frames leave by; set to non-blocking.
        stop: set by whoever wants all waiting to end.
    """

    def __init__(self, *, reading: int, writing: int, stop: Event | None = None) -> None:
        self._stop = stop or Event()
        self._reading = reading
        self._writing = writing
        for descriptor in (reading, writing):
            os.set_blocking(descriptor, False)

    def send(self, frame: bytes, *, seconds: float) -> None:
        """Write a composed frame.

        Raises:
            WireError: the other side is gone or does not read in time.
        """
        deadline = time.monotonic() + seconds
        view = memoryview(frame)
        while view:
            poll = select.poll()
            poll.register(self._writing, select.POLLOUT)
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise WireError("the notebook's process does not read")
            try:
                view = view[os.write(self._writing, view[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise WireError("the notebook's process is gone") from error

    def receive(self, *, seconds: float) -> Frame:
        """Read one frame.

        Raises:
            WireError: it is too large, too late, malformed, or the other side is gone.
        """
        deadline = time.monotonic() + seconds
        (length,) = struct.unpack("<Q", self._exactly(8, deadline))
        if length > FRAME_BYTES:
            raise WireError("frame larger than allowed")
        return parse(self._exactly(length, deadline))

    def _exactly(self, count: int, deadline: float) -> bytes:
        data = bytearray()
        poll = select.poll()
        poll.register(self._reading, select.POLLIN)
        while len(data) < count:
            left = deadline - time.monotonic()
            if left <= 0 or self._stop.is_set():
                raise WireError("no answer in time")
            if not poll.poll(min(left, GLANCE) * 1000):
                continue
            try:
                part = os.read(self._reading, min(count - len(data), 1 << 20))
            except BlockingIOError:
                continue
            except OSError as error:
                raise WireError("the notebook's process is gone") from error
            if not part:
                raise WireError("the notebook's process is gone")
            data += part
        return bytes(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Questions whose arrays are ready to be written, for asking many notebooks the same."""

    questions: tuple[Question, ...]
    keys: tuple[Mapping[str, str], ...]
    """For each question, the key of each of its arrays."""
    arrays: bytes


def pack(questions: tuple[Question, ...]) -> Packed:
    """Questions with their arrays; one that several questions hold is written once."""
    sent: dict[int, str] = {}
    arrays: dict[str, Array] = {}
    keys = []
    for question in questions:
        mine = {}
        for name, value in question.arrays.items():
            mine[name] = sent.setdefault(id(value), f"a{len(sent)}")
            arrays[mine[name]] = value
        keys.append(mine)
    return Packed(questions=questions, keys=tuple(keys), arrays=_closed(arrays))


def batch(packed: Packed, *, nonces: Mapping[str, str], seconds: float) -> bytes:
    """A batch of questions as one frame; `seconds` is the time each may take."""
    asked = [
        {
            "id": question.id,
            "nonce": nonces[question.id],
            "kind": question.kind,
            "params": dict(question.params),
            "arrays": dict(keys),
        }
        for question, keys in zip(packed.questions, packed.keys, strict=True)
    ]
    return _framed({"nonce": nonces[""], "questions": asked, "seconds": seconds}, packed.arrays)


STATUSES = frozenset({"ok", "raised", "missing", "timed_out", "died"})


def observation(frame: Frame, *, nonces: Mapping[str, str]) -> Observation:
    """A frame as an observation of a question that was really asked.

    Raises:
        WireError: it answers nothing that was asked.
    """
    header = frame.header
    name, status = header.get("id"), header.get("status")
    if not isinstance(name, str) or not name or header.get("nonce") != nonces.get(name):
        raise WireError("an answer to nothing that was asked")
    data = header.get("data", {})
    if status not in STATUSES or not isinstance(data, dict):
        raise WireError("an answer without a status")
    return Observation(
        id=name,
        status=status,
        data=data,
        arrays=frame.arrays,
        error=scrub(header.get("error", ""), most=600),
    )
