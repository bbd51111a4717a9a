"""Two pipes to another process: frames arrive whole and in order, or it is said why not."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Timer
from typing import Any

import numpy as np
import pytest

from grader import wire
from grader.errors import ChannelBroken, ChannelClosed, ChannelTimeout, FrameRefused


@contextmanager
def pipe() -> Iterator[tuple[wire.Channel, int]]:
    """A channel whose two ends are one pipe, and the descriptor that others would write to."""
    reading, writing = os.pipe()
    try:
        yield wire.Channel(read_fd=reading, write_fd=writing), writing
    finally:
        os.close(reading)
        os.close(writing)


def test_a_frame_that_never_ends_meets_its_deadline() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(read_fd=reading, write_fd=writing)
    os.write(writing, struct.pack("<Q", 100) + b"x")

    with pytest.raises(ChannelTimeout, match="in time"):
        channel.receive(seconds=0.05)
    os.close(reading)
    os.close(writing)


def test_a_frame_beyond_the_cap_is_refused_before_it_is_read() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(read_fd=reading, write_fd=writing)
    for length in (wire.SKIPPED_BYTES + 1, 2**64 - 1):
        os.write(writing, struct.pack("<Q", length))
        with pytest.raises(ChannelBroken, match="larger"):
            channel.receive(seconds=1)
    os.close(reading)
    os.close(writing)


def test_a_process_that_ended_with_words_unread_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        channel = wire.Channel(read_fd=ours.fileno(), write_fd=ours.fileno())
        ours.send(b"never read")
        theirs.close()
        with pytest.raises(ChannelClosed, match=r"^the notebook's process is gone$"):
            channel.receive(seconds=5)


def test_what_is_sent_is_received_frame_by_frame() -> None:
    with pipe() as (channel, _):
        channel.send(wire.compose_frame({"a": 1}, {"x": np.arange(3)}), seconds=1)
        channel.send(wire.compose_frame({"b": 2}), seconds=1)

        first, second = channel.receive(seconds=1), channel.receive(seconds=1)

    assert first.header == {"a": 1}
    assert first.arrays["x"].tolist() == [0, 1, 2]
    assert (second.header, second.arrays) == ({"b": 2}, {})


def test_a_frame_larger_than_a_pipe_passes_in_pieces() -> None:
    values = np.arange(200_000.0)
    with pipe() as (channel, _), ThreadPoolExecutor(1) as pool:
        sent = pool.submit(channel.send, wire.compose_frame({}, {"x": values}), seconds=10)
        received = channel.receive(seconds=10)
        sent.result()

    assert np.array_equal(received.arrays["x"], values)


def test_one_who_does_not_read_meets_the_deadline_of_sending() -> None:
    with (
        pipe() as (channel, _),
        pytest.raises(ChannelTimeout, match=r"^the notebook's process does not read$"),
    ):
        channel.send(bytes(1 << 20), seconds=0.05)


def test_a_pipe_with_little_room_is_no_reason_to_wait_for_ever() -> None:
    with pipe() as (channel, _):
        channel.send(bytes(1000), seconds=1)
        with pytest.raises(ChannelTimeout):
            channel.send(bytes(1 << 20), seconds=0.05)


def test_sending_to_one_who_is_gone_says_so() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(read_fd=reading, write_fd=writing)
    os.close(reading)

    with pytest.raises(ChannelClosed, match=r"^the notebook's process is gone$"):
        channel.send(b"x", seconds=1)
    os.close(writing)


def test_one_who_closed_within_a_frame_is_gone() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(read_fd=reading, write_fd=reading)
    os.write(writing, struct.pack("<Q", 100) + b"x")
    os.close(writing)

    with pytest.raises(ChannelClosed, match=r"^the notebook's process is gone$"):
        channel.receive(seconds=5)
    os.close(reading)


def test_no_frame_in_time_is_a_timeout_that_says_so() -> None:
    with pipe() as (channel, _), pytest.raises(ChannelTimeout, match=r"^no answer in time$"):
        channel.receive(seconds=0)


def test_a_wait_ends_when_it_is_told_to() -> None:
    reading, writing = os.pipe()
    stop = Event()
    channel = wire.Channel(read_fd=reading, write_fd=writing, stop=stop)
    start = time.monotonic()
    Timer(0.1, stop.set).start()

    with pytest.raises(ChannelTimeout, match="in time"):
        channel.receive(seconds=60)
    assert time.monotonic() - start < 30
    os.close(reading)
    os.close(writing)


def test_a_slow_frame_is_waited_for_without_looking_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks, clock = [], time.monotonic

    def look() -> float:
        looks.append(clock())
        return looks[-1]

    monkeypatch.setattr(time, "monotonic", look)
    with pipe() as (channel, writing):
        frame = wire.compose_frame({"a": 1})
        os.write(writing, frame[:3])
        Timer(wire.POLL_SECONDS, os.write, (writing, frame[3:9])).start()
        Timer(3 * wire.POLL_SECONDS, os.write, (writing, frame[9:])).start()

        assert channel.receive(seconds=30).header == {"a": 1}
    assert len(looks) < 50


@pytest.mark.parametrize("call", ["read", "write"])
def test_a_pipe_that_is_not_ready_after_all_is_tried_again(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, call)
    refused: list[object] = []

    def once_not_ready(*arguments: Any) -> Any:
        if not refused:
            refused.append(arguments)
            raise BlockingIOError
        return real(*arguments)

    monkeypatch.setattr(os, call, once_not_ready)
    with pipe() as (channel, _):
        channel.send(wire.compose_frame({"a": 1}), seconds=10)

        assert channel.receive(seconds=10).header == {"a": 1}
    assert refused


@pytest.mark.parametrize(("size", "said"), [(100, ""), (101, "frame larger than allowed")])
def test_the_largest_frame_is_read_and_a_larger_one_is_read_past(
    size: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "FRAME_BYTES", 100)
    monkeypatch.setattr(wire, "SKIPPED_BYTES", 101)
    text = json.dumps({"x": "x" * (size - 4 - len('{"x": ""}'))}).encode()

    with pipe() as (channel, writing):
        os.write(
            writing,
            struct.pack("<Q", size)
            + struct.pack("<I", len(text))
            + text
            + wire.compose_frame({"next": 1}),
        )
        if said:
            with pytest.raises(FrameRefused, match=f"^{said}$"):
                channel.receive(seconds=1)
        else:
            assert channel.receive(seconds=1).byte_count == size
        assert channel.receive(seconds=1).header == {"next": 1}
        os.write(writing, struct.pack("<Q", 102))
        with pytest.raises(ChannelBroken, match=r"^frame much larger than allowed$"):
            channel.receive(seconds=1)
