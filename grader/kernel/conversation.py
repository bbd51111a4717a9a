"""Let one test talk with a fork of a live notebook: bodies of frames go over and come back.

Nothing of a reply is read here but whether the fork is at its end: what it says is the test's to
read, in the process that runs it.
"""

from __future__ import annotations

import json
import secrets
import struct
from typing import Protocol

from grader import wire
from grader.errors import ChannelBroken, FrameRefused, WireError

MARGIN_SECONDS = 10.0
"""Seconds granted on top of a limit before a process that ignores it is given up."""
MAX_END_BYTES = 1000
"""Size of the largest body that may say that a fork ended."""
ENDS = ("timed_out", "lacks_threads")
"""How a fork ends that did not end itself."""
MAX_BYTES = 512 * 1024 * 1024
"""Most bytes that one test may send and receive."""


class CloseHandler(Protocol):
    """What is told when a conversation is closed."""

    def __call__(self, *, usable: bool) -> None:
        """Take whether the notebook can be asked again."""


class Conversation:
    """One test's way to a fork of a notebook, which is made for the first request.

    Args:
        channel: the pipes to the notebook's process.
        seconds: how long the notebook may work for the whole test.
        at: the moment of the run that it is about; its end where the notebook kept no such one.
        on_close: called once, with whether the notebook can be asked again.
    """

    def __init__(
        self, channel: wire.Channel, *, seconds: float, on_close: CloseHandler, at: str = ""
    ) -> None:
        self._on_close = on_close
        self._channel = channel
        self._seconds = seconds
        self._at = at
        self._nonce = secrets.token_hex(8)
        self._began = self._closed = False
        self._usable = True
        self._bytes_left = MAX_BYTES
        self.gone = ""
        """Why the notebook does not answer any more: 'timed_out', 'lacks_threads', 'died',
        'invalid', 'too_much'."""

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def can_be_kept(self) -> bool:
        """Whether another case may go on with it: it was neither closed nor lost."""
        return not self._closed and not self.gone

    def exchange(self, body: bytes) -> bytes | None:
        """Send a request and return the reply; None once the notebook is gone."""
        reply = None if self.gone else self._try_exchange(body)
        if reply is None or self.gone:
            return None
        self._bytes_left -= len(body) + len(reply)
        if self._bytes_left < 0:
            self.gone = "too_much"
            return None
        return reply

    def _try_exchange(self, body: bytes) -> bytes | None:
        try:
            if not self._began:
                self._begin()
            self._channel.send(wire.frame_of(body), seconds=MARGIN_SECONDS)
            reply = self._channel.receive_body(seconds=self._patience())
        except FrameRefused:
            self.gone = "invalid"
            return None
        except ChannelBroken:
            self.gone, self._usable = "died", False
            return None
        if status := self._end_status(reply):
            self.gone, self._began = status, False
        return reply

    def close(self) -> None:
        """End the fork; what is closed stays so."""
        if self._closed:
            return
        self._closed = True
        if self._usable and self._began:
            self._usable = self._end_fork()
        self._on_close(usable=self._usable)

    def _end_fork(self) -> bool:
        """End the fork; return whether it did."""
        try:
            end = wire.compose_frame({"op": "end"})
            self._channel.send(end, seconds=MARGIN_SECONDS)
            while not self._end_status(self._channel.receive_body(seconds=self._patience())):
                pass  # what it still had to say
        except WireError:
            return False
        return True

    def _begin(self) -> None:
        header = {
            "conversation": True,
            "at": self._at,
            "nonce": self._nonce,
            "seconds": self._seconds,
            "most_seconds": self._seconds * wire.WALL_FACTOR,
        }
        self._channel.send(wire.compose_frame(header), seconds=MARGIN_SECONDS)
        self._began = True

    def _patience(self) -> float:
        return self._seconds * wire.WALL_FACTOR + MARGIN_SECONDS

    def _end_status(self, body: bytes) -> str:
        """Return how the fork ended, if this is what its parent says at its end, or ''."""
        if len(body) > MAX_END_BYTES or self._nonce.encode() not in body:
            return ""
        try:
            (length,) = struct.unpack("<I", body[:4])
            header = json.loads(body[4 : 4 + length])
        except (ValueError, struct.error):
            return ""
        if not isinstance(header, dict) or header.get("nonce") != self._nonce:
            return ""
        return header["status"] if header.get("status") in ENDS else "died"
