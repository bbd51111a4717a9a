"""Attached pictures are drawn anew, bounded, out of reach of everything; a bad one costs itself."""

from __future__ import annotations

import base64
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from grader.model import Answer, Picture
from grader.pipeline import picture_redrawing
from grader.pipeline.picture_redrawing import UNSHOWABLE, redraw_pictures

PAYLOAD = b"<script>alert(1)</script>"


def picture(data: bytes, mime: str = "image/png") -> Picture:
    return Picture(mime=mime, base64=base64.b64encode(data).decode())


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def gradient(*size: int, mode: str = "RGB") -> Image.Image:
    return Image.radial_gradient("L").resize((size[0], size[1])).convert(mode)


def one(found: Picture) -> Picture:
    answer = Answer(item="Q", text="see the scan", images=(found,))
    return redraw_pictures({"Q": answer})["Q"].images[0]


def shown(found: Picture) -> Image.Image:
    drawn = one(found)
    assert drawn is not UNSHOWABLE
    return Image.open(io.BytesIO(base64.b64decode(drawn.base64)))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, pixels: bytes) -> bytes:
    """A picture in black and white that claims that size."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(pixels, 9))
        + chunk(b"IEND", b"")
    )


def test_answers_without_pictures_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("started"))
    answers = {"Q": Answer(item="Q", text="words")}

    assert redraw_pictures(answers) == answers


def test_pixels_stay_and_what_hides_beside_them_goes() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", PAYLOAD.decode())
    original = gradient(40, 30)

    drawn = one(picture(saved(original, pnginfo=info) + PAYLOAD))

    data = base64.b64decode(drawn.base64)
    assert drawn.mime == "image/png"
    assert PAYLOAD not in data
    assert Image.open(io.BytesIO(data)).convert("RGB").tobytes() == original.tobytes()


def test_a_photo_is_turned_upright_and_loses_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = PAYLOAD.decode()
    photo = saved(gradient(60, 20), "JPEG", exif=exif, comment=PAYLOAD)

    found = shown(picture(photo, "image/jpeg"))

    assert found.format == "JPEG"
    assert found.size == (20, 60)
    assert not found.getexif()
    assert "comment" not in found.info


def test_a_film_becomes_its_first_picture() -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    film = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0)

    found = shown(picture(film, "image/gif"))

    assert found.format == "PNG"
    assert not getattr(found, "is_animated", False)
    assert found.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


def test_what_is_transparent_is_white() -> None:
    found = shown(picture(saved(Image.new("RGBA", (4, 4), (0, 0, 0, 0)))))

    assert found.convert("RGB").getpixel((1, 1)) == (255, 255, 255)


def test_a_large_picture_is_made_smaller_in_pixels_and_bytes() -> None:
    noise = Image.effect_noise((2000, 1500), 100)

    drawn = one(picture(saved(noise)))

    assert len(drawn.base64) * 3 / 4 <= 1_000_000
    assert max(shown(picture(saved(noise))).size) == 1600


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (png_of(60_000, 60_000, b""), "image/png"),
        (png_of(20_000, 20_000, bytes(2501 * 20_000)), "image/png"),
        (png_of(2**31 - 1, 1, b""), "image/png"),
        (png_of(0, 0, b""), "image/png"),
        (saved(gradient(40, 30))[:200], "image/png"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"", "image/png"),
        (saved(gradient(40, 30)), "image/jpeg"),
        (saved(gradient(40, 30), "JPEG"), "image/gif"),
        (saved(gradient(40, 30), "BMP"), "image/png"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/svg+xml"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n(ls) run", "image/png"),
    ],
    ids=[
        "claims billions of pixels",
        "four hundred million pixels in 50 kB",
        "a line without end",
        "no pixels",
        "cut off",
        "a head alone",
        "nothing",
        "another kind than it says",
        "another kind again",
        "a kind that is not read",
        "a drawing with a script",
        "a program",
    ],
)
def test_what_is_no_picture_is_lost_and_costs_nothing_else(data: bytes, mime: str) -> None:
    answer = Answer(item="Q", text="", images=(picture(data, mime), picture(saved(gradient(8, 8)))))

    bad, good = redraw_pictures({"Q": answer})["Q"].images

    assert bad is UNSHOWABLE
    assert good.mime == "image/png"


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.abort()",
        "import time; time.sleep(60)",
        "print('image/svg+xml'); print('<svg/>')",
        "print('nothing')",
        "raise SystemExit(1)",
    ],
    ids=["crashes", "hangs", "another type", "no type", "fails"],
)
def test_a_painter_that_fails_costs_one_picture(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painter = tmp_path / "painter.py"
    painter.write_text(program, encoding="utf-8")
    monkeypatch.setattr(picture_redrawing, "SANITIZER", painter)
    monkeypatch.setattr(picture_redrawing, "TIMEOUT_S", 2.0)
    picture_redrawing.redraw_picture.cache_clear()

    assert one(picture(saved(gradient(8, 8)))) is UNSHOWABLE


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp")
def test_the_painter_can_reach_nothing() -> None:
    tries = (
        "open('/etc/passwd')",
        "open('/tmp/painted', 'w')",
        "__import__('socket').socket()",
        "bytearray(1 << 31)",
    )
    acts = "".join(
        f"    try:\n        {act}\n        print({act!r})\n"
        "    except (OSError, MemoryError):\n        pass\n"
        for act in tries
    )
    code = (
        "import socket, sys, image_sanitizer as painter\n"
        f"def opened(data, kind):\n{acts}    print('done', flush=True)\n    raise SystemExit\n"
        "painter.open_image, sys.argv = opened, ['', 'image/png']\n"
        "painter.main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=picture_redrawing.SANITIZER.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "done\n"
