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
        is_json = path.suffix == ".json"
        tree = json.loads(text) if is_json else tomllib.loads(text.replace("\r\n", "\n"))
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
    if not isinstance(tree, dict):
        raise RubricError(f"{path}: not JSON: not an object: line 1 column 1 (char 0)")
    return data, tree


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
    # As JSON, since strict validation of JSON still takes an array for a tuple, a text for a date.
    text = json.dumps(tree, default=lambda moment: moment.isoformat())
    return adapter.validate_json(text, context=catalog)
