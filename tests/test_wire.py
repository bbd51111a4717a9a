import json
import os
import socket
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from grader import wire
from grader.errors import WireError
from grader.model import Question


def body(header: object, payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<I", len(text)) + text + payload


def test_a_frame_comes_back_as_it_was_sent() -> None:
    arrays = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "s": np.array(2.5)}

    frame = wire.parse(wire.compose({"a": 1}, arrays)[8:])

    assert frame.header == {"a": 1}
    assert frame.arrays["x"].tolist() == arrays["x"].tolist()
    assert frame.arrays["s"].shape == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        struct.pack("<I", 2**31) + b"{}",
        body([1, 2]),
        body({"x": float("nan")}),
        b"\x05\x00\x00\x00[[[[[",
        struct.pack("<I", 60_000) + b"[" * 60_000,
        body({}, b"\xff" * 8),
        body({}, struct.pack("<Q", 2**60)),
        body({}, struct.pack("<Q", 2) + b"{}x"),
        body({}, save({f"a{i}": np.zeros(0) for i in range(20_000)})),
    ],
    ids=[
        "nothing",
        "one byte",
        "header longer than the frame",
        "header is a list",
        "NaN",
        "not JSON",
        "deep JSON",
        "array header of 2^64",
        "array header of 2^60",
        "trailing bytes",
        "thousands of arrays",
    ],
)
def test_malformed_frames_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        wire.parse(data)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_parse_or_be_refused(data: bytes) -> None:
    try:
        wire.parse(data)
    except WireError:
        return


def test_an_answer_must_echo_its_nonce() -> None:
    frame = wire.Frame(header={"id": "q", "nonce": "guess", "status": "ok"}, arrays={})

    with pytest.raises(WireError):
        wire.observation(frame, nonces={"q": "secret", "": "batch"})


def test_an_answer_to_the_batch_itself_is_refused() -> None:
    frame = wire.Frame(header={"id": "", "nonce": "batch", "status": "ok"}, arrays={})

    with pytest.raises(WireError):
        wire.observation(frame, nonces={"q": "secret", "": "batch"})


def test_a_frame_that_never_ends_meets_its_deadline() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(reading=reading, writing=writing)
    os.write(writing, struct.pack("<Q", 100) + b"x")

    with pytest.raises(WireError, match="in time"):
        channel.receive(seconds=0.05)
    os.close(reading)
    os.close(writing)


def test_a_frame_beyond_the_cap_is_refused_before_it_is_read() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(reading=reading, writing=writing)
    os.write(writing, struct.pack("<Q", wire.FRAME_BYTES + 1))

    with pytest.raises(WireError, match="larger"):
        channel.receive(seconds=1)
    os.close(reading)
    os.close(writing)


def test_control_sequences_are_stripped() -> None:
    dirty = "a\x1b[31mred\x1b[0m\x1b]0;title\x07 \u202eright\u202c\x00\nb"

    assert wire.clean(dirty) == "ared right\nb"


def test_addresses_and_paths_are_scrubbed() -> None:
    told = "<f at 0x7f3a2b1c9d00> in /usr/lib/python3/site-packages/torch/nn.py or /root/x/y.py"

    scrubbed = wire.scrub(told)

    assert "7f3a" not in scrubbed
    assert "/usr" not in scrubbed
    assert "/root" not in scrubbed
    assert "torch/nn.py" in scrubbed


def test_questions_name_their_arrays_and_one_that_is_shared_is_sent_once() -> None:
    shared, other = np.ones(2), np.zeros(3)
    first = Question(id="q", kind="function", arrays={"x": shared, "y": other})
    second = Question(id="r", kind="function", arrays={"z": shared})

    frame = wire.parse(
        wire.batch(wire.pack((first, second)), nonces={"q": "n", "r": "m", "": "b"}, seconds=1)[8:]
    )

    one, two = frame.header["questions"]
    assert len(frame.arrays) == 2
    assert frame.arrays[one["arrays"]["x"]].tolist() == [1, 1]
    assert frame.arrays[one["arrays"]["y"]].tolist() == [0, 0, 0]
    assert two["arrays"] == {"z": one["arrays"]["x"]}
    assert (one["nonce"], two["nonce"]) == ("n", "m")


def test_a_text_of_nothing_but_slashes_is_scrubbed_at_once() -> None:
    began = time.perf_counter()
    for text in ("/" * 6000, "/a" * 3000, "/-" * 3000 + "\n"):
        wire.scrub(text, most=6000)
    assert time.perf_counter() - began < 1


def test_a_process_that_ended_with_words_unread_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        channel = wire.Channel(reading=ours.fileno(), writing=ours.fileno())
        ours.send(b"never read")
        theirs.close()
        with pytest.raises(WireError, match="gone"):
            channel.receive(seconds=5)
