"""Word a failed assertion as a sentence: what an expression gave, and what was expected."""

import ast
import inspect
import linecache
import re
import reprlib

import pytest
from course_tests.remote_objects import Remote

MAX_TEXT = 1200
NOT_RAISED = re.compile(r"DID NOT RAISE (?:<class '(?:[\w<>]+\.)*)?(\w+)")
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 200
_short.maxlist = _short.maxtuple = _short.maxset = _short.maxdict = 12
_short.maxlevel = 4
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
    line = entry.lineno + 1
    described |= {"line": line, "code": statement_at(str(item.path), line)[:MAX_TEXT]}
    if isinstance(error, (AssertionError, pytest.fail.Exception)):
        described["sentence"] = explain_assertion(described["code"], entry.frame, error, compared)[
            :MAX_TEXT
        ]
    return described


def safe_text(error):
    """Return the text of an exception, whatever its own `__str__` does."""
    try:
        return str(error)
    except Exception:
        return ""


def statement_at(path, line):
    """Return the source of the innermost statement that holds a line."""
    source = "".join(linecache.getlines(path))
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return ""
    inside = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    if not inside:
        return ""
    smallest = min(inside, key=lambda node: (node.end_lineno - node.lineno, -node.lineno))
    return ast.get_source_segment(source, smallest) or ""


def explain_assertion(code, frame, error, compared):
    """Return a sentence about a failed `assert`: what an expression gave, what was expected."""
    message = " ".join(safe_text(error).split())
    if missing := NOT_RAISED.match(message):
        calls = code.partition("\n")[2].strip() or code
        return f"`{' '.join(calls.split())}` raised no {missing[1]}"
    statement = parse_assertion(code)
    if statement is None:
        return message
    if statement.msg is not None:
        return first_line(safe_text(error))
    return explain_condition(statement.test, frame, compared)


def parse_assertion(code):
    """Return the syntax tree of an `assert`, or None of any other statement."""
    try:
        statement = ast.parse(inspect.cleandoc(code)).body[0]
    except (SyntaxError, IndexError):
        return None
    return statement if isinstance(statement, ast.Assert) else None


def explain_condition(test, frame, compared):
    """Return a sentence about a condition that does not hold."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and compared is not None:
        left, right = map(show_value, compared)
        given = with_values(ast.unparse(test.left), test.left, frame)
        pattern = COMPARISONS[type(test.ops[0])]
        return f"{given} gave {left}; {pattern.format(right=right)}"
    wanted = "false" if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else "true"
    inner = test.operand if wanted == "false" else test
    return f"{with_values(ast.unparse(inner), inner, frame)} should be {wanted}"


def show_value(value):
    """Return a value as a report shows it."""
    if isinstance(value, Remote):
        return f"an object of class {type(value).__name__}"
    return f"`{_short.repr(value)}`"


def first_line(message):
    """Return the first line of a message."""
    return message.strip().partition("\n")[0]


def with_values(text, node, frame):
    """Return an expression with the values of the test's own variables in it."""
    local_names = frame.f_locals
    names = dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    known = {
        name: local_names[name]
        for name in names
        if name in local_names and not isinstance(local_names[name], Remote)
    }
    plain = {k: v for k, v in known.items() if not callable(v)}
    if text in plain or not plain:
        return f"`{text}`"
    values = ", ".join(f"{name} = {_short.repr(value)}" for name, value in plain.items())
    return f"`{text}` with {values}"
