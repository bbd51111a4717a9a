"""Records to compressed JSON and back, each field by its type; exact, and never a pickle."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.model import (
    Answer,
    ExecutionRecord,
    Fault,
    Graded,
    Item,
    ItemScore,
    Json,
    Notebook,
    Observation,
    Trace,
)

COMPRESSION_LEVEL = 1
"""Of zlib: text shrinks to a quarter in 0.4 ms; level 6 takes twice that to save a tenth more."""

JSON_TYPES: Mapping[Any, Callable[[Any], Any]] = {
    tuple[str, ...]: tuple,
    tuple[int, ...]: tuple,
    Mapping[str, str]: dict,
}
"""Types that are JSON but for a name, and what makes them again."""


class RecordCodec:
    """Writes and reads records; made once, since it generates code for every type."""

    def __init__(self) -> None:
        self._converter = _build_converter()

    def encode_items(self, items: tuple[Item, ...]) -> bytes:
        """The items of a rubric."""
        return _compress(self._converter.unstructure(items, tuple[Item, ...]))

    def decode_items(self, document: bytes) -> tuple[Item, ...]:
        """The items of a rubric, again."""
        return self._converter.structure(_decompress(document), tuple[Item, ...])

    def encode_answer(self, answer: Answer) -> bytes:
        """A written answer."""
        return _compress(self._converter.unstructure(answer, Answer))

    def decode_answer(self, document: bytes) -> Answer:
        """A written answer, again."""
        return self._converter.structure(_decompress(document), Answer)

    def parse_answer(self, plain: Json) -> Answer | None:
        """A written answer from what may be one, in plain JSON; None where it is none."""
        try:
            return self._converter.structure(plain, Answer)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def encode_graded(self, graded: Graded, *, packer: ArrayPacker) -> bytes:
        """A result without its items, which stand elsewhere, and its arrays, which are packed."""
        plain = self._converter.unstructure(graded, Graded)
        return _compress(plain, default=lambda value: _pack_array(value, packer))

    def decode_graded(
        self, document: bytes, *, items: Sequence[Item], arrays: PackedArrays
    ) -> Graded:
        """A result, given the items it was graded by and its arrays."""
        parsed = _decompress(document)
        if parsed["score"] is not None:
            for item_score, item in zip(parsed["score"]["items"], items, strict=True):
                item_score["item"] = item
                for stage in _exhibit_stages(item_score):
                    stage["vectors"] = arrays.resolve(stage["vectors"])
        return self._converter.structure(parsed, Graded)

    def encode_trace(self, trace: Trace, *, packer: ArrayPacker) -> bytes:
        """A trace without its arrays, which go into the packing."""
        observations = _plain_observations(trace.observations, packer)
        expected = _plain_observations(trace.expected, packer)
        document = {
            "notebook": self._converter.unstructure(trace.notebook, Notebook),
            "record": self._converter.unstructure(trace.record, ExecutionRecord),
            "observations": observations,
            "expected": expected,
            "faults": self._converter.unstructure(trace.faults, tuple[Fault, ...]),
        }
        try:
            return _compress(document)
        except RecursionError:
            return _compress(document | {"observations": _invalidate_too_deep(observations)})

    def decode_trace(self, document: bytes, *, arrays: PackedArrays) -> Trace:
        """A trace, given its arrays."""
        parsed = _decompress(document)
        return Trace(
            notebook=self._converter.structure(parsed["notebook"], Notebook),
            record=self._converter.structure(parsed["record"], ExecutionRecord),
            observations=_decode_observations(parsed["observations"], arrays),
            expected=_decode_observations(parsed["expected"], arrays),
            faults=self._converter.structure(parsed.get("faults", []), tuple[Fault, ...]),
        )


def _decompress(document: bytes) -> Json:
    return json.loads(zlib.decompress(document))


def _compress(plain: Json, *, default: Callable[[Any], Json] | None = None) -> bytes:
    """Escapes all but ASCII: notebooks hold lone surrogates, which no encoding takes."""
    text = json.dumps(plain, separators=(",", ":"), default=default)
    return zlib.compress(text.encode("ascii"), COMPRESSION_LEVEL)


def _pack_array(value: object, packer: ArrayPacker) -> Json:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is neither JSON nor an array")
    return packer.add(value)


def _exhibit_stages(item_score: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """The stages of all exhibits beside one item."""
    for finding in item_score["findings"]:
        if finding["exhibit"] is not None:
            yield from finding["exhibit"]["stages"]


def _plain_observations(
    observations: Mapping[str, Observation], packer: ArrayPacker
) -> dict[str, Json]:
    """By hand, since `data` is JSON already and may be as strange as a student can make it."""
    return {
        key: {
            "id": observation.id,
            "status": observation.status,
            "data": observation.data,
            "arrays": {name: packer.add(array) for name, array in observation.arrays.items()},
            "error": observation.error,
        }
        for key, observation in observations.items()
    }


def _decode_observations(
    plain: Mapping[str, Json], arrays: PackedArrays
) -> Mapping[str, Observation]:
    return {
        key: Observation(
            **observation
            | {
                "arrays": {
                    name: arrays.resolve(reference)
                    for name, reference in observation["arrays"].items()
                }
            }
        )
        for key, observation in plain.items()
    }


def _invalidate_too_deep(observations: Mapping[str, Json]) -> Mapping[str, Json]:
    """Nested as deep as our own stack allowed to read: whoever sent it loses that answer."""
    return {
        key: observation if _is_serializable(observation) else _invalidate(observation)
        for key, observation in observations.items()
    }


def _is_serializable(plain: Json) -> bool:
    try:
        json.dumps(plain)
    except RecursionError:
        return False
    return True


def _invalidate(observation: Mapping[str, Json]) -> Json:
    message = "nested too deeply to be kept"
    return {**observation, "status": "invalid", "data": {}, "arrays": {}, "error": message}


def _build_converter() -> Converter:
    """How each type is written; types that are not named here are written field by field."""
    converter = Converter(detailed_validation=False)
    # Element by element, these take a third of the time, to no end: JSON has them already.
    converter.register_unstructure_hook_func(JSON_TYPES.__contains__, lambda value: value)
    converter.register_structure_hook_func(
        JSON_TYPES.__contains__, lambda value, kind: JSON_TYPES[kind](value)
    )
    converter.register_unstructure_hook(Fraction, str)
    converter.register_structure_hook(Fraction, lambda text, _: _parse_fraction(text))
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda text, _: Path(text))
    without_item = make_dict_unstructure_fn(ItemScore, converter, item=override(omit=True))
    converter.register_unstructure_hook(ItemScore, without_item)
    with_item = make_dict_structure_fn(
        ItemScore, converter, item=override(struct_hook=lambda item, _: item)
    )
    converter.register_structure_hook(ItemScore, with_item)
    return converter


def _parse_fraction(text: str) -> Fraction:
    """Five times as fast as `Fraction(text)`, which takes many more forms of it."""
    numerator, _, denominator = text.partition("/")
    return Fraction(int(numerator), int(denominator or 1))
