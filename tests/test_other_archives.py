"""Archives of other kinds than zip, within the same bounds; whoever made them."""

from __future__ import annotations

import gzip
import importlib.util
import io
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import lms
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import ArchiveError
from grader.submissions import archives, collect
from grader.submissions.archives import STUDENT_BOUNDS, Bounds, Unpacker

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("py7zr") is None, reason="needs the `archives` extra"
)
SMALL = Bounds(files=20, bytes=10**6, listing_bytes=10**5)
TREE = {"work/hw5.ipynb": lms.ADA, "work/data.csv": "1,2", "work/.hidden": "x"}


def member(name: str, data: str | bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    content = data.encode() if isinstance(data, str) else data
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for field, value in fields.items():
        setattr(made, field, value)
    return made, content


def tarred(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for made, content in members:
            tar.addfile(made, io.BytesIO(content))
    return buffer.getvalue()


def packed(path: Path, tree: dict[str, str]) -> Path:
    """A tree in an archive of the kind that the name says."""
    if path.suffix == ".7z":
        import py7zr  # noqa: PLC0415 (an extra)

        with py7zr.SevenZipFile(path, "w") as archive:
            for name, text in tree.items():
                archive.writestr(text, name)
        return path
    data = tarred(*(member(name, text) for name, text in tree.items()))
    path.write_bytes(data if path.suffix == ".tar" else gzip.compress(data))
    return path


@pytest.fixture
def unpacker(tmp_path: Path) -> Unpacker:
    place = tmp_path / "unpacked"
    place.mkdir()
    return Unpacker(lambda: place)


def left_in(tmp_path: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in (tmp_path / "unpacked").iterdir())


KINDS = [".tar", ".tar.gz", ".tgz", ".TGZ", pytest.param(".7z", marks=needs_library)]


@pytest.mark.parametrize("ending", KINDS)
def test_an_archive_of_a_student_or_a_class_is_opened(ending: str, tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    packed(tmp_path / "class" / f"ada{ending}", TREE)
    whole = packed(tmp_path / f"hw5{ending}", {f"{n}/hw5.ipynb": lms.ADA for n in "ab"})
    for place in ("one", "two"):
        (tmp_path / place).mkdir()

    (ada,) = collect(tmp_path / "class", make_folder=lambda: tmp_path / "one")
    both = collect(whole, make_folder=lambda: tmp_path / "two")

    assert (ada.name, ada.problem) == ("ada", "")
    assert ada.display_path == f"ada{ending}/work/hw5.ipynb"
    assert set(ada.files) == {"data.csv"}
    assert [one.name for one in both] == ["a", "b"]
    assert not list((tmp_path / "one").glob("*.tar"))


def test_links_and_what_leads_out_of_a_tar_are_passed_over(
    tmp_path: Path, unpacker: Unpacker
) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(
        tarred(
            member("../out.ipynb", "x"),
            member("/abs.ipynb", "x"),
            member("a/../../out.ipynb", "x"),
            member("link.ipynb", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
            member("hard.ipynb", type=tarfile.LNKTYPE, linkname="../../etc/passwd"),
            member("pipe.ipynb", type=tarfile.FIFOTYPE),
            member("device.ipynb", type=tarfile.CHRTYPE),
            member("n" * 2000 + ".ipynb", "x"),
            member("env/pyvenv.cfg", "x"),
            member("env/lib/x.ipynb", "x"),
            member("good.ipynb", lms.ADA),
        )
    )

    listing = unpacker.unpack(path, bounds=STUDENT_BOUNDS)

    assert list(listing.files) == ["good.ipynb"]
    assert left_in(tmp_path) == [lms.ADA.encode()]
    assert not list(tmp_path.rglob("out.ipynb"))


def hostile() -> Iterator[tuple[str, bytes, str]]:
    yield "a.tar.gz", gzip.compress(b"\0" * 2 * 10**6), "larger than is opened"
    yield "a.tar.gz", b"not packed at all", "broken or no tar.gz archive"
    yield "a.tar.gz", gzip.compress(tarred(member("a.ipynb", "x")))[:-20], "broken"
    yield "a.tar", b"x" * 2000, "broken or no tar archive"
    yield "a.tar", tarred(*[member(f"{n}.ipynb") for n in range(25)]), "25 files; 20 are opened"
    yield "a.tar", tarred(member("a.ipynb", "x" * 1_100_000)), "larger than is opened"
    big = {"pax_headers": {"comment": "x" * 3_000_000}}
    yield "a.tar", tarred(member("a.ipynb", "x", **big)), "more files than are opened"
    yield "a.7z", b"7z\xbc\xaf\x27\x1c" + b"\xff" * 200, "broken or no 7z archive"


# Packed bytes hold the second they were packed in: as names, workers would not agree on them.
@pytest.mark.parametrize(
    ("name", "data", "said"),
    list(hostile()),
    ids=[f"{name}: {said}" for name, _, said in hostile()],
)
def test_a_hostile_archive_ends_in_a_sentence_and_leaves_little(
    name: str, data: bytes, said: str, tmp_path: Path, unpacker: Unpacker
) -> None:
    if name.endswith(".7z") and importlib.util.find_spec("py7zr") is None:
        pytest.skip("needs the `archives` extra")
    (tmp_path / name).write_bytes(data)

    with pytest.raises(ArchiveError, match=said):
        unpacker.unpack(tmp_path / name, bounds=SMALL)

    assert not list((tmp_path / "unpacked").glob("*.tar"))


def test_a_tar_that_grows_too_much_is_refused(
    tmp_path: Path, unpacker: Unpacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FREE_GROWTH_BYTES", 2**20)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(tarred(member("b.ipynb", b"\0" * 8 * 2**20))))

    with pytest.raises(ArchiveError, match="larger than is opened"):
        unpacker.unpack(tmp_path / "a.tgz", bounds=STUDENT_BOUNDS)


def test_a_tar_that_ends_too_early_is_broken(tmp_path: Path, unpacker: Unpacker) -> None:
    data = tarred(member("a.ipynb", "x"), member("b.ipynb", "y" * 5000))
    (tmp_path / "a.tar").write_bytes(data[: 512 * 5])

    with pytest.raises(ArchiveError, match="broken"):
        unpacker.unpack(tmp_path / "a.tar", bounds=STUDENT_BOUNDS)


def test_a_list_that_leads_backwards_ends(tmp_path: Path, unpacker: Unpacker) -> None:
    data = bytearray(tarred(member("a.ipynb", "x")))
    data[124:136] = b"\xff" * 11 + b"\x00"  # a size below zero
    fields = data[:148] + b" " * 8 + data[156:512]
    data[148:156] = b"%06o\0 " % sum(fields)
    (tmp_path / "a.tar").write_bytes(data)
    started = time.monotonic()

    with pytest.raises(ArchiveError, match="broken"):
        unpacker.unpack(tmp_path / "a.tar", bounds=STUDENT_BOUNDS)

    assert time.monotonic() - started < 5


@needs_library
def test_an_encrypted_7z_and_a_bomb_say_so(
    tmp_path: Path, unpacker: Unpacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import py7zr  # noqa: PLC0415 (an extra)

    monkeypatch.setattr(archives, "FREE_GROWTH_BYTES", 2**20)
    with py7zr.SevenZipFile(tmp_path / "secret.7z", "w", password="x") as archive:  # noqa: S106
        archive.writestr(lms.ADA, "a.ipynb")
    with py7zr.SevenZipFile(tmp_path / "bomb.7z", "w") as archive:
        archive.writestr(b"\0" * 8 * 2**20, "a.ipynb")

    for name, said in (("secret", "encrypted"), ("bomb", "more than is opened")):
        with pytest.raises(ArchiveError, match=said):
            unpacker.unpack(tmp_path / f"{name}.7z", bounds=STUDENT_BOUNDS)


def test_without_the_library_a_7z_says_how_to_have_it(
    tmp_path: Path, unpacker: Unpacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    (tmp_path / "a.7z").write_bytes(b"7z")

    with pytest.raises(ArchiveError, match=r"pip install 'notebook-grader\[archives\]'"):
        unpacker.unpack(tmp_path / "a.7z", bounds=STUDENT_BOUNDS)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 3000), st.binary(max_size=40))
def test_no_damaged_tar_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    data = bytearray(tarred(member("a.ipynb", "x"), member("b/c.ipynb", "y" * 700)))
    data[place : place + len(damage)] = damage
    (folder / "a.tar").write_bytes(data)

    with suppress(ArchiveError):
        Unpacker(lambda: folder).unpack(folder / "a.tar", bounds=SMALL)
