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
_MAX_OUTPUTS = 1_000
_OUTPUT_TYPES = (
    ("image/png", "image/png"),
    ("image/jpeg", "image/jpeg"),
    ("image/gif", "image/gif"),
    ("png", "image/png"),  # notebook formats 2 and 3
    ("jpeg", "image/jpeg"),
)

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
    limit: int = MAX_PICTURES
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

    def collect_outputs(self, outputs: Json, *, cell: int) -> tuple[Picture, ...]:
        """Return the pictures that a code cell shows: of each output the first that can be shown.

        Args:
            outputs: The cell's `outputs` in the file.
            cell: The cell's index, for notes.
        """
        pictures: dict[str, Picture] = {}
        for output in islice(outputs, _MAX_OUTPUTS) if isinstance(outputs, list) else ():
            bundle = output.get("data", output) if isinstance(output, dict) else {}
            for key, mime in _OUTPUT_TYPES if isinstance(bundle, dict) else ():
                if data := _join_text(bundle.get(key)):
                    self._store_picture(
                        mime, data=data, cell=cell, pictures=pictures, relation="shown by"
                    )
                    break
        return tuple(pictures.values())

    def _store_picture(
        self,
        mime: str,
        *,
        data: str,
        cell: int,
        pictures: dict[str, Picture],
        relation: str = "attached to",
    ) -> str:
        """Store a picture if it is allowed, and return the address that stands for it."""
        raw, reason = _decode_picture(mime, data=data)
        name = hashlib.sha256(raw).hexdigest()[:16]
        if not reason and name not in self.kept_hashes and len(self.kept_hashes) >= self.limit:
            reason = f"a notebook may have {self.limit}"
        if reason:
            note = f"A picture {relation} cell {cell} was left out: {reason}."
            if note not in self.noted:
                self.noted.add(note)
                self.notes.append(note)
            return OMITTED_PICTURE
        self.kept_hashes.add(name)
        pictures[name] = Picture(mime=mime, base64=base64.b64encode(raw).decode("ascii"))
        return f"attachment:{name}"


def picture_address(picture: Picture) -> str:
    """Return the address by which a text names a picture."""
    return f"attachment:{hashlib.sha256(base64.b64decode(picture.base64)).hexdigest()[:16]}"


def _iter_attachments(attachments: Json) -> Iterator[tuple[str, str, str]]:
    """Yield the name, media type and base64 of each attachment."""
    bundles = attachments.items() if isinstance(attachments, dict) else ()
    for name, bundle in islice(bundles, _MAX_ATTACHMENTS):
        for mime, data in bundle.items() if isinstance(bundle, dict) else ():
            if isinstance(data, str | list):
                yield name, mime, _join_text(data)


def _join_text(data: Json) -> str:
    if isinstance(data, list):
        return "".join(part for part in data if isinstance(part, str))
    return data if isinstance(data, str) else ""


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
