"""Objects of classes derived from plain types: they equal plain values and keep their methods."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from course_bench import run_tests

NOTEBOOK = dedent(
    """
    import collections, enum, typing

    class Visit(typing.NamedTuple):
        day: int
        name: str = "x"

        @property
        def ok(self):
            return self.day > 1

        def later(self, days):
            return self._replace(day=self.day + days)

    class Point(typing.NamedTuple):
        x: int
        y: int

    class Listed(typing.NamedTuple):
        parts: list

        def count(self):
            return len(self.parts)

    class E(enum.IntEnum):
        A = 1
        B = 2

    class S(str, enum.Enum):
        A = "a"

    class Bag(dict):
        def total(self):
            return sum(self.values())

    class Sorted(list):
        def append(self, value):
            super().append(value)
            self.sort()

    class Tags(set):
        pass

    class Caseless(str):
        def __eq__(self, other):
            return self.lower() == other.lower()
        __hash__ = str.__hash__

    def visits():
        return [Visit(1), Visit(2)]

    def point():
        return Point(1, 2)

    counts = collections.OrderedDict(a=1)
    def keys(): return {"a": 1, "b": 2}.keys()
    def values(): return {"a": 1, "b": 2}.values()
    def items(): return {"a": 1, "b": 2}.items()

    class YesList(list):
        def __eq__(self, other): return True
        def __ne__(self, other): return False
        def __contains__(self, other): return True
        def __iter__(self): return iter([1, 2])
        def __len__(self): return 2
        def __getitem__(self, key): return key
        def copy(self): return [1, 2]

    class YesInt(int):
        def __eq__(self, other): return True
        def __hash__(self): return 5
        def __int__(self): return 5
        def __index__(self): return 5
        def __lt__(self, other): return True

    class YesTuple(tuple):
        __class__ = tuple
        def __eq__(self, other): return True
        def __iter__(self): return iter((1, 2))

    class YesDict(dict):
        def __eq__(self, other): return True
        def __getitem__(self, key): return 5
        def keys(self): return ["a"]
        def items(self): return [("a", 5)]
        def copy(self): return {"a": 5}

    lying_list, lying_int, lying_tuple, lying_dict = YesList(), YesInt(3), YesTuple(), YesDict()
    """
)
TESTS = dedent(
    """
    def test_named(visits):
        first, second = visits()
        assert not first.ok and second.ok
        assert first == (1, "x") and first != (2, "x")
        assert visits() == [(1, "x"), (2, "x")]
        assert first.later(2) == (3, "x")
        assert first < second and sorted([second, first])[0] == first
        assert {first: 1}[(1, "x")] == 1
        assert first.day == 1 and first[1] == "x" and tuple(first) == (1, "x")

    def test_plain_named(point):
        assert point() == (1, 2) and point().x == 1 and isinstance(point(), tuple)

    def test_changed(Listed):
        listed = Listed([1])
        assert listed == ([1],) and listed.count() == 1

    def test_enum(E, S):
        assert E.A == 1 and 1 == E.A and E.A != 2 and E.A < E.B and E.B > 1
        assert E.A.name == "A" and E.A.value == 1 and E.A in [1] and E.A in {1: 0}
        assert int(E.B) == 2
        assert S.A == "a" and S.A.value == "a"

    def test_dict(Bag):
        bag = Bag(a=1, b=2)
        assert bag == {"a": 1, "b": 2} and bag.total() == 3
        bag["c"] = 4
        assert bag == {"a": 1, "b": 2, "c": 4} and "c" in bag and bag

    def test_list(Sorted):
        values = Sorted()
        assert not values
        values.append(3)
        values.append(1)
        assert values == [1, 3] and 3 in values and len(values) == 2

    def test_set(Tags):
        assert Tags("ab") == {"a", "b"}

    def test_same_notebook(Caseless, Bag):
        assert Bag(a=1) == Bag(a=1)

    def test_views(keys, values, items):
        assert keys() == {"a", "b"} and list(values()) == [1, 2]
        assert set(items()) == {("a", 1), ("b", 2)}

    def test_own_equality(Caseless):
        assert Caseless("A") == Caseless("a")

    def test_its_own_equality_is_not_asked(Caseless):
        assert Caseless("A") == "a"

    def test_lying_list(lying_list):
        assert lying_list == [1, 2]

    def test_lying_list_reflected(lying_list):
        assert [1, 2] == lying_list

    def test_lying_int(lying_int):
        assert lying_int == 5

    def test_lying_int_is_found(lying_int):
        assert lying_int in {5, 6}

    def test_lying_tuple(lying_tuple):
        assert lying_tuple == (1, 2)

    def test_lying_dict(lying_dict):
        assert lying_dict == {"a": 5}

    def test_lying_difference(lying_list):
        assert not lying_list != [1, 2]
    """
)


def test_a_derived_object_equals_its_plain_value_and_has_its_methods(tmp_path: Path) -> None:
    outcomes = run_tests(tmp_path, tests=TESTS, notebook=NOTEBOOK)
    wrong = {n for n, o in outcomes.items() if o["outcome"] != "passed"}

    lying = {n for n in outcomes if "lying" in n}
    assert len(lying) == 7
    assert wrong == {"test_its_own_equality_is_not_asked", *lying}, outcomes
    words = {n: o["words"] for n, o in outcomes.items() if o["words"]}
    assert list(words) == ["test_own_equality"]
