"""Reads the outputs saved with code cells: text, errors and media types."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace

from grader.model import Json, SavedOutput

UNNAMED_ERROR = "an error"
"""The text of a saved error without a name and a message."""
MAX_TEXT = 1_000_000
"""The most characters of an output; a longer one is kept without its middle."""
_MAX_SEARCHED = 2_000_000
"""The most characters of an HTML output that are searched for a figure."""
_MAX_ERROR = 300
"""The most characters of a saved error."""

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])"
)
_FIGURE = re.compile(
    r"<(?:img|svg|canvas|video)\b|\bsrcdoc=|!\[[^\]\n]{0,200}\]\(|plotly|bokeh|vega-?embed|mpld3|"
    r"\bd3\.(?:select|v\d)",
    re.IGNORECASE,
)
_FIGURE_TYPE = re.compile(r"image/|video/|application/vnd\.(?:plotly|vega|vegalite|bokehjs)")
_TAG = re.compile(r"<(/?)([a-zA-Z]\w*)[^<>]*>?")
_HIDDEN_TAGS = frozenset({"script", "style"})
_LINE_TAGS = frozenset({"br", "div", "h1", "h2", "h3", "h4", "li", "p", "tr"})
_BARE_REPR = re.compile(r"\s*(?:<[^<>\n]*>|Output\(\))?\s*")
"""Matches text/plain that only names the object whose rich form a reader sees."""
_READABLE_TYPES = ("text/markdown", "text/latex", "text/html")
_SHORT_NAMES = {
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
"""Media types by the names that notebook formats 2 and 3 have for them."""


def saved_outputs(raw: Json, *, cell: int, notes: list[str]) -> tuple[SavedOutput, ...]:
    """Return the outputs saved with a cell; entries that are no objects are ignored.

    Args:
        raw: The cell's `outputs` in the file.
        cell: The cell's index, for notes.
        notes: A list to which a sentence is added if an output is shortened.
    """
    if not isinstance(raw, list):
        return ()
    outputs = [_read_output(output) for output in raw if isinstance(output, dict)]
    if any(len(output.text) > MAX_TEXT for output in outputs):
        notes.append(
            f"An output of cell {cell} is longer than {MAX_TEXT:,} characters: "
            "its middle was left out."
        )
    half = MAX_TEXT // 2
    return tuple(
        replace(output, text=f"{output.text[:half]}\n[…]\n{output.text[-half:]}")
        if len(output.text) > MAX_TEXT
        else output
        for output in outputs
    )


def is_figure_type(mime: str) -> bool:
    """Return whether a media type is that of a figure."""
    return _FIGURE_TYPE.match(mime) is not None


def shows_figure(output: SavedOutput) -> bool:
    """Return whether a reader of an output sees a figure."""
    return output.html_has_figure or any(map(is_figure_type, output.mimes))


def readable_text(mime: str, text: str) -> str:
    """Return the words of a text as a reader sees them: of HTML without tags and scripts."""
    if mime != "text/html":
        return text
    parts, end, hidden_in = [], 0, ""
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if not hidden_in:
            parts += [text[end : tag.start()], "\n" if name in _LINE_TAGS else " "]
            hidden_in = name if name in _HIDDEN_TAGS and not tag[1] else ""
        elif tag[1] and name == hidden_in:
            hidden_in = ""
        end = tag.end()
    return html.unescape("".join([*parts, "" if hidden_in else text[end:]])).strip()


def _read_output(raw: dict[str, Json]) -> SavedOutput:
    """Read one output of notebook format 2, 3 or 4."""
    kind = raw.get("output_type")
    if kind == "stream":
        return SavedOutput(text=_visible_text(raw.get("text")), mimes=())
    if kind in ("error", "pyerr"):
        return SavedOutput(text="", mimes=(), error=_error_text(raw))
    bundle = raw.get("data")
    if not isinstance(bundle, dict):  # formats 2 and 3 have the media beside `output_type`
        bundle = {
            _SHORT_NAMES.get(key, key): value
            for key, value in raw.items()
            if key in _SHORT_NAMES or "/" in key
        }
    mimes = tuple(mime for mime in bundle if isinstance(mime, str))
    has_picture = any(mime.startswith("image/") for mime in mimes)
    markup = (_join_text(bundle.get(mime))[:_MAX_SEARCHED] for mime in _READABLE_TYPES)
    return SavedOutput(
        text="" if has_picture else _bundle_text(bundle),
        mimes=tuple(mime.encode("ascii", "replace").decode() for mime in mimes),
        html_has_figure=any(map(_FIGURE.search, markup)),
    )


def _bundle_text(bundle: Mapping[str, Json]) -> str:
    """Return the plain text of an output, or its rich text where that only names an object."""
    plain = _visible_text(bundle.get("text/plain"))
    rich_type = next((mime for mime in _READABLE_TYPES if mime in bundle), "")
    if not rich_type or not _BARE_REPR.fullmatch(plain):
        return plain
    return readable_text(rich_type, _visible_text(bundle[rich_type])[:_MAX_SEARCHED]) or plain


def _error_text(raw: dict[str, Json]) -> str:
    """Return a saved error on one line; format 2 calls its name `etype`."""
    name = _visible_text(raw.get("ename", raw.get("etype")))[:_MAX_ERROR]
    value = _visible_text(raw.get("evalue"))[:_MAX_ERROR]
    message = ": ".join(" ".join(part.split()) for part in (name, value) if part.strip())
    return message[:_MAX_ERROR] or UNNAMED_ERROR


def _join_text(value: Json) -> str:
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _visible_text(value: Json) -> str:
    """Return a text as a person saw it, without terminal codes and lone surrogates."""
    text = _ANSI.sub("", _join_text(value)).replace("\r\n", "\n")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
