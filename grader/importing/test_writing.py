"""Makes functions of `tests.py` of test cells, whose code is kept word for word.

A name of the notebook that the code only reads becomes an argument. Where code sets or deletes such
names, or depends on the notebook's files or modules, it takes `as_cell`, and runs as a cell would.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from grader.importing import cell_code
from grader.importing.cell_code import CodeNames

AS_CELL, EARNED, AUTOTEST, EXAMPLES = "as_cell", "earned", "autotest", "examples"
"""Arguments of ours: docs/tests.md."""
_CATCHES_NAMES = frozenset({"NameError", "Exception", "BaseException"})
_NO_SCORE = re.compile(
    r"^(?:assert|print$|display$|autotest$)|\.(?:assert|print|show$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookNames:
    """What a solved notebook binds, without its test cells."""

    bound: frozenset[str]
    declared: frozenset[str]
    """Names that its functions declare `global`: a call may change them."""
    imports: dict[str, str]
    """Of names that only imports of computing modules bind, the import."""

    @classmethod
    def from_sources(cls, sources: Iterable[str]) -> NotebookNames:
        """Return the names that some cells of code bind."""
        bound: set[str] = set()
        declared: set[str] = set()
        imports: dict[str, str] = {}
        for source in sources:
            tree = cell_code.parse_cell(source)
            if tree is None:
                continue
            names = cell_code.read_names(cell_code.without_magics(source))
            bound |= names.bound
            declared |= names.declared
            for module, node in cell_code.imported_modules(ast.walk(tree)):
                if cell_code.is_computing(module):
                    imports |= dict(cell_code.import_lines(node))
        return cls(bound=frozenset(bound), declared=frozenset(declared), imports=imports)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    """A statement of a test cell that others may build on."""

    source: str
    names: CodeNames
    is_definition: bool
    changed: frozenset[str] = frozenset()
    """Names whose objects it may change in place."""


@dataclass(slots=True)
class TestHead:
    """What stands before the tests, once for the whole file: imports and helper functions."""

    __test__ = False  # no test of pytest's, whatever its name

    imports: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return the beginning of the file."""
        imports = "\n".join(sorted(dict.fromkeys(self.imports.values())))
        return "\n\n\n".join(filter(None, [imports, *dict.fromkeys(self.helpers.values())]))

    def takes(self, name: str, code: str) -> bool:
        """Keep a helper under its name; return False where another has it."""
        return self.helpers.setdefault(name, code) == code and name not in self.imports


@dataclass(slots=True)
class TestWriter:
    """Writes the tests of one notebook, in the order of their cells."""

    __test__ = False  # no test of pytest's, whatever its name

    names: NotebookNames
    head: TestHead
    _earlier: list[_Statement] = field(default_factory=list)

    def write(self, name: str, source: str, *, points: Fraction | None = None) -> str:
        """Return a function of the code of a test cell.

        Args:
            name: Of the function: 'test_correct_squares'.
            source: The code; it may call `autotest`.
            points: Where the last value is the points earned, what they are out of.

        Raises:
            SyntaxError: It is no Python, or what can't stand in a function.
        """
        source = cell_code.without_magics(source).strip("\n")
        tree = ast.parse(source)
        own = cell_code.read_names(source)
        arguments: list[str] = []
        if points is not None and (scored := _score_expression(tree, source)) is not None:
            source = _put_around(source, scored, before=f"{EARNED}(", after=f", of={points})")
            arguments.append(EARNED)
        if AUTOTEST in own.read:
            arguments.append(AUTOTEST)
        prelude = self._prelude(own, arguments=frozenset(arguments))
        whole = "\n".join([*prelude, source])
        names = cell_code.read_names(whole)
        free = [n for n in self._free_names(whole, names) if n not in arguments]
        if AUTOTEST in arguments or self._needs_cell(ast.parse(whole), names, free):
            self._import_for(free)
            arguments = [AS_CELL, *arguments]
        else:
            taken = self._import_for(free)
            arguments = [*(n for n in free if n not in taken), *arguments]
        text = _function_text(name, source, prelude=prelude, arguments=arguments)
        ast.parse(text)
        compile(text, "tests.py", "exec")
        return text

    def write_function(
        self, name: str, body: str, *, parameters: Sequence[str], nested: str
    ) -> str:
        """Return a test of a function that is called with the notebook's names, as otter calls it.

        What it sets is its own. Where it must run as a cell would, so that modules with state and
        files are the notebook's, it is defined and called there.

        Args:
            name: Of the test.
            body: The statements of the function.
            parameters: Its parameters; `env` stands for all names.
            nested: Its definition, and its call.

        Raises:
            SyntaxError: It is no Python.
        """
        own = cell_code.read_names(body)
        prelude = self._prelude(own, arguments=frozenset(parameters), hides_notebook=True)
        whole = "\n".join([*prelude, body])
        names = cell_code.read_names(whole)
        read = [parameter for parameter in parameters if parameter in names.read]
        taken = self._import_for([*read, *sorted(own.read - set(parameters))])
        if "env" in parameters or _needs_notebooks_modules(ast.parse(whole), names):
            if prelude:
                lines = cell_code.indent_code("\n".join([*prelude, nested]))
                nested = f"def case():\n{lines}\n\ncase()"
            text = _function_text(name, nested, prelude=[], arguments=[AS_CELL])
        else:
            arguments = [parameter for parameter in read if parameter not in taken]
            text = _function_text(name, body, prelude=prelude, arguments=arguments)
        compile(text, "tests.py", "exec")
        return text

    def write_examples(
        self, name: str, texts: Sequence[str], *, sources: Iterable[str], after: str = ""
    ) -> str:
        """Return a function that runs doctest's examples with the notebook's names.

        Args:
            name: Of the function.
            texts: The examples, with what they show; what some bind the next do not see.
            sources: Their code alone.
            after: Other examples, which run before them and are not compared.

        Raises:
            SyntaxError: Their code is no Python.
        """
        whole = "\n".join(sources)
        self._import_for(self._free_names(whole, cell_code.read_names(whole)))
        first = f", after={_quote_examples(after)}" if after else ""
        calls = [f"    {EXAMPLES}({_quote_examples(text)}{first})" for text in texts]
        return "\n".join([f"def {name}({AS_CELL}, {EXAMPLES}):", *calls])

    def asks_notebook_alone(self, expression: str) -> bool:
        """Return whether an expression needs nothing but the notebook's names and Python's own."""
        read = cell_code.read_names(expression).read
        return all(n in self.names.bound or cell_code.is_builtin(n) for n in read)

    def remember(self, source: str) -> None:
        """Keep what a test cell binds, and what it changes, for the tests after it."""
        source = cell_code.without_magics(source)
        for node in ast.parse(source).body:
            part = ast.get_source_segment(source, node, padded=False) or ""
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.decorator_list:
                first = min(decorator.lineno for decorator in node.decorator_list)
                part = "\n".join(source.split("\n")[first - 1 : node.end_lineno])
            kinds = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
            is_definition = isinstance(node, kinds)
            statement = _Statement(
                source=part,
                names=cell_code.read_names(part),
                is_definition=is_definition,
                changed=frozenset() if is_definition else cell_code.changed_names(node),
            )
            if statement.names.bound or statement.changed:
                self._earlier.append(statement)

    # ------------------------------------------------------------ names

    def _prelude(
        self, own: CodeNames, *, arguments: frozenset[str], hides_notebook: bool = False
    ) -> list[str]:
        """Return the statements of earlier test cells that code builds on; helpers go to the head.

        A helper that needs nothing of the notebook stands in the head of the file. A name that the
        notebook binds, too, is the notebook's, unless these hide it.
        """
        needed = set(own.read) - arguments
        tests_own = {n for s in self._earlier if not s.is_definition for n in s.names.bound}
        chosen: list[_Statement] = []
        for statement in reversed(self._earlier):
            new = needed & (statement.names.bound | statement.changed & tests_own)
            if new and (hides_notebook or not new <= self.names.bound):
                chosen.insert(0, statement)
                needed = (needed - statement.names.bound) | set(statement.names.read)
        prelude: list[str] = []
        local: set[str] = set()
        for statement in chosen:
            uses_notebook = self._uses_notebook(statement) or bool(statement.names.read & local)
            if statement.is_definition and not uses_notebook and self._hoist(statement):
                continue
            prelude.append(statement.source)
            local |= statement.names.bound
        return prelude

    def _uses_notebook(self, statement: _Statement) -> bool:
        tree = ast.parse(statement.source)
        modules = [module for module, _ in cell_code.imported_modules(ast.walk(tree))]
        return not all(map(cell_code.is_computing, modules)) or any(
            not cell_code.is_builtin(name)
            and name not in self.names.imports
            and name not in self.head.helpers
            and name not in self.head.imports
            for name in statement.names.read - statement.names.bound
        )

    def _hoist(self, statement: _Statement) -> bool:
        node = ast.parse(statement.source).body[0]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            lines = dict(cell_code.import_lines(node))
            return all(self.head.imports.setdefault(n, line) == line for n, line in lines.items())
        self._import_for(sorted(statement.names.read))
        (name,) = statement.names.bound
        if name.lower().startswith("test"):
            return False  # pytest would take it for a test
        return self.head.takes(name, statement.source)

    def _free_names(self, source: str, names: CodeNames) -> list[str]:
        """Return what code takes from outside, in the order in which it is read."""
        known = names.bound - self.names.bound
        order = {
            node.id: None for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)
        }
        ordered = [*order, *sorted(names.read - order.keys())]
        return [
            name
            for name in ordered
            if name in names.read
            and name not in known
            and not (cell_code.is_builtin(name) and name not in self.names.bound)
            and not (name in self.head.helpers and name not in names.bound)
        ]

    def _import_for(self, names: Iterable[str]) -> set[str]:
        """Take imports of the notebook to the head of the file; return the names that it has."""
        for name in names:
            if name in self.names.imports:
                self.head.imports.setdefault(name, self.names.imports[name])
        return {name for name in names if name in self.head.imports}

    def _needs_cell(self, tree: ast.Module, names: CodeNames, free: Iterable[str]) -> bool:
        """Return whether code must run as a cell of the notebook would."""
        ours = self.head.imports.keys() | self.names.imports.keys()
        touched = names.bound & self.names.bound - ours
        return bool(
            touched
            or names.read & self.names.declared
            or _needs_notebooks_modules(tree, names)
            or _read_where_caught(tree) & set(free)
        )


def _needs_notebooks_modules(tree: ast.Module, names: CodeNames) -> bool:
    """Return whether code uses what is another in the notebook's process: its files, its names."""
    modules = {module for module, _ in cell_code.imported_modules(ast.walk(tree))}
    return bool(
        names.read & (cell_code.SCOPE_BUILTINS | cell_code.REMOTE_BUILTINS)
        or any(not cell_code.is_computing(module) for module in modules)
        or _is_star(tree)
    )


def _is_star(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        for node in ast.walk(tree)
    )


def _read_where_caught(tree: ast.Module) -> set[str]:
    """Return the names that are read where a missing one would be caught."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try):
            continue
        kinds = [handler.type for handler in node.handlers]
        caught = {part.id for k in kinds if k for part in ast.walk(k) if isinstance(part, ast.Name)}
        if None in kinds or caught & _CATCHES_NAMES:
            body = (part for statement in node.body for part in ast.walk(statement))
            names |= {part.id for part in body if isinstance(part, ast.Name)}
    return names


# ---------------------------------------------------------------- text


def _score_expression(tree: ast.Module, source: str) -> ast.expr | None:
    """Return the last expression of a cell, whose value may be the points earned, or None."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or source.rstrip().endswith(";"):
        return None
    value = last.value
    if isinstance(value, ast.Constant) and not isinstance(value.value, (int, float)):
        return None
    if isinstance(value, ast.Call) and _NO_SCORE.search(ast.unparse(value.func)):
        return None
    return value


def _put_around(source: str, node: ast.expr, *, before: str, after: str) -> str:
    """Return code with words before and after an expression, which may have brackets around it."""
    lines = source.encode().split(b"\n")
    end_line, end = (node.end_lineno or 1) - 1, node.end_col_offset or 0
    lines[end_line] = lines[end_line][:end] + after.encode() + lines[end_line][end:]
    line = lines[node.lineno - 1]
    lines[node.lineno - 1] = line[: node.col_offset] + before.encode() + line[node.col_offset :]
    return b"\n".join(lines).decode()


def _quote_examples(text: str) -> str:
    """Return doctest's examples as a text in a function's first column."""
    quoted = text.strip("\n").replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = "\n".join(f"    {line}".rstrip() for line in quoted.split("\n"))
    return f'"""\n{lines}\n    """'


def _function_text(name: str, source: str, *, prelude: list[str], arguments: list[str]) -> str:
    """Return the text of a function; a cell's first text stays its first statement."""
    body = source
    if prelude:
        tree = ast.parse(source)
        lines = source.split("\n")
        has_docstring = ast.get_docstring(tree) is not None
        first = (tree.body[0].end_lineno or 1) if has_docstring else 0
        body = "\n".join([*lines[:first], *prelude, *lines[first:]])
    if not ast.parse(body).body:
        body += "\npass"
    return f"def {name}({', '.join(arguments)}):\n{cell_code.indent_code(body)}"


def function_name(item: str, taken: Iterable[str]) -> str:
    """Return a name for the test of an item that no other has."""
    plain = re.sub(r"\W", "_", item)
    name = plain if plain.startswith("test_") else f"test_{plain}"
    names = set(taken)
    number = 2
    while name in names:
        name = f"test_{plain}_{number}"
        number += 1
    return name
