"""Read the outputs saved with code cells: text, errors and media types."""

from __future__ import annotations

import re
from dataclasses import replace

from grader.model import Json, SavedOutput

MAX_TEXT = 1_000_000
"""Characters of one output; the middle of a longer one is left out."""
_MAX_SEARCHED = 2_000_000
_MAX_ERROR = 300
"""Characters of a saved error."""

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])"
)
_FIGURE = re.compile(
    r"<(?:img|svg|canvas)\b|plotly|bokeh|vega-?embed|mpld3|\bd3\.(?:select|v\d)",
    re.IGNORECASE,
)
_FORMAT_3_MIMES = {
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
    "pdf": "application/pdf",
}


def saved_outputs(raw: Json, *, cell: int, notes: list[str]) -> tuple[SavedOutput, ...]:
    """Return the outputs saved with a cell, without entries that are none.

    Args:
        raw: The cell's `outputs` in the file.
        cell: The cell's index, for notes.
        notes: Gets a sentence if something is left out.
    """
    if not isinstance(raw, list):
        return ()
    outputs = tuple(_read_output(output) for output in raw if isinstance(output, dict))
    if any(len(output.text) > MAX_TEXT for output in outputs):
        notes.append(
            f"An output of cell {cell} is longer than {MAX_TEXT:,} characters: "
            "its middle was left out."
        )
    return tuple(_shorten(output) for output in outputs)


def strip_ansi(text: str) -> str:
    """Remove terminal colors and cursor moves."""
    return _ANSI.sub("", text)


def _read_output(raw: dict[str, Json]) -> SavedOutput:
    """Read one output, of format 2, 3 or 4."""
    kind = raw.get("output_type")
    if kind == "stream":
        return SavedOutput(text=_visible_text(raw.get("text")), mimes=())
    if kind in ("error", "pyerr"):
        return SavedOutput(text="", mimes=(), error=_error_text(raw))
    data = raw.get("data")
    bundle = data if isinstance(data, dict) else _format_3_bundle(raw)
    mimes = tuple(mime for mime in bundle if isinstance(mime, str))
    has_picture = any(mime.startswith("image/") for mime in mimes)
    return SavedOutput(
        text="" if has_picture else _visible_text(bundle.get("text/plain")),
        mimes=tuple(mime.encode("ascii", "replace").decode() for mime in mimes),
        html_has_figure=_FIGURE.search(_join_text(bundle.get("text/html"))[:_MAX_SEARCHED])
        is not None,
    )


def _error_text(raw: dict[str, Json]) -> str:
    """Return a saved error on one line; format 2 calls its name `etype`."""
    name = _visible_text(raw.get("ename", raw.get("etype")))[:_MAX_ERROR]
    value = _visible_text(raw.get("evalue"))[:_MAX_ERROR]
    message = ": ".join(" ".join(part.split()) for part in (name, value) if part.strip())
    return message[:_MAX_ERROR] or "an error"


def _format_3_bundle(raw: dict[str, Json]) -> dict[str, Json]:
    """Return the media of format 3, which stand beside `output_type` under short names."""
    return {
        _FORMAT_3_MIMES.get(key, key): raw[key]
        for key in raw
        if key in _FORMAT_3_MIMES or "/" in key
    }


def _join_text(value: Json) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _visible_text(value: Json) -> str:
    """Return a text as a person saw it; half characters become question marks in a diamond."""
    text = strip_ansi(_join_text(value)).replace("\r\n", "\n")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _shorten(output: SavedOutput) -> SavedOutput:
    if len(output.text) <= MAX_TEXT:
        return output
    half = MAX_TEXT // 2
    return replace(output, text=output.text[:half] + "\n[…]\n" + output.text[-half:])
