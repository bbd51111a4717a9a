"""A course's tests run on our side of the wall: what they see, and what nobody can forge."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from course_bench import run_tests

from grader.selfcheck.inside_loader import load_course_tests, load_inside

NOTEBOOK = dedent(
    """
    import pandas as pd
    import torch


    def squares(n):
        if n < 1:
            raise ValueError(f"{n} is below 1")
        return [i * i for i in range(1, n + 1)]


    def unfinished(n):
        return ...  # your code here


    class InsufficientFunds(Exception):
        pass


    class Account:
        def __init__(self, owner, balance):
            self.owner, self.balance = owner, balance

        def withdraw(self, amount):
            if amount > self.balance:
                raise InsufficientFunds(f"only {self.balance}")
            self.balance -= amount


    class Vector:
        def __init__(self, x):
            self.x = x

        def __add__(self, other):
            return Vector(self.x + other.x)

        def __eq__(self, other):
            return self.x == other.x


    class Grown(list):
        def __eq__(self, other):
            return True


    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    model = torch.nn.Linear(2, 1)
    model(torch.ones(1, 2)).sum().backward()


    def sort_in_place(values):
        values.sort()


    def rotate(matrix, sign):
        matrix *= sign


    def integrate(f, a, b, n=50):
        h = (b - a) / n
        return sum(f(a + (i + 0.5) * h) for i in range(n)) * h


    def count():
        i = 0
        while True:
            yield i
            i += 1


    def greet():
        print("Hello", input("name? "))


    async def later():
        return 5


    class Timer:
        def __enter__(self):
            self.open = True
            return self

        def __exit__(self, *error):
            self.open = False


    def ends():
        import os
        os._exit(3)


    def nothing():
        pass


    def asserts():
        raise AssertionError("no")


    total = 0


    def add(n):
        global total
        total += n
        return total
    """
)
TRAPS = dedent(
    '''
    import ast

    import numpy as np
    import pandas as pd
    import pytest
    from sklearn.metrics import accuracy_score


    @pytest.fixture(scope="session")
    def hidden():
        return np.arange(3)


    @pytest.fixture
    def account(Account):
        return Account(owner="Ada", balance=10)


    def helper(f):
        return f(2)


    def test_value(squares):
        """squares(n) lists the first n squares."""
        assert squares(1) == [1]
        assert helper(squares) == [1, 4]


    def test_refuses(squares):
        with pytest.raises(ValueError, match="0 is below 1"):
            squares(0)
        try:
            squares(-1)
        except Exception as error:
            assert type(error) is ValueError
        else:
            pytest.fail("no error")


    def test_class(account, InsufficientFunds):
        with pytest.raises(InsufficientFunds) as caught:
            account.withdraw(11)
        assert issubclass(InsufficientFunds, Exception)
        assert str(caught.value) == "only 10"
        account.balance = 50
        account.withdraw(1)
        assert (account.balance, account.owner) == (49, "Ada")
        assert type(account).__name__ == "Account"
        assert not hasattr(account, "nothing")


    def test_frame(frame):
        expected = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
        pd.testing.assert_frame_equal(frame, expected)


    def test_in_place(sort_in_place, rotate):
        values, matrix = [3, 1, 2], np.ones((2, 2))
        assert sort_in_place(values) is None
        rotate(matrix, -1)
        assert values == [1, 2, 3]
        assert (matrix == -1).all()


    def test_callback(integrate, squares):
        assert integrate(lambda x: x**2, 0, 1) == pytest.approx(1 / 3, abs=1e-3)
        assert integrate(lambda x: squares(2)[1], 0, 1) == pytest.approx(4)


    def test_generator(count):
        numbers = count()
        assert [next(numbers) for _ in range(3)] == [0, 1, 2]
        assert [n for n, _ in zip(count(), range(2))] == [0, 1]


    def test_printed(greet, printed, stdin):
        stdin("Ada")
        greet()
        assert "Hello Ada" in printed
        assert printed.lines() == ["name?", "Hello Ada"]


    def test_coroutine(later):
        assert later() == 5


    def test_context(Timer):
        with Timer() as timer:
            assert timer.open is True
        assert timer.open is False


    def test_gradients(model):
        assert all(p.grad is not None for p in model.parameters())
        assert model.weight.shape == (1, 2)


    def test_hidden(hidden, squares):
        assert accuracy_score(hidden, hidden) == 1.0


    @pytest.mark.parametrize(("n", "last"), [(2, 4), (3, 9)])
    def test_cases(squares, n, last):
        assert squares(n)[-1] == last


    class TestGroup:
        def test_method(self, squares):
            assert squares(1) == [1]


    def test_drawn(squares, reference, draw):
        n = draw.integers(3, 9)
        assert 3 <= n <= 9
        assert squares(n) == reference.squares(n)


    def test_source(source):
        assert source.uses("squares", ast.ListComp)
        assert source.calls("integrate", "sum")
        assert source.imports("pandas") and not source.imports("numpy")
        assert "return" in source["squares"]


    def test_state_stays(add):
        assert add(2) == 2
        assert add(3) == 5


    def test_state_is_not_left_to_the_next_test(add, total):
        assert total == 0
        assert add(1) == 1
    '''
)


def test_every_trap_of_the_design_passes(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=TRAPS, notebook=NOTEBOOK, reference=NOTEBOOK)
    assert {name: o for name, o in outcomes.items() if o["outcome"] != "passed"} == {}
    assert "test_cases[2-4]" in outcomes
    assert outcomes["TestGroup::test_method"]["test"] == "TestGroup.test_method"
    assert all(not outcome["words"] for outcome in outcomes.values())


FAILURES = dedent(
    """
    import numpy as np
    import pytest


    def test_value(squares):
        n = 3
        assert squares(n) == [1, 4]


    def test_blank(unfinished):
        assert unfinished(3) == 3


    def test_lies(Grown):
        assert Grown() == [1]


    def test_array_of_a_liar(Grown):
        np.testing.assert_allclose(Grown([1.0]), [2.0])


    def test_none(nothing):
        assert nothing()[0] == 1


    def test_missing(nowhere):
        assert nowhere


    def test_raised(squares):
        squares(0)


    def test_not_raised(squares):
        with pytest.raises(KeyError):
            squares(2)


    def test_message(squares):
        assert squares(2) == [2], "the squares of 1 and 2"


    def test_ends(ends):
        ends()


    def test_after_the_end(squares):
        assert squares(1) == [1]


    def test_word(Vector):
        assert Vector(1) + Vector(2) == Vector(3)


    def test_endless(count):
        list(count())


    def test_steps(Account):
        account = Account("Ada", 3)
        unused = 7
        account.withdraw(1)
        assert account.balance == 3


    @pytest.mark.parametrize("words", [["a", "b"]])
    def test_inside(greet, stdin, printed, words):
        stdin(*words)
        greet()
        assert "Hello b" in printed


    def test_method(account):
        account.withdraw(99)


    @pytest.fixture
    def account(Account):
        return Account("Ada", 3)


    def test_long(squares):
        assert squares(20) == [*squares(19), 0]


    def test_huge(squares):
        n = 10**9000
        assert [squares(2), n] == [n]


    def test_code_alone(source):
        assert source.calls("squares", "map")


    def test_no_file(files):
        files["best.csv"]


    def test_arrays(squares):
        np.testing.assert_equal(squares(2), [1, 5])


    def test_asserts(asserts):
        asserts()


    def test_own_mistake():
        raise KeyError("of the test")
    """
)
EXPECTED: dict[str, dict[str, Any]] = {
    "test_value": {
        "outcome": "failed",
        "sentence": "`squares(3)` gave `[1, 4, 9]`; `[1, 4]` was expected",
    },
    "test_blank": {
        "outcome": "failed",
        "sentence": "`unfinished(3)` gave `...`, which is what a blank gives; `3` was expected",
    },
    "test_lies": {
        "outcome": "failed",
        "sentence": "`Grown()` gave an object of class Grown; `[1]` was expected",
    },
    "test_array_of_a_liar": {"outcome": "failed"},
    "test_none": {"outcome": "stopped", "exception": "TypeError"},
    "test_missing": {"outcome": "missing", "names": ["nowhere"]},
    "test_raised": {
        "outcome": "raised",
        "exception": "ValueError",
        "message": "0 is below 1",
        "where": ["squares", 8],
        "call": "`squares(0)`",
    },
    "test_not_raised": {"outcome": "failed", "sentence": "`squares(2)` raised no KeyError"},
    "test_message": {"outcome": "failed", "sentence": "the squares of 1 and 2"},
    "test_ends": {"outcome": "gone", "status": "died", "call": "`ends()`"},
    "test_after_the_end": {"outcome": "passed"},
    "test_word": {"outcome": "passed", "words": ["add(Vector(...), ...) == Vector(...)"]},
    "test_endless": {"outcome": "gone", "status": "too_much"},
    "test_steps": {
        "sentence": (
            """after `account = Account("Ada", 3)`, `account.withdraw(1)`: """
            "`account.balance` gave `2`; `3` was expected"
        )
    },
    "test_inside[words0]": {
        "sentence": (
            "after `stdin('a', 'b')`, `greet()`: `printed` gave `'name? \\nHello a\\n'`; "
            "`'Hello b'` in it was expected"
        )
    },
    "test_method": {"outcome": "raised", "call": "`account.withdraw(99)`"},
    "test_long": {
        "sentence": (
            "`squares(20)` gave `[1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, ...]`; "
            "`[1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144, ...]` was expected; "
            "they differ at index 19: `400`, `0`"
        )
    },
    "test_huge": {
        "sentence": (
            "`[squares(2), n]` with n = <int> gave `<list>`; `<list>` was expected; "
            "it has 2 values, not 1"
        )
    },
    "test_code_alone": {"sentence": '`source.calls("squares", "map")` should be true'},
    "test_no_file": {"outcome": "failed", "sentence": "the notebook left no file best.csv"},
    "test_asserts": {"outcome": "raised", "call": "`asserts()`", "message": "no"},
    "test_own_mistake": {"outcome": "stopped", "exception": "KeyError"},
}


DERIVED = dedent(
    """
    import abc, json, sqlite3, subprocess
    import numpy as np


    class Taken(sqlite3.IntegrityError):
        pass


    class TakenTwice(Taken):
        pass


    class Odd(Exception):
        pass


    class Mixed(abc.ABC, Odd, sqlite3.IntegrityError):
        pass


    class Diamond(Mixed, TakenTwice, KeyError):
        pass


    class Singular(np.linalg.LinAlgError):
        pass


    class Failed(subprocess.CalledProcessError):
        pass


    class Unread(json.JSONDecodeError):
        pass


    class Group(ExceptionGroup):
        pass


    class Quit(SystemExit):
        pass


    ERRORS = {
        "Taken": lambda: Taken("x"),
        "TakenTwice": lambda: TakenTwice("x"),
        "Mixed": lambda: Mixed(1, 2),
        "Diamond": lambda: Diamond("x"),
        "Singular": lambda: Singular("x"),
        "Failed": lambda: Failed(3, "ls"),
        "Unread": lambda: Unread("x", "doc", 0),
        "Group": lambda: Group("x", [ValueError(1)]),
        "Quit": lambda: Quit("x"),
    }


    def fail(name):
        raise ERRORS[name]()
    """
)
CAUGHT = {
    "Taken": ["sqlite3.IntegrityError", "sqlite3.Error", "Exception"],
    "TakenTwice": ["sqlite3.IntegrityError", "Taken"],
    "Mixed": ["sqlite3.DatabaseError", "Odd"],
    "Diamond": ["sqlite3.IntegrityError", "Mixed", "TakenTwice", "Taken", "KeyError", "Odd"],
    "Singular": ["np.linalg.LinAlgError", "ValueError"],
    "Failed": ["subprocess.CalledProcessError", "subprocess.SubprocessError"],
    "Unread": ["json.JSONDecodeError", "ValueError"],
    "Group": ["ExceptionGroup"],
    "Quit": ["Exception"],
}


def derived_tests() -> str:
    """A test for each class of exceptions and each that it is derived from, and one for others."""
    lines = ["import json, sqlite3, subprocess", "import numpy as np, pytest"]
    for name, kinds in CAUGHT.items():
        for number, kind in enumerate(kinds):
            own = f", {kind}" if f"class {kind}(" in DERIVED else ""
            lines += [f"def test_{name}_{number}(fail{own}):", f"    with pytest.raises({kind}):"]
            lines += [f"        fail({name!r})"]
    lines += ["def test_other(fail, TakenTwice):", "    with pytest.raises(TakenTwice):"]
    lines += ["        fail('Taken')"]
    return "\n".join(lines)


def test_an_exception_of_the_notebook_is_caught_by_each_class_it_is_derived_from(
    tmp_path: Path,
) -> None:
    outcomes = run_tests(tmp_path, tests=derived_tests(), notebook=DERIVED)
    other = outcomes.pop("test_other")

    assert {n: o for n, o in outcomes.items() if o["outcome"] != "passed"} == {}
    assert len(outcomes) == sum(map(len, CAUGHT.values()))
    assert (other["outcome"], other["exception"]) == ("raised", "Taken")


ENDINGS = {
    "SystemExit": "raise SystemExit",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "Own": "raise Own",
}


def test_what_ends_a_process_ends_a_students_own_check_of_that_test_alone(tmp_path: Path) -> None:
    names = [name.lower() for name in ENDINGS]
    code = "class Own(KeyboardInterrupt):\n    pass\n" + "".join(
        f"def {name}(n):\n    {end}\n" for name, end in zip(names, ENDINGS.values(), strict=True)
    )
    tests = "".join(f"def test_{name}({name}):\n    assert {name}(2) == 3\n" for name in names)
    file = tmp_path / "own_tests.py"
    file.write_text(tests, encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102
    outcomes = load_course_tests("native_runs").run_native(
        file, namespace, tests={f"test_{name}" for name in names}, seed=(0,), cells=[code]
    )

    seen = {
        test: [(c["outcome"], c["call"], c["where"][0]) for c in cs]
        for test, cs in outcomes.items()
    }
    assert seen == {f"test_{name}": [("raised", f"`{name}(2)`", name)] for name in names}
    kinds = [case["exception"] for cases in outcomes.values() for case in cases]
    assert kinds == list(ENDINGS)


BLANKS = dedent(
    """
    def test_name(y):
        assert len(y) == 2


    def test_attribute(y):
        shape = y.shape
        assert shape == (2,)


    def test_function(g):
        assert g(2) == 3


    def test_made(f):
        made = f(2)
        assert made + 1 == 3


    def test_given(f):
        assert f(2) + 1 == 3


    def test_kind(y):
        assert isinstance(y, list)


    def test_inside(ys):
        assert sum(ys) == 3


    def test_no_blank(x):
        assert len(x) == 2
    """
)
STOPPED = {
    "test_name": "`y` is `...`, which is what a blank gives",
    "test_attribute": "`y` is `...`, which is what a blank gives",
    "test_function": "`g` is `...`, which is what a blank gives",
    "test_made": "`made` is `...`, which is what a blank gives",
    "test_given": (
        "a value is `...`, which is what a blank gives: "
        "unsupported operand type(s) for +: 'ellipsis' and 'int'"
    ),
    "test_kind": "`isinstance(y, list)` with y = ... (a blank) should be true",
    "test_inside": (
        "a value is `...`, which is what a blank gives: "
        "unsupported operand type(s) for +: 'int' and 'ellipsis'"
    ),
    "test_no_blank": None,
}


def test_where_a_blank_stops_a_test_it_is_called_a_blank(tmp_path: Path) -> None:
    notebook = "y = g = ...\nys = [1, ...]\nx = 1\n\n\ndef f(n):\n    return ...\n"
    outcomes = run_tests(tmp_path, tests=BLANKS, notebook=notebook)

    assert {name: outcome.get("sentence") for name, outcome in outcomes.items()} == STOPPED


def test_an_object_that_should_be_another_is_told_by_the_code_and_not_by_its_class(
    tmp_path: Path,
) -> None:
    notebook = "class C:\n    def __ne__(self, other):\n        return False\n"
    tests = "def test_other(C):\n    first = C()\n    assert first != C()\n"
    outcome = run_tests(tmp_path, tests=tests, notebook=notebook)["test_other"]

    assert outcome["sentence"] == (
        "after `first = C()`: `first` gave an object of class C; anything but `C()` was expected"
    )


def test_failures_are_told_by_what_they_are(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=FAILURES, notebook=NOTEBOOK)
    seen = {
        name: {key: outcomes[name].get(key) for key in expected}
        for name, expected in EXPECTED.items()
    }
    assert seen == EXPECTED
    told = outcomes["test_arrays"]["sentence"]
    assert told.startswith("`squares(2)` and `[1, 5]` differ: Items are not equal")


FORGED = dedent(
    """
    import builtins, operator
    import numpy as np


    class Yes:
        __class__ = list

        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __lt__(self, other): return True
        __le__ = __gt__ = __ge__ = __lt__
        def __bool__(self): return True
        def __contains__(self, other): return True
        def __len__(self): return 1
        def __iter__(self): return iter([self])
        def __getitem__(self, key): return self
        def __getattr__(self, name): return self
        def __call__(self, *args, **options): return self
        def __float__(self): return 1.0
        def __int__(self): return 1
        def __index__(self): return 1
        def __sub__(self, other): return 0.0
        __rsub__ = __mod__ = __rmod__ = __sub__
        def __abs__(self): return 0.0
        def __array__(self, *args, **options): return np.array(1.0)
        def __hash__(self): return 1
        def __repr__(self): return "42"
        def __reduce__(self): return (print, ("forged",))
        def __instancecheck__(self, other): return True


    answer = f = model = Yes()
    number = Yes()
    np.allclose = np.isclose = lambda *args, **options: True
    np.testing.assert_allclose = lambda *args, **options: None
    builtins.abs = lambda value: 0
    operator.eq = lambda a, b: True
    """
)
FORGERIES = dedent(
    """
    import numpy as np
    import pytest


    def test_equal(answer):
        assert answer == 42


    def test_close(answer):
        assert abs(answer - 42) < 1e-6


    def test_isclose(answer):
        assert np.isclose(answer, 42)


    def test_testing(answer):
        np.testing.assert_allclose(answer, 42)


    def test_approx(answer):
        assert answer == pytest.approx(42)


    def test_call(f):
        assert f(6, 7) == 42


    def test_list(answer):
        assert list(answer)[0] == 42


    def test_member(answer):
        assert 42 in answer


    def test_truth(answer):
        assert answer


    def test_unequal(answer):
        assert answer != 41


    def test_order(answer):
        assert answer > 41


    def test_even(answer):
        assert answer % 2 == 0


    def test_type(answer):
        assert isinstance(answer, int)


    def test_attribute(model):
        assert model.predict([1]).mean() == 42


    def test_sum(answer):
        assert sum([answer, -42]) == 0
    """
)


def test_an_object_that_says_yes_to_everything_wins_nothing(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=FORGERIES, notebook=FORGED, reference="answer = 42\n")
    won = {
        name
        for name, outcome in outcomes.items()
        if outcome["outcome"] == "passed" and not outcome["words"] and not outcome["operators"]
    }
    assert won == set()
    assert len(outcomes) == 15


DRAWING = dedent(
    """
    from inside import kept_figures

    kept_figures.keep_figures()
    import matplotlib.pyplot as plt

    plt.figure()
    plt.bar(["a", "b"], [1, 2])


    def draw_line(y):
        plt.figure()
        plt.plot(y, label="y")
    """
)
FIGURES = dedent(
    """
    def test_figures(figures, draw_line):
        assert [bar.height for bar in figures[0].axes[0].bars] == [1, 2]
        assert len(figures) == 1
        draw_line([3, 1])
        assert len(figures) == 2
        assert figures[-1].axes[0].lines[0].y == [3, 1]


    def test_labels(figures):
        axes = figures[0].axes[0]
        assert "data" in str(axes.bars[0]), axes


    def test_short(figures):
        assert str(figures[0].axes[0].bars[0]) == ""


    def test_another(figures):
        assert figures[1].axes
    """
)
NO_FIGURES = dedent(
    """
    def test_first(figures):
        assert figures[0].axes[0].title


    def test_any(figures):
        assert figures
    """
)


def test_figures_are_those_that_a_call_draws_too(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=FIGURES, notebook=DRAWING)
    assert outcomes["test_figures"]["outcome"] == "passed", outcomes["test_figures"]
    assert outcomes["test_labels"]["sentence"].startswith("<part of a chart: title, xlabel, ")
    assert "'height': 1.0" in outcomes["test_short"]["sentence"]
    assert outcomes["test_another"]["sentence"] == "the notebook made only 1 chart"


def test_no_chart_is_told_as_that(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=NO_FIGURES, notebook="from inside import kept_figures")

    assert {o["outcome"] for o in outcomes.values()} == {"failed"}
    assert {o["sentence"] for o in outcomes.values()} == {"the notebook made no chart"}


def test_who_reads_the_code_looks_at_the_notebook(tmp_path: Path) -> None:
    notebook = "def flat(n):\n    return n and flat(n - 1)\n"
    tests = """
def test_recursion(source):
    assert source.calls("flat", "flat")


def test_nothing(source):
    assert source is not None
"""
    outcomes = run_tests(tmp_path, tests=tests, notebook=notebook)

    assert {o["outcome"] for o in outcomes.values()} == {"passed"}
    assert [outcomes[name]["requests"] for name in ("test_recursion", "test_nothing")] == [1, 0]


def test_what_a_library_raises_for_the_notebook_is_told_alike_here_and_there(
    tmp_path: Path,
) -> None:
    notebook = "import json\n\n\ndef load(text):\n    return json.loads(text)\n"
    tests = "def test_load(load):\n    assert load('{')\n"
    there = run_tests(tmp_path, tests=tests, notebook=notebook)["test_load"]
    namespace: dict[str, Any] = {}
    exec(compile(notebook, "cell", "exec"), namespace)  # noqa: S102 (a test's own code)
    run_native = load_course_tests("native_runs").run_native
    (here,) = run_native(
        tmp_path / "tests.py", namespace, tests=["test_load"], seed=(1,), cells=[notebook]
    )["test_load"]

    told = ("outcome", "exception", "message", "where", "call")
    assert {key: here[key] for key in told} == {key: there[key] for key in told}
    assert (here["outcome"], here["where"]) == ("raised", ["load", 5])


RAISED = """
import dataclasses, sqlite3, re, subprocess, zipfile, queue, struct, unittest


@dataclasses.dataclass(frozen=True)
class Hit:
    status: int


class TornUp(sqlite3.IntegrityError):
    pass


def change():
    Hit(200).status = 500


def insert():
    raise TornUp("twice")


def skip():
    raise unittest.SkipTest("no reason")


def read(what):
    return {
        "sql": lambda: sqlite3.connect(":memory:").execute("SELECT * FROM nowhere"),
        "pattern": lambda: re.compile("("),
        "command": lambda: subprocess.run(["false"], check=True),
        "zip": lambda: zipfile.ZipFile(__import__("io").BytesIO(b"none")),
        "queue": lambda: queue.Queue().get_nowait(),
        "struct": lambda: struct.unpack("i", b""),
    }[what]()
"""
RAISES = """
import dataclasses, queue, re, sqlite3, struct, subprocess, zipfile

import pytest


def test_frozen(change):
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'status'"):
        change()


def test_library(read):
    for what, error in {
        "sql": sqlite3.OperationalError,
        "pattern": re.error,
        "zip": zipfile.BadZipFile,
        "queue": queue.Empty,
        "struct": struct.error,
    }.items():
        with pytest.raises(error):
            read(what)


def test_text(read):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        read("command")
    assert "returned non-zero exit status 1" in str(caught.value)


def test_subclass(insert):
    with pytest.raises(ValueError):
        insert()


def test_skip(skip):
    skip()
"""


def test_exceptions_of_the_standard_library_are_those_that_a_test_names(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=RAISES, notebook=RAISED)

    assert {name: outcome["outcome"] for name, outcome in outcomes.items()} == {
        "test_frozen": "passed",
        "test_library": "passed",
        "test_text": "passed",
        "test_subclass": "raised",
        "test_skip": "raised",
    }


VALUES: dict[str, dict[str, Any]] = {
    "squares": {"ask": "squares(n)", "given": {"n": [1, 3, 0]}},
    "drawn": {"ask": "sorted(squares(n))", "draw": {"n": "integers(2, 9)"}},
    "raised": {"ask": "squares(n)", "given": {"n": [0]}},
    "free": {"ask": "shuffled(n)", "given": {"n": [3]}, "order": "free"},
    "ordered": {"ask": "shuffled(n)", "given": {"n": [3]}},
    "close": {"ask": "third()"},
    "types": {"ask": "[as_tuple(), float(2)]"},
    "loose": {"ask": "as_tuple()", "types": False},
    "lies": {"ask": "lies()"},
    "frame": {"ask": "frame.sort_values('a')"},
}
OTHER = dedent(
    """
    import pandas as pd


    def squares(n):
        if n < 1:
            raise ValueError("no")
        return [i * i for i in range(1, n + 1)]


    def shuffled(n):
        return list(range(n))


    def third():
        return 1 / 3


    def as_tuple():
        return (1, 2)


    def lies():
        return 0


    frame = pd.DataFrame({"a": [1, 2], "b": [0.1, 0.2]})
    """
)
DIFFERENT = OTHER.replace(
    "(n):\n    return list(range(n))", "(n):\n    return list(range(n))[::-1]"
)
DIFFERENT = DIFFERENT.replace("(1, 2)\n", "[1, 2]\n").replace("1 / 3", "0.33333334")
DIFFERENT = DIFFERENT.replace("return 0\n", "return E()\n").replace("[0.1, 0.2]", "[0.1, 0.3]")
DIFFERENT += "\n\nclass E:\n    __eq__ = lambda self, other: True\n"


def test_a_value_check_compares_with_what_the_reference_gives(tmp_path: Path) -> None:
    defaults = {"given": {}, "draw": {}, "times": 2, "close": 1e-6, "order": "same", "types": True}
    values = {name: {**defaults, **spec} for name, spec in VALUES.items()}
    outcomes = run_tests(tmp_path, tests="", notebook=DIFFERENT, reference=OTHER, values=values)
    failed = {
        name: outcome.get("sentence", outcome.get("message"))
        for name, outcome in outcomes.items()
        if outcome["outcome"] != "passed"
    }
    assert failed == {
        "ordered[0]": "`shuffled(n)` with n = 3 gave `[2, 1, 0]`; `[0, 1, 2]` was expected",
        "types[0]": "`[as_tuple(), float(2)]` gave `[[1, 2], 2.0]`; `[(1, 2), 2.0]` was expected",
        "types[1]": "`[as_tuple(), float(2)]` gave `[[1, 2], 2.0]`; `[(1, 2), 2.0]` was expected",
        "lies[0]": "`lies()` gave an object of class E; `0` was expected",
        "lies[1]": "`lies()` gave an object of class E; `0` was expected",
        "frame[0]": failed["frame[0]"],
        "frame[1]": failed["frame[1]"],
    }
    assert {name for name in outcomes if name.startswith("squares")} == {
        "squares[0]", "squares[1]", "squares[2]",
    }  # fmt: skip


READS = dedent(
    """
    def test_first(frame):
        assert len(frame) == 2


    def test_second(total, frame):
        assert total == 0


    def test_changes(add):
        assert add(3) == 3


    def test_third(total):
        assert total == 0


    def test_reference(total, reference):
        assert total == reference.total
    """
)


def test_a_fork_that_was_only_read_serves_the_next_test_and_a_changed_one_none(
    tmp_path: Path,
) -> None:
    outcomes = run_tests(tmp_path, tests=READS, notebook=NOTEBOOK, reference=NOTEBOOK)

    assert {outcome["outcome"] for outcome in outcomes.values()} == {"passed"}


SPOILING = dedent(
    """
    def test_leaves_its_input(total):
        values = [1, 2, 3]
        total(values)
        assert values == [1, 2, 3]


    def test_knew_before(total):
        assert total([1, 2, 3]) == 6


    def test_asks_afterwards(total):
        values = [1, 2, 3]
        assert total(values) in (6, sum(values))


    def test_is_fooled(nothing):
        values = [1, 2, 3]
        assert nothing(values) == sum(values)


    def test_sorts(sort):
        values = [3, 1, 2]
        sort(values)
        assert values == [1, 2, 3]


    def test_sorts_the_first(sort_first):
        one, other = [2, 1], [3]
        assert sort_first(one, other) == sum(other)
        assert one == [1, 2]
    """
)
SPOILED = """
def total(values):
    result = sum(values)
    values.clear()
    return result
def nothing(values):
    values.clear()
    return 0
def sort(values):
    values.sort()
def sort_first(one, other):
    one.sort()
    other.clear()
    return 0
"""


def test_a_change_that_the_reference_does_not_make_is_seen_and_helps_nobody(
    tmp_path: Path,
) -> None:
    changed = {
        "test_sorts": ["sort(...), argument 0"],
        "test_sorts_the_first": ["sort_first(...), argument 0"],
    }
    outcomes = run_tests(tmp_path, tests=SPOILING, notebook=SPOILED, changes=changed)

    assert {name: outcome["outcome"] for name, outcome in outcomes.items()} == {
        "test_leaves_its_input": "failed",
        "test_knew_before": "passed",
        "test_asks_afterwards": "passed",
        "test_is_fooled": "failed",
        "test_sorts": "passed",
        "test_sorts_the_first": "failed",
    }
    assert outcomes["test_sorts"]["changes"] == changed["test_sorts"]


def test_what_is_no_plain_value_differs_from_all_and_that_is_a_step_of_its_own(
    tmp_path: Path,
) -> None:
    tests = dedent(
        """
        def test_differs(thing):
            assert thing() != None
            assert thing() != 3
        """
    )
    notebook = "class Thing: pass\ndef thing():\n    return Thing()\n"

    (outcome,) = run_tests(tmp_path, tests=tests, notebook=notebook).values()

    assert outcome["outcome"] == "passed"
    assert outcome["operators"] == ["thing(...) != ..."]


def test_a_fork_is_not_killed_in_the_midst_of_a_frame() -> None:
    probe = load_inside("probe")
    state = mmap.mmap(-1, 2)
    pid = os.fork()
    if pid == 0:
        for _ in range(500):
            state[1] = True
            time.sleep(0.01)
            state[1] = False
            time.sleep(0.001)
        os._exit(0)
    time.sleep(0.05)

    probe.kill_between_frames(pid, state)

    assert state[1] == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


PATHS = dedent(
    """
    from pathlib import Path

    import pytest

    HIDDEN = Path(__file__).parent / "data" / "hidden.csv"


    @pytest.mark.parametrize("path", [HIDDEN, str(HIDDEN)])
    def test_a_file_is_given_by_its_content(load, place, kind, path):
        assert load(path) == "a,b"
        assert kind(path) is (str if path == str(HIDDEN) else type(HIDDEN))
        assert Path(place(path)).name == "hidden.csv"
        assert str(HIDDEN.parent.parent) not in str(place(path))


    def test_a_file_is_given_inside_a_list_and_to_the_reference(load_all, reference):
        assert load_all([HIDDEN, HIDDEN]) == reference.load_all([HIDDEN, HIDDEN]) == ["a,b"] * 2


    def test_what_the_notebook_writes_to_it_stays_until_the_test_writes(add_line, tmp_path):
        path = tmp_path / "log.txt"
        path.write_text("0")
        add_line(path, "1")
        assert add_line(path, "2") == "012"
        path.write_text("5")
        assert add_line(path, "6") == "56"


    FOLDER = HIDDEN.parent


    @pytest.mark.parametrize("told", [FOLDER, FOLDER / "new.csv", {1: FOLDER}])
    def test_no_path_is_told(place, told):
        place(told)


    def test_no_error_tells_a_path(call):
        def read():
            return (HIDDEN.parent / "none.csv").read_text()

        call(read)


    def test_a_report_shows_no_name_that_changes(load, tmp_path):
        path = tmp_path / "x.txt"
        path.write_text("text")
        assert load(path) == "other"
    """
)
READING = dedent(
    """
    def load(path):
        with open(path) as file:
            return file.read()

    def load_all(paths):
        return [load(path) for path in paths]

    def add_line(path, line):
        with open(path, "a") as file:
            file.write(line)
        return load(path)

    def place(path):
        return str(path)

    def kind(path):
        return type(path)

    def call(function):
        try:
            return function()
        except Exception as error:
            return str(error)
    """
)


def test_a_file_of_the_test_is_given_by_its_content_and_no_path_is_told(tmp_path: Path) -> None:
    outcomes = run_tests(
        tmp_path,
        tests=PATHS,
        notebook=READING,
        reference=READING,
        files={"data/hidden.csv": "a,b"},
    )
    report = outcomes.pop("test_a_report_shows_no_name_that_changes")
    refused = {name: outcome for name, outcome in outcomes.items() if "_path_is_told" in name}
    refused["error"] = outcomes.pop("test_no_error_tells_a_path")

    assert "PosixPath('temporary/test_a_report" in report["sentence"]
    assert len(refused) == 4
    assert {outcome["outcome"] for outcome in refused.values()} == {"stopped"}
    assert all("files[" in outcome["message"] for outcome in refused.values())
    given = {outcomes[name]["outcome"] for name in outcomes.keys() - refused.keys()}
    assert given == {"passed"}


BESIDE = dedent(
    """
    import helpers

    def test_data(as_cell):
        assert open("hidden.csv").read() == "a,b"
        assert helpers.double(total) == 6

    def test_their_own(as_cell):
        assert open("made.txt").read() == "made"
    """
)
IN_ITS_FOLDER = dedent(
    """
    import os
    os.mkdir("own")
    os.chdir("own")
    total = 3
    for name, text in {"made.txt": "made", "hidden.csv": "forged"}.items():
        with open(name, "w") as file:
            file.write(text)
    """
)


def test_a_test_that_runs_as_a_cell_reads_what_lies_beside_it(tmp_path: Path) -> None:
    outcomes = run_tests(
        tmp_path,
        tests=BESIDE,
        notebook=IN_ITS_FOLDER,
        files={"hidden.csv": "a,b", "helpers.py": "def double(n):\n    return 2 * n\n"},
    )

    assert {name: outcome["outcome"] for name, outcome in outcomes.items()} == {
        "test_data": "passed",
        "test_their_own": "passed",
    }


DOCTESTS = dedent(
    """
    def test_shown(as_cell, examples):
        examples('''
        >>> for n in (1, 2):
        ...     print("=", n)
        ...     _ = greet(n)
        = 1
        hello 1
        = 2
        hello 2
        >>> greet(3)
        hello 3
        '3'
        ''')

    def test_numpy(as_cell, examples):
        examples('''
        >>> one
        1.5
        >>> [one, same]
        [1.5, True]
        >>> complicated
        (1+2j)
        ''')

    def test_raised(as_cell, examples):
        examples('''
        >>> fail()
        Traceback (most recent call last):
        ...
        ValueError: negative
        ''')

    def test_names_are_its_own(as_cell, examples):
        examples('''
        >>> total = 5
        >>> get()
        1
        >>> total
        5
        >>> del total
        >>> total
        Traceback (most recent call last):
        ...
        NameError: name 'total' is not defined
        ''')
        examples('''
        >>> total
        1
        >>> kept
        [1]
        ''', after='''
        >>> total = 7
        >>> print(gone)
        >>> kept.append(1)
        >>> print("not compared")
        ''')
        assert total == 1

    def test_white_space_counts(as_cell, examples):
        examples('''
        >>> greet(" x")
        hello x
        ' x'
        ''')

    def test_no_pattern(as_cell, examples):
        examples('''
        >>> greet("x")
        hello ...
        'x'
        ''')

    def test_a_plain_truth_is_none_of_numpys(as_cell, examples):
        examples('''
        >>> plain
        np.True_
        ''')
    """
)
SHOWING = dedent(
    """
    import numpy as np
    total, kept, plain = 1, [], True
    one, same, complicated = np.float64(1.5), np.True_, np.complex128(1 + 2j)
    def get(): return total
    def greet(n):
        print("hello", n)
        return str(n)
    def fail(): raise ValueError("negative")
    """
)


def test_examples_are_compared_as_doctest_does(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=DOCTESTS, notebook=SHOWING)

    assert {name: outcome["outcome"] for name, outcome in outcomes.items()} == {
        "test_shown": "passed",
        "test_numpy": "passed",
        "test_raised": "passed",
        "test_names_are_its_own": "passed",
        "test_white_space_counts": "failed",
        "test_no_pattern": "failed",
        "test_a_plain_truth_is_none_of_numpys": "failed",
    }


NO_ATTRIBUTE = {
    "absent": {"ask": "Bag().size"},
    "plain": {"ask": "Pair(1, 2).third"},
    "arguments": {"ask": "Bag().total(1, 2)"},
    "library": {"ask": "loads('[')"},
    "own": {"ask": "Bag().total()"},
    "said": {"ask": "loads('[')", "raises": "JSONDecodeError"},
    "another": {"ask": "loads('[')", "raises": "KeyError"},
}
BAG = dedent(
    """
    from collections import namedtuple
    from json import loads

    Pair = namedtuple("Pair", "first second")

    class Bag:
        def total(self):
            raise ValueError("empty")
    """
)


def test_an_exception_that_is_not_the_references_own_is_expected_of_nobody(tmp_path: Path) -> None:
    defaults = {"given": {}, "draw": {}, "times": 1, "close": 1e-6, "order": "same", "types": True}
    values = {name: {**defaults, **spec} for name, spec in NO_ATTRIBUTE.items()}
    outcomes = run_tests(tmp_path, tests="", notebook=BAG, reference=BAG, values=values)

    refused = {n for n, o in outcomes.items() if o.get("exception") == "UnexpectedError"}
    assert refused == {f"{n}[0]" for n in ("absent", "plain", "arguments", "library", "another")}
    assert {outcomes[f"{n}[0]"]["outcome"] for n in ("own", "said")} == {"passed"}
    assert outcomes["absent[0]"]["outcome"] == "stopped"
    assert (
        "`Bag().size` raised AttributeError for the reference" in outcomes["absent[0]"]["message"]
    )
