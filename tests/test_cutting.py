"""Which statements of a file of tests students get with the public tests."""

from __future__ import annotations

import pytest

from grader.authoring.test_cutting import cut_public_tests

SOURCE = """
import math
import random

import pytest

LIMIT = 3
ROWS = [1, 2]


@pytest.fixture
def secret():
    return [random.random()]


@pytest.fixture
def rows():
    return list(ROWS)


def nearly(a, b):
    return math.isclose(a, b)


class Shape:
    limit = LIMIT


def test_public(area, rows):
    secret = rows[0]
    words = [nearly for nearly in rows]
    assert area(secret) == words


def test_close(area):
    assert nearly(area(1), Shape.limit)


def test_hidden(area, secret):
    assert area(secret[0])


class TestArea:
    def test_new(self, area, secret):
        assert area
"""


@pytest.mark.parametrize(
    ("names", "kept", "left_out"),
    [
        (["test_public"], ["def rows", "ROWS ="], ["secret():", "def nearly", "math", "LIMIT"]),
        (["test_close"], ["def nearly", "import math", "class Shape", "LIMIT"], ["rows", "random"]),
        (["TestArea.test_new"], ["def secret", "import random"], ["def rows", "math"]),
    ],
    ids=["fixture", "helper", "class"],
)
def test_a_public_test_takes_along_what_it_uses_and_no_more(
    names: list[str], kept: list[str], left_out: list[str]
) -> None:
    text = cut_public_tests(SOURCE, names=names, path="tests.py")

    compile(text, "tests.py", "exec")
    assert [words for words in kept if words not in text] == []
    assert [words for words in left_out if words in text] == []
    assert "test_hidden" not in text
