"""Decodes the bytes of a submitted file as JSON, or explains what the file is instead."""

from __future__ import annotations

import json
import re

from grader.errors import NotebookError
from grader.model import Json

MAX_PARTS = 5_000_000
"""The most lists, objects and commas in a file; more would take gigabytes once parsed."""
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)', re.DOTALL)

_BINARY = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip archive (or a Word or Pages document)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b": "a compressed file",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"{\\rtf": "a rich text document",
}
_HTML = re.compile(
    r"\s*(?><\?xml[^>]*>\s*|<!--.*?-->\s*)*+<(?:!doctype|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_CONFLICT = re.compile(r"^(?:<{7} |>{7} |\|{7} )", re.MULTILINE)
_PYTHON = re.compile(r"^(?:import|from|def|class|#)\b|^# ?%%", re.MULTILINE)


def decode_text(data: bytes, *, notes: list[str]) -> str:
    """Return the text of a file, in whichever encoding it is.

    Args:
        data: The file's bytes.
        notes: A list to which a sentence on each repair is added.

    Returns:
        The text, without a byte order mark.

    Raises:
        NotebookError: The file is empty, or recognized as something else.
    """
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise NotebookError("The file is empty. Save the notebook, and submit it again.")
    for signature, description in _BINARY.items():
        if data.startswith(signature):
            raise NotebookError(
                f"The file is {description}, not a notebook. Hand in the .ipynb file."
            )
    encoding = json.detect_encoding(data)
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"The file is saved as {encoding.upper()} instead of UTF-8.")
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        notes.append("The file is not valid UTF-8 and was read as Windows-1252.")
        return data.decode("cp1252", "replace")


def parse_json_object(text: str) -> dict[str, Json]:
    """Parse a notebook's text as one JSON object.

    Raises:
        NotebookError: The text is not JSON, is nested too deep, or is no object.
    """
    if _count_parts(text) > MAX_PARTS and _count_parts(_JSON_STRING.sub("", text)) > MAX_PARTS:
        raise NotebookError(
            "The file has too many parts to be read. Clear the large outputs and submit it again."
        )
    try:
        tree = json.loads(text)
    except RecursionError as error:
        raise NotebookError("The file is nested too deep to be a notebook.") from error
    except ValueError as error:  # also a number of thousands of digits
        raise NotebookError(_explain_invalid_json(text, error=error)) from error
    if not isinstance(tree, dict):
        raise NotebookError(
            "The file holds JSON, but no notebook: it is not an object. Submit the "
            ".ipynb file itself."
        )
    return tree


def _count_parts(text: str) -> int:
    return text.count("[") + text.count("{") + text.count(",")


def _explain_invalid_json(text: str, *, error: ValueError) -> str:
    if _HTML.match(text[:10_000]):
        return (
            "The file is a web page, not a notebook: perhaps an export, or the page that shows it. "
            "Download the .ipynb file itself."
        )
    if _CONFLICT.search(text):
        return (
            "The file has merge conflict marks (<<<<<<< and >>>>>>>) in it. "
            "Resolve the conflict, check that Jupyter opens it, and submit it again."
        )
    if not text.lstrip().startswith(("{", "[")):
        description = "looks like a Python script" if _PYTHON.match(text) else "is not JSON"
        return f"The file {description}, and a notebook is JSON. Submit the .ipynb file itself."
    if isinstance(error, json.JSONDecodeError) and _ends_too_early(text, error):
        return (
            f"The file ends too early, in line {text.count(chr(10)) + 1}: perhaps a download or an "
            "upload had not finished. Check that Jupyter opens it, and submit the whole file."
        )
    location = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
    return (
        f"The file is not valid JSON{location}, so it was cut off or changed by hand. "
        "Check that Jupyter opens it, save it, and submit it again."
    )


def _ends_too_early(text: str, error: json.JSONDecodeError) -> bool:
    return error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
