"""Turn untrusted bytes from a notebook's process into records, under byte caps and deadlines.

A frame is 8 bytes of length, then a body: 4 bytes of header length, a JSON header, and arrays as
safetensors (https://huggingface.co/docs/safetensors). Nothing is ever unpickled, and nothing that
comes through is believed: it is parsed, cleaned and bounded here, and judged elsewhere.

A frame with wrong contents raises `FrameRefused`, and the next one can be received. When the
stream itself can't be followed any more, `ChannelBroken` or one of its subclasses is raised.
"""

from __future__ import annotations

import json
import os
import re
import select
import struct
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from safetensors.numpy import load, save

from grader.errors import ChannelBroken, ChannelClosed, ChannelTimeout, FrameRefused
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array

FRAME_BYTES = 192 * 1024 * 1024
"""Size of the largest frame that is read."""
SKIPPED_BYTES = 2 * FRAME_BYTES
"""Size of the largest frame that is read past; behind a larger one the stream is given up."""
BATCH_BYTES = 2 * FRAME_BYTES
"""Most bytes that all answers to one batch may take: they are kept until it ends."""
HEADER_BYTES = 8 * 1024 * 1024
"""Size of the largest JSON header that is parsed."""
HEADER_PARTS = 200_000
"""Most values in a JSON header: parsed, each takes many times its bytes."""
HEADER_DEPTH = 16
"""Deepest nesting of a JSON header; the grader's own programs send 8 levels."""
HEADER_TEXT = 64 * 1024
"""Longest text in a JSON header, in characters."""
TENSOR_HEADER_BYTES = 512 * 1024
"""Size of the largest safetensors header: the cost of parsing grows with the number of arrays."""
MAX_ARRAYS = 4096
"""Most arrays in one frame."""
MAX_INTEGER = 2**63
"""Whole numbers must be smaller than this, either way."""
WALL_FACTOR = 5
"""How many times its limit anything may take by the clock; limits count time that it could run."""
POLL_SECONDS = 0.25
"""Seconds between two looks at whether a wait should go on."""
MAX_TEXT = 4000
"""Characters kept of one text."""
DTYPE_KINDS = frozenset("biuf")
"""Kinds of NumPy dtype that may cross."""
STATUSES = frozenset({"ok", "raised", "missing", "timed_out", "died", "invalid"})
"""Statuses that the notebook's process may give; 'not_asked' is decided on this side."""

_NEEDS_SCRUBBING = re.compile(r"/|0x|\.py, ")
"""What a path, an address or the name of a cell's file has in it."""
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CELL_FILE = re.compile(r"\b\d{5,}\.py, (?=line \d)")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_MAYBE_PATH = re.compile(r"[^\s:'\"()<>,]+")
"""What may be a path: looked through once, since one pattern for all of it would take a second."""
_LIBRARY = re.compile(r"(?!//).*/(?:(?:site|dist)-packages|lib(?:64)?/python3[.\d]*)/")
_SOURCE_LINE = re.compile(r"\s*(?:-+>)?\s*\d+ ")
"""Matches a line of source in IPython's tracebacks, with its number."""


def _own_path_pattern() -> re.Pattern[str]:
    """Return a pattern of the folders of this machine that may stand in a notebook's texts."""
    owned = {Path.home(), Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1]}
    folders = sorted((str(folder) for folder in owned if folder.parent != folder), reverse=True)
    temporary = "|".join(map(re.escape, {"/tmp", tempfile.gettempdir()}))  # noqa: S108 (in a text)
    sandbox = rf"(?:{temporary})/(?:grade|ipykernel_|warm)[\w-]*(?:(?:/[\w-]+){{0,4}}?/work)?"
    own = "|".join([*map(re.escape, folders), "/box(?:/work|/home)?", sandbox])
    return re.compile(rf"(?<![\w./-])(?:{own})/(?=[\w.+~@-])")


_OWN_PATH = _own_path_pattern()
CELL_LINE = re.compile(r"(?:Cell )?In ?\[(\d+)\], line (\d+)")
"""Where IPython's tracebacks name a line of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A parsed frame, which is still nothing but a claim of the other side."""

    header: Mapping[str, Json]
    arrays: Mapping[str, Array]
    byte_count: int = 0
    """Size of the body it was parsed from."""


def sanitize_text(text: object, *, max_length: int = MAX_TEXT) -> str:
    """Return a text without control sequences, bounded in length; newlines and tabs stay."""
    string = text if isinstance(text, str) else str(text)
    string = string[: 4 * max_length].encode("utf-8", "replace").decode("utf-8", "replace")
    return _CONTROL.sub("", _ANSI.sub("", string))[:max_length]


def scrub_text(text: object, *, max_length: int = MAX_TEXT) -> str:
    """Return a sanitized text without addresses and without folders of this machine.

    Other paths, those that a notebook names and those in links, stay as they are.
    """
    return _scrub(sanitize_text(text, max_length=max_length))


def scrub_traceback(text: object, *, max_length: int = MAX_TEXT) -> str:
    """Return a scrubbed traceback whose lines of source stay as they are."""
    lines = sanitize_text(text, max_length=max_length).split("\n")
    return "\n".join(line if _SOURCE_LINE.match(line) else _scrub(line) for line in lines)


def _scrub(text: str) -> str:
    cleaned = _CELL_FILE.sub("", _ADDRESS.sub("0x…", text))
    if "-packages/" in cleaned or "/python3" in cleaned:
        cleaned = _MAYBE_PATH.sub(_shorten_library_path, cleaned)
    return _OWN_PATH.sub("", cleaned)


def _shorten_library_path(match: re.Match[str]) -> str:
    word = match.group()
    start = word.find("/")
    prefix = _LIBRARY.match(word, start) if start >= 0 else None
    return word if prefix is None else word[:start] + word[prefix.end() :]


def _refuse_constant(word: str) -> NoReturn:
    raise FrameRefused(f"{word} in a header")


def _refuse_duplicate_keys(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise FrameRefused("a key twice in a header")
    return mapping


def _parse_header(text: bytes) -> Mapping[str, Json]:
    """Parse the JSON header, and check all of it level by level before any of it is used."""
    if text.count(b",") + text.count(b"[") + text.count(b"{") > HEADER_PARTS:
        raise FrameRefused("header of too many parts")
    header = json.loads(
        text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicate_keys
    )
    if not isinstance(header, dict):
        raise FrameRefused("header is not an object")
    level: list[Json] = [header]
    for _ in range(HEADER_DEPTH):
        level = [child for value in level for child in _check_and_expand(value)]
        if not level:
            return header
    raise FrameRefused("header nested deeper than allowed")


def _check_and_expand(value: Json) -> Iterable[Json]:
    """Return the values in a list or an object; refuse a text or a number beyond the bounds."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str) and len(value) > HEADER_TEXT:
        raise FrameRefused("text in a header longer than allowed")
    if isinstance(value, int) and not -MAX_INTEGER < value < MAX_INTEGER:
        raise FrameRefused("number in a header larger than allowed")
    if isinstance(value, float) and not isfinite(value):
        raise FrameRefused("number in a header without an end")
    return ()


def parse_frame(body: bytes) -> Frame:
    """Parse the body of a frame.

    Raises:
        FrameRefused: anything is wrong with it.
    """
    try:
        (length,) = struct.unpack("<I", body[:4])
        if length > min(HEADER_BYTES, len(body) - 4):
            raise FrameRefused("header longer than allowed")
        header = _parse_header(body[4 : 4 + length])
        arrays = _load_arrays(body[4 + length :])
        return Frame(header=header, arrays=arrays, byte_count=len(body))
    except FrameRefused:
        raise
    except Exception as error:
        raise FrameRefused(f"unreadable frame: {type(error).__name__}") from error


def _load_arrays(data: bytes) -> Mapping[str, Array]:
    if not data:
        return {}
    (length,) = struct.unpack("<Q", data[:8])
    if length > TENSOR_HEADER_BYTES:
        raise FrameRefused("array header longer than allowed")
    arrays = load(data)
    if len(arrays) > MAX_ARRAYS:
        raise FrameRefused("more arrays than allowed")
    if any(array.dtype.kind not in DTYPE_KINDS for array in arrays.values()):
        raise FrameRefused("an array is not numeric")
    return arrays


def compose_frame(header: Mapping[str, Json], arrays: Mapping[str, Array] | None = None) -> bytes:
    """Return a whole frame, length included, ready to be written."""
    return _join_frame(header, _serialize_arrays(arrays or {}))


def frame_of(body: bytes) -> bytes:
    """Return a whole frame with a body that is composed already."""
    return struct.pack("<Q", len(body)) + body


def _serialize_arrays(arrays: Mapping[str, Array]) -> bytes:
    contiguous = {key: np.asarray(value, order="C") for key, value in arrays.items()}
    return save(contiguous) if contiguous else b""


def _join_frame(header: Mapping[str, Json], arrays: bytes) -> bytes:
    text = json.dumps(header, allow_nan=False).encode()
    length = struct.pack("<Q", 4 + len(text) + len(arrays))
    return b"".join((length, struct.pack("<I", len(text)), text, arrays))


class Channel:
    """Two pipes to the other side; every read and write has a deadline.

    Args:
        read_fd: descriptor that frames arrive on; set to non-blocking.
        write_fd: descriptor that frames leave by; set to non-blocking.
        stop: when it is set, every wait ends with `ChannelTimeout`.
    """

    def __init__(self, *, read_fd: int, write_fd: int, stop: Event | None = None) -> None:
        self._stop = stop or Event()
        self._read_fd = read_fd
        self._write_fd = write_fd
        for descriptor in (read_fd, write_fd):
            os.set_blocking(descriptor, False)

    def send(self, frame: bytes, *, seconds: float) -> None:
        """Write a composed frame.

        Raises:
            ChannelClosed: the other side is gone.
            ChannelTimeout: it does not read in time.
        """
        deadline = time.monotonic() + seconds
        view = memoryview(frame)
        poll = select.poll()
        poll.register(self._write_fd, select.POLLOUT)
        while view:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise ChannelTimeout("the notebook's process does not read")
            try:
                view = view[os.write(self._write_fd, view[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelClosed("the notebook's process is gone") from error

    def receive(self, *, seconds: float) -> Frame:
        """Read one frame, to its end even if it is refused, so that the next can be received.

        Raises:
            FrameRefused: its contents are malformed, or it is too large.
            ChannelClosed: the other side is gone.
            ChannelTimeout: the frame did not come, or not all of it, in time.
            ChannelBroken: it claims a length that is not worth skipping.
        """
        return parse_frame(self.receive_body(seconds=seconds))

    def receive_body(self, *, seconds: float) -> bytes:
        """Read the body of one frame without parsing it; raises as `receive` does."""
        deadline = time.monotonic() + seconds
        (length,) = struct.unpack("<Q", b"".join(self._read_chunks(8, deadline)))
        if length > SKIPPED_BYTES:
            raise ChannelBroken("frame much larger than allowed")
        if length > FRAME_BYTES:
            for _ in self._read_chunks(length, deadline):
                pass
            raise FrameRefused("frame larger than allowed")
        return b"".join(self._read_chunks(length, deadline))

    def _read_chunks(self, count: int, deadline: float) -> Iterator[bytes]:
        poll = select.poll()
        poll.register(self._read_fd, select.POLLIN)
        while count:
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0 or self._stop.is_set():
                raise ChannelTimeout("no answer in time")
            if not poll.poll(min(seconds_left, POLL_SECONDS) * 1000):
                continue
            try:
                chunk = os.read(self._read_fd, min(count, 1 << 20))
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChannelClosed("the notebook's process is gone") from error
            if not chunk:
                raise ChannelClosed("the notebook's process is gone")
            count -= len(chunk)
            yield chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedQuestions:
    """Questions with their arrays already serialized, to ask many notebooks the same."""

    questions: tuple[Question, ...]
    array_keys: tuple[Mapping[str, str], ...]
    """For each question, the key of each of its arrays."""
    arrays: bytes


def pack_questions(questions: tuple[Question, ...]) -> PackedQuestions:
    """Serialize the arrays of questions; an array that several questions share is written once."""
    key_by_identity: dict[int, str] = {}
    arrays: dict[str, Array] = {}
    keys = []
    for question in questions:
        question_keys = {}
        for name, value in question.arrays.items():
            question_keys[name] = key_by_identity.setdefault(id(value), f"a{len(key_by_identity)}")
            arrays[question_keys[name]] = value
        keys.append(question_keys)
    return PackedQuestions(
        questions=questions, array_keys=tuple(keys), arrays=_serialize_arrays(arrays)
    )


def compose_batch(
    packed: PackedQuestions, *, nonces: Mapping[str, str], seconds: float, live: bool = False
) -> bytes:
    """Return a batch of questions as one frame.

    Args:
        packed: the questions.
        nonces: by question id, what its answer must echo; under '' that of the end of the batch.
        seconds: how long each question may run; see `WALL_FACTOR`.
        live: whether to ask the notebook's own process instead of a fork.
    """
    questions = [
        {
            "id": question.id,
            "nonce": nonces[question.id],
            "kind": question.kind,
            "params": dict(question.params),
            "arrays": dict(keys),
        }
        for question, keys in zip(packed.questions, packed.array_keys, strict=True)
    ]
    return _join_frame(
        {
            "nonce": nonces[""],
            "questions": questions,
            "seconds": seconds,
            "most_seconds": seconds * WALL_FACTOR,
            "live": live,
        },
        packed.arrays,
    )


def scrub_value(value: Json) -> Json:
    """Return the data of an answer with its texts fit to be shown; keys are names, and stay."""
    if isinstance(value, str):
        is_plain = (
            value.isprintable() and len(value) <= MAX_TEXT and not _NEEDS_SCRUBBING.search(value)
        )
        return value if is_plain else scrub_text(value)
    if isinstance(value, list):
        return [scrub_value(part) for part in value]
    if isinstance(value, dict):
        return {key: scrub_value(part) for key, part in value.items()}
    return value


def read_observation(frame: Frame, *, nonces: MutableMapping[str, str]) -> Observation:
    """Read a frame as the answer to a question that was really asked.

    Args:
        frame: the answer.
        nonces: by question id, what its answer must echo; the nonce is removed, so that there are
            no more answers than questions.

    Returns:
        The answer; 'invalid' if it has no proper status or data.

    Raises:
        ChannelBroken: it answers nothing that was asked, or what was answered before: nothing
            more from whoever sends this is an answer.
    """
    header = frame.header
    question_id, status = header.get("id"), header.get("status")
    if (
        not isinstance(question_id, str)
        or not question_id  # the batch itself has a nonce, and no answer
        or question_id not in nonces
        or header.get("nonce") != nonces[question_id]
    ):
        raise ChannelBroken("an answer to nothing that was asked")
    del nonces[question_id]
    data = header.get("data", {})
    if status not in STATUSES or not isinstance(data, dict):
        return refused_answer(question_id, "an answer without a status")
    return Observation(
        id=question_id,
        status=status,
        data=scrub_value(data),
        arrays=frame.arrays,
        error=scrub_text(header.get("error", ""), max_length=600),
    )


def refused_answer(question_id: str, reason: str) -> Observation:
    """Return the observation of a question whose answer was refused; staff can read why."""
    return Observation(id=question_id, status="invalid", data={"refused": reason})
