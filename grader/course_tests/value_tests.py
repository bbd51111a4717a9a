"""The test behind VAL001: an expression gives what it gives in the reference."""

import ast
import builtins
import copy

from course_tests.failure_text import show_value
from course_tests.scores import agree_rounded
from course_tests.talk import NotebookGone


def check_value(value_check):
    """Pass if an expression gives what it gives in the reference."""
    flaw = value_check.find_flaw()
    if flaw:
        raise AssertionError(flaw)


UNEXPECTED = (
    "{asked} raised {kind} for the reference, and not in the reference's own code: {text}. "
    'Everybody would get the same. If that is what is asked, say so by `raises = "{kind}"`'
)


class UnexpectedError(Exception):
    """What the reference should give can't be had."""


class ExpressionNames(dict):
    """ExpressionNames of an expression: what is given, then the notebook's, then Python's own."""

    def __init__(self, given, fetch):
        super().__init__(given)
        self.fetch = fetch

    def __missing__(self, name):
        try:
            return self.fetch(name)
        except NameError:
            if hasattr(builtins, name):
                return getattr(builtins, name)
            raise


class ValueCheck:
    """One case of a value check.

    spec: `ask`, `given`, `draw`, `close`, `order` and `types`, as a rubric has them.
    notebook, reference: fetch the value of a name.
    is_own: whether the reference's own code raised an exception that came of it.
    draw: what draws inputs.
    """

    def __init__(self, spec, case, *, notebook, reference, is_own, draw):
        self.spec = spec
        self.notebook = notebook
        self.reference = reference
        self.is_own = is_own
        self.given = {name: values[case] for name, values in spec["given"].items()}
        for name, expression in spec["draw"].items():
            drawn = [eval(f"draw.{expression}", {"draw": draw}) for _ in range(case + 1)]  # noqa: S307 (the course's own)
            self.given[name] = drawn[-1]

    def find_flaw(self):
        """Return what is wrong in a sentence, or ''."""
        expected, expected_error = self.evaluate(self.reference)
        value, error = self.evaluate(self.notebook)
        given = ", ".join(f"{name} = {value!r:.200}" for name, value in self.given.items())
        asked = f"`{self.spec['ask']}`" + (f" with {given}" if given else "")
        if expected_error is not None:
            kind = type(expected_error).__name__
            if kind != self.spec.get("raises") and not self.is_own(expected_error):
                raise UnexpectedError(
                    UNEXPECTED.format(asked=asked, kind=kind, text=expected_error)
                )
            if error is None:
                return f"{asked} raised no {type(expected_error).__name__}"
            same = type(error).__name__ == type(expected_error).__name__
            return "" if same else f"{asked} raised {type(error).__name__}"
        if error is not None:
            raise error
        if self.agree(value, expected):
            return ""
        shown, wanted = show_value(value), show_value(expected)
        if shown == wanted:
            shown += f" of type {type(value).__name__}"
            wanted += f" of type {type(expected).__name__}"
        return f"{asked} gave {shown}; {wanted} was expected"

    def agree(self, value, expected):
        """Return whether a value is the expected one; of several that are asked for, each."""
        is_several = isinstance(ast.parse(self.spec["ask"], mode="eval").body, ast.Tuple)
        if is_several and type(value) is tuple and len(value) == len(expected):
            pairs = zip(value, expected, strict=True)
        else:
            pairs = [(value, expected)]
        return all(
            agree_rounded(
                *pair,
                digits=self.spec.get("digits"),
                close=self.spec["close"],
                any_order=self.spec["order"] == "free",
                types=self.spec["types"],
            )
            for pair in pairs
        )

    def evaluate(self, fetch):
        """Return the value of the expression, or the exception that it raised."""
        names = ExpressionNames({**copy.deepcopy(self.given), "__builtins__": {}}, fetch)
        try:
            # As globals: a function in the expression sees no locals of its surroundings.
            return eval(self.spec["ask"], names), None  # noqa: S307 (the course's own)
        except (NotebookGone, NameError):
            raise
        except Exception as error:
            return None, error


def test_nothing(value_check):
    """Stand in the place of a course's tests where it has none."""
