"""Reads the tests of an assignment as text: which there are, what they say, what they are about."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from grader.model import CheckSpec, Item
from grader.model.test_functions import CourseTests, TestFunction
from grader.rubric.rubric_errors import format_complaint, suggest_nearest

FILE_NAME = "tests.py"
CHECKS_FILE = "checks.py"
"""Checks of the course's own, which run in the grader: no test reads them."""
_LEFT_OUT = frozenset({"cases", "provided", "__pycache__", ".pytest_cache"})
"""Folders beside the tests that hold nothing of theirs."""
OWN_ARGUMENTS = frozenset(
    ["reference", "draw", "files", "printed", "stdin", "figures", "source", "request", "tmp_path"]
)
"""Arguments of a test that are no names of the notebook."""


def find_tests(folder: Path) -> CourseTests | None:
    """Return the tests in an assignment's folder, or None where it has no file of them.

    Raises:
        SyntaxError: the file is no Python.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    files = {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and file.suffix != ".toml"
        and file.name != CHECKS_FILE
        and _LEFT_OUT.isdisjoint(file.relative_to(folder).parts)
    }
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(f"{name}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {function.name: function for function in _functions(tree)}
    return CourseTests(path=path, files=files, functions=functions, sha256=digest.hexdigest())


def bind_tests(
    items: tuple[Item, ...], tests: CourseTests | None
) -> tuple[tuple[Item, ...], list[str]]:
    """Return the items with what their tests say of themselves, and complaints about the rest."""
    complaints: list[str] = []
    bound = tuple(
        replace(
            item,
            checks=tuple(
                _bind_check(check, tests, keys=(f"item {item.id}", f"check {n}"), into=complaints)
                for n, check in enumerate(item.checks, 1)
            ),
        )
        for item in items
    )
    return bound, complaints


def _bind_check(
    check: CheckSpec, tests: CourseTests | None, *, keys: tuple[str, str], into: list[str]
) -> CheckSpec:
    name = getattr(check.params, "test", None)
    if not isinstance(name, str) or check.params is None:
        return check
    path = [*keys, "params", "test"]
    if tests is None:
        into.append(format_complaint(path, f"there is no file '{FILE_NAME}' in its folder"))
        return check
    function = tests.functions.get(name)
    if function is None:
        hint = suggest_nearest(name, among=tests.functions)
        into.append(format_complaint(path, f"'{FILE_NAME}' has no test '{name}'; {hint}"))
        return check
    says = getattr(check.params, "says", "") or function.sentence
    update: Mapping[str, object] = {
        "says": says,
        "names": function.names,
        "draws": function.draws,
        "compares": function.compares,
        "shown": check.public,
    }
    return replace(check, params=check.params.model_copy(update=update))


def _functions(tree: ast.Module) -> Iterator[TestFunction]:
    fixtures = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and _is_fixture(node)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield _read_function(node, name=node.name, fixtures=fixtures)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name.startswith("test"):
                    yield _read_function(part, name=f"{node.name}.{part.name}", fixtures=fixtures)


def _is_fixture(node: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)


def _read_function(node: ast.FunctionDef, *, name: str, fixtures: set[str]) -> TestFunction:
    arguments = [argument.arg for argument in node.args.args]
    given = {part for decorator in node.decorator_list for part in _parametrized(decorator)}
    left_out = OWN_ARGUMENTS | fixtures | given | {"self"}
    docstring = ast.get_docstring(node) or ""
    paragraph = " ".join(docstring.strip().partition("\n\n")[0].split()).removesuffix(".")
    words = node.name.removeprefix("test").strip("_").replace("_", " ")
    return TestFunction(
        name=name,
        sentence=paragraph or words or node.name,
        names=tuple(argument for argument in arguments if argument not in left_out),
        compares="reference" in arguments,
        draws="draw" in arguments or not fixtures.isdisjoint(arguments),
    )


def _parametrized(decorator: ast.expr) -> list[str]:
    """Return the names that a decorator `parametrize` gives."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=[names, *_]):
            nodes = names.elts if isinstance(names, (ast.List, ast.Tuple)) else [names]
        case _:
            return []
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return [part.strip() for text in texts if isinstance(text, str) for part in text.split(",")]
