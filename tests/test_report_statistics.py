from __future__ import annotations

from fractions import Fraction

import pytest
import specimens
from page_reader import Page, squeezed
from specimen_assignment import rubric

from grader.report import class_page, class_row
from grader.report.question_statistics import MIN_SUBMISSIONS, Points, describe_class

POSSIBLE = {"a": Fraction(4), "b": Fraction(2)}


def class_of(*pairs: tuple[int | None, int | None]) -> list[Points]:
    return [
        {"a": None if a is None else Fraction(a), "b": None if b is None else Fraction(b)}
        for a, b in pairs
    ]


def test_mean_spread_and_difficulty_leave_out_what_is_pending() -> None:
    question = describe_class(class_of((4, 1), (2, 1), (None, 1)), possible=POSSIBLE).questions["a"]

    assert (question.count, question.mean, question.difficulty) == (2, 3.0, 0.75)
    assert question.spread == pytest.approx(2**0.5)


def test_questions_that_agree_discriminate_and_have_a_high_alpha() -> None:
    agree = describe_class(class_of(*[(4, 2), (2, 1), (0, 0)] * 4), possible=POSSIBLE)
    oppose = describe_class(class_of(*[(4, 0), (2, 1), (0, 2)] * 4), possible=POSSIBLE)

    assert agree.complete == 12
    assert agree.questions["a"].discrimination == pytest.approx(1)
    assert agree.alpha == pytest.approx(8 / 9)  # 2 * (1 - (4 + 1) / 9)
    assert oppose.questions["a"].discrimination == pytest.approx(-1)


def test_too_few_or_equal_submissions_have_no_discrimination() -> None:
    few = describe_class(
        class_of(*[(4, 2), (0, 0)] * (MIN_SUBMISSIONS // 2))[1:], possible=POSSIBLE
    )
    equal = describe_class(class_of(*[(4, 2)] * 12), possible=POSSIBLE)
    nobody = describe_class([], possible=POSSIBLE)

    assert not few.enough
    for described in (few, equal, nobody):
        assert described.alpha is None
        assert described.questions["a"].discrimination is None
    assert nobody.questions["a"].mean is None


def test_a_question_that_nobody_graded_does_not_keep_others_from_being_compared() -> None:
    rows = class_of(*[(4, None), (2, None), (0, None)] * 4)

    described = describe_class(rows, possible=POSSIBLE)

    assert (described.compared, described.complete) == (("a",), 12)
    assert described.questions["b"].count == 0


def test_the_class_page_says_mean_and_spread_and_that_there_are_too_few() -> None:
    rows = [class_row(make()) for make in specimens.ALL]

    words = squeezed(Page(class_page(rows, rubric=rubric())))

    assert "Q2.3.2 Embeddings and pairs 5" in words
    assert "too few submissions" in words


def test_the_heat_map_is_darkest_for_all_points_and_tells_none_from_pending() -> None:
    text = class_page([class_row(specimens.half_right())], rubric=rubric())
    heat = text[text.index('<table class="heat">') :]

    assert '<td class="num heat-4">2</td>' in heat  # Q2.3.1
    assert '<td class="num heat-2">2</td>' in heat  # Q2.3.0, of 3
    assert '<td class="num heat-0">0</td>' in heat  # V5, blocked
    assert heat.count('<span class="unseen">pending</span>') == 7
