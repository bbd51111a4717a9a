"""FUN: what a function of the notebook returns for arguments of ours."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from grader.checks.check import (
    Check,
    CheckOutcome,
    Evidence,
    Params,
    RandomDraws,
    ReferenceFault,
    make_question,
    opaque_name,
)
from grader.checks.initial_arrays import format_shape
from grader.checks.recording import as_float64
from grader.checks.values import all_close, array_flaw
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array

ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE = 1e-5, 1e-4
"""How far a value may be off, and how far on top as a share of what is expected."""
ZERO = 1e-6
"""The largest value that counts as none."""
FlawFinder = Callable[[int, Observation], str]
"""What is wrong with the answer to a call; '' for nothing."""


class Argument(BaseModel):
    """An argument of a call, drawn after the notebook ran."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: tuple[int, ...]
    kind: Literal["normal", "mask", "causal"] = "normal"
    scale: float = 1.0

    def draw(self, draws: RandomDraws, label: str) -> Array:
        """The array: normal numbers; truths, one at least in a row and in a column; a triangle."""
        if self.kind == "causal":
            return np.tril(np.ones(self.shape, dtype=bool))
        array = draws.normal(label, self.shape, scale=self.scale)
        if self.kind == "normal":
            return array
        mask: Array = array > 0
        mask[..., 0] = True
        if mask.ndim > 1:
            mask[..., :1, :] = True
        return mask


class FunctionParams(Params):
    """A function, and how it is called."""

    function: str
    """The handout's name of the function."""
    calls: tuple[tuple[Argument, ...], ...]
    """Arguments of each call: tables of `shape`, `kind` (normal, mask, causal), `scale`."""
    part: int = 0
    """Which of the values it returns, from 0."""
    what: str = "the result"
    """What the report calls that value."""
    tensors: bool = True
    """Whether arguments are torch tensors; NumPy arrays otherwise."""


class FunctionShapesParams(FunctionParams):
    """Shapes to expect."""

    shapes: tuple[tuple[int, ...], ...]
    """The shape of the value, for each call."""


class FunctionValuesParams(FunctionParams):
    """The reference's function."""

    counterpart: str = ""
    """Its name in the reference, where that is another."""

    def masked(self) -> Self:
        """Without the reference's name."""
        if not self.counterpart:
            return self
        return self.model_copy(update={"counterpart": opaque_name(self.counterpart)})


class FunctionSumsParams(FunctionParams):
    """Sums to expect."""

    total: float = 1.0
    """What each sum is."""
    axis: int = -1
    """Along which dimension."""


class FunctionMaskParams(FunctionParams):
    """Where nothing may be."""

    mask: int
    """Which argument says what is left, from 0: true stays."""


class FunctionGradientsParams(FunctionValuesParams):
    """Gradients to expect, of the first value."""

    shapes: tuple[tuple[int, ...], ...]
    """The shape of the first value, for each call."""
    of: tuple[int, ...]
    """Arguments whose gradients are compared, from 0."""


F = TypeVar("F", bound=FunctionParams)


def function_questions(
    params: FunctionParams,
    draws: RandomDraws,
    *,
    name: str = "",
    gradient_spec: tuple[Json, ...] = (),
) -> tuple[Question, ...]:
    """A question a call; of another function where `name` says so.

    Args:
        params: the function and its calls.
        draws: where arguments come from.
        name: the function that is asked, if it is not the notebook's.
        gradient_spec: places of arguments whose gradients are wanted, and the shapes that pull at them.
    """

    def build_question(number: int) -> Question:
        label = f"{params.function}-{number}"
        arrays = {
            f"x{index}": argument.draw(draws, f"{label}-{index}-{argument.shape}")
            for index, argument in enumerate(params.calls[number])
        }
        fields: dict[str, Json] = {"name": name or params.function, "args": list(arrays)}
        if not params.tensors:
            fields["tensors"] = False
        if gradient_spec:
            fields["gradients"] = list(gradient_spec[0])
            arrays["pull"] = draws.normal(f"{label}-pull", tuple(gradient_spec[1][number]))
        return make_question("function", fields, arrays)

    key = ("function", name, params.function, params.calls, params.tensors, gradient_spec)
    return draws.memo.get_or_compute(
        key, lambda: tuple(build_question(n) for n in range(len(params.calls)))
    )


def explain_no_value(params: FunctionParams, observation: Observation) -> str:
    """Why there is no value, in the student's words."""
    name = params.function
    without_answer = {
        "missing": f"no function {name} was left when the run ended",
        "timed_out": f"{name} did not answer in time",
        "died": f"calling {name} ended the notebook's process",
        "invalid": f"{name} gave nothing that could be read",
        "not_asked": f"{name} was not called: the notebook could not be asked any more",
    }
    if observation.status in without_answer:
        return without_answer[observation.status]
    if observation.error:
        return f"{name} raised {observation.error[:200]}"
    return f"{name} returned no {params.what.removeprefix('the ')}"


class _FunctionCheck(Check[F]):
    """What all of this family do: ask every call, and count those that came out right."""

    def questions(self, params: F, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks the function, call by call."""
        return function_questions(params, draws)

    def names(self, params: F) -> tuple[str, ...]:
        """The function."""
        return (params.function,)

    def judge_calls(
        self, params: F, evidence: Evidence, *, expected: str, find_flaw: FlawFinder
    ) -> CheckOutcome:
        """An opinion: the share of calls with which nothing is wrong."""
        answers = [
            evidence.observation(call_question)
            for call_question in self.questions(params, evidence.draws)
        ]
        flaws = [find_flaw(number, answer) for number, answer in enumerate(answers)]
        right_count = flaws.count("")
        if right_count == len(flaws):
            return CheckOutcome(share=Fraction(1), expected=expected, observed="it is")
        problems = dict.fromkeys(flaw for flaw in flaws if flaw)
        no_values = not any(answer.arrays for answer in answers)
        return CheckOutcome(
            share=Fraction(right_count, len(flaws)),
            expected=expected,
            observed="; ".join(list(problems)[:3]),
            unjudged=no_values,
            stops=no_values,
            names=(params.function,),
        )

    def value(self, params: F, answer: Observation) -> Array | None:
        """The value that is judged."""
        return answer.arrays.get(f"out{params.part}")


class FunctionShapes(_FunctionCheck[FunctionShapesParams]):
    """A function returns arrays of the expected shapes, floating and finite.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN001"
    params = FunctionShapesParams

    def title(self, params: FunctionShapesParams) -> str:
        """What it checks."""
        return f"shape of {params.what}"

    def judge(self, params: FunctionShapesParams, evidence: Evidence) -> CheckOutcome:
        """Compares shapes."""
        shapes = params.shapes

        def find_flaw(number: int, answer: Observation) -> str:
            value = self.value(params, answer)
            if value is None:
                return explain_no_value(params, answer)
            problem = array_flaw(value, shape=shapes[number])
            return f"call {number + 1}: {params.what} {problem}" if problem else ""

        shape_list = ", ".join(format_shape(shape) for shape in dict.fromkeys(shapes))
        return self.judge_calls(
            params, evidence, expected=f"{params.what} of shape {shape_list}", find_flaw=find_flaw
        )


class FunctionValues(_FunctionCheck[FunctionValuesParams]):
    """A function returns what the reference's returns for the same arguments.

    Arguments are drawn after the notebook ran; every call is worth the same share (rtol 1e-4,
    atol 1e-5).
    """

    code = "FUN002"
    params = FunctionValuesParams

    def title(self, params: FunctionValuesParams) -> str:
        """What it checks."""
        return f"values of {params.what}"

    def constant_questions(
        self, params: FunctionValuesParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks the reference the same."""
        return function_questions(params, draws, name=_counterpart(params))

    def judge(self, params: FunctionValuesParams, evidence: Evidence) -> CheckOutcome:
        """Compares with the reference, call by call."""
        reference_values = _reference_arrays(
            self.constant_questions(params, evidence.draws), evidence, f"out{params.part}"
        )

        def find_flaw(number: int, answer: Observation) -> str:
            value = self.value(params, answer)
            if value is None:
                return explain_no_value(params, answer)
            return _describe_difference(value, reference_values[number], what=params.what)

        expected = f"{params.what} as the definition gives it, for arguments of ours"
        return self.judge_calls(params, evidence, expected=expected, find_flaw=find_flaw)


class FunctionSums(_FunctionCheck[FunctionSumsParams]):
    """What a function returns adds up, along one dimension, and none of it is below 0.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN003"
    params = FunctionSumsParams

    def title(self, params: FunctionSumsParams) -> str:
        """What it checks."""
        return f"{params.what} add up to {params.total:g}"

    def judge(self, params: FunctionSumsParams, evidence: Evidence) -> CheckOutcome:
        """Adds up."""
        total, axis = params.total, params.axis

        def find_flaw(_: int, answer: Observation) -> str:
            value = self.value(params, answer)
            if value is None:
                return explain_no_value(params, answer)
            if array_flaw(value, shape=value.shape) or not -value.ndim <= axis < value.ndim:
                return f"{params.what} can't be added up"
            sums = as_float64(value).sum(axis=axis)
            if not all_close(sums, np.full(sums.shape, total), atol=ABSOLUTE_TOLERANCE * 10):
                return f"sums from {sums.min():.4g} to {sums.max():.4g}"
            return f"{params.what} hold numbers below 0" if value.min() < 0 else ""

        expected = f"every sum along dimension {axis} is {total:g}, and nothing is below 0"
        return self.judge_calls(params, evidence, expected=expected, find_flaw=find_flaw)


class FunctionMask(_FunctionCheck[FunctionMaskParams]):
    """Where a mask says so, what a function returns is 0, and elsewhere it is not.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN004"
    params = FunctionMaskParams

    def title(self, params: FunctionMaskParams) -> str:
        """What it checks."""
        return f"{params.what} follow the mask"

    def judge(self, params: FunctionMaskParams, evidence: Evidence) -> CheckOutcome:
        """Looks behind the mask."""
        questions, mask_key = self.questions(params, evidence.draws), f"x{params.mask}"

        def find_flaw(number: int, answer: Observation) -> str:
            value = self.value(params, answer)
            if value is None:
                return explain_no_value(params, answer)
            mask = questions[number].arrays[mask_key]
            fits = value.shape[value.ndim - mask.ndim :] == mask.shape
            if array_flaw(value, shape=value.shape) or not fits:
                return f"{params.what} don't have the mask's shape, or are not finite"
            unmasked = np.broadcast_to(mask, value.shape)
            if (np.abs(as_float64(value)[~unmasked]) > ZERO).any():
                return f"{params.what} are not 0 where the mask is false"
            empty = (np.abs(as_float64(value)[unmasked]) <= ZERO).all()
            return f"{params.what} are 0 where the mask is true" if empty else ""

        expected = f"{params.what} are 0 where the mask is false, and only there"
        return self.judge_calls(params, evidence, expected=expected, find_flaw=find_flaw)


class FunctionGradients(_FunctionCheck[FunctionGradientsParams]):
    """The gradient of a function at its arguments is that of the reference's function.

    Taken of the first value, weighted by numbers drawn after the notebook ran: a result that was
    cut off from its arguments has none. Every call is worth the same share.
    """

    code = "FUN005"
    params = FunctionGradientsParams

    def title(self, params: FunctionGradientsParams) -> str:
        """What it checks."""
        return f"gradient through {params.what}"

    def _gradient_questions(
        self, params: FunctionGradientsParams, draws: RandomDraws, *, name: str = ""
    ) -> tuple[Question, ...]:
        return function_questions(
            params, draws, name=name, gradient_spec=(params.of, params.shapes)
        )

    def questions(
        self, params: FunctionGradientsParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks for gradients, call by call."""
        return self._gradient_questions(params, draws)

    def constant_questions(
        self, params: FunctionGradientsParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks the reference the same."""
        return self._gradient_questions(params, draws, name=_counterpart(params))

    def judge(self, params: FunctionGradientsParams, evidence: Evidence) -> CheckOutcome:
        """Compares with the reference's, argument by argument."""
        reference_questions = self.constant_questions(params, evidence.draws)
        reference_gradients = {
            index: _reference_arrays(reference_questions, evidence, f"grad{index}")
            for index in params.of
        }

        def find_flaw(number: int, answer: Observation) -> str:
            for index, gradients in reference_gradients.items():
                gradient = answer.arrays.get(f"grad{index}")
                which = f"the gradient at argument {index + 1}"
                if gradient is None:
                    return answer.error[:200] or f"{which} is missing"
                if problem := _describe_difference(gradient, gradients[number], what=which):
                    return problem
            return ""

        expected = f"gradients flow through {params.what} to every argument"
        return self.judge_calls(params, evidence, expected=expected, find_flaw=find_flaw)


def _counterpart(params: FunctionValuesParams) -> str:
    return params.counterpart or params.function


def _reference_arrays(questions: tuple[Question, ...], evidence: Evidence, key: str) -> list[Array]:
    """The reference's answers.

    Raises:
        Ours: one of them is missing.
    """
    answers = [
        evidence.reference_observation(reference_question) for reference_question in questions
    ]
    unanswered = next((answer for answer in answers if key not in answer.arrays), None)
    if unanswered is not None:
        raise ReferenceFault(
            f"the reference gave no {key}: {unanswered.error or unanswered.status}"
        )
    return [answer.arrays[key] for answer in answers]


def _describe_difference(array: Array, expected: Array, *, what: str) -> str:
    """How an array differs from what is expected; '' for not at all. It says no value."""
    if problem := array_flaw(array, shape=expected.shape):
        return f"{what}: {problem}"
    return (
        ""
        if all_close(array, expected, atol=ABSOLUTE_TOLERANCE, rtol=RELATIVE_TOLERANCE)
        else f"{what}: other values than the definition gives"
    )
