"""A module's outputs are judged batch by batch, and what went wrong is said of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_checks import RNG, evidence

from grader.checks import CHECKS
from grader.checks.check import CheckOutcome
from grader.checks.modules import draw_weight
from grader.errors import ReferenceFault
from grader.model import Array, Observation

SHAPES = {"module": "Net", "shape": [2, 3], "batches": [1, 3], "output": [4]}
AT_WEIGHTS = {
    "module": "Net",
    "shape": [3],
    "batches": [2, 1],
    "weights": [[4, 3], [4]],
    "names": ["layer.weight", "layer.bias"],
    "counterpart": "of_reference",
}


def shapes(*outputs: Array | None, **answer: Any) -> CheckOutcome:
    """What is said of a module with these outputs."""
    check = CHECKS["MOD001"].model_validate(SHAPES)
    (asked,) = check.questions(RNG)
    arrays = {f"out{n}": output for n, output in enumerate(outputs) if output is not None}
    seen = evidence()
    told = Observation(**{"id": asked.id, "status": "ok", "arrays": arrays, **answer})
    seen.observations[asked.id] = told  # type: ignore[index]
    return check.judge(seen)


def test_a_module_is_asked_for_each_batch_at_its_own_weights() -> None:
    (asked,) = CHECKS["MOD001"].model_validate(SHAPES).questions(RNG)

    assert asked.kind == "forward"
    assert asked.params == {"module": "Net", "sets": {}, "calls": [["x1", None], ["x3", None]]}
    assert {key: array.shape for key, array in asked.arrays.items()} == {
        "x1": (1, 2, 3),
        "x3": (3, 2, 3),
    }
    assert len({float(array.flat[0]) for array in asked.arrays.values()}) == 2


def test_one_output_for_each_input_earns_everything() -> None:
    found = shapes(np.ones((1, 4)), np.ones((3, 4)))

    assert [found.share, found.observed] == [1, "both calls of Net gave what is expected"]
    assert found.expected == "one output of shape (4,) for each input"


def test_each_batch_size_earns_its_share_and_is_told_apart() -> None:
    found = shapes(np.ones((1, 4)), np.ones((1, 4)))

    assert [found.share, found.observed] == [
        Fraction(1, 2),
        "for N = 3, the output came with shape (1, 4)",
    ]
    assert found.expected == "one output of shape (4,) for each input"
    assert found.names == ("Net",)
    assert not found.unjudged
    assert not found.stops


@pytest.mark.parametrize(("told", "name"), [("Mlp", "Mlp"), ("<b>", "Net"), (7, "Net")])
def test_a_class_of_another_name_is_called_by_its_own(told: object, name: str) -> None:
    found = shapes(None, None, data={"class": told, "calls": [{"error": "E: no"}] * 2})

    assert found.observed == f"calling {name} raised E: no"


def test_what_is_wrong_twice_is_said_once_and_in_order() -> None:
    calls = {"calls": [{"error": "no"}, {"error": "no"}]}
    raised = shapes(None, None, data=calls)
    both = shapes(np.ones((1, 5)), np.ones((3, 5)))

    assert raised.observed == "calling Net raised no"
    assert [raised.share, raised.unjudged, raised.stops] == [0, True, True]
    assert both.observed == (
        "for N = 1, the output came with shape (1, 5); for N = 3, the output came with shape (3, 5)"
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "missing"}, "no class Net and no other torch module was left"),
        ({"status": "raised", "error": "e" * 300}, f"calling Net raised {'e' * 200}"),
        ({"status": "died"}, "Net gave no output"),
        ({"data": {"calls": [{"error": "first"}]}, "error": "e"}, "calling Net raised first; "),
        ({"data": {"calls": {"0": {"error": "e"}}}}, "Net gave no output"),
        ({"data": {"calls": ["error", None]}}, "Net gave no output"),
    ],
)
def test_why_there_is_no_output_is_said(answer: Mapping[str, Any], said: str) -> None:
    found = shapes(None, None, **answer)

    assert found.observed.startswith(said)
    assert found.share == 0


def test_what_became_of_one_call_is_said_of_that_call() -> None:
    calls = {"calls": [{"error": "first"}, {"error": "second"}]}

    assert shapes(np.ones((1, 4)), None, data=calls).observed == "calling Net raised second"
    assert shapes(None, np.ones((3, 4)), data=calls).observed == "calling Net raised first"


def test_a_title_names_the_batches() -> None:
    assert CHECKS["MOD001"].model_validate(SHAPES).describe() == "output of Net for N = 1, 3"
    assert CHECKS["MOD002"].model_validate(AT_WEIGHTS).describe() == "Net at weights of ours"


# ---------------------------------------------------------------- at equal weights


def at_weights(
    output: Callable[[Array, Array, Array], Array], *, unmatched: Any = ()
) -> CheckOutcome:
    """What is said of a module that computes this, where the reference computes `x @ w.T + b`."""
    check = CHECKS["MOD002"].model_validate(AT_WEIGHTS)
    (asked,) = check.questions(RNG)
    arrays = {
        f"out{n}": output(asked.arrays[key], asked.arrays["w0"], asked.arrays["w1"])
        for n, (key, _) in enumerate(asked.params["calls"])
    }
    data = {"calls": [{"unmatched": list(unmatched)}] * 2}
    seen = evidence()
    told = Observation(id=asked.id, status="ok", data=data, arrays=arrays)
    seen.observations[asked.id] = told  # type: ignore[index]
    expected = {}
    for question in check.constant_questions(RNG):
        x, w, b = (question.arrays[key] for key in question.params["args"])
        answer = {"out0": x.astype(np.float64) @ w.T + b}
        expected[question.id] = Observation(id=question.id, status="ok", arrays=answer)
    return check.judge(seen.with_expected(expected))


def test_a_module_is_asked_at_drawn_weights_by_the_handouts_names() -> None:
    check = CHECKS["MOD002"].model_validate(AT_WEIGHTS)
    (asked,) = check.questions(RNG)

    assert asked.kind == "forward"
    assert asked.params == {
        "module": "Net",
        "sets": {"ours": ["w0", "w1"]},
        "calls": [["x2", "ours"], ["x1", "ours"]],
        "names": ["layer.weight", "layer.bias"],
    }
    assert {key: array.shape for key, array in asked.arrays.items()} == {
        "x2": (2, 3),
        "x1": (1, 3),
        "w0": (4, 3),
        "w1": (4,),
    }


def test_the_reference_is_asked_the_same() -> None:
    check = CHECKS["MOD002"].model_validate(AT_WEIGHTS)
    (asked,) = check.questions(RNG)

    for question, key in zip(check.constant_questions(RNG), ("x2", "x1"), strict=True):
        assert question.kind == "function"
        assert question.params == {"name": "of_reference", "args": [key, "w0", "w1"]}
        assert all(np.array_equal(question.arrays[k], asked.arrays[k]) for k in question.arrays)


def test_the_same_output_at_equal_weights_earns_everything() -> None:
    found = at_weights(lambda x, w, b: x @ w.T + b)

    assert [found.share, found.observed] == [1, "both calls of Net gave what is expected"]
    assert found.expected == "at equal weights, the output is that of the definition"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (lambda x, w, b: x @ w.T - b, "at equal weights, the output is another"),
        (lambda x, w, b: (x @ w.T + b)[None], "the output came with shape (1, 2, 4); "),
        (lambda x, w, b: (x @ w.T + b) * np.nan, "the output came with values that are not finite"),
    ],
)
def test_another_output_at_equal_weights_earns_nothing(
    output: Callable[[Array, Array, Array], Array], said: str
) -> None:
    found = at_weights(output)

    assert found.share == 0
    assert found.observed.startswith(said)
    assert found.expected == "at equal weights, the output is that of the definition"


def test_a_parameter_that_is_not_there_is_named_by_its_shape() -> None:
    found = at_weights(lambda x, w, b: x @ w.T + b, unmatched=[[4, 3], [4]])

    assert [found.share, found.observed] == [0, "Net has no parameter of shape (4, 3)"]


def test_without_the_references_answer_it_is_our_fault() -> None:
    with pytest.raises(ReferenceFault):
        CHECKS["MOD002"].model_validate(AT_WEIGHTS).judge(evidence())


def test_drawn_weights_have_the_size_of_a_fresh_modules() -> None:
    sizes = {
        shape: float(np.std(draw_weight(RNG, "w", shape)))
        for shape in ((200, 100), (200, 10, 10), (20_000,))
    }

    assert [round(size, 2) for size in sizes.values()] == [0.1, 0.1, 0.1]
    assert float(np.std(draw_weight(RNG, "w", (5000, 4)))) == pytest.approx(0.5, abs=0.02)
