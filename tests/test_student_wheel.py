"""The wheel that students get: the program, whole, and no course with its solution."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from grader.authoring import wheel as wheel_module
from grader.authoring.wheel import COURSES, provide_wheel

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel for instructors, as it is published."""
    pytest.importorskip("hatchling", reason="needs the `release` extra")
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def assert_complete(data: bytes, *, published: Path) -> None:
    files, whole = members(data), members(published.read_bytes())
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    lines = [line.rsplit(",", 2) for line in files[record].decode().splitlines()]

    assert any(name.startswith(COURSES) for name in whole)
    assert set(files) == {name for name in whole if not name.startswith(COURSES)}
    assert {name for name, _, _ in lines} == set(files)
    for name, digest, size in lines:
        if name != record:
            sha256 = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=")
            assert (digest, size) == (f"sha256={sha256.decode()}", str(len(files[name])))
            assert files[name] == whole[name]


def test_a_wheel_that_is_named_loses_its_courses(built: Path) -> None:
    name, data = provide_wheel(built)

    assert name == built.name
    assert_complete(data, published=built)


def test_an_installed_program_packs_itself(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(place)]
    subprocess.run([*pip, str(built)], check=True, capture_output=True)
    (info,) = place.glob("*.dist-info")
    monkeypatch.setattr(wheel_module, "SOURCE_FOLDER", tmp_path)
    monkeypatch.setattr(wheel_module, "distribution", lambda _: Distribution.at(info))

    name, data = provide_wheel(None)

    assert name == built.name
    assert_complete(data, published=built)
    again = tmp_path / name
    again.write_bytes(data)
    subprocess.run([*pip[:-1], str(tmp_path / "again"), str(again)], check=True)
    assert (tmp_path / "again" / "grader" / "py.typed").exists()
