"""Writes records as compressed JSON and reads them back, exactly and without a pickle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from grader.errors import UsageError
from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.model import (
    Answer,
    ExecutionRecord,
    Fault,
    Graded,
    Item,
    Json,
    Notebook,
    Observation,
    Trace,
)

FORMAT = 1
"""Version of stored documents, their first byte; raise it when a field changes its meaning."""
COMPRESSION_LEVEL = 1
"""Level of zlib: text shrinks to a quarter in 0.4 ms; level 6 takes twice that to save a tenth."""

Record = TypeVar("Record")

_WITHOUT_ITEMS = {"score": {"items": {"__all__": {"item"}}}}


class RecordCodec:
    """Writes and reads records; create it once, since it generates code for every type."""

    def __init__(self) -> None:
        self._items = TypeAdapter(tuple[Item, ...])
        self._answer = TypeAdapter(Answer)
        self._graded = TypeAdapter(Graded)
        self._notebook = TypeAdapter(Notebook)
        self._record = TypeAdapter(ExecutionRecord)
        self._faults = TypeAdapter(tuple[Fault, ...])

    def encode_items(self, items: tuple[Item, ...]) -> bytes:
        """Encode the items of a rubric, without the parameters of their checks."""
        return _compress(self._items.dump_python(items, by_alias=True))

    def decode_items(self, document: bytes) -> tuple[Item, ...]:
        """Decode the items of a rubric."""
        return _validate(self._items, _decompress(document))

    def encode_answer(self, answer: Answer) -> bytes:
        """Encode a written answer."""
        return _compress(self._answer.dump_python(answer))

    def decode_answer(self, document: bytes) -> Answer:
        """Decode a written answer."""
        return _validate(self._answer, _decompress(document))

    def parse_answer(self, plain: Json) -> Answer | None:
        """Return the written answer in untrusted JSON; None if it is not valid."""
        try:
            return self._answer.validate_python(plain)
        except ValidationError:
            return None

    def encode_graded(self, graded: Graded, *, packer: ArrayPacker) -> bytes:
        """Encode a grade without its items, which are stored once for all, and pack its arrays."""
        plain = self._graded.dump_python(graded, exclude=_WITHOUT_ITEMS)
        return _compress(plain, packer=packer)

    def decode_graded(
        self, document: bytes, *, items: Sequence[Item], arrays: PackedArrays
    ) -> Graded:
        """Decode a grade, given the items it was graded by and its arrays."""
        plain = _decompress(document)
        if plain["score"] is not None:
            for item_score, item in zip(plain["score"]["items"], items, strict=True):
                item_score["item"] = item
                for finding in item_score["findings"]:
                    for stage in (finding["exhibit"] or {"stages": ()})["stages"]:
                        stage["vectors"] = arrays.resolve(stage["vectors"])
        return _validate(self._graded, plain)

    def encode_trace(self, trace: Trace, *, packer: ArrayPacker) -> bytes:
        """Encode a trace and pack its arrays."""
        observations = _plain_observations(trace.observations)
        document = {
            "notebook": self._notebook.dump_python(trace.notebook),
            "record": self._record.dump_python(trace.record),
            "observations": observations,
            "expected": _plain_observations(trace.expected),
            "faults": self._faults.dump_python(trace.faults),
        }
        try:
            return _compress(document, packer=packer)
        except RecursionError:
            document["observations"] = {
                key: plain if _is_serializable(plain["data"]) else _refuse_too_deep(plain)
                for key, plain in observations.items()
            }
            return _compress(document, packer=packer)

    def decode_trace(self, document: bytes, *, arrays: PackedArrays) -> Trace:
        """Decode a trace, given its arrays."""
        plain = _decompress(document)
        return Trace(
            notebook=_validate(self._notebook, plain["notebook"]),
            record=_validate(self._record, plain["record"]),
            observations=_decode_observations(plain["observations"], arrays),
            expected=_decode_observations(plain["expected"], arrays),
            faults=_validate(self._faults, plain.get("faults", ())),
        )


def _compress(plain: Json, *, packer: ArrayPacker | None = None) -> bytes:
    """Compress JSON in ASCII: notebooks hold lone surrogates, which no encoding takes."""

    def make_plain(value: object) -> Json:
        if isinstance(value, Fraction | Path):
            return str(value)
        if isinstance(value, np.ndarray) and packer is not None:
            return packer.add(value)
        raise TypeError(f"{type(value).__name__} is neither JSON nor an array")

    text = json.dumps(plain, separators=(",", ":"), default=make_plain)
    return bytes([FORMAT]) + zlib.compress(text.encode("ascii"), COMPRESSION_LEVEL)


def _decompress(document: bytes) -> Json:
    if document[:1] != bytes([FORMAT]):
        raise UsageError(
            "This gradebook holds records that another version of the grader wrote; "
            "grade into a new folder, or use that version."
        )
    return json.loads(zlib.decompress(document[1:]))


def _validate(adapter: TypeAdapter[Record], plain: Json) -> Record:
    try:
        return adapter.validate_python(plain)
    except ValidationError as error:
        raise UsageError(f"A record in this gradebook is damaged: {error}") from error


# Not by pydantic, since `data` is JSON already, and as deep as a student can make it.


def _plain_observations(observations: Mapping[str, Observation]) -> dict[str, dict[str, Json]]:
    names = [field.name for field in fields(Observation)]
    return {
        key: {name: getattr(observation, name) for name in names}
        for key, observation in observations.items()
    }


def _decode_observations(
    plain: Mapping[str, dict[str, Json]], arrays: PackedArrays
) -> Mapping[str, Observation]:
    observations = {}
    for key, fields_by_name in plain.items():
        references = fields_by_name.pop("arrays")
        resolved = {name: arrays.resolve(reference) for name, reference in references.items()}
        observations[key] = Observation(**fields_by_name, arrays=resolved)
    return observations


def _is_serializable(data: Json) -> bool:
    try:
        json.dumps(data)
    except RecursionError:
        return False
    return True


def _refuse_too_deep(plain: dict[str, Json]) -> dict[str, Json]:
    """Replace an observation that is nested too deeply to be written as JSON."""
    error = "nested too deeply to be kept"
    return {**plain, "status": "invalid", "data": {}, "arrays": {}, "error": error}
