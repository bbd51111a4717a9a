"""Maps every text in a record, at any depth, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from grader.model import Item, Picture

Record = TypeVar("Record")
UNCHANGED_TYPES = (Item, Picture, Enum, Path)
"""The rubric's own words, pictures, verdicts and paths."""


def map_texts(record: Record, *, map_text: Callable[[str], str]) -> Record:
    """Return a record with each text mapped; the same object where nothing changed.

    Keys of mappings are kept: they are ids of items, names of limits, parts of JSON.
    """
    mapped: Record = _map_texts(record, map_text)
    return mapped


def _map_texts(value: Any, map_text: Callable[[str], str]) -> Any:
    """Return the same object where nothing in it changed, so that no arrays are compared."""
    if isinstance(value, UNCHANGED_TYPES):
        return value
    if isinstance(value, str):
        new_text = map_text(value)
        return value if new_text == value else new_text
    parts = _children(value)
    mapped = {key: _map_texts(part, map_text) for key, part in parts.items()}
    if all(mapped[key] is part for key, part in parts.items()):
        return value
    if isinstance(value, list | tuple):
        return type(value)(mapped.values())
    return mapped if isinstance(value, Mapping) else replace(value, **mapped)


def _children(value: Any) -> Mapping[Any, Any]:
    """Return the parts of a value; none where it is mapped as a whole."""
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return {}
