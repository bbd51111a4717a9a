"""Break the grader in small ways, one after another, and list the breakings that no test notices.

`make mutants ROOM=scoring` calls this; `docs/testing.md` says what to do with what it lists. It
works on a copy of the repository, in which mutmut keeps what it learned for the next time.
"""

# ruff: noqa: T201 (a program that prints)

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEFT_OUT = (".git", ".venv", ".mutants", "graded", "build", "dist", "__pycache__", ".*_cache")
TOO_MANY = 40
"""Survivors of which the change is shown; of the others there is the name."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is broken, and the tests that should notice; patterns, so that files may be renamed."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "scoring": Room(
        ("grader/scoring*",), ("test_scoring*", "test_people_late*", "test_report_late*")
    ),
    "wire": Room(("grader/wire*",), ("test_wire*",)),
    "checks": Room(
        ("grader/checks/*",),
        ("test_checks*", "test_values*", "test_functions*", "test_saved*", "test_limits*"),
    ),
    "ledger": Room(
        ("grader/gradebook/ledger*", "grader/gradebook/mark*"),
        ("test_ledger.py", "test_exchange*", "test_marks*", "test_report_marks*"),
    ),
    "keys": Room(("grader/pipeline/*key*",), ("test_again*", "test_keys*", "test_cache*")),
    "redaction": Room(("grader/privacy/*",), ("test_privacy*", "test_redaction*")),
    "late": Room(("grader/people/late*", "grader/people/due*"), ("test_people_late*",)),
}


def main(words: list[str]) -> int:
    """Run the rooms named, or all; 1 if a breaking was not noticed."""
    names = words[0].split(",") if words else list(ROOMS)
    if unknown := set(names) - set(ROOMS):
        print(f"no such room: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
        return 2
    return max(_break_room(name, ROOMS[name]) for name in names)


def _break_room(name: str, room: Room) -> int:
    copy = Path(tempfile.gettempdir()) / "grader-mutants" / name
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True, symlinks=True
    )
    tests = sorted(
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").glob("test_*.py")
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in room.tests)
    )
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (copy / "pyproject.toml").write_text(text + _settings(room, tests), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "mutmut", "run"], cwd=copy, check=True)
    results = _mutmut(copy, "results")
    survivors = [line.split(":")[0].strip() for line in results.splitlines() if "survived" in line]
    print(f"\n{name}: {len(survivors)} breakings that no test of {', '.join(tests)} notices")
    for number, survivor in enumerate(survivors):
        print(_mutmut(copy, "show", survivor) if number < TOO_MANY else survivor)
    return int(bool(survivors))


def _settings(room: Room, tests: list[str]) -> str:
    """Write mutmut's settings: whole files are copied, the room's are broken."""
    beside = [path.name for path in ROOT.iterdir() if not path.name.startswith(".")]
    also = [name for name in beside if name not in {"grader", "tests", "pyproject.toml", "graded"}]
    return f"""
[tool.mutmut]
source_paths = ["grader"]
only_mutate = {list(room.sources)}
also_copy = {also}
pytest_add_cli_args = ["-m", "not kernel and not browser", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
"""


def _mutmut(copy: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=copy,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
