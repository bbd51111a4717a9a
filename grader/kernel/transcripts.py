"""What tests asked and notebooks replied, kept so that a changed test needs no kernel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from grader.model import Array

MAX_BYTES = 16 * 1024 * 1024
"""Bytes of one test's transcript that are kept, compressed; a longer one can't be replayed."""
MAX_UNPACKED = 1024 * 1024 * 1024
KEY = "transcript"
"""The key of its array in an observation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEntry:
    """A request and its reply."""

    party: str
    request: bytes
    reply: bytes


TranscriptEntries = tuple[TranscriptEntry, ...]
Transcript = Mapping[str, TranscriptEntries]
"""What was asked, by the case of a test."""


def pack_transcript(transcript: Transcript) -> Mapping[str, Array]:
    """Return a transcript as an array of an observation; none if it is too long."""
    parts: list[bytes] = []
    for case, entries in transcript.items():
        parts += [case.encode(), len(entries).to_bytes(8, "little")]
        for entry in entries:
            parts += [entry.party.encode(), entry.request, entry.reply]
    joined = b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    data = zlib.compress(joined, level=1)
    return {KEY: np.frombuffer(data, dtype=np.uint8)} if len(data) <= MAX_BYTES else {}


def unpack_transcript(arrays: Mapping[str, Array]) -> Transcript:
    """Return the transcript in the arrays of an observation; empty where none was kept."""
    if KEY not in arrays:
        return {}
    data = zlib.decompressobj().decompress(arrays[KEY].tobytes(), MAX_UNPACKED)
    parts = _split(data)
    transcript: dict[str, tuple[TranscriptEntry, ...]] = {}
    for case in parts:
        count = int.from_bytes(next(parts), "little")
        transcript[case.decode()] = tuple(
            TranscriptEntry(party=next(parts).decode(), request=next(parts), reply=next(parts))
            for _ in range(count)
        )
    return transcript


def _split(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(data):
        (length,) = struct.unpack_from("<Q", data, offset)
        yield data[offset + 8 : offset + 8 + length]
        offset += 8 + length


class ReplayedConversation:
    """Replies to one case of a test as the notebook did, for as long as the same is asked."""

    def __init__(self, entries: Iterator[TranscriptEntry], *, on_new: Callable[[], None]) -> None:
        self._entries = entries
        self._on_new = on_new
        self.gone = ""
        """'not_asked' once something is asked that was not asked before."""

    can_be_kept = False
    """It holds what one case asked."""

    def exchange(self, body: bytes) -> bytes | None:
        """Return the reply to the same request; None where another one was made."""
        entry = None if self.gone else next(self._entries, None)
        if entry is None or entry.request != body:
            self.gone = "not_asked"
            self._on_new()
            return None
        return entry.reply

    def close(self) -> None:
        """Do nothing: there is nobody at the other end."""


def replay(
    transcript: Transcript, *, on_new: Callable[[], None]
) -> Callable[[str, str], ReplayedConversation]:
    """Return what opens replayed conversations for cases of a test.

    Args:
        transcript: what was asked when the test was run before.
        on_new: called when something is asked that was not asked before.
    """
    read: dict[tuple[str, str], Iterator[TranscriptEntry]] = {}

    def converse(party: str, case: str) -> ReplayedConversation:
        entries = transcript.get(case, ())
        own = (entry for entry in entries if entry.party == party)
        # A case that is run once more goes on where it was.
        return ReplayedConversation(read.setdefault((party, case), own), on_new=on_new)

    return converse
