"""Reads files of tables, TOML or JSON, and validates them into records."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from grader.errors import RubricError

CheckCatalog = Mapping[str, type[BaseModel]]
"""Check codes, each with the model that its params must satisfy."""
Record = TypeVar("Record")


def read_tables(path: Path) -> tuple[bytes, dict[str, Any]]:
    """Read a TOML file, or a JSON file (by its ending) of the same tables.

    Args:
        path: The file, in UTF-8.

    Returns:
        The file's bytes and tables.

    Raises:
        RubricError: The file cannot be opened, is not UTF-8, or not TOML or JSON.
    """
    text = ""
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
        return data, _parse_json(text) if path.suffix == ".json" else _parse_toml(text)
    except OSError as error:
        raise RubricError(f"{path}: cannot be opened ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RubricError(f"{path}: line {line} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        at_end = f"(at the end, line {text.count(chr(10)) + 1})"
        message = str(error).replace("(at end of document)", at_end)
        raise RubricError(f"{path}: not TOML: {message}") from error
    except json.JSONDecodeError as error:
        raise RubricError(f"{path}: not JSON: {error}") from error
    except RecursionError as error:
        raise RubricError(f"{path}: nested too deep") from error


def _parse_toml(text: str) -> dict[str, Any]:
    return tomllib.loads(text.replace("\r\n", "\n"))


def _parse_json(text: str) -> dict[str, Any]:
    tree = json.loads(text)
    if not isinstance(tree, dict):
        raise json.JSONDecodeError("not an object", text, 0)
    return tree


def validate_tables(
    tree: Mapping[str, Any], adapter: TypeAdapter[Record], *, catalog: CheckCatalog | None = None
) -> Record:
    """Validate tables strictly, whatever file they are from.

    Args:
        tree: The tables.
        adapter: The record to make of them.
        catalog: The checks that exist, where the tables call some.

    Raises:
        pydantic.ValidationError: A key or a value is not allowed; it lists all of them.
    """
    # As JSON: there, strict means that an array is a tuple and a date is text, and nothing more.
    text = json.dumps(tree, default=lambda moment: moment.isoformat())
    return adapter.validate_json(text, context=catalog)
