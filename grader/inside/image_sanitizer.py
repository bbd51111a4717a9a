"""Draws a picture that a student attached anew: what comes out holds its pixels and nothing else.

A program of its own: the picture comes on standard input and leaves on standard output, its media
type on a line before it. What decodes pictures is large and written in C, so it is done where it
can reach nothing: no file, no socket, little memory and little time.
"""

import contextlib
import io
import sys
import warnings
from pathlib import Path

from PIL import GifImagePlugin, Image, ImageOps, JpegImagePlugin, MpoImagePlugin, PngImagePlugin

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside import landlock, linux, seccomp

sys.path.pop(0)

READERS = {
    "image/png": (PngImagePlugin, "PNG"),
    "image/jpeg": (JpegImagePlugin, "JPEG"),
    "image/gif": (GifImagePlugin, "GIF"),
}
ALSO_JPEG = (MpoImagePlugin, "MPO")
"""What some telephones write; imported ahead, since no file can be read later."""
PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded; telephones make 12 to 48 million."""
SIDE = 1600
"""Pixels of the longer side that are kept: enough to read handwriting on a page."""
LARGEST = 1_000_000
"""Bytes of what is drawn."""
QUALITIES = (85, 70, 50, 30)
MEMORY = 1 << 30
SECONDS = 10


def warm_up():
    """Have everything imported that reading and writing need."""
    Image.preinit()
    for name in ("PNG", "GIF", "JPEG"):
        drawn = io.BytesIO()
        Image.new("RGB", (2, 2)).save(drawn, name)
        ImageOps.exif_transpose(Image.open(io.BytesIO(drawn.getvalue()))).load()


def lock():
    """Give up all that drawing does not need, as far as this system can take it."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        for which, value in (
            (resource.RLIMIT_AS, MEMORY),
            (resource.RLIMIT_CPU, SECONDS),
            (resource.RLIMIT_FSIZE, 2 * LARGEST),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(which, (value, value))
    if sys.platform == "linux":
        for give_up in (
            linux.drop_capabilities,
            landlock.restrict,
            lambda: seccomp.install(seccomp.program(connects=False)),
        ):
            with contextlib.suppress(OSError, KeyError):
                give_up()


def opened(data, kind):
    """The picture upright, in colours that every page shows, no larger than it is kept."""
    _, name = READERS[kind]
    formats = [name, "MPO"] if name == "JPEG" else [name]
    image = Image.open(io.BytesIO(data), formats=formats)
    if image.width * image.height > PIXELS:
        raise ValueError("too many pixels")
    image.draft("RGB", (SIDE, SIDE))  # a JPEG is decoded no larger than need be
    image = ImageOps.exif_transpose(image)
    image.thumbnail((SIDE, SIDE))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def drawn(image, kind):
    """Media type and bytes: lines stay sharp where there is room for them."""
    # A new picture: what is saved has no comments, profiles or frames to take along.
    fresh = Image.new(image.mode, image.size)
    fresh.paste(image)
    if kind != "image/jpeg":
        file = io.BytesIO()
        fresh.save(file, "PNG")
        if file.tell() <= LARGEST:
            return "image/png", file.getvalue()
    for quality in QUALITIES:
        file = io.BytesIO()
        fresh.save(file, "JPEG", quality=quality)
        if file.tell() <= LARGEST:
            return "image/jpeg", file.getvalue()
    raise ValueError("too large however it is drawn")


def main():
    """Draw one picture, or say nothing and fail."""
    kind = sys.argv[1]
    data = sys.stdin.buffer.read()
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # ours is asked before anything is decoded
    warm_up()
    lock()
    name, picture = drawn(opened(data, kind), kind)
    sys.stdout.buffer.write(name.encode() + b"\n" + picture)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
