"""Reads otter-grader's tests: files, and cells, of both formats. Nothing of them is run."""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from textwrap import dedent

from grader.errors import UsageError


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
    points: Fraction | Sequence[Fraction] | None = None
    all_or_nothing: bool = False
    setup: str = ""
    """Code beside the test functions of a file: imports and helpers."""

    def with_points(self) -> OtterTest:
        """Return the test with the points of each case.

        Points that are left open share what is left of the question's; in a question without
        points all share 1, and where some cases have points the others have none.

        Raises:
            UsageError: They don't fit together.
        """
        given = [case.points for case in self.cases]
        if isinstance(self.points, Sequence):
            if len(self.points) != len(given):
                raise UsageError(f"{self.name}: it has {len(given)} cases, and other points")
            shares: list[Fraction] = list(self.points)
        else:
            known = sum((p for p in given if p is not None), Fraction(0))
            open_count = given.count(None)
            total = self.points
            if total is None:
                total = Fraction(1) if open_count == len(given) else known
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
        raise UsageError(f"{name}: its test is no Python ({error.msg})") from error
    values = _constants(tree)
    if isinstance(table := values.get("test"), dict):
        return read_table(table, name=name)
    cases = [
        case
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and (case := _read_function(node, source)) is not None
    ]
    if not cases:
        raise UsageError(f"{name}: neither a table of tests nor a test_case is in it")
    return OtterTest(
        name=str(values.get("name") or name),
        points=read_points(values.get("points")),
        cases=tuple(cases),
        all_or_nothing=values.get("all_or_nothing") is True,
        setup=_setup(tree, source),
    )


def read_table(table: Mapping[object, object], *, name: str) -> OtterTest:
    """Return the test of a table: OK's format."""
    cases = []
    suites = table.get("suites")
    for suite in suites if isinstance(suites, list) else []:
        if not isinstance(suite, dict):
            continue
        if suite.get("type", "doctest") != "doctest":
            raise UsageError(f"{name}: its tests are of the type {suite.get('type')}")
        for case in suite.get("cases", ()):
            code = dedent(str(case.get("code", ""))).strip("\n")
            if setup := dedent(str(suite.get("setup") or "")).strip("\n"):
                code = f"{setup}\n{code}"
            cases.append(
                OtterCase(
                    code=code,
                    hidden=case.get("hidden", True) is not False,
                    points=_number(case.get("points")),
                    success_message=str(case.get("success_message") or ""),
                    failure_message=str(case.get("failure_message") or ""),
                )
            )
    return OtterTest(
        name=str(table.get("name") or name),
        points=read_points(table.get("points")),
        cases=tuple(cases),
        all_or_nothing=table.get("all_or_nothing") is True,
    )


def read_points(value: object) -> Fraction | tuple[Fraction, ...] | None:
    """Return the points of a question: a number, one for each case, or None."""
    if isinstance(value, (list, tuple)):
        return tuple(_number(part) or Fraction(0) for part in value)
    return _number(value)


def _number(value: object) -> Fraction | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return Fraction(str(value)) if is_number else None


def _constants(tree: ast.Module) -> dict[str, object]:
    """Return the top names of a file that hold plain values."""
    values: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return values


_KEYS = ("name", "points", "hidden", "success_message", "failure_message")
"""Arguments of `test_case`, in order."""


def _read_function(node: ast.FunctionDef, source: str) -> OtterCase | None:
    """Return the case of a function that `test_case` decorates, or None."""
    for decorator in node.decorator_list:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(call, "id", getattr(call, "attr", "")) != "test_case":
            continue
        options: dict[str, object] = {}
        if isinstance(decorator, ast.Call):
            pairs = [*zip(_KEYS, decorator.args, strict=False)]
            pairs += [(k.arg, k.value) for k in decorator.keywords if k.arg]
            options = {key: ast.literal_eval(value) for key, value in pairs}
        lines = source.split("\n")[node.lineno - 1 : node.end_lineno]
        return OtterCase(
            code=dedent("\n".join(lines)),
            is_function=True,
            hidden=options.get("hidden") is True,
            points=_number(options.get("points")),
            success_message=str(options.get("success_message") or ""),
            failure_message=str(options.get("failure_message") or ""),
        )
    return None


def _setup(tree: ast.Module, source: str) -> str:
    """Return the imports and helpers of a file, but for otter's own."""
    parts = []
    for node in tree.body:
        is_own = isinstance(node, ast.ImportFrom) and (node.module or "").startswith("otter")
        is_import = isinstance(node, (ast.Import, ast.ImportFrom)) and not is_own
        is_helper = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and (
            not isinstance(node, ast.FunctionDef) or _read_function(node, source) is None
        )
        if is_import or is_helper:
            parts.append(ast.get_source_segment(source, node) or "")
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


def merge_code(cases: Iterable[OtterCase]) -> str:
    """Return the examples of several cases as those of one."""
    return "\n".join(case.code for case in cases)
