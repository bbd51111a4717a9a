"""Checks of functions and modules tell right ones from wrong ones, and say why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_checks import RNG, evidence

from grader.checks import CHECKS
from grader.checks.check import CheckOutcome
from grader.checks.functions import Argument
from grader.errors import ReferenceFault
from grader.model import Array, Observation, Question

SHAPES = [[{"shape": [2, 5, 4]}, {"shape": [2, 7, 4]}, {"shape": [2, 7, 3]}]]
MASKED = [[*SHAPES[0], {"shape": [5, 7], "kind": "mask"}]]
Function = Callable[..., Any]


def attention(q: Array, k: Array, v: Array, mask: Array | None = None) -> tuple[Array, Array]:
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(k.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights = weights / weights.sum(-1, keepdims=True)
    return weights @ v, weights


def answers(questions: tuple[Question, ...], function: Function) -> Mapping[str, Observation]:
    """What a notebook with this function would answer."""
    told = {}
    for one in questions:
        try:
            result = function(*(one.arrays[key] for key in one.params["args"]))
        except ValueError as error:
            told[one.id] = Observation(id=one.id, status="raised", error=f"{error}")
            continue
        values = result if isinstance(result, tuple) else (result,)
        arrays = {f"out{place}": np.asarray(value) for place, value in enumerate(values)}
        told[one.id] = Observation(id=one.id, status="ok", arrays=arrays)
    return told


def opinion(code: str, function: Function, **params: Any) -> CheckOutcome:
    check = CHECKS[code].model_validate({"function": "attention", **params})
    seen = evidence()
    asked = check.questions(RNG)
    seen.observations.update(answers(asked, function))  # type: ignore[attr-defined]
    known = answers(check.constant_questions(RNG), attention)
    return check.judge(seen.with_expected(known))


def doubled(*arrays: Array) -> tuple[Array, Array]:
    output, weights = attention(*arrays)
    return output, weights * 2


def unscaled(q: Array, k: Array, v: Array, mask: Array | None = None) -> tuple[Array, Array]:
    return attention(q * np.sqrt(k.shape[-1]), k, v, mask)


def masked_late(q: Array, k: Array, v: Array, mask: Array) -> tuple[Array, Array]:
    weights = attention(q, k, v)[1] * mask
    return weights @ v, weights


def everything_hidden(*arrays: Array) -> tuple[Array, Array]:
    output, weights = attention(*arrays)
    return output, weights * 0


CASES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "shapes": ("FUN001", {"calls": SHAPES, "shapes": [[2, 5, 3]]}),
    "same": ("FUN002", {"calls": SHAPES}),
    "sums": ("FUN003", {"calls": SHAPES, "part": 1}),
    "masked": ("FUN004", {"calls": MASKED, "part": 1, "mask": 3}),
    "masked sums": ("FUN003", {"calls": MASKED, "part": 1}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_right_function_earns_everything(case: str) -> None:
    code, params = CASES[case]

    assert opinion(code, attention, **params).share == 1


@pytest.mark.parametrize(
    ("case", "wrong", "said"),
    [
        ("shapes", lambda *a: a[0], "came with shape (2, 5, 4)"),
        ("shapes", lambda *_: np.full((2, 5, 3), np.nan), "came with values that are not finite"),
        ("same", unscaled, "the result came with other values"),
        ("same", lambda *_: np.zeros((2, 5, 3)), "the result came with other values"),
        ("sums", doubled, "the sums go from 2 to 2"),
        ("sums", lambda *a: (a[2], np.eye(7)[:5] * 2 - np.roll(np.eye(7)[:5], 1)), "below 0"),
        ("masked", lambda *a: attention(*a[:3]), "not 0 where the mask is false"),
        ("masked", everything_hidden, "are 0 where the mask is true"),
        ("masked sums", masked_late, "the sums go from"),
        ("sums", lambda *a: (a[2], np.array(1.0)), "can't be added up"),
    ],
)
def test_a_wrong_function_loses_them_and_is_told_why(case: str, wrong: Function, said: str) -> None:
    code, params = CASES[case]
    found = opinion(code, wrong, **params)

    assert found.share == 0
    assert said in found.observed


def test_a_call_that_comes_out_right_earns_its_share() -> None:
    calls = [*SHAPES, [{"shape": [1, 3, 9]}] * 3]
    found = opinion(
        "FUN002", lambda q, k, v: attention(q * 3 / k.shape[-1] ** 0.5, k, v), calls=calls
    )

    assert found.share == Fraction(1, 2)


def test_a_function_that_raises_or_is_missing_stops_what_needs_it() -> None:
    def raises(*_: Array) -> Array:
        raise ValueError("no")

    found = opinion("FUN001", raises, calls=SHAPES, shapes=[[2, 5, 3]])

    assert (found.share == 0, found.unjudged, found.stops) == (True, True, True)
    assert "attention raised no" in found.observed


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("missing", "no function attention was left when the run ended"),
        ("died", "calling attention ended the notebook's process"),
        ("timed_out", "attention did not answer in time"),
        ("invalid", "attention gave something that could not be read"),
        ("not_asked", "attention was not called: the questions ended before its turn"),
    ],
)
def test_what_became_of_a_question_is_said_truly(status: str, said: str) -> None:
    check = CHECKS["FUN001"].model_validate(
        {"function": "attention", "calls": SHAPES, "shapes": [[2, 5, 3]]}
    )
    (asked,) = check.questions(RNG)
    seen = evidence()
    seen.observations[asked.id] = Observation(id=asked.id, status=status)  # type: ignore[index]

    assert check.judge(seen).observed == said
    if status == "not_asked":
        assert check.judge(evidence()).observed == said


def test_what_is_found_tells_no_value_of_the_reference() -> None:
    found = opinion("FUN002", unscaled, calls=SHAPES)

    assert not any(letter.isdigit() for letter in found.observed + found.expected)


def test_a_reference_without_an_answer_is_our_fault() -> None:
    check = CHECKS["FUN002"].model_validate({"function": "attention", "calls": SHAPES})

    with pytest.raises(ReferenceFault):
        check.judge(evidence())


def test_every_row_and_column_of_a_mask_lets_something_through() -> None:
    told = {"function": "f", "calls": [[{"shape": [40, 40], "kind": "mask"}]], "mask": 0}
    (asked,) = CHECKS["FUN004"].model_validate(told).questions(RNG)
    mask = asked.arrays["x0"]

    assert mask.dtype == bool
    assert mask.any(axis=-1).all()
    assert mask.any(axis=-2).all()
    assert not mask.all()


def test_a_causal_mask_lets_through_what_is_no_later() -> None:
    drawn = Argument(shape=(2, 3), kind="causal").draw(RNG, "x")

    assert drawn.dtype == bool
    assert drawn.tolist() == [[True, False, False], [True, True, False]]


@pytest.mark.parametrize("shape", [(4,), (5, 6), (2, 5, 6)])
def test_arguments_are_drawn_by_their_label_and_masks_of_their_signs(
    shape: tuple[int, ...],
) -> None:
    normal = Argument(shape=shape, scale=2).draw(RNG, "x")
    mask = Argument(shape=shape, kind="mask").draw(RNG, "x")
    open_anyway = np.zeros(shape, dtype=bool)
    open_anyway[..., 0] = True
    if len(shape) > 1:
        open_anyway[..., 0, :] = True

    assert np.array_equal(normal, RNG.normal("x", shape, scale=2))
    assert not np.array_equal(normal, RNG.normal("y", shape, scale=2))
    assert np.array_equal(mask, (normal > 0) | open_anyway)


@pytest.mark.parametrize(("over", "share"), [(0.9e-4, 1), (1.05e-4, 0)])
def test_sums_may_differ_by_rounding(over: float, share: int) -> None:
    def rows(*_: Array) -> tuple[Array, Array]:
        return np.ones(1), np.full((2, 5, 7), (1 + over) / 7)

    assert opinion("FUN003", rows, calls=SHAPES, part=1).share == share


# ---------------------------------------------------------------- modules

AT_WEIGHTS = {
    "module": "M",
    "shape": [3],
    "batches": [2, 1],
    "weights": [[4, 3]],
    "names": ["layer.weight"],
    "counterpart": "of_reference",
}


def at_weights(output: Callable[[Array, Array], Array]) -> CheckOutcome:
    check = CHECKS["MOD002"].model_validate(AT_WEIGHTS)
    (asked,) = check.questions(RNG)
    arrays = {
        f"out{place}": output(asked.arrays[key], asked.arrays["w0"])
        for place, (key, _) in enumerate(asked.params["calls"])
    }
    data: Mapping[str, Any] = {"calls": [{"unmatched": []}] * 2}
    seen = evidence()
    seen.observations[asked.id] = Observation(id=asked.id, status="ok", data=data, arrays=arrays)  # type: ignore[index]
    questions = check.constant_questions(RNG)
    known = answers(questions, lambda x, w: x.astype(np.float64) @ w.T)
    return check.judge(seen.with_expected(known))


def test_a_module_that_computes_what_the_reference_does_earns_everything() -> None:
    assert at_weights(lambda x, w: x @ w.T).share == 1


def test_a_module_that_computes_something_else_earns_nothing() -> None:
    found = at_weights(lambda x, w: np.maximum(x @ w.T, 0))

    assert found.share == 0
    assert found.observed == "at equal weights, the output is another than that of the definition"


def test_the_names_of_the_references_functions_are_not_public() -> None:
    shown = CHECKS["MOD002"].model_validate(AT_WEIGHTS).masked()

    assert "of_reference" not in shown.model_dump_json()
