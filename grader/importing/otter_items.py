"""Makes items and tests of the questions of otter-grader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from grader.errors import UsageError
from grader.importing import cell_code
from grader.importing.imported_assignment import ImportedItem, ImportedTest
from grader.importing.otter_examples import EarlierExamples
from grader.importing.otter_master import MasterQuestion
from grader.importing.otter_tests import OtterCase, OtterTest, example_sources
from grader.importing.test_writing import TestWriter, function_name
from grader.model import Unsettled

_ITEM_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True)
class QuestionReader:
    """Makes an item of each question.

    notebook: the id of the solved notebook; writer: writes functions that know its names.
    """

    notebook: str
    writer: TestWriter
    items: list[ImportedItem] = field(default_factory=list)
    unsettled: list[Unsettled] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _earlier: EarlierExamples = field(default_factory=EarlierExamples)

    def read(self, test: OtterTest, *, file: str, cell: str = "") -> None:
        """Take the item of a question that has tests."""
        name = test.name
        for problem in test.problems:
            self.tell(file, f"{test.name}: {problem}", cell=cell)
        if _ITEM_ID.fullmatch(name) is None:
            name = re.sub(r"[^A-Za-z0-9._-]", "-", f"x{name}")[:64]
            self.tell(file, f"the question's name can't be an id here: it is {name}", cell=cell)
        try:
            whole = test.with_points()
            tests = tuple(self._tests(whole, name=name))
        except (SyntaxError, UsageError, ValueError) as error:
            why = f"{test.name}: its tests were not understood ({error}): a person must mark it"
            self.tell(file, why, cell=cell)
            self.add_written(name, points=_total(test))
            return
        finally:
            self._earlier.end_question()
        points = sum((case.points or Fraction(0) for case in whole.cases), Fraction(0))
        item = ImportedItem(
            id=name, title=name, points=points, kind="auto", notebook=self.notebook, tests=tests
        )
        self.items.append(item)

    def add_written(self, name: str, *, points: Fraction) -> None:
        """Take an item that a person marks."""
        item = ImportedItem(
            id=name,
            title=name,
            points=points,
            kind="written",
            notebook=self.notebook,
            answer="code",
        )
        self.items.append(item)

    def add_manual(self, question: MasterQuestion) -> None:
        """Take a question that its author left to a person."""
        points = question.options.get("points")
        number = isinstance(points, (int, float)) and not isinstance(points, bool)
        item = ImportedItem(
            id=question.name,
            title=question.name,
            points=Fraction(str(points)) if number else Fraction(1),  # as otter documents
            kind="written",
            notebook=self.notebook,
            answer=question.answer,
            prompt="\n\n".join(question.text),
            good_answer="\n\n".join(question.solution),
        )
        self.items.append(item)

    def tell(self, file: str, text: str, *, cell: str = "") -> None:
        """Leave something to a person."""
        self.unsettled.append(Unsettled(file=file, text=text, cell=cell))

    def _tests(self, test: OtterTest, *, name: str) -> Iterable[ImportedTest]:
        if test.setup:
            self.writer.remember(test.setup)
        if not test.all_or_nothing or len(test.cases) == 1:
            for number, case in enumerate(test.cases, 1):
                label = name if len(test.cases) == 1 else f"{name}_{number}"
                yield self._test([case], label, points=case.points, at=test.name)
                self._earlier.remember(case)
            return
        shown = [case for case in test.cases if not case.hidden]
        if shown and len(shown) < len(test.cases):
            yield self._test(shown, f"{name}_visible", points=None, at=test.name)
        points = sum((case.points or Fraction(0) for case in test.cases), Fraction(0))
        yield self._test(test.cases, name, points=points, at=test.name)

    def _test(
        self, cases: Sequence[OtterCase], label: str, *, points: Fraction | None, at: str
    ) -> ImportedTest:
        """Return a test of a case, or of several that count together."""
        function = function_name(label, self._names)
        self._names.add(function)
        is_function = any(case.is_function for case in cases)
        return ImportedTest(
            name=function,
            code=(self._write_functions if is_function else self._write_examples)(cases, function),
            points=points or Fraction(0),
            public=not any(case.hidden for case in cases),
            ask=_join_messages(case.failure_message for case in cases),
            success=_join_messages(case.success_message for case in cases),
            at=at,
        )

    def _write_functions(self, cases: Sequence[OtterCase], function: str) -> str:
        nodes = [ast.parse(case.code).body[0] for case in cases]
        if not all(isinstance(node, ast.FunctionDef) for node in nodes):
            raise UsageError("a test_case that is not a function")
        functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
        calls = [
            f"{case.code.rstrip()}\n{_call(node)}"
            for case, node in zip(cases, functions, strict=True)
        ]
        nested = "\n".join(calls)
        parameters = dict.fromkeys(name for node in functions for name in _parameters(node))
        body = nested if len(cases) > 1 else _body(cases[0].code, functions[0])
        return self.writer.write_function(
            function, body, parameters=tuple(parameters), nested=nested
        )

    def _write_examples(self, cases: Sequence[OtterCase], function: str) -> str:
        sources = [source for case in cases for source in example_sources(case.code)]
        if not sources:
            raise UsageError("a case without examples")
        after = self._earlier.needed_by(cases[0], notebook=self.writer.names)
        texts = [case.code for case in cases if example_sources(case.code)]
        return self.writer.write_examples(function, texts, sources=sources, after=after)


def _parameters(node: ast.FunctionDef) -> list[str]:
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return [argument.arg for argument in arguments]


def _call(node: ast.FunctionDef) -> str:
    """Return a call of a function with the names of its parameters; `env` is all names."""
    read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}

    def value(name: str) -> str:
        return "globals()" if name == "env" else name if name in read else "None"

    positional = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    by_name = [argument.arg for argument in node.args.kwonlyargs]
    values = [*map(value, positional), *(f"{name}={value(name)}" for name in by_name)]
    return f"{node.name}({', '.join(values)})"


def _join_messages(messages: Iterable[str]) -> str:
    """Return the messages of cases that count together, each once."""
    return " ".join(dict.fromkeys(filter(None, messages)))


def _body(source: str, node: ast.FunctionDef) -> str:
    """Return the statements of a function, as they stand in a cell."""
    first = node.body[0]
    begin = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))])
    if begin == node.lineno:
        return ast.get_source_segment(source, first) or ""
    lines = source.split("\n")
    while lines[begin - 2].strip().startswith("#") or not lines[begin - 2].strip():
        begin -= 1  # comments above the first statement
    return cell_code.outdent_code(source, first=begin - 1, last=node.end_lineno or begin)


def _total(test: OtterTest) -> Fraction:
    if isinstance(test.points, Fraction):
        return test.points
    given = test.points or [case.points for case in test.cases]
    return sum((part for part in given if part is not None), Fraction(0)) or Fraction(1)
