"""Has the pictures of written answers drawn anew before a page shows them.

Each in a process of its own, see `grader/inside/image_sanitizer.py`: a picture that breaks what decodes it
costs itself.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from grader.model import Answer, Picture
from grader.sandbox.wall_plans import INSIDE

PAINTER = INSIDE / "image_sanitizer.py"
PATIENCE = 30.0
"""Seconds for one picture; it takes a third of one."""
LARGEST = 2_000_000
"""Bytes that are read of what comes back."""
MIMES = frozenset({"image/png", "image/jpeg"})
LOST = Picture(mime="", base64="")
"""Stands for a picture that can't be shown; a page counts it."""


class Undrawable(Exception):
    """It is no picture, or drawing it failed."""


def redrawn(answers: Mapping[str, Answer]) -> Mapping[str, Answer]:
    """The same answers, with pictures that hold pixels and nothing else."""
    return {
        item: replace(answer, images=tuple(map(_drawn_or_lost, answer.images)))
        if answer.images
        else answer
        for item, answer in answers.items()
    }


def _drawn_or_lost(picture: Picture) -> Picture:
    try:
        return drawn(picture)
    except Undrawable:
        return LOST


@lru_cache(maxsize=32)  # a picture stands in one answer, but may be judged several times
def drawn(picture: Picture) -> Picture:
    """A picture drawn anew.

    Raises:
        Undrawable: it can't be.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        given.write(base64.b64decode(picture.base64))
        given.seek(0)
        try:
            subprocess.run(  # noqa: S603 (our own file, and a media type of three)
                [sys.executable, "-P", "-E", str(PAINTER), picture.mime],
                stdin=given,
                stdout=made,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                timeout=PATIENCE,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Undrawable from error
        made.seek(0)
        mime, _, data = made.read(LARGEST).partition(b"\n")
    told = mime.decode("ascii", "replace")
    if told not in MIMES:
        raise Undrawable
    return Picture(mime=told, base64=base64.b64encode(data).decode())
