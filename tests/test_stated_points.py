"""Points in the notebook's text that are not the rubric's are told, and no other line is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from test_authoring import ALL, loaded

from grader.authoring.blanking import make_template
from grader.authoring.editable_notebook import (
    EditableCell,
    EditableNotebook,
    read_editable_notebook,
)
from grader.authoring.stated_points import compare_stated_points
from grader.model import Item, Rubric

WORTHS = {"Q1": 5, "Q2.1": 3, "Q2.2": 4, "Q3a": 1, "flavors": 2}


def rubric() -> Rubric:
    items = tuple(
        Item(
            id=name,
            title="Best flavor" if name == "flavors" else name,
            points=Fraction(points),
            kind="auto",
            source="handout",
        )
        for name, points in WORTHS.items()
    )
    return replace(loaded("attention"), items=items, total=Fraction(15))


def told(*texts: str) -> list[str]:
    cells = (
        EditableCell(id=f"c{place}", kind="markdown", source=text, tags=(), outputs=())
        for place, text in enumerate(texts)
    )
    return list(compare_stated_points(EditableNotebook(cells=tuple(cells)), rubric=rubric()))


@pytest.mark.parametrize(
    ("texts", "item", "worth"),
    [
        (["## Q1 (6 points)"], "Q1", 5),
        (["## Question 1. Squares [6 pts]"], "Q1", 5),
        (["**Exercise 1** (4.5 points): write it."], "Q1", 5),
        (["Q1. Squares. Points: 6"], "Q1", 5),
        (["# Part 2", "## 1 (4 marks)"], "Q2.1", 3),
        (["# Q2 (8 points)"], "Q2.1, Q2.2", 7),
        (["Q3a) (2 points)"], "Q3a", 1),
        (["### Best flavor (3 points)"], "flavors", 2),
        (["# Homework\n\nTotal points: 20"], "the assignment", 15),
    ],
)
def test_other_points_are_told_with_their_place(texts: list[str], item: str, worth: int) -> None:
    (line,) = told(*texts)

    assert line.startswith(f"cell c{len(texts) - 1}: ")
    assert line.endswith(f"but the rubric gives {item} {worth}")


@pytest.mark.parametrize(
    "text",
    [
        "## Q1 (5 points)",
        "## Q2 (7 points)\n\n### Part 1 (3 points)\n\n### Part 2 (4 points)",
        "Q1: you get 2 points for each case.",
        "Q1: a bonus of 2 points",
        "The line goes through 3 points.",
        "## 7 points to remember",
        "Plot 20 points for Q2.1 and 3 points for Q1.",
        "Total points: 15",
        "## Q9 (3 points)",
    ],
)
def test_no_other_line_is_told(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize("name", ALL)
def test_the_assignments_of_this_folder_agree_with_their_rubrics(name: str) -> None:
    whole = loaded(name)
    template = make_template(read_editable_notebook(whole.reference))

    assert list(compare_stated_points(template, rubric=whole)) == []
