"""Words the faults of a rubric: the key, the fault, and the nearest valid word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from grader.errors import RubricError
from grader.rubric.toml_files import CheckCatalog

ARROW = " → "
_UNKNOWN_KEY = {"extra_forbidden", "unexpected_keyword_argument"}
_Loc = tuple[int | str, ...]
_TABLE, _LIST = "must be a table", "must be a list"
_KIND_WORDS = {
    "missing": "is missing",
    **dict.fromkeys(("dict_type", "model_type", "dataclass_type", "mapping_type"), _TABLE),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _LIST),
    "string_type": "must be a text in quotes",
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type"), "must be a number"),
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "too_short": "must have {min_length} or more entries, not {actual_length}",
    "too_long": "must have {max_length} or fewer entries, not {actual_length}",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "'{input}' is not allowed here; use letters, digits and . _ -",
}
"""What is wrong, by pydantic's type of the error; in braces the error's own context."""


def format_complaint(keys: Sequence[str], fault: str) -> str:
    """Return a line about a key with a path such as ('item Q2', 'check 1', 'points')."""
    return f"{ARROW.join(keys)}: {fault}" if keys else fault


def raise_complaints(path: Path, complaints: Iterable[str]) -> None:
    """Raise all complaints about a file at once, if there are any.

    Raises:
        RubricError: There is at least one complaint.
    """
    lines = list(dict.fromkeys(complaints))
    if len(lines) == 1:
        raise RubricError(f"{path}: {lines[0]}")
    if lines:
        raise RubricError("\n  ".join([f"{path}: {len(lines)} problems", *lines]))


def suggest_nearest(word: str, *, among: Iterable[str]) -> str:
    """Return 'did you mean …?' with the nearest known word, or all words where none is near."""
    known = sorted(set(among))
    if not known:
        return "none is known here"
    folded = {name.casefold(): name for name in reversed(known)}
    close = get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.5)
    return f"did you mean '{folded[close[0]]}'?" if close else f"use one of {', '.join(known)}"


def explain_validation(
    error: ValidationError,
    *,
    table: type,
    tree: Mapping[str, Any],
    catalog: CheckCatalog | None = None,
) -> list[str]:
    """Word pydantic's errors for course staff.

    Args:
        error: The error that pydantic raised.
        table: The record that was validated, a dataclass or a pydantic model.
        tree: The tables that were validated, to name items by their ids.
        catalog: The models of the parameters of checks, by their codes.

    Returns:
        A complaint for each fault.
    """
    return [
        format_complaint(
            _name_keys(fault["loc"], tree=tree),
            _word_fault(fault, table=table, tree=tree, catalog=catalog or {}),
        )
        for fault in error.errors(include_url=False)
    ]


def _name_keys(loc: _Loc, *, tree: Any) -> list[str]:
    """Return a path in the file with ids or numbers: 'item Q2.3.1', 'check 2', 'params'."""
    keys: list[str] = []
    for step in loc:
        tree = _step_into(tree, step=step)
        if isinstance(step, int) and keys:
            table_id = tree.get("id") if isinstance(tree, dict) else None
            has_id = isinstance(table_id, str) and table_id
            keys[-1] = f"{keys[-1]} {table_id if has_id else step + 1}"
        else:
            keys.append(str(step))
    return keys


def _step_into(tree: Any, *, step: int | str) -> Any:
    if isinstance(tree, dict):
        return tree.get(step)
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        return tree[step]
    return None


def _word_fault(fault: Any, *, table: type, tree: Any, catalog: CheckCatalog) -> str:
    kind, loc = fault["type"], fault["loc"]
    if kind in _UNKNOWN_KEY:
        known = _sibling_keys(loc, table=table, tree=tree, catalog=catalog)
        return f"there is no such key; {suggest_nearest(str(loc[-1]), among=known)}"
    if kind == "unknown_check":
        return f"{fault['msg']}; {suggest_nearest(fault['ctx']['code'], among=catalog)}"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        hint = suggest_nearest(str(fault["input"]), among=allowed)
        return f"'{fault['input']}' is not allowed; {hint}"
    if kind in _KIND_WORDS:
        return _KIND_WORDS[kind].format_map({"input": fault["input"], **fault.get("ctx", {})})
    return str(fault["msg"]).removeprefix("Value error, ").replace("Input should ", "must ", 1)


def _sibling_keys(loc: _Loc, *, table: type, tree: Any, catalog: CheckCatalog) -> list[str]:
    """Return the keys that are valid in the place of an unknown one."""
    current: type | None = table
    for step in loc[:-1]:
        if step == "params" and tree.get("code") in catalog:
            current = catalog[tree["code"]]
        elif isinstance(step, str) and current is not None:
            current = next(_tables_in(_table_keys(current).get(step)), None)
        tree = _step_into(tree, step=step)
    return list(_table_keys(current)) if current is not None else []


def _tables_in(annotation: Any) -> Iterator[type]:
    if is_dataclass(annotation) or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    ):
        yield annotation  # type: ignore[misc] # of classes alone
    for part in get_args(annotation):
        yield from _tables_in(part)


def _table_keys(table: type) -> dict[str, Any]:
    """Return the keys of a table as they are written in a file, each with its annotation."""
    if issubclass(table, BaseModel):
        return {field.alias or key: field.annotation for key, field in table.model_fields.items()}
    keys = {}
    for name, annotation in get_type_hints(table, include_extras=True).items():
        infos = (part for part in get_args(annotation) if isinstance(part, FieldInfo))
        keys[next((info.alias for info in infos if info.alias), name)] = annotation
    return {name: annotation for name, annotation in keys.items() if not name.startswith("__")}
