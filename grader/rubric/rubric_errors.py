"""Says what is wrong with a rubric: the key, the fault, and the nearest word that would do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from grader.errors import RubricError

ARROW = " → "
_Loc = tuple[int | str, ...]


def format_complaint(keys: Sequence[str], fault: str) -> str:
    """One line about one key.

    Args:
        keys: The way to it, such as ('item Q2', 'check 1', 'points').
        fault: What is wrong there.

    Returns:
        The line.
    """
    return f"{ARROW.join(keys)}: {fault}" if keys else fault


def raise_complaints(path: Path, complaints: Iterable[str]) -> None:
    """Raise everything that is wrong with a file at once, if anything is.

    Args:
        path: The file, as the person named it.
        complaints: Lines from `complaint`.

    Raises:
        RubricError: There is at least one.
    """
    lines = list(dict.fromkeys(complaints))
    if len(lines) == 1:
        raise RubricError(f"{path}: {lines[0]}")
    if lines:
        raise RubricError("\n  ".join([f"{path}: {len(lines)} things to mend", *lines]))


def suggest_nearest(word: str, *, among: Iterable[str]) -> str:
    """The hint that ends a complaint about a word.

    Args:
        word: What was written.
        among: What could have been.

    Returns:
        'did you mean …?' with the nearest word, or all words where none is near.
    """
    known = sorted(set(among))
    if not known:
        return "none is known here"
    folded = {name.casefold(): name for name in reversed(known)}
    close = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.5)
    return f"did you mean '{folded[close[0]]}'?" if close else f"use one of {', '.join(known)}"


def explain_validation(
    error: ValidationError, *, model: type[BaseModel], tree: Any, parent_keys: Sequence[str] = ()
) -> list[str]:
    """What pydantic found, in words for course staff.

    Args:
        error: What it raised.
        model: The model that was asked for.
        tree: What was validated, to name items by their ids.
        parent_keys: The keys above the tree.

    Returns:
        A complaint for each fault.
    """
    return [
        format_complaint(
            [*parent_keys, *named_keys(fault["loc"], tree=tree)],
            _fault_text(
                fault["type"], loc=fault["loc"], message=fault["msg"], model=model, fault=fault
            ),
        )
        for fault in error.errors(include_url=False)
    ]


def named_keys(loc: _Loc, *, tree: Any) -> list[str]:
    """A place in the file as a person would say it: 'item Q2.3.1', 'check 2', 'params'.

    Args:
        loc: Keys and positions from the top, as pydantic has them.
        tree: The parsed file.

    Returns:
        One word or two for each step.
    """
    keys: list[str] = []
    for step in loc:
        tree = _step_into(tree, step=step)
        if isinstance(step, int) and keys:
            keys[-1] = f"{keys[-1]} {_table_name(tree, position=step)}"
        else:
            keys.append(str(step))
    return keys


def _step_into(tree: Any, *, step: int | str) -> Any:
    if isinstance(tree, dict):
        return tree.get(step)
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        return tree[step]
    return None


def _table_name(tree: Any, *, position: int) -> str:
    """A table's id where it has one, else its place counted from 1."""
    table_id = tree.get("id") if isinstance(tree, dict) else None
    return table_id if isinstance(table_id, str) and table_id else str(position + 1)


def _fault_text(kind: str, *, loc: _Loc, message: str, model: type[BaseModel], fault: Any) -> str:
    if kind == "extra_forbidden":
        return f"there is no such key; {suggest_nearest(str(loc[-1]), among=_sibling_keys(model, loc=loc))}"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        return f"'{fault['input']}' is not allowed; {suggest_nearest(str(fault['input']), among=allowed)}"
    if kind == "string_pattern_mismatch":
        return f"'{fault['input']}' is not allowed here; use letters, digits and . _ -"
    text = message.removeprefix("Value error, ").removeprefix("Input should ")
    return text.replace("be a valid", "must be a", 1) if text.startswith("be a valid") else text


def _sibling_keys(model: type[BaseModel], *, loc: _Loc) -> list[str]:
    """The keys that the table of an unknown key may have."""
    table: type[BaseModel] | None = model
    for step in loc[:-1]:
        if isinstance(step, str) and table is not None:
            table = _table_model(table, key=step)
    return model_keys(table) if table is not None else []


def _table_model(model: type[BaseModel], *, key: str) -> type[BaseModel] | None:
    """The model of the table, or of the tables, under a key."""
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return next(_models_in(field.annotation), None)
    return None


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def model_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table.

    Args:
        model: What it is validated by.

    Returns:
        Its keys as they are written in the file.
    """
    return [field.alias or name for name, field in model.model_fields.items()]
