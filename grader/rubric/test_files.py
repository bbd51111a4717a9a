"""Reads the tests of an assignment as text: which there are, what they say, what they are about."""

from __future__ import annotations

import ast
import builtins
import hashlib
import symtable
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from grader.model import CheckSpec, Item
from grader.model.test_functions import CourseTests, TestFunction
from grader.rubric.rubric_errors import format_complaint, suggest_nearest

FILE_NAME = "tests.py"
CHECKS_FILE = "checks.py"
"""Checks of the course's own, which run in the grader: no test reads them."""
WITHHELD = "withheld"
"""The folder beside `provided` of what no student gets."""
_LEFT_OUT = frozenset({"cases", "provided", WITHHELD, "__pycache__", ".pytest_cache"})
"""Folders beside the tests that hold nothing of theirs."""
OWN_ARGUMENTS = frozenset(
    [
        *("reference", "draw", "files", "printed", "stdin", "figures", "source"),
        *("as_cell", "earned", "autotest", "examples"),
        *("request", "tmp_path", "tmp_path_factory", "tmpdir", "monkeypatch", "recwarn", "caplog"),
        *("capsys", "capfd", "capsysbinary", "capfdbinary", "pytestconfig", "subtests"),
    ]
)
"""Arguments of a test that are no names of the notebook: ours, and pytest's own."""


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


class _Scope:
    """The fixtures that a test can take, by name, and what they take in turn."""

    def __init__(self, body: Iterable[ast.stmt], outer: _Scope | None = None) -> None:
        self.fixtures: dict[str, ast.FunctionDef] = dict(outer.fixtures) if outer else {}
        self.autouse: set[str] = set(outer.autouse) if outer else set()
        for node in body:
            mark = _fixture_mark(node)
            if isinstance(node, ast.FunctionDef) and mark is not None:
                keywords = {k.arg: k.value for k in getattr(mark, "keywords", ())}
                name = _texts(keywords.get("name")) or [node.name]
                self.fixtures[name[0]] = node
                if "autouse" in keywords:
                    self.autouse.add(name[0])

    def reach(self, wanted: Iterable[str]) -> tuple[list[str], list[ast.FunctionDef]]:
        """Return all arguments that some of them lead to, and the fixtures on the way."""
        reached: list[str] = []
        waiting = list(wanted)
        while waiting:
            name = waiting.pop(0)
            if name not in reached:
                reached.append(name)
                waiting += _arguments(self.fixtures[name]) if name in self.fixtures else ()
        return reached, [self.fixtures[name] for name in reached if name in self.fixtures]


def _functions(tree: ast.Module) -> Iterator[TestFunction]:
    scope = _Scope(tree.body)
    known = {name for node in tree.body for name in _bound_names(node)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield _read_function(
                node,
                name=node.name,
                scope=scope,
                decorators=node.decorator_list,
                known=known,
            )
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inner = _Scope(node.body, scope)
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name.startswith("test"):
                    decorators = [*part.decorator_list, *node.decorator_list]
                    name = f"{node.name}.{part.name}"
                    yield _read_function(
                        part, name=name, scope=inner, decorators=decorators, known=known
                    )


def _bound_names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of the file binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    else:
        parts = (part for part in ast.walk(node) if isinstance(part, ast.Name))
        yield from (part.id for part in parts if isinstance(part.ctx, ast.Store))


def _fixture_mark(node: ast.stmt) -> ast.expr | None:
    """Return the decorator that makes a function a fixture, or None."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else ()
    return next((d for d in decorators if "fixture" in ast.unparse(d)), None)


def _arguments(node: ast.FunctionDef) -> list[str]:
    """Return the arguments of a test or fixture that somebody must give."""
    positional = [*node.args.posonlyargs, *node.args.args]
    needed = positional[: len(positional) - len(node.args.defaults)]
    by_keyword = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    needed += [argument for argument, default in by_keyword if default is None]
    return [argument.arg for argument in needed if argument.arg != "self"]


def _read_function(
    node: ast.FunctionDef,
    *,
    name: str,
    scope: _Scope,
    decorators: Iterable[ast.expr],
    known: Collection[str],
) -> TestFunction:
    given: set[str] = set()
    wanted = [*_arguments(node), *sorted(scope.autouse)]
    for decorator in decorators:
        names = _parametrized(decorator)
        given.update(names)
        if "indirect" not in ast.unparse(decorator):  # else a fixture takes them
            wanted = [name for name in wanted if name not in names]
        wanted += _used_fixtures(decorator)
    reached, fixtures = scope.reach(wanted)
    asks = any("getfixturevalue" in ast.unparse(function) for function in (node, *fixtures))
    docstring = ast.get_docstring(node) or ""
    paragraph = " ".join(docstring.strip().partition("\n\n")[0].split()).removesuffix(".")
    words = node.name.removeprefix("test").strip("_").replace("_", " ")
    left_out = OWN_ARGUMENTS | scope.fixtures.keys() | given
    return TestFunction(
        name=name,
        sentence=paragraph or words or node.name,
        names=tuple(argument for argument in reached if argument not in left_out)
        + (_cell_names(node, known=known) if "as_cell" in reached else ()),
        compares=not {"reference", "autotest"}.isdisjoint(reached),
        draws="draw" in reached or asks,
    )


def _cell_names(node: ast.FunctionDef, *, known: Collection[str]) -> tuple[str, ...]:
    """Return the names that a body takes from the notebook, where it runs as a cell would."""
    body = ast.Module(body=node.body, type_ignores=[])
    table = symtable.symtable(ast.unparse(body), "cell", "exec")
    tables = [table]
    for inner in tables:
        tables += inner.get_children()
    read = {
        symbol.get_name()
        for inner in tables
        for symbol in inner.get_symbols()
        if symbol.is_referenced() and (inner is table or symbol.is_global())
    }
    own = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    deleted = {
        part.id
        for part in ast.walk(body)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Del)
    }
    taken = read - (own - deleted) - set(known) - set(dir(builtins)) - OWN_ARGUMENTS
    order = [part.id for part in ast.walk(body) if isinstance(part, ast.Name)]
    return tuple(name for name in dict.fromkeys(order) if name in taken)


def _parametrized(decorator: ast.expr) -> list[str]:
    """Return the names that a decorator `parametrize` gives."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="parametrize"), args=args, keywords=keywords):
            named = {keyword.arg: keyword.value for keyword in keywords}
            return _texts(args[0] if args else named.get("argnames"))
        case _:
            return []


def _used_fixtures(decorator: ast.expr) -> list[str]:
    """Return the names of fixtures that a decorator `usefixtures` calls for."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="usefixtures"), args=args):
            return [name for node in args for name in _texts(node)]
        case _:
            return []


def _texts(node: ast.expr | None) -> list[str]:
    """Return the names in a text, or in a list of texts, that are written out."""
    nodes = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
    texts = [part.value for part in nodes if isinstance(part, ast.Constant)]
    return [part.strip() for text in texts if isinstance(text, str) for part in text.split(",")]
