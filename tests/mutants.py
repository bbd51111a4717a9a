"""Break the grader in small ways, one after another, and list the breakings that no test notices.

`make mutants ROOM=scoring` calls this; `docs/testing.md` says what to do with what it lists. It
works on a copy of the repository: a run that was stopped goes on there, and one after any change
begins anew. `AGAIN=1` tries the survivors of the last run alone, by the tests there are now.
"""

# ruff: noqa: T201 (a program that prints)

from __future__ import annotations

import ast
import difflib
import fnmatch
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEFT_OUT = (".git", ".venv", ".mutants", "graded", "build", "dist", "__pycache__", ".*_cache")
CHILDREN = 2
"""Breakings that are tried at once."""
LONGEST_S = 120
"""Seconds after which a breaking is noticed since nothing ends any more."""
SAME_EACH_TIME = """
from hypothesis import settings

settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
settings.load_profile("mutants")
_choose = pytest_collection_modifyitems


def pytest_collection_modifyitems(config, items):
    items[:] = [item for item in items if "within" not in item.function.__code__.co_names]
    _choose(config, items)
"""
"""Added to the copy's conftest: the same examples each time, so that nothing is noticed by luck,
and no test that measures time, since code that can be broken is slow."""
QUICK = "not kernel and not browser and not hypothesis"
ALL = "not kernel and not browser"
"""Marks of the tests that try each breaking, and of those that try what survived them."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is broken, and the tests that should notice; patterns, so that files may be renamed."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]

    def test_files(self) -> list[str]:
        """Return the paths of its tests, from the root."""
        return sorted(
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "tests").glob("test_*.py")
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in self.tests)
        )


ROOMS = {
    "scoring": Room(
        ("grader/scoring*",), ("test_scoring*", "test_people_late*", "test_report_late*")
    ),
    "wire": Room(("grader/wire*",), ("test_wire*",)),
    "checks-judging": Room(
        (
            *("grader/checks/_*", "grader/checks/check*", "grader/checks/e*"),
            *("grader/checks/find*", "grader/checks/me*"),
        ),
        (
            "test_wording*",
            "test_checks*",
            "test_lacks*",
            "test_judgments*",
            "test_evaluation*",
            "test_execution*",
            "test_own_checks*",
            "test_cost_checks*",
        ),
    ),
    "checks-calls": Room(
        ("grader/checks/func*", "grader/checks/module*", "grader/checks/values*"),
        ("test_checks.py", "test_values*", "test_functions*", "test_modules*"),
    ),
    "checks-tests": Room(("grader/checks/own*",), ("test_own_tests*",)),
    "checks-lacks": Room(
        ("grader/checks/lacks*", "grader/checks/wall*", "grader/checks/network*"),
        ("test_lacks*", "test_wall_lacks*", "test_missing_modules*"),
    ),
    "checks-saved": Room(
        (
            "grader/checks/numbers*",
            "grader/checks/out*",
            "grader/checks/q*",
            "grader/checks/repro*",
        ),
        ("test_saved*", "test_quotes*", "test_outputs*"),
    ),
    "checks-recordings": Room(("grader/checks/reco*",), ("test_checks*", "test_recordings*")),
    "ledger": Room(
        ("grader/gradebook/ledger*", "grader/gradebook/mark*"),
        (
            "test_criterion_edits*",
            "test_ledger.py",
            "test_ledger_co*",
            "test_ledger_r*",
            "test_exchange*",
            "test_marks*",
            "test_report_marks*",
        ),
    ),
    "keys": Room(("grader/pipeline/*key*",), ("test_keys*", "test_cache*")),
    "redaction-words": Room(
        ("grader/privacy/redaction*", "grader/privacy/text_mapping*", "grader/privacy/iden*"),
        ("test_redaction*", "test_privacy_people*"),
    ),
    "redaction-folders": Room(
        ("grader/privacy/[_anof]*",),
        ("test_privacy.py", "test_privacy_copy*", "test_privacy_files*"),
    ),
    "late": Room(("grader/people/late*", "grader/people/due*"), ("test_people_late*",)),
}


@dataclass(slots=True)
class Outcome:
    """What came of breaking a room."""

    room: str
    seconds: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)


def main(words: Sequence[str]) -> int:
    """Run the rooms named, or all; 1 if a breaking was not noticed."""
    asked = words[0].split(",") if words else list(ROOMS)
    names = [name for name in ROOMS if {name, name.partition("-")[0]} & set(asked)]
    if unknown := set(asked) - {word for name in names for word in (name, name.partition("-")[0])}:
        print(f"no such room: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
        return 2
    again = bool(os.environ.get("AGAIN"))
    outcomes = [(_try_again if again else _break_room)(name, ROOMS[name]) for name in names]
    print("\n| room | tried | noticed | not reached | survived | minutes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for outcome in outcomes:
        survived, not_reached = len(outcome.survivors), len(outcome.not_reached)
        tried = outcome.verdicts.total() - not_reached
        numbers = (tried, tried - survived, not_reached, survived, f"{outcome.seconds / 60:.1f}")
        print(f"| {outcome.room} | {' | '.join(map(str, numbers))} |")
    return int(any(outcome.survivors for outcome in outcomes))


def _break_room(name: str, room: Room) -> Outcome:
    """Break a room in every way there is, and show the ways that no test notices."""
    start = time.monotonic()
    copy = _copy_repository(name, room)
    print(f"{name}: {', '.join(room.sources)} by {', '.join(room.test_files())}", flush=True)
    with (copy / "mutmut.log").open("w", encoding="utf-8") as log:
        words = [sys.executable, "-m", "mutmut", "run", "--max-children", str(CHILDREN)]
        done = subprocess.run(words, cwd=copy, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise SystemExit((copy / "mutmut.log").read_text(encoding="utf-8")[-4000:])
    outcome = Outcome(room=name)
    for line in _mutmut(copy, "results", "--all", "true").splitlines():
        mutant, _, verdict = line.strip().partition(": ")
        outcome.verdicts[verdict] += 1
        if verdict == "no tests":
            outcome.not_reached.append(mutant)
        elif verdict == "survived":
            outcome.survivors.append(mutant)
    outcome.survivors = _still_surviving(copy, room, outcome.survivors)
    _report(copy, outcome)
    outcome.seconds = time.monotonic() - start
    return outcome


def _try_again(name: str, room: Room) -> Outcome:
    """Try the survivors of the last run by the tests there are now."""
    start = time.monotonic()
    copy = _place(name)
    last = json.loads((copy / "survivors.json").read_text(encoding="utf-8"))
    shutil.copytree(ROOT / "tests", copy / "mutants" / "tests", dirs_exist_ok=True)
    _make_repeatable(copy / "mutants")
    outcome = Outcome(room=name, verdicts=Counter({"survived": len(last)}))
    outcome.survivors = _still_surviving(copy, room, last)
    _report(copy, outcome)
    outcome.seconds = time.monotonic() - start
    return outcome


def _place(name: str) -> Path:
    of_this = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"grader-mutants-{of_this}" / name


def _copy_repository(name: str, room: Room) -> Path:
    """Copy the repository, unless there is a copy of what it is now."""
    copy = _place(name)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8") + _settings(room)
    digest = hashlib.sha256(settings.encode() + SAME_EACH_TIME.encode())
    for path in sorted(path for part in ("grader", "tests") for path in (ROOT / part).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    stamp = copy / "copied.sha256"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest.hexdigest():
        return copy
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    (copy / "pyproject.toml").write_text(settings, encoding="utf-8")
    _make_repeatable(copy)
    stamp.write_text(digest.hexdigest(), encoding="utf-8")
    return copy


def _make_repeatable(copy: Path) -> None:
    with (copy / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(SAME_EACH_TIME)


def _settings(room: Room) -> str:
    """Write mutmut's settings: whole files are copied, the room's are broken."""
    beside = [path.name for path in ROOT.iterdir() if not path.name.startswith(".")]
    also = [name for name in beside if name not in {"grader", "tests", "pyproject.toml", "graded"}]
    return f"""
[tool.mutmut]
source_paths = ["grader"]
only_mutate = {list(room.sources)}
also_copy = {sorted(also)}
pytest_add_cli_args = ["-m", "{QUICK}", "-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {room.test_files()}
timeout_constant = 6.0
timeout_multiplier = 8.0
"""


def _still_surviving(copy: Path, room: Room, mutants: Iterable[str]) -> list[str]:
    """Return those that survive in a process of their own, too, by all tests of the room.

    mutmut forks from a process that has run all tests, so that what is done once, at import or by
    a cache, is done unbroken there; and it tries only those tests that it saw calling the function.
    """
    asked = list(mutants)
    with ThreadPoolExecutor(CHILDREN) as pool:
        survive = pool.map(lambda mutant: _survives(copy / "mutants", room, mutant), asked)
    return [mutant for mutant, survives in zip(asked, survive, strict=True) if survives]


def _survives(folder: Path, room: Room, mutant: str) -> bool:
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-m", ALL, "-p", "no:cacheprovider"]
    environment = os.environ | {"MUTANT_UNDER_TEST": mutant, "PY_IGNORE_IMPORTMISMATCH": "1"}
    try:
        done = subprocess.run(
            [*words, *room.test_files()],
            cwd=folder,
            env=environment,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _report(copy: Path, outcome: Outcome) -> None:
    """Show what survived, and name the functions that no test reaches."""
    (copy / "survivors.json").write_text(json.dumps(outcome.survivors), encoding="utf-8")
    for mutant in outcome.survivors:
        print(f"\n{mutant}\n" + "\n".join(_changed_lines(copy / "mutants", mutant)), flush=True)
    functions = Counter(mutant.rpartition("__mutmut_")[0] for mutant in outcome.not_reached)
    for function, count in functions.items():
        print(f"not reached: {function} ({count})")


def _changed_lines(folder: Path, mutant: str) -> list[str]:
    """Return the lines of a function before and after; mutmut's own `show` takes seconds."""
    module, _, name = mutant.rpartition(".")
    place = folder / module.replace(".", "/")
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    lines = path.read_text(encoding="utf-8").splitlines()
    functions = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    original = f"{name.rpartition('_')[0]}_orig"
    changes = difflib.unified_diff(functions[original], functions[name], n=0, lineterm="")
    return [line for line in changes if re.match(r"[-+](?![-+]{2} )", line)]


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
