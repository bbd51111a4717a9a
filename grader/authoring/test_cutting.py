"""Cuts the public tests out of a file of tests: those functions, and what they need of the file."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Collection, Iterator

from grader.errors import RubricError


def cut_public_tests(source: str, *, names: Collection[str], path: str) -> str:
    """Return the code of some tests with the imports, fixtures and helpers that they use.

    Args:
        source: the whole file.
        names: the tests that students may read: 'test_small', 'TestAccount.test_new'.
        path: the file's path, for errors.

    Raises:
        RubricError: one of them reads a file beside the tests, which students don't get.
    """
    tree = ast.parse(source)
    kept = [node for node in (_cut_class(n, names) for n in tree.body) if node is not None]
    tests = [node for node in kept if _is_test(node, names)]
    needed = _find_needed(tests, kept)
    statements = [
        node
        for node in kept
        if node in tests or node in needed or isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    for node in statements:
        if any(isinstance(part, ast.Name) and part.id == "__file__" for part in ast.walk(node)):
            raise RubricError(
                f"{path}: line {node.lineno}: a public test can't read files beside the tests: "
                "students don't get them"
            )
    used = {name for node in statements for name in _used_names(node)}
    statements = [node for node in statements if not _is_unused_import(node, used)]
    return "\n\n\n".join(_segment(source, node) for node in statements) + "\n"


def _cut_class(node: ast.stmt, names: Collection[str]) -> ast.stmt | None:
    """Return a class of tests with its public tests alone; None where it has none."""
    if not isinstance(node, ast.ClassDef) or not node.name.startswith("Test"):
        return node
    body = [
        part
        for part in node.body
        if not (isinstance(part, ast.FunctionDef) and part.name.startswith("test"))
        or f"{node.name}.{part.name}" in names
    ]
    tests = [p for p in body if isinstance(p, ast.FunctionDef) and p.name.startswith("test")]
    if not tests:
        return None
    if len(body) == len(node.body):
        return node
    return ast.copy_location(
        ast.ClassDef(
            name=node.name,
            bases=node.bases,
            keywords=node.keywords,
            body=body,
            decorator_list=node.decorator_list,
        ),
        node,
    )


def _is_test(node: ast.stmt, names: Collection[str]) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name.startswith("Test")
    return isinstance(node, ast.FunctionDef) and node.name in names


def _find_needed(tests: list[ast.stmt], statements: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that tests use by name, directly or by way of others."""
    definitions = {
        name: node
        for node in statements
        if not (isinstance(node, ast.FunctionDef) and node.name.startswith("test"))
        for name in _defined_names(node)
    }
    needed: list[ast.stmt] = []
    pending = list(tests)
    while pending:
        for name in _used_names(pending.pop()):
            node = definitions.get(name)
            if node is not None and node not in needed:
                needed.append(node)
                pending.append(node)
    return needed


def _defined_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id


def _used_names(node: ast.stmt) -> set[str]:
    """Return the file's names that a statement uses, and the arguments that pytest gives it."""
    functions = node.body if isinstance(node, ast.ClassDef) else [node]
    arguments = {
        argument.arg
        for function in functions
        if isinstance(function, ast.FunctionDef)
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    }
    return arguments | _global_names(symtable.symtable(ast.unparse(node), "tests.py", "exec"))


def _global_names(table: symtable.SymbolTable) -> set[str]:
    """Return the names that a scope, or one in it, looks up outside all functions and classes."""
    is_file = table.get_type() == "module"
    names = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (is_file or symbol.is_global())
    }
    return names.union(*map(_global_names, table.get_children()))


def _is_unused_import(node: ast.stmt, used: Collection[str]) -> bool:
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return False
    bound = {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return bound.isdisjoint(used)


def _segment(source: str, node: ast.stmt) -> str:
    """Return the code of a statement with its decorators, as written where nothing was cut out."""
    if isinstance(node, ast.ClassDef) and not hasattr(node, "end_lineno"):
        return ast.unparse(node)
    lines = source.splitlines()
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    whole = "\n".join(lines[first - 1 : node.end_lineno])
    if isinstance(node, ast.ClassDef) and ast.unparse(ast.parse(whole)) != ast.unparse(node):
        return ast.unparse(node)
    return whole
