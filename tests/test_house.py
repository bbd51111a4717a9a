"""The house rules no linter knows."""

import ast
import fnmatch
import importlib
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import mutants
import pytest

import grader
from grader import errors

ROOT = Path(__file__).parent.parent
ROOMS = sorted((ROOT / "grader").rglob("*.py"))
LONGEST_FILE = 500
LONGEST_FUNCTION = 60
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", ROOMS, ids=name_of)
def test_a_file_is_signed_and_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    sign = (ast.get_docstring(tree) or "").partition("\n")[0]
    long = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, Function)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]

    assert sign.endswith((".", "?"))
    assert text.count("\n") <= LONGEST_FILE
    assert long == []


def test_no_room_is_called_what_nobody_can_tell() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base", "core"}

    assert not vague & {path.stem for path in ROOMS}


def test_the_architecture_page_shows_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.relative_to(ROOT / "grader").parts[0].removesuffix(".py") for path in ROOMS}

    shown = set(re.findall(r"`(\w+)`", page))

    assert rooms - {"__init__", "__main__"} <= shown


def modules_of_the_grader() -> list[ModuleType]:
    """Every module but the programs of the other side."""
    names = [module.name for module in pkgutil.walk_packages(grader.__path__, "grader.")]
    return [
        importlib.import_module(name)
        for name in names
        if not name.startswith(("grader.inside", "grader.course_tests"))
        and name != "grader.__main__"
    ]


def test_every_name_on_a_submissions_way_is_there() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    way = page.partition("## A submission's way")[2].partition("\n## ")[0]
    defined = {
        node.name
        for path in ROOMS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function | ast.ClassDef)
    }
    stems = {path.stem for path in ROOMS} | {path.parent.name for path in ROOMS}
    words = {word for name in re.findall(r"`([\w./]+)`", way) for word in re.split(r"[./]", name)}

    assert len(words) > 30
    assert words - defined - stems == set()


def test_the_error_tree_in_the_docstring_is_the_real_one() -> None:
    def tree(cls: type[Exception], depth: int = 0) -> list[str]:
        below = sorted(cls.__subclasses__(), key=lambda sub: sub.__name__)
        branches = [line for sub in below for line in tree(sub, depth + 1)]
        return ["    " * depth + cls.__name__, *branches]

    assert modules_of_the_grader()
    assert "\n".join(tree(errors.GraderError)) + "\n\n" in (errors.__doc__ or "")


def test_every_error_raised_on_purpose_is_in_the_tree() -> None:
    defined = [
        value
        for module in modules_of_the_grader()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, BaseException)
        and value.__module__.startswith("grader.")
    ]

    assert defined
    assert [error for error in defined if not issubclass(error, errors.GraderError)] == []


def test_nothing_of_the_first_assignment_is_wired_into_the_grader() -> None:
    words = re.compile(r"SimpleEncoder|contrastive_loss|initial_embeddings|\bhw5\b|\bB1\b|bicycle")

    found = {
        name_of(path): words.findall(path.read_text(encoding="utf-8"))
        for path in (ROOT / "grader").rglob("*")
        if path.suffix in {".py", ".html", ".css", ".js", ".jinja"}
    }

    assert {name: hits for name, hits in found.items() if hits} == {}


def test_no_file_names_a_path_of_one_machine() -> None:
    private = re.compile(r"/(?:work|root|opt/pypi)/(?:main|shared|\.)")
    texts = [*ROOMS, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    assert [name_of(p) for p in texts if private.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", sorted((ROOT / "grader" / "checks").glob("*.py")), ids=name_of)
def test_a_family_of_checks_is_broken_by_mutants(path: Path) -> None:
    patterns = [pattern for room in mutants.ROOMS.values() for pattern in room.sources]

    assert any(fnmatch.fnmatch(name_of(path), pattern) for pattern in patterns)
