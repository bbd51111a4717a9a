"""Ask a live notebook one batch of questions; each question ends with exactly one observation.

The other side may lie, repeat itself, flood or fall silent. An answer that `wire` refuses costs its
own question alone. At most one frame for each question is taken, and of all answers at most
`wire.BATCH_BYTES`; whatever goes beyond that, or answers nothing that was asked, ends the asking.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from grader import wire
from grader.errors import ChannelBroken, ChannelClosed, ChannelTimeout, FrameRefused
from grader.model import Observation

MARGIN_SECONDS = 10.0
"""Seconds granted on top of a limit before a process that ignores it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """One observation for every question of a batch, and whether another batch can be asked."""

    observations: Mapping[str, Observation]
    channel_usable: bool
    process_ended: bool = False
    """Whether the channel broke since the notebook's process ended."""


def has_raised(answer: Observation) -> bool:
    """Return whether the notebook's own code raised in an answer, or in one of its calls."""
    calls = answer.data.get("calls")
    return answer.status == "raised" or (
        isinstance(calls, list)
        and any(isinstance(call, dict) and call.get("error") for call in calls)
    )


def ask_batch(
    channel: wire.Channel,
    packed: wire.PackedQuestions,
    *,
    question_seconds: float,
    live: bool = False,
) -> BatchResult:
    """Ask a batch and collect the answers.

    Args:
        channel: the pipes to the notebook's process.
        packed: the questions, in the order in which they will be answered.
        question_seconds: how long each may take.
        live: whether to ask the notebook's own process instead of a fork.

    Returns:
        Answers by question id. The question at which the channel broke is 'died', 'timed_out' or
        'invalid'; those after it, and those that the other side gave up, are 'not_asked'.
    """
    ids = [question.id for question in packed.questions]
    nonces = {question_id: secrets.token_hex(8) for question_id in ("", *ids)}
    frame = wire.compose_batch(packed, nonces=nonces, seconds=question_seconds, live=live)
    answers: dict[str, Observation] = {}
    usable, ended, reason = True, False, ""
    try:
        channel.send(frame, seconds=MARGIN_SECONDS)
        delivered = True
    except ChannelBroken as error:
        usable = delivered = False
        ended = isinstance(error, ChannelClosed)
    if delivered:
        try:
            reason = _receive_answers(channel, nonces, answers, question_seconds)
        except ChannelBroken as error:
            usable = False
            ended = isinstance(error, ChannelClosed)
            if pending := _pending_id(nonces):
                answers[pending] = _lost_observation(pending, error)
    unasked = {
        question_id: Observation(id=question_id, status="not_asked", error=reason)
        for question_id in ids
    }
    return BatchResult(observations=unasked | answers, channel_usable=usable, process_ended=ended)


def _receive_answers(
    channel: wire.Channel,
    nonces: dict[str, str],
    answers: dict[str, Observation],
    question_seconds: float,
) -> str:
    """Add to `answers` until the batch ends; return why it ended early, or ''.

    Raises:
        ChannelBroken: there is nothing more to be read, or nothing that can be trusted.
    """
    bytes_left = wire.BATCH_BYTES
    while True:
        try:
            frame = channel.receive(seconds=question_seconds * wire.WALL_FACTOR + MARGIN_SECONDS)
        except FrameRefused as refusal:
            # It may say whose answer it is, but could not be read; questions are asked in order.
            if not (question_id := _pending_id(nonces)):
                raise ChannelBroken("more answers than questions") from refusal
            del nonces[question_id]
            answers[question_id] = wire.refused_answer(question_id, str(refusal))
            continue
        if frame.header.get("end") and frame.header.get("nonce") == nonces[""]:
            return wire.scrub_text(frame.header.get("error", ""), max_length=600)
        bytes_left -= frame.byte_count
        if bytes_left < 0:  # the answers are all kept, so this bounds the grader's own memory
            raise ChannelBroken("answers larger than allowed")
        answer = wire.read_observation(frame, nonces=nonces)
        answers[answer.id] = answer


def _pending_id(nonces: Mapping[str, str]) -> str:
    """Return the first question without an answer, or ''."""
    return next((question_id for question_id in nonces if question_id), "")


def _lost_observation(question_id: str, error: ChannelBroken) -> Observation:
    if isinstance(error, ChannelClosed):
        return Observation(id=question_id, status="died")
    if isinstance(error, ChannelTimeout):
        return Observation(id=question_id, status="timed_out")
    return wire.refused_answer(question_id, str(error))
