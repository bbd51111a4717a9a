"""What watches rooms: it measures and tidies whatever a notebook built to stop it."""

from __future__ import annotations

import mmap
import os
import sys
from pathlib import Path

import pytest
from programs import watch

DEEP = 1500
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


def dig(folder: Path) -> None:
    """Folders in folders, deeper than Python's stack."""
    folder.mkdir()
    here = os.open(folder, os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("a", dir_fd=here)
        inner = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_folders_of_any_depth_are_counted_and_removed(tmp_path: Path) -> None:
    dig(tmp_path / "room")
    assert watch.disk_usage(tmp_path / "room", most=DEEP * 2)[1] == DEEP + 1
    watch.remove_tree(tmp_path / "room")
    assert not (tmp_path / "room").exists()


def test_what_may_not_be_read_is_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    inner = tmp_path / "room" / "b" / "c"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    (tmp_path / "room" / "link").symlink_to(tmp_path / "kept")
    (inner / "link").symlink_to(tmp_path / "kept")
    for folder in (inner, inner.parent, tmp_path / "room"):
        folder.chmod(0)
    watch.remove_tree(tmp_path / "room")
    assert not (tmp_path / "room").exists()
    assert (tmp_path / "kept" / "file").exists()


def test_a_folder_that_is_not_there_is_none_to_remove(tmp_path: Path) -> None:
    watch.remove_tree(tmp_path / "room")


def test_a_line_of_processes_of_any_length_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "children", lambda pid: [pid + 1] if pid < DEEP else [])
    assert watch.descendants(0) == list(range(1, DEEP + 1))


@LINUX
def test_shared_memory_counts_as_memory() -> None:
    before = watch.private_memory(os.getpid())
    with mmap.mmap(-1, 64 * watch.MEGABYTE) as shared:
        shared.write(b"x" * (64 * watch.MEGABYTE))
        assert watch.private_memory(os.getpid()) - before > 60 * watch.MEGABYTE
