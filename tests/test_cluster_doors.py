"""Who may come to a cluster: keys, and what a worker must have; real processes on loopback."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import tiny_course
from in_process import run_command
from processes import descendants, holds_within, is_alive

from grader.cluster.addresses import parse_meeting, read_address
from grader.cluster.tls_keys import read_keys, write_keys
from grader.errors import UsageError

pytest.importorskip("distributed", reason="needs the `cluster` extra")


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    made = tiny_course.made(tmp_path / "course")
    for name in ("ada", "ben", "cleo", "dora"):
        made.hand_in(name)
    return made


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def worker(
    *words: str, folder: Path, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start `grade worker`; end it with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "grader", "worker", *words],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), **(variables or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def refusals(head: subprocess.Popen[str]) -> list[str]:
    """Read what a head says until it has refused two."""
    assert head.stdout is not None
    told = []
    for line in head.stdout:
        told.append(line)
        if sum("is refused" in line for line in told) == 2:
            break
    return told


def changed_by(folder: Path, code: str) -> dict[str, str]:
    """Variables with which an interpreter runs this code as it starts."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


@pytest.mark.kernel
def test_workers_with_keys_grade_and_others_are_refused_by_name(
    course: tiny_course.Course, tmp_path: Path
) -> None:
    address = f"tls://127.0.0.1:{free_port()}"
    assert run_command("cluster", "keys", "keys", folder=tmp_path)[0] == 0
    write_keys(tmp_path / "other")
    keys = ("--tls", str(tmp_path / "keys"), "-j", "1")
    older = changed_by(tmp_path / "older", "import grader; grader.__version__ = '0.0.1'")
    lower = changed_by(
        tmp_path / "lower",
        "from grader.sandbox import bubblewrap\nbubblewrap.find_executables = list",
    )
    with (
        worker(address, *keys, folder=tmp_path, variables=older) as old,
        worker(address, *keys, folder=tmp_path, variables=lower) as low,
        worker(address, "--tls", str(tmp_path / "other"), folder=tmp_path) as stranger,
        course.start("--on", address, *keys[:2]) as head,
    ):
        told = refusals(head)
        with worker(address, *keys, folder=tmp_path) as good:
            output, errors = head.communicate(timeout=60)
            assert good.wait(20) == 0, "the head is done with it"
        assert old.wait(20) == low.wait(20) == 2
        reason = old.communicate()[0]
        assert stranger.poll() is None, "it waits for a head that knows its key"
        everyone = descendants(stranger.pid)
    said = " ".join("".join(told).split())
    assert "is refused: its grader is 0.0.1, the head's" in said
    assert re.search(r"is refused: its isolation is '\w+', and this run needs 'full'", said)
    assert "refused this worker: its grader is 0.0.1" in reason
    assert errors == ""
    assert output.count("came: isolation") == 1
    assert {course.earned(name) for name in course.results()} == {10}
    assert holds_within(10, lambda: not any(map(is_alive, everyone)))


@pytest.mark.kernel
@pytest.mark.slow
def test_who_shares_a_disk_needs_no_keys_and_may_come_first(
    course: tiny_course.Course, tmp_path: Path
) -> None:
    file = tmp_path / "scheduler.json"
    with worker(str(file), "-j", "1", folder=tmp_path) as early:
        code, told = course.grade("--on", str(file))
        assert early.wait(20) == 0
    assert code == 1, "nobody is named in these notebooks"
    assert told.count("came: isolation") == 1
    assert not file.exists()
    assert len(course.results()) == 4


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("tcp://127.0.0.1:8786", "anybody who reaches that port could run programs here"),
        ("tcp://head:8786", "encrypted and both ends have a key"),
        ("head:8786", "is not an address of workers: local:N"),
        ("local:0", "is not an address of workers"),
        ("tls://head", "is not an address of workers"),
    ],
)
def test_no_place_is_met_without_keys(word: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        parse_meeting(word)


def test_a_worker_has_an_address_to_go_to(tmp_path: Path) -> None:
    assert read_address("tls://head:8786") == "tls://head:8786"
    with pytest.raises(UsageError, match="a worker takes"):
        read_address("local:2")
    (tmp_path / "s.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="has no address of a head"):
        read_address(str(tmp_path / "s.json"))


def test_keys_are_for_nobody_elses_eyes(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(UsageError, match="grade cluster keys"):
        read_keys(folder)
    write_keys(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    with pytest.raises(UsageError, match="has keys"):
        write_keys(folder)
    (folder / "key.pem").chmod(0o644)
    with pytest.raises(UsageError, match="others can read this key"):
        read_keys(folder)


def test_without_the_extra_a_sentence_says_what_to_install(
    course: tiny_course.Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    code, told = course.grade("--on", "local:2")

    assert code == 2
    assert "pip install 'notebook-grader[cluster]'" in told
