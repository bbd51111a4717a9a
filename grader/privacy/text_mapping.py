"""Changes every text in a record, however deep it stands, and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from grader.model import Item, Picture

Record = TypeVar("Record")
KEPT = (Item, Picture, Enum, Path)
"""The rubric's own words, pictures, verdicts and places."""


def retold(record: Record, *, text: Callable[[str], str]) -> Record:
    """The record with each text as the function has it; the same one where nothing changed.

    Keys of mappings stay: they are ids of items, names of limits, parts of JSON.
    """
    changed: Record = _retold(record, text)
    return changed


def _retold(value: Any, text: Callable[[str], str]) -> Any:
    """The same object where nothing in it changed, so that arrays need not be compared."""
    if isinstance(value, KEPT):
        return value
    if isinstance(value, str):
        told = text(value)
        return value if told == value else told
    parts = _parts(value)
    after = {key: _retold(part, text) for key, part in parts.items()}
    if all(after[key] is part for key, part in parts.items()):
        return value
    if isinstance(value, list | tuple):
        return type(value)(after.values())
    return after if isinstance(value, Mapping) else replace(value, **after)


def _parts(value: Any) -> Mapping[Any, Any]:
    """What a value is made of; nothing where it is not taken apart."""
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return {}
