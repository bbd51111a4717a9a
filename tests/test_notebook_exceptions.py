"""Exceptions of a notebook's own classes, as a test uses them: attributes, methods, causes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from course_bench import run_tests

NOTEBOOK = dedent(
    """
    import json

    class BadLine(ValueError):
        '''A line that can't be read.'''

        kind = "line"

        def __init__(self, line, number=0):
            self.line, self.number = line, number

        def __str__(self):
            return f"line {self.number} is bad: {self.line}"

        @property
        def is_first(self):
            return self.number == 1

        def twice(self, word="x"):
            return 2 * (self.line + word)

        @classmethod
        def of(cls, line):
            return cls(line, 7)

    class Worse(BadLine):
        pass

    class Short(Exception):
        def __init__(self, need):
            super().__init__(f"{need} more")
            self.need = need

    class Stop(SystemExit):
        level = 3

    def parse(line, number=1):
        raise BadLine(line, number)

    def worse(line):
        raise Worse(line)

    def need(n):
        raise Short(n)

    def load(text):
        return json.loads(text)

    def convert(text):
        try:
            return int(text)
        except ValueError as error:
            raise BadLine(text) from error

    def marked():
        error = KeyError("k")
        error.marks, error.with_traceback = [1, 2], "no"
        raise error

    def cyclic():
        error = KeyError("k")
        error.itself, error.args = error, (1,)
        error.__cause__ = error
        raise error

    def stop():
        raise Stop(2)

    def read(source):
        try:
            return source()
        except BadLine as error:
            return error.line
    """
)
TESTS = dedent(
    """
    import json

    import pytest

    def test_attributes(parse, BadLine):
        with pytest.raises(BadLine, match="line 3 is bad: q") as caught:
            parse("q", 3)
        error = caught.value
        assert (error.line, error.number, error.is_first) == ("q", 3, False)
        assert error.args == ("q", 3)
        assert str(error) == "line 3 is bad: q"
        assert error.twice() == "qxqx" and error.twice(word="-") == "q-q-"
        assert type(error) is BadLine and isinstance(error, (BadLine, ValueError))

    def test_absent(parse, BadLine):
        with pytest.raises(BadLine) as caught:
            parse("q")
        assert not hasattr(caught.value, "column")
        with pytest.raises(AttributeError, match="'BadLine' object has no attribute 'column'"):
            caught.value.column

    def test_derived(worse, BadLine, Worse):
        try:
            worse("w")
        except BadLine as error:
            assert isinstance(error, Worse) and error.line == "w"

    def test_simple(need, Short):
        with pytest.raises(Short) as caught:
            need(4)
        assert caught.value.need == 4
        assert caught.value.args == ("4 more",)

    def test_made_here(BadLine):
        error = BadLine("m", number=1)
        assert error.line == "m" and error.is_first
        assert BadLine.of("o").number == 7
        assert BadLine.kind == "line"

    def test_raised_by_a_function_of_the_test(read, BadLine):
        def source():
            raise BadLine("from the test")

        assert read(source) == "from the test"

    def test_of_a_library(load):
        with pytest.raises(json.JSONDecodeError) as caught:
            load("[1,")
        assert (caught.value.pos, caught.value.lineno) == (3, 1)

    def test_cause(convert, BadLine):
        with pytest.raises(BadLine) as caught:
            convert("x")
        assert isinstance(caught.value.__cause__, ValueError)
        assert "invalid literal" in str(caught.value.__cause__)

    def test_own_attributes_of_a_class_of_pythons(marked):
        with pytest.raises(KeyError) as caught:
            marked()
        assert caught.value.marks == [1, 2]
        assert callable(caught.value.with_traceback)

    def test_cyclic(cyclic):
        with pytest.raises(KeyError) as caught:
            cyclic()
        assert caught.value.args == (1,)

    def test_never_raised(stop, Stop):
        with pytest.raises(Stop) as caught:
            stop()
        assert (caught.value.code, caught.value.level) == (2, 3)

    def test_nothing_of_ours_is_in_it(parse, BadLine):
        with pytest.raises(BadLine) as caught:
            parse("q")
        assert vars(caught.value) == {}

    def test_a_class_of_the_tests_own(BadLine):
        class Mine(BadLine):
            pass

        assert str(Mine("x")) == "x"
    """
)


def test_what_an_exception_knows_is_asked_in_the_notebook(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=TESTS, notebook=NOTEBOOK)

    assert len(outcomes) == 13
    assert {n: o for n, o in outcomes.items() if o["outcome"] != "passed"} == {}
    assert outcomes["test_attributes"]["operators"] == [
        "exception.is_first",
        "exception.twice(...)",
    ]
