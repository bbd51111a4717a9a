"""Redraws the pictures of written answers, so that pages show pixels and nothing else.

Each is redrawn in a process of its own, `grader/inside/image_sanitizer.py`, since a picture may
break what decodes it.
"""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from grader.confined_readers import INSIDE, run_confined
from grader.errors import GraderError
from grader.model import Answer, Picture

SANITIZER = INSIDE / "image_sanitizer.py"
TIMEOUT_S = 30.0
"""Seconds for one picture; it takes a third of a second."""
MAX_BYTES = 2_000_000
"""Bytes of a redrawn picture that are read."""
MIMES = frozenset({"image/png", "image/jpeg"})
UNSHOWABLE = Picture(mime="", base64="")
"""Stands for a picture that can't be shown; pages count it."""


class Undrawable(GraderError):
    """The data is no picture, or redrawing it failed."""


def redraw_pictures(answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
    """Return the answers with their pictures redrawn."""
    return {
        item: replace(answer, images=tuple(map(_redraw_or_placeholder, answer.images)))
        if answer.images
        else answer
        for item, answer in answers.items()
    }


def _redraw_or_placeholder(picture: Picture) -> Picture:
    try:
        return redraw_picture(picture)
    except Undrawable:
        return UNSHOWABLE


@lru_cache(maxsize=32)  # a picture is in one answer, but may be judged several times
def redraw_picture(picture: Picture) -> Picture:
    """Redraw a picture.

    Raises:
        Undrawable: it is no picture, or a process that draws it fails.
    """
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output:
        source.write(base64.b64decode(picture.base64))
        source.seek(0)
        try:
            run_confined(SANITIZER, picture.mime, source=source, output=output, timeout_s=TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise Undrawable from error
        output.seek(0)
        mime, _, data = output.read(MAX_BYTES).partition(b"\n")
    media_type = mime.decode("ascii", "replace")
    if media_type not in MIMES:
        raise Undrawable
    return Picture(mime=media_type, base64=base64.b64encode(data).decode())
