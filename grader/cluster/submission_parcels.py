"""Sends submissions to workers and results back, as the bytes that the gradebook stores."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from grader.cluster.parcels import pack_parcel, unpack_parcel
from grader.errors import NotebookError, UsageError
from grader.gradebook.encoded_submissions import (
    EncodedSubmission,
    EncodedTrace,
    StoredResult,
    StoredSubmission,
    SubmissionEncoder,
)
from grader.model import Fault
from grader.notebook import read_submitted_file
from grader.pipeline import GradingResult
from grader.pipeline.cache_keys import PreparedSubmission, with_level

_PREPARED = TypeAdapter(PreparedSubmission)
_FAULTS = TypeAdapter(tuple[Fault, ...])
_BLOB = "blob:"
"""Stands before the digest of a large array."""


def pack_submission(
    prepared: PreparedSubmission, *, places: Mapping[Path, str], known: Iterable[str]
) -> bytes:
    """Pack a submission with its files.

    Args:
        prepared: the submission.
        places: files that the worker has, by their path here.
        known: digests of large arrays that need not come back.
    """
    files: dict[str, str] = {}
    on_worker: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    blobs: dict[str, bytes] = {}
    for path, is_notebook in _needed_files(prepared):
        if path in places:
            on_worker[str(path)] = places[path]
            continue
        try:
            data = read_submitted_file(path) if is_notebook else path.read_bytes()
        except NotebookError as error:
            unreadable[str(path)] = str(error)
            continue
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        files[str(path)] = digest
    document = {
        "prepared": _PREPARED.dump_python(prepared),
        "files": files,
        "on_worker": on_worker,
        "unreadable": unreadable,
        "known": list(known),
    }
    return pack_parcel(document, blobs)


def _needed_files(prepared: PreparedSubmission) -> Iterator[tuple[Path, bool]]:
    """Yield the files that a submission is graded from, and whether each is its notebook."""
    for part in prepared.parts.values() or (prepared,):
        if not part.submission.problem:
            yield part.submission.path, True
        for path in part.supplied.files.values():
            yield path, False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSubmission:
    """A submission on a worker."""

    sent: PreparedSubmission
    """As it is on the head, with the head's paths."""
    here: PreparedSubmission
    """With its files on this computer."""
    known: frozenset[str]
    """Digests of large arrays that the head has."""


def unpack_submission(packed: bytes, *, folder: Path, course: Path) -> ReceivedSubmission:
    """Write the files of a submission to an empty folder.

    Raises:
        OSError: there is no room.
    """
    parcel = unpack_parcel(packed)
    document = parcel.document
    sent = _PREPARED.validate_python(document["prepared"])
    paths = {Path(path): course / name for path, name in document["on_worker"].items()}
    for number, (name, digest) in enumerate(document["files"].items()):
        path = folder / str(number) / Path(name).name
        path.parent.mkdir()
        path.write_bytes(parcel.blobs[digest])
        paths[Path(name)] = path
    unreadable = {Path(path): reason for path, reason in document["unreadable"].items()}
    here = _relocate(sent, paths=paths, unreadable=unreadable)
    return ReceivedSubmission(sent=sent, here=here, known=frozenset(document["known"]))


def _relocate(
    prepared: PreparedSubmission, *, paths: Mapping[Path, Path], unreadable: Mapping[Path, str]
) -> PreparedSubmission:
    submission, supplied = prepared.submission, prepared.supplied
    return replace(
        prepared,
        submission=replace(
            submission,
            path=paths.get(submission.path, submission.path),
            problem=submission.problem or unreadable.get(submission.path, ""),
        ),
        supplied=replace(
            supplied, files={name: paths.get(path, path) for name, path in supplied.files.items()}
        ),
        parts={
            notebook: _relocate(part, paths=paths, unreadable=unreadable)
            for notebook, part in prepared.parts.items()
        },
    )


def pack_result(
    result: GradingResult,
    received: ReceivedSubmission,
    *,
    level: str,
    faults: Collection[Fault],
    encoder: SubmissionEncoder,
) -> bytes:
    """Pack what a worker came to, as it is stored."""
    original, graded = received.sent.submission, result.graded
    submission = replace(
        graded.submission, path=original.path, problem=original.problem, parts=original.parts
    )
    key = "" if result.grader_fault else with_level(received.sent.key, level)
    encoded = encoder.encode(
        StoredSubmission(
            cache_key=key, graded=replace(graded, submission=submission), trace=result.trace
        )
    )
    stored, trace = encoded.result, encoded.trace
    blobs: dict[str, bytes | memoryview] = {"result": stored.result, "result_pack": stored.pack}
    digests: list[str] = []
    if stored.item_list is not None:
        blobs["items"] = stored.item_list[1]
    if trace is not None:
        digests = list(trace.blobs)
        blobs |= {"trace": trace.document, "trace_pack": trace.pack}
        blobs |= {
            f"{_BLOB}{digest}": data
            for digest, data in trace.blobs.items()
            if data is not None and digest not in received.known
        }
    document = {
        "name": encoded.name,
        "key": encoded.cache_key,
        "assignment": stored.assignment,
        "grader_fault": result.grader_fault,
        "digests": digests,
        "faults": _FAULTS.dump_python(tuple(faults)),
    }
    return pack_parcel(document, blobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedResult:
    """What a worker came to, at the head."""

    encoded: EncodedSubmission
    grader_fault: bool
    faults: tuple[Fault, ...]


def unpack_result(packed: bytes, *, name: str) -> ReceivedResult:
    """Return the result that a worker sent for a submission.

    Raises:
        UsageError: it is damaged, or of another submission.
    """
    parcel = unpack_parcel(packed)
    document, blobs = parcel.document, parcel.blobs
    arrays: dict[str, bytes | memoryview | None] = {
        digest: blobs.get(f"{_BLOB}{digest}") for digest in document["digests"]
    }
    wrong = [d for d, data in arrays.items() if data and hashlib.sha256(data).hexdigest() != d]
    if document["name"] != name or wrong:
        raise UsageError(f"what a worker sent for {name} is damaged")
    items = blobs.get("items")
    encoded = EncodedSubmission(
        name=name,
        cache_key=document["key"],
        result=StoredResult(
            result=blobs["result"],
            pack=blobs["result_pack"],
            item_list=None if items is None else (hashlib.sha256(items).hexdigest(), items),
            assignment=document["assignment"],
        ),
        trace=EncodedTrace(document=blobs["trace"], pack=blobs["trace_pack"], blobs=arrays)
        if "trace" in blobs
        else None,
    )
    return ReceivedResult(
        encoded=encoded,
        grader_fault=document["grader_fault"],
        faults=_FAULTS.validate_python(document["faults"]),
    )
