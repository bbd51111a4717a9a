"""Archives that anyone may have made: opened behind walls, or a row that says why not."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import lms
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import ArchiveError, UsageError
from grader.model import Submission
from grader.pipeline.collecting import ABANDONED_AFTER_S, PREFIX, temporary_unpack_folder
from grader.submissions import archives, collect
from grader.submissions.archives import Bounds, Unpacker

ANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[Path], tuple[Submission, ...]]:
    """Collect, with a place to unpack to."""

    def collected(path: Path) -> tuple[Submission, ...]:
        place = tmp_path / "unpacked"
        place.mkdir(exist_ok=True)
        return collect(path, make_folder=lambda: place)

    return collected


Opened = Callable[[Path], tuple[Submission, ...]]


def encrypted(path: Path) -> Path:
    """Mark every entry of an archive as encrypted, in both of its lists."""
    data = bytearray(path.read_bytes())
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(sign)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(sign, at + 4)
    path.write_bytes(data)
    return path


def test_no_name_leads_out_of_the_folder(tmp_path: Path, opened: Opened) -> None:
    names = ["../out.ipynb", "/abs.ipynb", "a/../../out.ipynb", "C:\\x.ipynb", "..\\out.ipynb"]
    place = lms.zipped(tmp_path / "x" / "class.zip", {"ada.ipynb": lms.ADA})
    with zipfile.ZipFile(place, "a") as archive:
        for name in names:
            archive.writestr(name, lms.BEN)
        archive.writestr(*lms.link("link.ipynb", "/etc/passwd"))

    found = opened(place)

    assert [s.display_path for s in found] == ["ada.ipynb"]
    everywhere = {p.name for p in tmp_path.rglob("*") if p.is_file()}
    assert everywhere == {"class.zip", "000001.ipynb"}


def test_what_cannot_be_taken_out_is_a_row_and_costs_nobody_else(
    tmp_path: Path, opened: Opened
) -> None:
    place = lms.zipped(tmp_path / "class.zip", {"ada.ipynb": lms.ADA, "ben.ipynb": lms.BEN * 50})
    data = bytearray(place.read_bytes())
    at = data.find(b"ben.ipynb") + 20
    data[at : at + 8] = b"\xff" * 8
    place.write_bytes(data)

    ada, ben = opened(place)

    assert ada.problem == ""
    assert "ben.ipynb cannot be read: it is broken in its archive" in ben.problem


def test_an_encrypted_archive_of_a_student_is_a_row(tmp_path: Path, opened: Opened) -> None:
    folder = tmp_path / "class"
    encrypted(lms.zipped(folder / "ada.zip", {"hw5.ipynb": lms.ADA}))
    (folder / "ben.zip").write_bytes(b"PK\x03\x04 not really")
    lms.zipped(folder / "cleo.zip", {"work/hw5.ipynb": lms.CLEO, "work/data.csv": "1"})
    lms.zipped(folder / "dora.zip", {"inner.zip": b"PK"})

    ada, ben, cleo, dora = opened(folder)

    assert "encrypted" in ada.problem
    assert "ben.zip could not be opened: it is broken or no zip archive" in ben.problem
    assert (cleo.problem, cleo.display_path, list(cleo.files)) == (
        "",
        "cleo.zip/work/hw5.ipynb",
        ["data.csv"],
    )
    assert "only dora/inner.zip" in dora.problem


def test_a_broken_archive_of_a_class_is_an_error_that_says_so(
    tmp_path: Path, opened: Opened
) -> None:
    place = tmp_path / "class.zip"
    place.write_bytes(b"<html>log in</html>")

    with pytest.raises(UsageError, match="could not be opened"):
        opened(place)


def bounds(*, files: int = 100, size: int = 10**6, listing: int = 10**6) -> Bounds:
    return Bounds(files=files, bytes=size, listing_bytes=listing)


@pytest.mark.parametrize(
    ("name", "limit", "said"),
    [
        ("files", bounds(files=3), "4 files; 3 are opened"),
        ("size", bounds(size=3000), "larger than is opened"),
    ],
)
def test_an_archive_of_a_student_is_bounded(
    name: str, limit: Bounds, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.submissions.notebook_choice.STUDENT_BOUNDS", limit)
    place = tmp_path / "class"
    lms.zipped(place / "ada.zip", {f"{n}.ipynb": "x" * 1000 for n in range(4)})
    (tmp_path / "unpacked").mkdir()

    (ada,) = collect(place, make_folder=lambda: tmp_path / "unpacked")

    assert said in ada.problem, name


def test_a_list_without_end_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "CHUNK_BYTES", 1000)
    place = lms.zipped(tmp_path / "a.zip", {f"{n:050}": b"" for n in range(100)})

    with pytest.raises(ArchiveError, match="lists more files"):
        Unpacker(lambda: tmp_path).unpack(place, bounds=bounds(listing=2000))


def test_a_bomb_is_a_row_and_leaves_nothing(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FREE_GROWTH_BYTES", 2**20)
    place = lms.zipped(
        tmp_path / "class.zip", {"ada.ipynb": lms.ADA, "bomb.ipynb": b"\0" * (8 * 2**20)}
    )

    ada, bomb = opened(place)

    assert ada.problem == ""
    assert "larger than is opened" in bomb.problem
    assert sum(p.stat().st_size for p in (tmp_path / "unpacked").iterdir()) < 10_000


def test_names_of_old_programs_are_read_as_they_were_meant(tmp_path: Path, opened: Opened) -> None:
    place = tmp_path / "class.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("section\\jose\u0301.ipynb", lms.ADA)
        archive.writestr("section/ben.ipynb", lms.BEN)
    data = place.read_bytes().replace(b"\x00\x08\x00\x00", b"\x00\x00\x00\x00")
    place.write_bytes(data)

    assert "section/jose\u0301.ipynb" in {s.display_path for s in opened(place)}


def test_an_environment_and_what_programs_leave_are_not_unpacked(
    tmp_path: Path, opened: Opened
) -> None:
    tree: lms.Tree = {
        "hw5.ipynb": lms.ADA,
        "env/pyvenv.cfg": "home = /usr",
        "env/lib/site.py": "x",
        "__MACOSX/._hw5.ipynb": b"\0",
        ".ipynb_checkpoints/hw5-checkpoint.ipynb": lms.ADA,
        "data/points.csv": "1",
    }

    (ada,) = opened(lms.zipped(tmp_path / "ada.zip", tree))
    (again,) = opened(lms.laid_out(tmp_path / "ada", tree))

    assert list(ada.files) == list(again.files) == ["data/points.csv"]


@ANY
@given(
    entries=st.lists(
        st.tuples(st.text(max_size=60), st.binary(max_size=300), st.integers(0, 2**32 - 1)),
        max_size=8,
    ),
    damage=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6),
    outer=st.booleans(),
)
def test_no_archive_ends_in_a_traceback_or_writes_elsewhere(
    entries: list[tuple[str, bytes, int]],
    damage: list[tuple[int, int]],
    outer: bool,  # noqa: FBT001 (hypothesis draws it)
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    made = io.BytesIO()
    with (
        warnings.catch_warnings(action="ignore"),  # of names that are there twice
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, content, attributes in entries:
            entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode() or "x")
            entry.external_attr = attributes
            archive.writestr(entry, content)
    data = bytearray(made.getvalue())
    for place, value in damage:
        if data:
            data[place % len(data)] = value
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.zip").write_bytes(data)
    (tmp_path / "unpacked").mkdir()
    given_path = tmp_path / "in" / "a.zip" if outer else tmp_path / "in"

    try:
        found = collect(given_path, make_folder=lambda: tmp_path / "unpacked")
    except UsageError:
        found = ()

    assert {p.name for p in tmp_path.iterdir()} == {"in", "unpacked"}
    assert all(p.is_file() and p.stem.isdigit() for p in (tmp_path / "unpacked").iterdir())
    assert all(submission.problem or submission.path.is_file() for submission in found)


# ---------------------------------------------------------------- where they are unpacked


def test_the_place_is_private_and_gone_after_the_run(tmp_path: Path) -> None:
    out = tmp_path / "graded"
    with temporary_unpack_folder(out) as make:
        assert not out.exists()
        place = make()
        (place / "x").write_text("x", encoding="utf-8")
        assert place.parent == out
        assert place.stat().st_mode & 0o777 == 0o700

    assert not place.exists()


def test_what_a_killed_run_left_is_swept_up_and_what_another_holds_is_not(tmp_path: Path) -> None:
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    with temporary_unpack_folder(tmp_path) as make:
        held = make()
        for place in (left, held):
            old = place.stat().st_mtime - 2 * ABANDONED_AFTER_S
            os.utime(place, (old, old))
        with temporary_unpack_folder(tmp_path) as another:
            another()
            assert held.exists()
            assert not left.exists()
