"""Submissions as they are stored, in bytes: encoded here or on another computer, written alike."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from grader.gradebook import mark_points
from grader.gradebook.array_storage import ArrayPacker
from grader.gradebook.stored_records import RecordCodec
from grader.model import Graded, Item, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubmission:
    """One submission as it is stored."""

    cache_key: str
    """A digest of all it was made from: with an equal key, nothing changed."""
    graded: Graded
    trace: Trace | None
    """None if it never ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """A grade as bytes, as one row of `submissions` holds it."""

    result: bytes
    pack: bytes
    """The arrays of the result."""
    item_list: tuple[str, bytes] | None
    """Digest and encoded bytes of the items of the rubric; None without a score."""
    assignment: str = ""
    """The rubric's id."""

    def as_row(self) -> Mapping[str, bytes | str | None]:
        """Return the columns of the submission's row."""
        return {
            "result": self.result,
            "pack": self.pack,
            "item_list": self.item_list and self.item_list[0],
            "assignment": self.assignment,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedTrace:
    """A trace as bytes."""

    document: bytes
    pack: bytes
    """Its small arrays."""
    blobs: Mapping[str, bytes | memoryview | None]
    """Its large arrays by digest; None for one that the store is known to have."""

    @classmethod
    def of(cls, document: bytes, *, packer: ArrayPacker) -> EncodedTrace:
        """Return an encoded document with the arrays that were packed meanwhile."""
        blobs = {digest: array.data for digest, array in packer.blobs.items()}
        return cls(document=document, pack=packer.pack, blobs=blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSubmission:
    """All that is stored of a submission, as bytes."""

    name: str
    cache_key: str
    result: StoredResult
    trace: EncodedTrace | None
    """None if it never ran."""


class ItemListCache:
    """Encodes and decodes the items of a rubric; keeps the last, since a class shares them."""

    def __init__(self, documents: RecordCodec) -> None:
        self._documents = documents
        self._last: tuple[tuple[Item, ...], str, bytes] = ((), "", b"")

    def encode(self, items: tuple[Item, ...]) -> tuple[str, bytes]:
        """Return digest and document."""
        last_items, digest, document = self._last
        if not digest or last_items != items:
            document = self._documents.encode_items(items)
            digest = hashlib.sha256(document).hexdigest()
            self._last = (items, digest, document)
        return digest, document

    def decode(self, digest: str, document: bytes) -> tuple[Item, ...]:
        """Return the items."""
        items, last_digest, _ = self._last
        if last_digest != digest:
            items = self._documents.decode_items(document)
            self._last = (items, digest, document)
        return items


class SubmissionEncoder:
    """Encodes submissions; threads may share it."""

    def __init__(self) -> None:
        self.codec = RecordCodec()
        """Writes and reads single records."""
        self.item_lists = ItemListCache(self.codec)
        """Writes and reads the items of rubrics."""

    def encode(self, submission: StoredSubmission) -> EncodedSubmission:
        """Return a submission as it is stored."""
        packer, trace = ArrayPacker(), None
        if submission.trace is not None:
            document = self.codec.encode_trace(submission.trace, packer=packer)
            trace = EncodedTrace.of(document, packer=packer)
        return EncodedSubmission(
            name=submission.graded.submission.name,
            cache_key=submission.cache_key,
            result=self.encode_result(submission.graded),
            trace=trace,
        )

    def encode_result(self, marked: Graded) -> StoredResult:
        """Return a grade as it is stored, without marks, which only the ledger holds."""
        graded = mark_points.remove_marks(marked)
        score, provenance = graded.score, graded.provenance
        packer = ArrayPacker(blob_threshold=None)
        result = self.codec.encode_graded(graded, packer=packer)
        return StoredResult(
            result=result,
            pack=packer.pack,
            item_list=self.item_lists.encode(tuple(each.item for each in score.items))
            if score
            else None,
            assignment=provenance.assignment if provenance else "",
        )
