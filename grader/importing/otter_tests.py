"""Reads otter-grader's tests: files, and cells, of both formats. Nothing of them is run."""

from __future__ import annotations

import ast
import contextlib
import doctest
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from textwrap import dedent

from grader.errors import UsageError
from grader.importing.otter_options import unknown_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class OtterCase:
    """One test case of a question."""

    code: str
    """Doctest's examples, or a function with its decorators left out."""
    is_function: bool = False
    hidden: bool = True
    points: Fraction | None = None
    """None where it shares what is left of the question's."""
    success_message: str = ""
    failure_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtterTest:
    """The tests of one question."""

    name: str
    cases: tuple[OtterCase, ...]
    points: Fraction | Sequence[Fraction | None] | None = None
    all_or_nothing: bool = False
    setup: str = ""
    """Code beside the test functions of a file: imports, helpers and values."""
    problems: tuple[str, ...] = ()
    """What of it was not understood, or is left out."""

    def with_points(self) -> OtterTest:
        """Return the test with the points of each case.

        Points that are left open share what is left of the question's; in a question without
        points all share 1, and where some cases have points the others have none.

        Raises:
            UsageError: They don't fit together.
        """
        given = [case.points for case in self.cases]
        total = None if isinstance(self.points, Sequence) else self.points
        if isinstance(self.points, Sequence):
            if len(self.points) != len(given):
                raise UsageError(f"{self.name}: it has {len(given)} cases, and other points")
            given = list(self.points)
        known = sum((p for p in given if p is not None), Fraction(0))
        open_count = given.count(None)
        if total is None:
            total = known or Fraction(1)
        if known > total:
            raise UsageError(f"{self.name}: its cases are worth more than {float(total):g}")
        rest = (total - known) / open_count if open_count else Fraction(0)
        shares = [rest if p is None else p for p in given]
        cases = tuple(replace(c, points=p) for c, p in zip(self.cases, shares, strict=True))
        return replace(self, cases=cases)


def read_test(source: str, *, name: str) -> OtterTest:
    """Return the test of a file, or of a text in a notebook's metadata.

    Args:
        source: The text of the file.
        name: The name of the file without its ending, which is the question's.

    Raises:
        UsageError: It is no test of otter's.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UsageError(f"{name}: its test is not Python ({error.msg})") from error
    values = _constants(tree)
    if isinstance(table := values.get("test"), dict):
        return read_table(table, name=name)
    problems: list[str] = []
    cases: dict[str, OtterCase] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and (case := _read_function(node, source, problems)):
            if node.name in cases:
                problems.append(f"of the functions {node.name} the last counts, as in otter")
            cases[node.name] = case
    if not cases:
        raise UsageError(f"{name}: neither a table of tests nor a test_case is in it")
    return OtterTest(
        name=str(values.get("name") or name),
        points=read_points(values.get("points")),
        cases=tuple(cases.values()),
        all_or_nothing=bool(values.get("all_or_nothing")),
        setup=_setup(tree, source, problems),
        problems=tuple(problems),
    )


def read_table(table: Mapping[object, object], *, name: str) -> OtterTest:
    """Return the test of a table: OK's format."""
    suites = table.get("suites")
    problems = [f"{text} was left out" for text in unknown_keys(table, *_TABLE_KEYS)]
    if not isinstance(suites, list) or len(suites) != 1:
        count = len(suites) if isinstance(suites, list) else 0
        problems.append(f"it has {count} suites, and otter runs tests of one alone")
    cases: list[OtterCase] = []
    for suite in suites if isinstance(suites, list) else []:
        if not isinstance(suite, dict):
            problems.append(f"a suite that is none was left out: {suite!r}")
            continue
        if suite.get("type", "doctest") != "doctest":
            raise UsageError(f"{name}: its tests are of the type {suite.get('type')}")
        cases += _read_suite(suite, problems)
    return OtterTest(
        name=str(table.get("name") or name),
        points=read_points(table.get("points")),
        cases=tuple(cases),
        all_or_nothing=bool(table.get("all_or_nothing")),
        problems=tuple(problems),
    )


def _read_suite(suite: Mapping[str, object], problems: list[str]) -> Iterator[OtterCase]:
    problems += [f"{text} was left out" for text in unknown_keys(suite, *_SUITE_KEYS)]
    if teardown := dedent(str(suite.get("teardown") or "")).strip():
        problems.append(f"its teardown was left out: {teardown}")
    if setup := dedent(str(suite.get("setup") or "")).strip("\n"):
        problems.append("its setup is run before each case, and otter refuses one")
    cases = suite.get("cases")
    for case in cases if isinstance(cases, (list, tuple)) else ():
        if not isinstance(case, dict):
            problems.append(f"a case that is none was left out: {case!r}")
            continue
        problems += [f"{text} was left out" for text in unknown_keys(case, *_CASE_KEYS)]
        if case.get("locked"):
            problems.append("a case is locked: its code may not be what it says")
        yield _read_case(case, setup=setup)


def _read_case(case: Mapping[str, object], *, setup: str) -> OtterCase:
    code = dedent(str(case.get("code", ""))).strip("\n")
    return OtterCase(
        code=f"{setup}\n{code}" if setup else code,
        hidden=bool(case.get("hidden", True)),
        points=_number(case.get("points")),
        success_message=str(case.get("success_message") or ""),
        failure_message=str(case.get("failure_message") or ""),
    )


def read_points(value: object) -> Fraction | tuple[Fraction | None, ...] | None:
    """Return the points of a question: a number, one for each case (None is open), or None."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_number, value))
    return _number(value)


def _number(value: object) -> Fraction | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return Fraction(str(value)) if is_number else None


def _constants(tree: ast.Module) -> dict[str, object]:
    """Return the top names of a file that hold plain values."""
    values: dict[str, object] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and value is not None:
                with contextlib.suppress(ValueError):
                    values[target.id] = _plain_value(value)
    return values


def _plain_value(node: ast.expr) -> object:
    """Return the value of a literal, in which a number may be a quotient such as 1/3.

    Raises:
        ValueError: It is none.
    """
    try:
        return ast.literal_eval(_Quotients().visit(node))
    except (TypeError, ArithmeticError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(str(error)) from error


class _Quotients(ast.NodeTransformer):
    """Divides numbers."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Return the quotient of two numbers as one."""
        match node.left, node.op, node.right:
            case ast.Constant(int() | float() as part), ast.Div(), ast.Constant(
                int() | float() as whole
            ) if whole:
                return ast.copy_location(ast.Constant(part / whole), node)
            case _:
                return node


_TABLE_KEYS = ("name", "points", "suites", "all_or_nothing", "hidden")
_SUITE_KEYS = ("cases", "setup", "teardown", "type", "scored")
_CASE_KEYS = (
    *("name", "code", "hidden", "points", "locked"),
    *("success_message", "failure_message"),
)
"""Keys of OK's format; otter reads neither a table's `hidden` nor `scored`, and nor do we."""
_FILE_NAMES = frozenset({"OK_FORMAT", "name", "points", "all_or_nothing"})
_KEYS = ("name", "points", "hidden", "success_message", "failure_message")
"""Arguments of `test_case`, in order."""


def _read_function(node: ast.FunctionDef, source: str, problems: list[str]) -> OtterCase | None:
    """Return the case of a function that `test_case` decorates, or None."""
    options: dict[str, object] = {}
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(call, "id", getattr(call, "attr", "")) != "test_case":
            continue
        pairs: list[tuple[str | None, ast.expr]] = []
        if isinstance(decorator, ast.Call):
            pairs = [*zip(_KEYS, decorator.args, strict=False)]
            pairs += [(k.arg, k.value) for k in decorator.keywords]
        for key, value in pairs:
            try:
                options[str(key)] = _plain_value(value)
            except ValueError:
                problems.append(f"{node.name}: {key} is not a plain value: {ast.unparse(value)}")
                options[str(key)] = key == "hidden"  # what may be hidden is
        problems += [f"{node.name}: {text} was left out" for text in unknown_keys(options, *_KEYS)]
        lines = source.split("\n")[node.lineno - 1 : node.end_lineno]
        return OtterCase(
            code=dedent("\n".join(lines)),
            is_function=True,
            hidden=bool(options.get("hidden")),
            points=_number(options.get("points")),
            success_message=str(options.get("success_message") or ""),
            failure_message=str(options.get("failure_message") or ""),
        )
    return None


def _setup(tree: ast.Module, source: str, problems: list[str]) -> str:
    """Return the imports, helpers and values of a file, but for otter's own."""
    parts = []
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        targets = node.targets if isinstance(node, ast.Assign) else []
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        is_own = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("otter")
        is_case = isinstance(node, ast.FunctionDef) and any(
            "test_case" in ast.unparse(decorator) for decorator in node.decorator_list
        )
        if is_text or is_own or is_case or names & _FILE_NAMES:
            continue
        part = ast.get_source_segment(source, node) or ""
        if isinstance(node, ast.Expr):
            problems.append(f"line {node.lineno} was left out: {part}")
        parts.append(part)
    return "\n\n".join(parts)


def example_sources(text: str) -> list[str]:
    """Return the code of doctest's examples.

    Raises:
        UsageError: They can't be read.
    """
    try:
        return [example.source for example in doctest.DocTestParser().get_examples(text)]
    except ValueError as error:
        raise UsageError(str(error)) from error
