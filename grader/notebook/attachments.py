"""Reads pictures that students attach to text cells, such as a scan of a handwritten answer.

Jupyter keeps them under `attachments` and shows them by `attachment:name`; Colab writes them
into the text as `data:` addresses. Here both become `attachment:<hash>`, so that the same
picture has the same name in the handout and in a submission, whatever its file was called.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import quote

from grader.model import Json, Picture

MAX_PICTURE_BYTES = 2 * 1024 * 1024
MAX_PICTURES = 10
"""The most pictures of a notebook."""
_MAX_ATTACHMENTS = 50

PICTURE_REFERENCE = re.compile(r"attachment:([0-9a-f]{16})\b")
"""A picture as the text of a cell names it, once it was read."""
OMITTED_PICTURE = "attachment-left-out"

_MAGIC = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
_INLINE = re.compile(r"data:(image/[\w.+-]+);base64,\s*([A-Za-z0-9+/=%]+)")
_MAX_BASE64 = MAX_PICTURE_BYTES * 3 // 2  # base64 takes 4/3, and line ends a little
_SPACE = re.compile(r"\s+")


@dataclass(kw_only=True)
class PictureCollector:
    """Collects the pictures of one notebook, and notes on those left out."""

    notes: list[str]
    kept_hashes: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)

    def extract_pictures(
        self, source: str, *, attachments: Json, cell: int
    ) -> tuple[str, tuple[Picture, ...]]:
        """Return a cell's text with each picture named by its hash, and the pictures in its order.

        Args:
            source: The cell's text.
            attachments: The cell's `attachments` in the file.
            cell: The cell's index, for notes.
        """
        pictures: dict[str, Picture] = {}
        for name, mime, data in _iter_attachments(attachments):
            address = self._store_picture(mime, data=data, cell=cell, pictures=pictures)
            source = _replace_mentions(source, name=name, address=address)
        source = _INLINE.sub(
            lambda match: self._store_picture(
                match[1], data=match[2], cell=cell, pictures=pictures
            ),
            source,
        )
        picture_names = [name for name in PICTURE_REFERENCE.findall(source) if name in pictures]
        return source, tuple(pictures[name] for name in dict.fromkeys(picture_names))

    def _store_picture(
        self, mime: str, *, data: str, cell: int, pictures: dict[str, Picture]
    ) -> str:
        """Store a picture if it is allowed, and return the address that stands for it."""
        raw, reason = _decode_picture(mime, data=data)
        name = hashlib.sha256(raw).hexdigest()[:16]
        if not reason and name not in self.kept_hashes and len(self.kept_hashes) >= MAX_PICTURES:
            reason = f"a notebook may have {MAX_PICTURES}"
        if reason:
            note = f"A picture attached to cell {cell} was left out: {reason}."
            if note not in self.noted:
                self.noted.add(note)
                self.notes.append(note)
            return OMITTED_PICTURE
        self.kept_hashes.add(name)
        pictures[name] = Picture(mime=mime, base64=base64.b64encode(raw).decode("ascii"))
        return f"attachment:{name}"


def _iter_attachments(attachments: Json) -> Iterator[tuple[str, str, str]]:
    """Yield the name, media type and base64 of each attachment."""
    bundles = attachments.items() if isinstance(attachments, dict) else ()
    for name, bundle in islice(bundles, _MAX_ATTACHMENTS):
        for mime, data in bundle.items() if isinstance(bundle, dict) else ():
            if isinstance(data, list):
                data = "".join(part for part in data if isinstance(part, str))  # noqa: PLW2901 -- the same data, joined
            if isinstance(data, str):
                yield name, mime, data


def _replace_mentions(source: str, *, name: str, address: str) -> str:
    """Replace every mention of an attachment; one that is never shown is added at the end."""
    spellings = sorted({name, quote(name), quote(name, safe="")}, key=len, reverse=True)
    mention = re.compile("attachment:(?:" + "|".join(map(re.escape, spellings)) + r")(?![\w%-])")
    if mention.search(source):
        return mention.sub(address, source)
    return f"{source}\n\n![]({address})" if address != OMITTED_PICTURE else source


def _decode_picture(mime: str, *, data: str) -> tuple[bytes, str]:
    """Return the picture's bytes, and why it is not allowed, or an empty reason."""
    if mime not in _MAGIC:
        return b"", "only PNG, JPEG and GIF are shown"
    try:
        raw = base64.b64decode(_SPACE.sub("", data[:_MAX_BASE64]), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) > MAX_PICTURE_BYTES or len(data) > _MAX_BASE64:
        return b"", f"it is larger than {MAX_PICTURE_BYTES // 2**20} MB"
    if not raw.startswith(_MAGIC[mime]):
        return b"", f"it is damaged, or not what its type says ({mime})"
    return raw, ""
