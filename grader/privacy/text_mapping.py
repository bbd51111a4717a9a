"""Changes every text in a record, however deep it stands, and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from grader.model import Item, Picture

Record = TypeVar("Record")
UNCHANGED_TYPES = (Item, Picture, Enum, Path)
"""The rubric's own words, pictures, verdicts and places."""


def map_texts(record: Record, *, map_text: Callable[[str], str]) -> Record:
    """The record with each text as the function has it; the same one where nothing changed.

    Keys of mappings stay: they are ids of items, names of limits, parts of JSON.
    """
    mapped: Record = _map_texts(record, map_text)
    return mapped


def _map_texts(value: Any, map_text: Callable[[str], str]) -> Any:
    """The same object where nothing in it changed, so that arrays need not be compared."""
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
    """What a value is made of; nothing where it is not taken apart."""
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return {}
