"""Word a failed assertion as a sentence: what an expression gave, and what was expected."""

import ast
import linecache
import re

import pytest
from course_tests.arguments import NO_CHART, Figures, MissingFigure, MissingFile
from course_tests.class_stubs import safe_text
from course_tests.code_text import ShownCode, is_literal, show
from course_tests.notebook_source import MissingCode
from course_tests.remote_objects import Remote
from course_tests.talk import NotebookGone

MAX_TEXT = 1200
VERDICTS = (AssertionError, pytest.fail.Exception)
"""Exceptions by which a test says that something is wrong."""
BLANK = "`...`, which is what a blank gives"
NOT_RAISED = re.compile(r"DID NOT RAISE (?:<class '(?:[\w<>]+\.)*)?(\w+)")
COMPARISONS = {
    ast.Eq: "{right} was expected",
    ast.NotEq: "anything but {right} was expected",
    ast.Lt: "less than {right} was expected",
    ast.LtE: "at most {right} was expected",
    ast.Gt: "more than {right} was expected",
    ast.GtE: "at least {right} was expected",
    ast.In: "one of {right} was expected",
    ast.NotIn: "none of {right} was expected",
    ast.Is: "{right} was expected",
    ast.IsNot: "anything but {right} was expected",
}
CONTAINED = {
    ast.In: "{left} in it was expected",
    ast.NotIn: "no {left} in it was expected",
}
LITERALS = (ast.List, ast.Tuple, ast.Set, ast.Constant)
"""What a test writes down itself: `x in [1, 2]` is about x."""


def describe_failure(item, excinfo, compared=None):
    """Return the message, the sentence and the line of the test where it stopped.

    compared: both sides of the last comparison that failed, or None.
    """
    error = excinfo.value
    entry = next((e for e in reversed(excinfo.traceback) if str(e.path) == str(item.path)), None)
    described = {
        "exception": type(error).__name__[:100],
        "message": safe_text(error)[:MAX_TEXT],
    }
    if entry is None:
        return described | {"sentence": first_line(described["message"])}
    try:
        return described | describe_stop(entry, str(item.path), error, compared)
    except BaseException:  # the notebook may be gone, or what it gave raise when it is looked at
        return described


def describe_stop(entry, path, error, compared):
    """Return where a test stopped, and a sentence about it."""
    stop = Stop(entry, path)
    described = {"line": stop.line, "code": stop.code[:MAX_TEXT]}
    is_verdict = isinstance(error, VERDICTS) and not isinstance(error, NotebookGone)
    if is_verdict:
        described["sentence"] = stop.explain_assertion(error, compared)[:MAX_TEXT]
    elif blank := stop.find_blank(safe_text(error)):
        described["sentence"] = blank[:MAX_TEXT]
    return {**described, "call": stop.call()[:MAX_TEXT]}


class Stop:
    """The place in a test's file where it stopped.

    entry: pytest's entry of the trace; path: the file.
    """

    def __init__(self, entry, path):
        self.line = entry.lineno + 1
        source = "".join(linecache.getlines(path))
        try:
            self.tree = ast.parse(source)
        except SyntaxError:
            self.tree = ast.Module(body=[], type_ignores=[])
        self.shown = ShownCode(source, entry.frame)
        self.statement = self.innermost(ast.stmt)
        self.code = ast.get_source_segment(source, self.statement) if self.statement else ""
        trace = entry._rawentry
        places = list(trace.tb_frame.f_code.co_positions())
        self.position = places[trace.tb_lasti // 2]

    def innermost(self, kind):
        """Return the smallest node of a kind that holds the line, or None."""
        inside = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, kind) and node.lineno <= self.line <= node.end_lineno
        ]
        return min(inside, key=lambda n: (n.end_lineno - n.lineno, -n.lineno), default=None)

    def call(self):
        """Return the expression that raised, with values; '' where it is not known."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.expr) and position_of(node) == self.position:
                return self.after(node) + self.shown.expression(node)
        return ""

    def compared_by_library(self):
        """Return what a call such as `np.testing.assert_equal(a, b)` compares, or ''."""
        match self.statement:
            case ast.Expr(value=ast.Call(func=function, args=[left, right, *_])):
                if name_of(function).startswith("assert_"):
                    return f"`{self.shown.text(left)}` and `{self.shown.text(right)}` differ: "
        return ""

    def find_blank(self, message):
        """Return which value where the test stopped is a blank that was left, or ''."""
        if self.statement is not None:
            for name, value in self.shown.known_values(
                self.statement, around=self.statement
            ).items():
                if value is ...:
                    return f"`{name}` is {BLANK}"
        return f"a value is {BLANK}: {message}" if "ellipsis" in message else ""

    def after(self, node):
        """Return what the test did before, as the beginning of a sentence, or ''."""
        function = self.innermost(ast.FunctionDef)
        if function is None:
            return ""
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        return self.shown.steps(function, self.line, names)

    def explain_assertion(self, error, compared):
        """Return a sentence about a failed `assert`: what an expression gave, what was expected."""
        message = " ".join(safe_text(error).split())
        if self.statement is None or isinstance(error, (MissingFile, MissingFigure, MissingCode)):
            return message
        if missing := NOT_RAISED.match(message):
            body = getattr(self.statement, "body", None) or [self.statement]
            calls = "; ".join(self.shown.text(part) for part in body)
            return f"{self.after(self.statement)}`{calls}` raised no {missing[1]}"
        if not isinstance(self.statement, ast.Assert):
            return self.compared_by_library() + message
        if self.statement.msg is not None:
            return first_line(safe_text(error))
        test = self.statement.test
        return self.after(test) + explain_condition(test, self.shown, compared)


def name_of(function):
    """Return the name by which a function or method is called, or ''."""
    return getattr(function, "attr", getattr(function, "id", ""))


def position_of(node):
    """Return where a node stands, as code objects have it."""
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def explain_condition(test, shown, compared):
    """Return a sentence about a condition that does not hold."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and compared is not None:
        return explain_comparison(test, shown, compared)
    wanted = "false" if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else "true"
    inner = test.operand if wanted == "false" else test
    if isinstance(shown.values.get(getattr(inner, "id", None)), Figures) and wanted == "true":
        return NO_CHART
    return f"{shown.expression(inner)} should be {wanted}"


def explain_comparison(test, shown, compared):
    """Return a sentence about a comparison that does not hold."""
    left, right = map(show_value, compared)
    kind, other = type(test.ops[0]), test.comparators[0]
    if kind in CONTAINED and not isinstance(other, LITERALS):
        return f"{shown.expression(other)} gave {right}; {CONTAINED[kind].format(left=left)}"
    expected = COMPARISONS[kind].format(right=right)
    if kind in (ast.NotEq, ast.IsNot) and isinstance(compared[1], Remote):
        expected = f"anything but `{shown.text(other)}` was expected"  # its class tells nothing
    difference = first_difference(*compared) if left == right else ""
    return f"{shown.expression(test.left)} gave {left}; {expected}{difference}"


def first_difference(given, expected):
    """Return how two values differ that look the same once they are shortened, or ''."""
    if type(given) is not type(expected) or not isinstance(given, (list, tuple)):
        return ""
    for index, pair in enumerate(zip(given, expected, strict=False)):
        if all(map(is_literal, pair)) and pair[0] != pair[1]:
            first, second = map(show_value, pair)
            return f"; they differ at index {index}: {first}, {second}"
    same = len(given) == len(expected)
    return "" if same else f"; it has {len(given)} values, not {len(expected)}"


def show_value(value):
    """Return a value as a report shows it."""
    if type(value).__name__ == "ellipsis":
        return BLANK
    if isinstance(value, Remote):
        return f"an object of class {type(value).__name__}"
    return f"`{show(value)}`"


def first_line(message):
    """Return the first line of a message."""
    return message.strip().partition("\n")[0]
