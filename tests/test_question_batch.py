"""A batch of questions, and another side that lies, floods, repeats itself or falls silent."""

import os
import struct
import time
from collections.abc import Callable, Iterator
from threading import Thread

import numpy as np
import pytest

from grader import wire
from grader.errors import ChannelBroken, FrameRefused
from grader.kernel import question_batch
from grader.kernel.question_batch import BatchResult, ask_batch, has_raised
from grader.model import Json, Observation, Question

Header = dict[str, Json]
Script = Callable[[Header], Iterator[bytes]]
"""What the other side writes, given the batch it was sent."""

QUESTIONS = wire.pack_questions(tuple(Question(id=name, kind="function") for name in "abc"))


def answer(batch: Header, number: int, **changes: Json) -> bytes:
    question = batch["questions"][number]
    head = {"id": question["id"], "nonce": question["nonce"], "status": "ok", "data": {}}
    return wire.compose_frame(head | changes)


def end(batch: Header, **changes: Json) -> bytes:
    return wire.compose_frame({"end": True, "nonce": batch["nonce"], **changes})


def refused(_: Header) -> bytes:
    """A frame of a size that is allowed, with more arrays than are."""
    arrays = {f"{i}": np.zeros(0) for i in range(wire.MAX_ARRAYS + 1)}
    return wire.compose_frame({"id": "b"}, arrays)


def ask(script: Script, *, seconds: float = 5) -> BatchResult:
    """Ask a, b and c of a script; its pipe closes when it ends."""
    (ours_read, theirs_write), (theirs_read, ours_write) = os.pipe(), os.pipe()

    def play() -> None:
        (length,) = struct.unpack("<Q", os.read(theirs_read, 8))
        batch = dict(wire.parse_frame(os.read(theirs_read, length)).header)
        try:
            for data in script(batch):
                view = memoryview(data)
                while view:
                    view = view[os.write(theirs_write, view) :]
        except BrokenPipeError:
            pass
        finally:
            os.close(theirs_write)

    thread = Thread(target=play)
    thread.start()
    try:
        channel = wire.Channel(read_fd=ours_read, write_fd=ours_write)
        return ask_batch(channel, QUESTIONS, question_seconds=seconds)
    finally:
        os.close(ours_read)
        thread.join()
        os.close(theirs_read)
        os.close(ours_write)


def statuses(result: BatchResult) -> str:
    return " ".join(observation.status for observation in result.observations.values())


def test_an_answer_that_is_refused_costs_that_question_alone() -> None:
    def script(batch: Header) -> Iterator[bytes]:
        yield from (answer(batch, 0), refused(batch), answer(batch, 2), end(batch))

    result = ask(script)

    assert statuses(result) == "ok invalid ok"
    assert result.observations["b"].data == {"refused": "more arrays than allowed"}
    assert result.observations["b"].error == ""
    assert result.channel_usable


@pytest.mark.parametrize("changes", [{"status": "wonderful"}, {"status": None}, {"data": [1]}])
def test_an_answer_without_a_status_costs_that_question_alone(changes: Header) -> None:
    def script(batch: Header) -> Iterator[bytes]:
        yield from (answer(batch, 0, **changes), answer(batch, 1), answer(batch, 2), end(batch))

    assert statuses(ask(script)) == "invalid ok ok"


def test_a_frame_beyond_the_cap_is_read_past_and_the_next_answer_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "FRAME_BYTES", 1000)
    monkeypatch.setattr(wire, "SKIPPED_BYTES", 200_000)

    def script(batch: Header) -> Iterator[bytes]:
        yield answer(batch, 0)
        yield struct.pack("<Q", 150_000) + bytes(150_000)
        yield from (answer(batch, 2), end(batch))

    result = ask(script)

    assert statuses(result) == "ok invalid ok"
    assert result.channel_usable


def test_a_length_that_is_not_worth_skipping_ends_the_asking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "SKIPPED_BYTES", 200_000)

    def script(batch: Header) -> Iterator[bytes]:
        yield answer(batch, 0) + struct.pack("<Q", 200_001)
        time.sleep(0.5)

    result = ask(script)

    assert statuses(result) == "ok invalid not_asked"
    assert not result.channel_usable


def test_a_process_that_ends_is_told_from_questions_it_was_never_asked() -> None:
    def script(batch: Header) -> Iterator[bytes]:
        yield answer(batch, 0)

    result = ask(script)

    assert statuses(result) == "ok died not_asked"
    assert not result.channel_usable


def test_a_process_that_falls_silent_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_batch, "MARGIN_SECONDS", 0.1)

    def script(batch: Header) -> Iterator[bytes]:
        yield answer(batch, 0)[:-1]  # a frame that never ends
        time.sleep(2)

    assert statuses(ask(script, seconds=0.1)) == "timed_out not_asked not_asked"


def test_a_batch_that_the_other_side_gives_up_was_not_asked_to_its_end() -> None:
    def script(batch: Header) -> Iterator[bytes]:
        yield from (answer(batch, 0), end(batch, error="BlockingIOError: no more processes"))

    result = ask(script)

    assert statuses(result) == "ok not_asked not_asked"
    assert result.observations["c"].error == "BlockingIOError: no more processes"
    assert result.channel_usable


@pytest.mark.parametrize(
    "forge",
    [
        lambda batch: answer(batch, 0),
        lambda batch: answer(batch, 1, nonce="guess"),
        lambda batch: answer(batch, 1, id="", nonce=batch["nonce"]),
        lambda batch: answer(batch, 1, id="z"),
        lambda _: wire.compose_frame({"end": True, "nonce": "guess"}),
    ],
    ids=["a replay", "a wrong nonce", "the batch itself", "nothing that was asked", "a false end"],
)
def test_an_answer_to_nothing_that_was_asked_ends_the_asking(
    forge: Callable[[Header], bytes],
) -> None:
    def script(batch: Header) -> Iterator[bytes]:
        yield from (answer(batch, 0), forge(batch), answer(batch, 1), answer(batch, 2), end(batch))

    result = ask(script)

    assert statuses(result) == "ok invalid not_asked"
    assert not result.channel_usable


def test_refused_frames_without_end_are_no_more_than_the_questions() -> None:
    written = []

    def script(batch: Header) -> Iterator[bytes]:
        frame = refused(batch)
        for _ in range(1000):
            written.append(len(frame))
            yield frame

    result = ask(script)

    assert statuses(result) == "invalid invalid invalid"
    assert not result.channel_usable
    assert len(written) < 20  # what the pipe holds, and not a thousand


def test_all_answers_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "BATCH_BYTES", 100_000)

    def script(batch: Header) -> Iterator[bytes]:
        for number in range(3):
            data = {"values": ["x" * 1000] * 60}
            yield answer(batch, number, data=data)
        yield end(batch)

    result = ask(script)

    assert statuses(result) == "ok invalid not_asked"
    assert not result.channel_usable


def test_a_channel_that_is_closed_was_asked_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    other_reading, other_writing = os.pipe()
    channel = wire.Channel(read_fd=other_reading, write_fd=writing)

    result = ask_batch(channel, QUESTIONS, question_seconds=1)

    for descriptor in (writing, other_reading, other_writing):
        os.close(descriptor)
    assert statuses(result) == "not_asked not_asked not_asked"
    assert not result.channel_usable


def test_a_refused_frame_leaves_the_channel_in_step() -> None:
    reading, writing = os.pipe()
    channel = wire.Channel(read_fd=reading, write_fd=writing)
    os.write(writing, struct.pack("<Q", 3) + b"???" + wire.compose_frame({"x": 1}))

    with pytest.raises(FrameRefused):
        channel.receive(seconds=1)
    assert channel.receive(seconds=1).header == {"x": 1}
    with pytest.raises(ChannelBroken):
        channel.receive(seconds=0.05)
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize(
    ("status", "data", "raised"),
    [
        ("raised", {}, True),
        ("ok", {"calls": [{"unmatched": []}, {"unmatched": [], "error": "Empty: "}]}, True),
        ("ok", {"calls": [{"unmatched": []}]}, False),
        ("ok", {"calls": ["error", None]}, False),
        ("ok", {}, False),
        ("missing", {"calls": 3}, False),
    ],
)
def test_an_answer_has_raised_if_one_of_its_calls_did(
    status: str, data: Header, *, raised: bool
) -> None:
    assert has_raised(Observation(id="a", status=status, data=data)) is raised
