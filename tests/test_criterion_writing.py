"""Criteria are written into a rubric's text, and all else of it stays as it is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import pytest

from grader import checks
from grader.errors import RubricError
from grader.model import Criterion, Item
from grader.rubric import load_rubric
from grader.rubric.criterion_writing import write_criteria

RUBRICS = sorted((Path(__file__).parent.parent / "rubrics").glob("*.toml"))
A, B, C = (
    Criterion(id="a", text="Says a", points=Fraction(2), keywords=("a",)),
    Criterion(id="b", text="Says b", points=Fraction(1, 2)),
    Criterion(id="c", text="Says c", points=Fraction(-1)),
)
NEW = Criterion(id="new", text='A "new" \\ one', points=Fraction(3, 2), retired="dropped")
TEXT = """\
schema = 1 # the first

# ---- Q1

[[item]]
id = "Q1"
title = 'One'

# About a,
# in two lines.
[[item.criterion]]
id = "a"
text = "Says a"       # briefly
points = 2.0
keywords = [
  "a", # as such
]

# ---- more of it

[[item.criterion]]
id = "b"
text = \"\"\"
Says b\"\"\"
points = "1/2"
# below b
# About c.
[[item.criterion]]
points = -1
id = "c"
text = "Says c"

# ---- Q2

[[item]]
id = "Q2"
[[item.check]]
code = "X"
[item.check.params]
one = "[[item.criterion]]"

# ---- the end
[[unsettled]]
what = "?"
"""


def item(*criteria: Criterion, name: str = "Q1") -> Item:
    return Item(
        id=name, title="T", points=Fraction(3), kind="written", source="handout", criteria=criteria
    )


def ids(text: str, name: str = "Q1") -> list[str]:
    tables = tomllib.loads(text)["item"]
    return [c["id"] for one in tables if one["id"] == name for c in one.get("criterion", ())]


def lines_that_differ(before: str, after: str) -> list[str]:
    return [line for line in after.splitlines() if line not in before.splitlines()]


@pytest.mark.parametrize("path", RUBRICS, ids=lambda path: path.stem)
def test_what_did_not_change_is_byte_for_byte_the_same(path: Path) -> None:
    rubric = load_rubric(path, catalog=checks.load_checks)
    text = path.read_text("utf-8")

    assert write_criteria(text, rubric.items) == text
    assert write_criteria(text, ()) == text


def test_values_are_changed_in_their_lines_with_what_stands_beside_them() -> None:
    after = write_criteria(
        TEXT, [item(replace(A, text="Says A"), replace(B, points=Fraction(1)), C)]
    )

    assert lines_that_differ(TEXT, after) == ['text = "Says A"       # briefly', "points = 1"]
    assert len(after.splitlines()) == len(TEXT.splitlines())


def test_a_criterion_is_retired_and_taken_back_in_one_line() -> None:
    kept = write_criteria(TEXT, [item(A, B, replace(C, retired="kept"))])

    assert lines_that_differ(TEXT, kept) == ['retired = "kept"']
    assert 'text = "Says c"\nretired = "kept"\n\n# ---- Q2' in kept
    assert write_criteria(kept, [item(A, B, C)]) == TEXT


@pytest.mark.parametrize("order", list(permutations((A, B, C))))
def test_comments_right_above_a_criterion_go_with_it_and_others_stay(
    order: tuple[Criterion, ...],
) -> None:
    after = write_criteria(TEXT, [item(*order)])

    assert ids(after) == [criterion.id for criterion in order]
    assert '# About a,\n# in two lines.\n[[item.criterion]]\nid = "a"' in after
    assert sorted(after.splitlines()) == sorted(TEXT.splitlines())
    assert after.index("# ---- more") < after.index("# ---- Q2")
    assert after.index("[[item.criterion]]") < after.index("# ---- more")
    assert after.index("# ---- Q2") > max(after.index(f"Says {name}") for name in "abc")
    assert write_criteria(after, [item(A, B, C)]) == TEXT


@pytest.mark.parametrize("position", range(4))
def test_a_new_criterion_stands_where_it_was_put(position: int) -> None:
    criteria = [A, B, C]
    criteria.insert(position, NEW)
    after = write_criteria(TEXT, [item(*criteria)])

    assert ids(after) == [criterion.id for criterion in criteria]
    assert 'text = "A \\"new\\" \\\\ one"\npoints = 1.5\nretired = "dropped"\n' in after
    assert after.index("# ---- Q2") > max(after.index(f"Says {name}") for name in "abc")
    assert write_criteria(after, [item(*criteria)]) == after


def test_the_first_criteria_of_an_item_stand_at_its_end() -> None:
    after = write_criteria(TEXT, [item(NEW, C, name="Q2")])

    assert ids(after, "Q2") == ["new", "c"]
    assert 'one = "[[item.criterion]]"\n\n[[item.criterion]]\nid = "new"' in after
    assert "points = -1\n\n# ---- the end\n[[unsettled]]" in after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n# end"])
def test_newlines_are_those_of_the_file(newline: str, end: str) -> None:
    text = (TEXT.partition("\n# ---- Q2")[0].rstrip("\n") + end).replace("\n", newline)
    after = write_criteria(text, [item(A, B, C, NEW)])

    assert ids(after) == ["a", "b", "c", "new"]
    assert after.count("\n") == after.count(newline)
    assert write_criteria(text, [item(A, B, C)]) == text


def test_criteria_in_one_array_are_changed_too() -> None:
    inline = '{id = "a", text = "Says a", points = 2, keywords = ["a"]}'
    text = f'[[item]]\nid = "Q1"\ncriterion = [{inline}]\n'
    after = write_criteria(text, [item(NEW, replace(A, points=Fraction(1)))])

    assert tomllib.loads(after)["item"][0]["criterion"] == [
        {"id": "new", "text": NEW.text, "points": 1.5, "retired": "dropped"},
        {"id": "a", "text": "Says a", "points": 1, "keywords": ["a"]},
    ]


def test_a_file_that_would_lose_a_comment_is_left_alone() -> None:
    text = '[[item]]\nid = "Q1"\ncriterion = [\n# why\n{id = "a", text = "Says a", points = 2}]\n'

    with pytest.raises(RubricError, match="can't change"):
        write_criteria(text, [item(NEW, A)])


@pytest.mark.parametrize(
    ("points", "written"),
    [(Fraction(1, 3), '"1/3"'), (Fraction(1, 10), "0.1"), (Fraction(-7), "-7")],
)
def test_points_are_written_exactly(points: Fraction, written: str) -> None:
    after = write_criteria(TEXT, [item(replace(A, points=points), B, C)])

    assert lines_that_differ(TEXT, after) in ([f"points = {written}"], [])
    assert f"points = {written}\nkeywords" in after


def test_points_that_a_rubric_can_not_say_are_refused() -> None:
    with pytest.raises(RubricError, match="not a decimal"):
        write_criteria(TEXT, [item(replace(A, points=Fraction(-1, 3)), B, C)])
