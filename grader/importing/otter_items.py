"""Makes items and tests of the questions of otter-grader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from grader.errors import UsageError
from grader.importing import cell_code
from grader.importing.imported_assignment import ImportedItem, ImportedTest
from grader.importing.otter_examples import EarlierExamples
from grader.importing.otter_master import MasterQuestion
from grader.importing.otter_tests import OtterCase, OtterTest, example_sources, merge_code
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
                yield self._test(case, label, at=test.name)
            return
        shown = [case for case in test.cases if not case.hidden]
        if shown and len(shown) < len(test.cases):
            yield self._test(_all_of(shown, Fraction(0)), f"{name}_visible", at=test.name)
        points = sum((case.points or Fraction(0) for case in test.cases), Fraction(0))
        yield self._test(_all_of(test.cases, points), name, at=test.name)

    def _test(self, case: OtterCase, label: str, *, at: str) -> ImportedTest:
        function = function_name(label, self._names)
        self._names.add(function)
        return ImportedTest(
            name=function,
            code=self._write(case, function),
            points=case.points or Fraction(0),
            public=not case.hidden,
            ask=case.failure_message,
            success=case.success_message,
            at=at,
        )

    def _write(self, case: OtterCase, function: str) -> str:
        if case.is_function:
            node = ast.parse(case.code).body[0]
            if not isinstance(node, ast.FunctionDef):
                raise UsageError("a test_case that is no function")
            return self.writer.write(function, _with_names(node, _body(case.code, node)))
        sources = example_sources(case.code)
        if not sources:
            raise UsageError("a case without examples")
        after = self._earlier.needed_by(case.code, notebook=self.writer.names)
        self._earlier.remember(case.code)
        return self.writer.write_examples(function, case.code, sources=sources, after=after)


def _with_names(node: ast.FunctionDef, source: str) -> str:
    """Return the code of a test; all names are `env` to one that takes them so."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    takes_all = any(argument.arg == "env" for argument in arguments)
    return f"env = globals()\n{source}" if takes_all else source


def _all_of(cases: Sequence[OtterCase], points: Fraction) -> OtterCase:
    """Return several cases as one, with what each says of who passes or fails."""
    return replace(
        cases[0],
        code=_join(cases),
        points=points,
        hidden=any(case.hidden for case in cases),
        success_message=_join_messages(case.success_message for case in cases),
        failure_message=_join_messages(case.failure_message for case in cases),
    )


def _join_messages(messages: Iterable[str]) -> str:
    return " ".join(dict.fromkeys(filter(None, messages)))


def _join(cases: Sequence[OtterCase]) -> str:
    """Return several cases as one: their examples, or a function that calls each of theirs."""
    if not any(case.is_function for case in cases):
        return merge_code(cases)
    parts: list[str] = []
    takes_all = False
    for case in cases:
        node = ast.parse(case.code).body[0]
        if not isinstance(node, ast.FunctionDef):
            raise UsageError("a test_case that is no function")
        positional = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        by_name = [f"{argument.arg}={argument.arg}" for argument in node.args.kwonlyargs]
        parts += [case.code, f"{node.name}({', '.join([*positional, *by_name])})"]
        takes_all |= "env" in (*positional, *(argument.arg for argument in node.args.kwonlyargs))
    if takes_all:
        parts.insert(0, "env = globals()")
    return "def all_cases():\n" + cell_code.indent_code("\n".join(parts))


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
