"""Draw a picture that a student attached anew, so that it holds its pixels and nothing else.

A program of its own: the picture comes on standard input and leaves on standard output, its media
type on a line before it. Libraries that decode pictures are large and written in C, so this runs
where it can reach nothing: no file, no socket, little memory and little time.
"""

import io
import sys
import warnings
from pathlib import Path

from PIL import GifImagePlugin, Image, ImageOps, JpegImagePlugin, MpoImagePlugin, PngImagePlugin

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside.confined_process import restrict_process

sys.path.pop(0)

READERS = {
    "image/png": (PngImagePlugin, "PNG"),
    "image/jpeg": (JpegImagePlugin, "JPEG"),
    "image/gif": (GifImagePlugin, "GIF"),
}
PHONE_JPEG = (MpoImagePlugin, "MPO")
"""What some phones write; imported ahead, since no file can be read later."""
MAX_PIXELS = 50_000_000
"""Larger pictures are refused before they are decoded; phones make 12 to 48 million."""
MAX_SIDE = 1600
"""Most pixels of the longer side: enough to read handwriting on a page."""
MAX_BYTES = 1_000_000
"""Most bytes of what is drawn."""
QUALITIES = (85, 70, 50, 30)


def import_codecs():
    """Import everything that reading and writing pictures needs."""
    Image.preinit()
    for name in ("PNG", "GIF", "JPEG"):
        buffer = io.BytesIO()
        Image.new("RGB", (2, 2)).save(buffer, name)
        ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue()))).load()


def open_image(data, media_type):
    """Return the picture upright, within MAX_SIDE, in colors that every page shows."""
    _, format_name = READERS[media_type]
    formats = [format_name, "MPO"] if format_name == "JPEG" else [format_name]
    image = Image.open(io.BytesIO(data), formats=formats)
    if image.width * image.height > MAX_PIXELS:
        raise ValueError("too many pixels")
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded no larger than need be
    image = ImageOps.exif_transpose(image)
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image)
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def encode_image(image, media_type):
    """Return media type and bytes: PNG keeps lines sharp where there is room for it."""
    # A new picture: what is saved has no comments, profiles or frames to take along.
    copy = Image.new(image.mode, image.size)
    copy.paste(image)
    if media_type != "image/jpeg":
        buffer = io.BytesIO()
        copy.save(buffer, "PNG")
        if buffer.tell() <= MAX_BYTES:
            return "image/png", buffer.getvalue()
    for quality in QUALITIES:
        buffer = io.BytesIO()
        copy.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= MAX_BYTES:
            return "image/jpeg", buffer.getvalue()
    raise ValueError("too large however it is drawn")


def main():
    """Draw one picture, or write nothing and fail."""
    media_type = sys.argv[1]
    data = sys.stdin.buffer.read()
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = None  # ours is asked before anything is decoded
    import_codecs()
    restrict_process(2 * MAX_BYTES)
    output_type, output = encode_image(open_image(data, media_type), media_type)
    sys.stdout.buffer.write(output_type.encode() + b"\n" + output)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
