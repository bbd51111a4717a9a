"""FUN: calls a function of the notebook with drawn arguments and judges what it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from grader.checks.check import (
    Check,
    CheckOutcome,
    Evidence,
    SeededRandom,
    explain_error,
    explain_no_answer,
    make_question,
    share_without_flaw,
)
from grader.checks.memo import memoized
from grader.checks.values import (
    ABSOLUTE_TOLERANCE,
    Size,
    all_close,
    array_flaw,
    as_float64,
    equals_reference,
    format_shape,
)
from grader.model import Json, Observation, Question, shorten

if TYPE_CHECKING:
    from grader.model import Array

ZERO = 1e-6
"""The largest absolute value that counts as 0."""


class Argument(BaseModel):
    """An argument of a call, drawn after the notebook ran."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: Annotated[tuple[Size, ...], Field(min_length=1)]
    kind: Literal["normal", "mask", "causal"] = "normal"
    scale: float = 1.0

    def draw(self, rng: SeededRandom, label: str) -> Array:
        """Draw a normal array, a mask with no empty row or column, or a causal mask."""
        if self.kind == "causal":
            return np.tril(np.ones(self.shape, dtype=bool))
        array = rng.normal(label, self.shape, scale=self.scale)
        if self.kind == "normal":
            return array
        mask: Array = array > 0
        mask[..., 0] = True
        if mask.ndim > 1:
            mask[..., :1, :] = True
        return mask


class FunctionCheck(Check):
    """Asks a function every call of a rubric, and counts the calls that come out right."""

    subjects = ("function",)

    function: str
    """The handout's name of the function."""
    calls: tuple[tuple[Argument, ...], ...]
    """Arguments of each call: tables of `shape`, `kind` (normal, mask, causal), `scale`."""
    part: int = 0
    """Index of the returned value that is judged, from 0."""
    what: str = "the result"
    """The report's words for that value: 'the weights'."""
    tensors: bool = True
    """Whether arguments are torch tensors; NumPy arrays otherwise."""

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return call_questions(rng, self.function, self.calls, tensors=self.tensors)

    def judge_answers(
        self, evidence: Evidence, *, expected: str, find_flaw: Callable[[int, Observation], str]
    ) -> CheckOutcome:
        """Return the share of calls without a flaw.

        Args:
            evidence: The student's.
            expected: What every call should give.
            find_flaw: From the index of a call and its answer to what is wrong with it, or ''.
        """
        answers = [evidence.observation(question) for question in self.questions(evidence.rng)]
        return share_without_flaw(
            [find_flaw(index, answer) for index, answer in enumerate(answers)],
            expected=expected,
            has_values=any(answer.arrays for answer in answers),
            name=self.function,
            max_shown=3,
        )

    def judge_values(
        self, evidence: Evidence, *, expected: str, find_flaw: Callable[[int, Array], str]
    ) -> CheckOutcome:
        """Return the share of calls whose value number `part` has no flaw."""

        def find_answer_flaw(number: int, answer: Observation) -> str:
            value = answer.arrays.get(f"out{self.part}")
            return self._explain_no_value(answer) if value is None else find_flaw(number, value)

        return self.judge_answers(evidence, expected=expected, find_flaw=find_answer_flaw)

    def _explain_no_value(self, answer: Observation) -> str:
        missing = f"no function {self.function} was left when the run ended"
        no_answer = explain_no_answer(answer, name=self.function, missing=missing)
        if no_answer:
            return no_answer
        if answer.error:
            return explain_error(answer.error, name=self.function, call="")
        return f"{self.function} returned no {self.what.removeprefix('the ')}"


@memoized
def call_questions(
    rng: SeededRandom,
    function: str,
    calls: tuple[tuple[Argument, ...], ...],
    *,
    tensors: bool,
    label: str = "",
    gradients: tuple[tuple[int, ...], tuple[tuple[int, ...], ...]] | None = None,
) -> tuple[Question, ...]:
    """Return a question for each call of a function.

    Args:
        rng: Where arguments come from.
        function: The name of the function, in the notebook or in the reference.
        calls: The arguments of each call.
        tensors: Whether arguments are torch tensors.
        label: The notebook's name of the function, by which arguments are drawn: the default is
            `function`.
        gradients: The indices of arguments whose gradients are asked for, and for each call the
            shape of the first value, which is weighted by drawn numbers.
    """
    questions = []
    for number, arguments in enumerate(calls):
        call_label = f"{label or function}-{number}"
        arrays = {
            f"x{index}": argument.draw(rng, f"{call_label}-{index}-{argument.shape}")
            for index, argument in enumerate(arguments)
        }
        fields: dict[str, Json] = {"name": function, "args": list(arrays)}
        if not tensors:
            fields["tensors"] = False
        if gradients is not None:
            indices, shapes = gradients
            fields["gradients"] = list(indices)
            arrays["pull"] = rng.normal(f"{call_label}-pull", shapes[number])
        questions.append(make_question("function", fields, arrays))
    return tuple(questions)


class FunctionShapes(FunctionCheck):
    """A function returns arrays of the expected shapes, floating and finite.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN001"
    title = "shape of {what}"

    shapes: tuple[tuple[Size, ...], ...]
    """The shape of the value, for each call."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        def find_flaw(number: int, value: Array) -> str:
            problem = array_flaw(value, shape=self.shapes[number])
            return f"in call {number + 1}, {self.what} {problem}" if problem else ""

        shape_list = ", ".join(format_shape(shape) for shape in dict.fromkeys(self.shapes))
        expected = f"{self.what} of shape {shape_list}"
        return self.judge_values(evidence, expected=expected, find_flaw=find_flaw)


class FunctionSums(FunctionCheck):
    """What a function returns adds up to a number along one dimension, and nothing is below 0.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN003"
    title = "{what} add up to {total:g}"

    total: float = 1.0
    """The number that every sum should be."""
    axis: int = -1
    """The dimension that is summed over."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        def find_flaw(_: int, value: Array) -> str:
            in_range = -value.ndim <= self.axis < value.ndim
            if array_flaw(value, shape=value.shape) or not in_range:
                return f"{self.what} can't be added up"
            sums = as_float64(value).sum(axis=self.axis)
            totals = np.full(sums.shape, self.total)
            if not all_close(sums, totals, atol=ABSOLUTE_TOLERANCE * 10):
                return f"the sums go from {sums.min():.4g} to {sums.max():.4g}"
            return f"{self.what} hold numbers below 0" if value.min() < 0 else ""

        axis, total = self.axis, self.total
        expected = f"every sum along dimension {axis} is {total:g}, and nothing is below 0"
        return self.judge_values(evidence, expected=expected, find_flaw=find_flaw)


class FunctionMask(FunctionCheck):
    """What a function returns is 0 where a mask is false, and not 0 elsewhere.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN004"
    title = "{what} follow the mask"

    mask: int
    """Index of the argument that is the mask, from 0."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        questions = self.questions(evidence.rng)

        def find_flaw(number: int, value: Array) -> str:
            mask = questions[number].arrays[f"x{self.mask}"]
            fits = value.shape[value.ndim - mask.ndim :] == mask.shape
            if array_flaw(value, shape=value.shape) or not fits:
                return f"{self.what} came in another shape than the mask, or not finite"
            shown = np.broadcast_to(mask, value.shape)
            sizes = np.abs(as_float64(value))
            if (sizes[~shown] > ZERO).any():
                return f"{self.what} are not 0 where the mask is false"
            all_zero = (sizes[shown] <= ZERO).all()
            return f"{self.what} are 0 where the mask is true" if all_zero else ""

        expected = f"{self.what} are 0 where the mask is false, and only there"
        return self.judge_values(evidence, expected=expected, find_flaw=find_flaw)


class ComparedFunctionCheck(FunctionCheck):
    """Compares a function with one of the reference notebook."""

    reference_names = ("counterpart",)

    counterpart: str = ""
    """Name of the reference's function; '' if it is the same."""

    def reference_questions(self, rng: SeededRandom, **more: Any) -> tuple[Question, ...]:
        """Return the same calls of the reference's function."""
        name, label = self.counterpart or self.function, self.function
        return call_questions(rng, name, self.calls, tensors=self.tensors, label=label, **more)


class FunctionValues(ComparedFunctionCheck):
    """A function returns what the reference's returns for the same arguments.

    Arguments are drawn after the notebook ran; every call is worth the same share (rtol 1e-4,
    atol 1e-5).
    """

    code = "FUN002"
    title = "values of {what}"

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return self.reference_questions(rng)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        reference_values = [
            evidence.reference_array(question, f"out{self.part}")
            for question in self.constant_questions(evidence.rng)
        ]

        def find_flaw(number: int, value: Array) -> str:
            return _describe_difference(value, reference_values[number], what=self.what)

        expected = f"{self.what} as the definition gives it, for arguments of ours"
        return self.judge_values(evidence, expected=expected, find_flaw=find_flaw)


class FunctionGradients(ComparedFunctionCheck):
    """The gradient of a function at its arguments is that of the reference's function.

    The gradient is that of the first value, weighted by numbers drawn after the notebook ran: a
    result that was detached from its arguments has none. Every call is worth the same share.
    """

    code = "FUN005"
    title = "gradient through {what}"

    shapes: tuple[tuple[Size, ...], ...]
    """The shape of the first value, for each call."""
    of: tuple[int, ...]
    """Indices of the arguments whose gradients are compared, from 0."""

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        gradients = (self.of, self.shapes)
        return call_questions(
            rng, self.function, self.calls, tensors=self.tensors, gradients=gradients
        )

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return self.reference_questions(rng, gradients=(self.of, self.shapes))

    def judge(self, evidence: Evidence) -> CheckOutcome:
        reference_gradients = [
            {index: evidence.reference_array(question, f"grad{index}") for index in self.of}
            for question in self.constant_questions(evidence.rng)
        ]

        def find_flaw(number: int, answer: Observation) -> str:
            for index, reference_gradient in reference_gradients[number].items():
                gradient = answer.arrays.get(f"grad{index}")
                which = f"the gradient at argument {index + 1}"
                if gradient is None:
                    return shorten(answer.error, most=200) or f"{which} is missing"
                if problem := _describe_difference(gradient, reference_gradient, what=which):
                    return problem
            return ""

        expected = f"gradients flow through {self.what} to every argument"
        return self.judge_answers(evidence, expected=expected, find_flaw=find_flaw)


def _describe_difference(array: Array, expected: Array, *, what: str) -> str:
    # Students read it, so it must not show a value of the reference.
    if problem := array_flaw(array, shape=expected.shape):
        return f"{what} {problem}"
    if equals_reference(array, expected):
        return ""
    return f"{what} came with other values than the definition gives"
