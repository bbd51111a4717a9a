"""What a function is asked, and what is said of its answers: arguments, gradients, words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_checks import RNG, evidence

from grader.checks import CHECKS
from grader.checks.check import Check, CheckOutcome
from grader.errors import ReferenceFault
from grader.model import Array, Observation

CALLS = [[{"shape": [2, 3]}], [{"shape": [4, 3]}]]


def check_of(code: str, **params: Any) -> Check:
    return CHECKS[code].model_validate({"function": "scale", "calls": CALLS, **params})


def judged(
    check: Check,
    *answers: Mapping[str, Any],
    expected: Callable[[Array], Mapping[str, Array]] | None = None,
) -> CheckOutcome:
    """What is said of these answers, one for each call."""
    seen = evidence()
    for question, answer in zip(check.questions(RNG), answers, strict=True):
        told = Observation(**{"id": question.id, "status": "ok", **answer})
        seen.observations[question.id] = told  # type: ignore[index]
    known = {
        question.id: Observation(
            id=question.id, status="ok", arrays=expected(question.arrays["x0"])
        )
        for question in check.constant_questions(RNG)
        if expected is not None
    }
    return check.judge(seen.with_expected(known))


def gives(*values: Any) -> dict[str, Any]:
    return {"arrays": {f"out{n}": np.asarray(value) for n, value in enumerate(values)}}


# ---------------------------------------------------------------- questions


def test_a_function_is_asked_each_call_with_arguments_of_its_shape() -> None:
    calls = [[{"shape": [2, 3]}, {"shape": [4]}], [{"shape": [2, 3]}, {"shape": [4]}]]
    first, second = check_of("FUN001", calls=calls, shapes=[[1]] * 2).questions(RNG)

    assert first.kind == "function"
    assert first.params == {"name": "scale", "args": ["x0", "x1"]}
    assert {key: array.shape for key, array in first.arrays.items()} == {"x0": (2, 3), "x1": (4,)}
    assert first.params == second.params
    assert not np.array_equal(first.arrays["x0"], second.arrays["x0"])


def test_a_function_of_numpy_is_asked_without_tensors() -> None:
    first, _ = check_of("FUN001", shapes=[[1]] * 2, tensors=False).questions(RNG)

    assert first.params == {"name": "scale", "args": ["x0"], "tensors": False}


def test_arguments_of_one_call_differ_and_are_the_same_each_time() -> None:
    check = check_of("FUN001", calls=[[{"shape": [3]}] * 2], shapes=[[1]])
    (asked,), (again,) = check.questions(RNG), check.questions(RNG)

    assert not np.array_equal(asked.arrays["x0"], asked.arrays["x1"])
    assert np.array_equal(asked.arrays["x0"], again.arrays["x0"])


def test_arguments_are_drawn_as_the_rubric_says() -> None:
    kinds = [
        {"shape": [50, 40]},
        {"shape": [50, 40], "scale": 100},
        {"shape": [3, 3], "kind": "causal"},
        {"shape": [40], "kind": "mask"},
        {"shape": [50, 40], "kind": "mask"},
    ]
    (asked,) = check_of("FUN001", calls=[kinds], shapes=[[1]]).questions(RNG)
    normal, large, causal, row, mask = (asked.arrays[f"x{n}"] for n in range(5))

    assert 0.9 < normal.std() < 1.1
    assert 90 < large.std() < 110
    assert causal.tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert row.dtype == mask.dtype == causal.dtype == bool
    assert row[0]
    assert not row[1:].all()
    assert mask[:, 0].all()
    assert mask[0].all()
    assert 0.4 < mask[1:, 1:].mean() < 0.6


def test_the_reference_is_asked_under_its_own_name_with_the_same_arguments() -> None:
    check = check_of("FUN002", counterpart="true_scale")

    for ours, theirs in zip(check.constant_questions(RNG), check.questions(RNG), strict=True):
        assert ours.params == {"name": "true_scale", "args": ["x0"]}
        assert np.array_equal(ours.arrays["x0"], theirs.arrays["x0"])
    assert check_of("FUN002").constant_questions(RNG)[0].params["name"] == "scale"


def test_gradients_are_asked_of_a_value_that_is_weighted_by_drawn_numbers() -> None:
    check = check_of("FUN005", shapes=[[2, 3], [4, 3]], of=[0], counterpart="true_scale")
    asked, wanted = check.questions(RNG), check.constant_questions(RNG)

    assert asked[0].params == {"name": "scale", "args": ["x0"], "gradients": [0]}
    assert wanted[0].params == {"name": "true_scale", "args": ["x0"], "gradients": [0]}
    assert [question.arrays["pull"].shape for question in asked] == [(2, 3), (4, 3)]
    assert np.array_equal(asked[0].arrays["pull"], wanted[0].arrays["pull"])
    assert not np.array_equal(asked[0].arrays["pull"], asked[0].arrays["x0"])
    assert not np.array_equal(asked[0].arrays["pull"], asked[1].arrays["pull"][:2])


def test_the_references_name_is_hidden_where_it_is_another() -> None:
    named, unnamed = check_of("FUN002", counterpart="true_scale"), check_of("FUN002")

    assert "true_scale" not in named.masked().model_dump_json()
    assert named.masked() == check_of("FUN002", counterpart="true_scale").masked()
    assert named.masked() != check_of("FUN002", counterpart="other").masked()
    assert unnamed.masked() == unnamed


# ---------------------------------------------------------------- shapes and parts


SHAPES = {"shapes": [[2, 3], [4, 3]], "what": "the weights"}


def test_each_call_earns_its_share_and_what_is_wrong_is_said_by_its_number() -> None:
    check = check_of("FUN001", **SHAPES)

    right = judged(check, gives(np.ones((2, 3))), gives(np.ones((4, 3))))
    half = judged(check, gives(np.ones((2, 3))), gives(np.ones((2, 3))))
    none = judged(check, gives(np.ones((1,))), gives(np.ones((2,))))

    assert [right.share, right.observed] == [1, "both calls of scale gave what is expected"]
    assert [half.share, half.observed] == [
        Fraction(1, 2),
        "in call 2, the weights came with shape (2, 3)",
    ]
    assert none.observed == (
        "in call 1, the weights came with shape (1,); in call 2, the weights came with shape (2,)"
    )
    assert right.expected == half.expected == "the weights of shape (2, 3), (4, 3)"
    assert half.names == ("scale",)
    assert (half.unjudged, half.stops, none.unjudged, none.stops) == (False,) * 4


def test_shapes_that_are_the_same_are_named_once_and_so_are_problems() -> None:
    calls = [[{"shape": [n]}] for n in range(1, 6)]
    check = check_of("FUN001", calls=calls, shapes=[[2]] * 5)
    wrong = [gives(np.ones(n)) for n in (3, 3, 4, 5, 6)]

    found = judged(check, *wrong)

    assert found.expected == "the result of shape (2,)"
    assert found.observed == "; ".join(
        f"in call {n}, the result came with shape ({size},)" for n, size in ((1, 3), (2, 3), (3, 4))
    )
    assert judged(check, *[{"status": "missing"}] * 5).observed.count("no function") == 1


def test_the_part_that_is_asked_for_is_judged() -> None:
    check = check_of("FUN001", part=1, **SHAPES)
    found = judged(
        check,
        gives(np.ones(7), np.ones((2, 3))),
        gives(np.ones((4, 3))),
    )

    assert [found.share, found.observed] == [Fraction(1, 2), "scale returned no weights"]


def test_what_a_function_raised_is_told_in_few_words() -> None:
    found = judged(check_of("FUN001", **SHAPES), *[{"status": "raised", "error": "e" * 300}] * 2)

    assert found.observed == f"scale raised {'e' * 200} …"
    assert [found.share, found.unjudged, found.stops] == [0, True, True]


# ---------------------------------------------------------------- values and gradients


def test_values_are_those_of_the_reference_call_by_call() -> None:
    check = check_of("FUN002", what="the scores")
    (x, y) = (question.arrays["x0"] for question in check.questions(RNG))

    def doubled(array: Array) -> Mapping[str, Array]:
        return {"out0": 2.0 * array}

    right = judged(check, gives(2 * x), gives(2 * y), expected=doubled)
    half = judged(check, gives(3 * x), gives(2 * y), expected=doubled)
    flat = judged(check, gives(2 * x.ravel()), gives(2 * y), expected=doubled)

    assert right.share == 1
    assert [half.share, half.observed] == [
        Fraction(1, 2),
        "the scores came with other values than the definition gives",
    ]
    assert flat.observed == "the scores came with shape (6,)"
    assert right.expected == "the scores as the definition gives it, for arguments of ours"


def test_the_part_of_the_reference_is_compared() -> None:
    check = check_of("FUN002", part=1)
    (x, y) = (question.arrays["x0"] for question in check.questions(RNG))

    def second(array: Array) -> Mapping[str, Array]:
        return {"out0": np.zeros(1), "out1": 2.0 * array}

    assert judged(check, gives(x, 2 * x), gives(y, 2 * y), expected=second).share == 1
    assert judged(check, gives(2 * x, x), gives(2 * y, y), expected=second).share == 0
    with pytest.raises(ReferenceFault, match="out1"):
        judged(check, gives(x, x), gives(y, y), expected=lambda array: {"out0": array})


GRADIENTS = {
    "calls": [[{"shape": [2, 3]}, {"shape": [2, 3]}]],
    "shapes": [[2, 3]],
    "of": [0, 1],
    "what": "the scores",
}


def gradients(**found: Array) -> CheckOutcome:
    """What is said where the reference's gradients are the first argument, and twice that."""
    check = check_of("FUN005", **GRADIENTS)
    return judged(check, {"arrays": found}, expected=lambda x: {"grad0": x, "grad1": 2.0 * x})


def test_gradients_are_those_of_the_reference_argument_by_argument() -> None:
    x = check_of("FUN005", **GRADIENTS).questions(RNG)[0].arrays["x0"]

    right, wrong = gradients(grad0=x, grad1=2 * x), gradients(grad0=x, grad1=x)

    assert [right.share, right.observed] == [1, "the call of scale gave what is expected"]
    assert right.expected == "gradients flow through the scores to every argument"
    assert [wrong.share, wrong.observed] == [
        0,
        "the gradient at argument 2 came with other values than the definition gives",
    ]
    assert gradients(grad0=x).observed == "the gradient at argument 2 is missing"
    assert gradients(grad0=x[0], grad1=2 * x).observed == (
        "the gradient at argument 1 came with shape (3,)"
    )


def test_why_there_is_no_gradient_is_said() -> None:
    found = judged(
        check_of("FUN005", **GRADIENTS),
        {"status": "raised", "error": "e" * 300},
        expected=lambda x: {"grad0": x, "grad1": x},
    )

    assert found.observed == "e" * 200 + " …"


def test_a_reference_without_gradients_is_our_fault() -> None:
    with pytest.raises(ReferenceFault, match="grad0"):
        check_of("FUN005", **GRADIENTS).judge(evidence())


# ---------------------------------------------------------------- sums and masks


def sums(*values: Any, **params: Any) -> CheckOutcome:
    calls = [[{"shape": [1]}]] * len(values)
    return judged(check_of("FUN003", calls=calls, **params), *(gives(value) for value in values))


def test_sums_are_taken_along_the_dimension_and_to_the_total_that_are_asked_for() -> None:
    rows = np.array([[0.25, 0.75], [0.5, 0.5]])

    assert sums(rows).share == 1
    assert sums(rows).expected == "every sum along dimension -1 is 1, and nothing is below 0"
    assert sums(rows.T, axis=0).share == 1
    assert sums(rows, axis=0).observed == "the sums go from 0.75 to 1.25"
    assert sums(rows * 2.5, total=2.5).share == 1
    assert sums(rows, total=2.5).expected == (
        "every sum along dimension -1 is 2.5, and nothing is below 0"
    )
    assert sums(rows + 4e-5).share == 1
    assert sums(rows + 6e-5).share == 0


@pytest.mark.parametrize("axis", [-3, 2])
def test_a_dimension_that_is_not_there_is_said(axis: int) -> None:
    found = sums(np.ones((1, 1)), axis=axis, what="the weights")

    assert [found.share, found.observed] == [0, "the weights can't be added up"]
    assert sums(np.ones((1, 1)), axis=-2).share == sums(np.ones((1, 1)), axis=1).share == 1


@pytest.mark.parametrize("value", [np.ones((2, 1), dtype=np.int64), np.full((2, 1), np.nan)])
def test_what_is_no_number_is_not_added_up(value: Array) -> None:
    assert sums(value).observed == "the result can't be added up"


def test_nothing_that_adds_up_may_be_below_zero() -> None:
    assert sums(np.array([1.0, 0.0])).share == 1
    assert sums(np.array([1.001, -0.001]), what="the weights").observed == (
        "the weights hold numbers below 0"
    )


def masked(*shape: int, value: Callable[[Array], Any], kind: str = "causal") -> CheckOutcome:
    calls = [[{"shape": [1]}, {"shape": list(shape), "kind": kind}]]
    check = check_of("FUN004", calls=calls, mask=1, what="the weights")
    mask = check.questions(RNG)[0].arrays["x1"]
    return judged(check, gives(value(mask)))


def test_what_follows_the_mask_is_zero_where_it_is_false_and_only_there() -> None:
    right = masked(3, 3, value=lambda mask: np.where(mask, 0.5, 0.0))
    batch = masked(3, 3, value=lambda mask: np.where(mask, [[[0.5]], [[0.25]]], 0.0))
    tiny = masked(3, 3, value=lambda mask: np.where(mask, -0.5, 1e-6))
    leaks = masked(3, 3, value=lambda mask: np.where(mask, 0.5, -1.1e-6))

    assert [found.share for found in (right, batch, tiny, leaks)] == [1, 1, 1, 0]
    assert right.expected == "the weights are 0 where the mask is false, and only there"
    assert leaks.observed == "the weights are not 0 where the mask is false"


def test_what_the_mask_shows_may_not_be_zero_everywhere() -> None:
    some = masked(3, 3, value=lambda mask: np.where(np.eye(3), 0.5, 0.0) * mask)
    none = masked(3, 3, value=lambda mask: np.where(mask, 1e-6, 0.0))

    assert some.share == 1
    assert none.observed == "the weights are 0 where the mask is true"


@pytest.mark.parametrize(
    "value", [np.zeros((3, 2)), np.zeros((3,)), np.full((3, 3), np.nan), np.zeros((3, 3, 1))]
)
def test_what_does_not_fit_the_mask_is_said(value: Array) -> None:
    found = masked(3, 3, value=lambda _: value)

    assert [found.share, found.observed] == [
        0,
        "the weights came in another shape than the mask, or not finite",
    ]
