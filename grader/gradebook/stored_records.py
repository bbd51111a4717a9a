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

from grader.gradebook.array_storage import Arrays, Packing
from grader.model import (
    Answer,
    ExecutionRecord,
    Graded,
    Item,
    ItemScore,
    Json,
    Notebook,
    Observation,
    Trace,
)

LEVEL = 1
"""Of zlib: text shrinks to a quarter in 0.4 ms; level 6 takes twice that to save a tenth more."""

PLAIN: Mapping[Any, Callable[[Any], Any]] = {
    tuple[str, ...]: tuple,
    tuple[int, ...]: tuple,
    Mapping[str, str]: dict,
}
"""Types that are JSON but for a name, and what makes them again."""


class Documents:
    """Writes and reads records; made once, since it generates code for every type."""

    def __init__(self) -> None:
        self._converter = _converter()

    def items(self, items: tuple[Item, ...]) -> bytes:
        """The items of a rubric."""
        return _closed(self._converter.unstructure(items, tuple[Item, ...]))

    def read_items(self, document: bytes) -> tuple[Item, ...]:
        """The items of a rubric, again."""
        return self._converter.structure(_parsed(document), tuple[Item, ...])

    def answer(self, answer: Answer) -> bytes:
        """A written answer."""
        return _closed(self._converter.unstructure(answer, Answer))

    def read_answer(self, document: bytes) -> Answer:
        """A written answer, again."""
        return self._converter.structure(_parsed(document), Answer)

    def answer_from(self, plain: Json) -> Answer | None:
        """A written answer from what may be one, in plain JSON; None where it is none."""
        try:
            return self._converter.structure(plain, Answer)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def graded(self, graded: Graded, *, packing: Packing) -> bytes:
        """A result without its items, which stand elsewhere, and its arrays, which are packed."""
        plain = self._converter.unstructure(graded, Graded)
        return _closed(plain, default=lambda value: _packed(value, packing))

    def read_graded(self, document: bytes, *, items: Sequence[Item], arrays: Arrays) -> Graded:
        """A result, given the items it was graded by and its arrays."""
        parsed = _parsed(document)
        if parsed["score"] is not None:
            for part, item in zip(parsed["score"]["items"], items, strict=True):
                part["item"] = item
                for stage in _stages(part):
                    stage["vectors"] = arrays.at(stage["vectors"])
        return self._converter.structure(parsed, Graded)

    def trace(self, trace: Trace, *, packing: Packing) -> bytes:
        """A trace without its arrays, which go into the packing."""
        observations = _plain(trace.observations, packing)
        expected = _plain(trace.expected, packing)
        document = {
            "notebook": self._converter.unstructure(trace.notebook, Notebook),
            "record": self._converter.unstructure(trace.record, ExecutionRecord),
            "observations": observations,
            "expected": expected,
        }
        try:
            return _closed(document)
        except RecursionError:
            return _closed(document | {"observations": _without_bottomless(observations)})

    def read_trace(self, document: bytes, *, arrays: Arrays) -> Trace:
        """A trace, given its arrays."""
        parsed = _parsed(document)
        return Trace(
            notebook=self._converter.structure(parsed["notebook"], Notebook),
            record=self._converter.structure(parsed["record"], ExecutionRecord),
            observations=_observations(parsed["observations"], arrays),
            expected=_observations(parsed["expected"], arrays),
        )


def _parsed(document: bytes) -> Json:
    return json.loads(zlib.decompress(document))


def _closed(plain: Json, *, default: Callable[[Any], Json] | None = None) -> bytes:
    """Escapes all but ASCII: notebooks hold lone surrogates, which no encoding takes."""
    text = json.dumps(plain, separators=(",", ":"), default=default)
    return zlib.compress(text.encode("ascii"), LEVEL)


def _packed(value: object, packing: Packing) -> Json:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{type(value).__name__} is neither JSON nor an array")
    return packing.add(value)


def _stages(item_score: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """The stages of all exhibits beside one item."""
    for finding in item_score["findings"]:
        if finding["exhibit"] is not None:
            yield from finding["exhibit"]["stages"]


def _plain(observations: Mapping[str, Observation], packing: Packing) -> dict[str, Json]:
    """By hand, since `data` is JSON already and may be as strange as a student can make it."""
    return {
        key: {
            "id": seen.id,
            "status": seen.status,
            "data": seen.data,
            "arrays": {name: packing.add(array) for name, array in seen.arrays.items()},
            "error": seen.error,
        }
        for key, seen in observations.items()
    }


def _observations(plain: Mapping[str, Json], arrays: Arrays) -> Mapping[str, Observation]:
    return {
        key: Observation(
            **seen | {"arrays": {name: arrays.at(held) for name, held in seen["arrays"].items()}}
        )
        for key, seen in plain.items()
    }


def _without_bottomless(observations: Mapping[str, Json]) -> Mapping[str, Json]:
    """Nested as deep as our own stack allowed to read: whoever sent it loses that answer."""
    return {key: seen if _fits(seen) else _invalid(seen) for key, seen in observations.items()}


def _fits(plain: Json) -> bool:
    try:
        json.dumps(plain)
    except RecursionError:
        return False
    return True


def _invalid(seen: Mapping[str, Json]) -> Json:
    told = "nested too deeply to be kept"
    return {**seen, "status": "invalid", "data": {}, "arrays": {}, "error": told}


def _converter() -> Converter:
    """How each type is written; types that are not named here are written field by field."""
    made = Converter(detailed_validation=False)
    # Element by element, these take a third of the time, to no end: JSON has them already.
    made.register_unstructure_hook_func(PLAIN.__contains__, lambda value: value)
    made.register_structure_hook_func(PLAIN.__contains__, lambda value, kind: PLAIN[kind](value))
    made.register_unstructure_hook(Fraction, str)
    made.register_structure_hook(Fraction, lambda text, _: _fraction(text))
    made.register_unstructure_hook(Path, str)
    made.register_structure_hook(Path, lambda text, _: Path(text))
    without_item = make_dict_unstructure_fn(ItemScore, made, item=override(omit=True))
    made.register_unstructure_hook(ItemScore, without_item)
    with_item = make_dict_structure_fn(
        ItemScore, made, item=override(struct_hook=lambda item, _: item)
    )
    made.register_structure_hook(ItemScore, with_item)
    return made


def _fraction(text: str) -> Fraction:
    """Five times as fast as `Fraction(text)`, which takes many more forms of it."""
    over, _, under = text.partition("/")
    return Fraction(int(over), int(under or 1))
