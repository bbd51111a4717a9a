"""FUN: what a function of the notebook returns for arguments of ours."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from grader.checks.check import Check, Draws, Evidence, Opinion, Ours, Params, nameless, question
from grader.checks.initial_arrays import in_words
from grader.checks.recording import numbers
from grader.checks.values import agrees, flaw
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array

NEAR, SHARE = 1e-5, 1e-4
"""How far a value may be off, and how far on top as a share of what is expected."""
ZERO = 1e-6
"""The largest value that counts as none."""
Judgement = Callable[[int, Observation], str]
"""What is wrong with the answer to a call; '' for nothing."""


class Argument(BaseModel):
    """An argument of a call, drawn after the notebook ran."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: tuple[int, ...]
    kind: Literal["normal", "mask", "causal"] = "normal"
    scale: float = 1.0

    def drawn(self, draws: Draws, label: str) -> Array:
        """The array: normal numbers; truths, one at least in a row and in a column; a triangle."""
        if self.kind == "causal":
            return np.tril(np.ones(self.shape, dtype=bool))
        found = draws.normal(label, self.shape, scale=self.scale)
        if self.kind == "normal":
            return found
        mask: Array = found > 0
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


class ShapesParams(FunctionParams):
    """Shapes to expect."""

    shapes: tuple[tuple[int, ...], ...]
    """The shape of the value, for each call."""


class SameParams(FunctionParams):
    """The reference's function."""

    counterpart: str = ""
    """Its name in the reference, where that is another."""

    def masked(self) -> Self:
        """Without the reference's name."""
        if not self.counterpart:
            return self
        return self.model_copy(update={"counterpart": nameless(self.counterpart)})


class SumsParams(FunctionParams):
    """Sums to expect."""

    total: float = 1.0
    """What each sum is."""
    axis: int = -1
    """Along which dimension."""


class MaskedParams(FunctionParams):
    """Where nothing may be."""

    mask: int
    """Which argument says what is left, from 0: true stays."""


class GradientParams(SameParams):
    """Gradients to expect, of the first value."""

    shapes: tuple[tuple[int, ...], ...]
    """The shape of the first value, for each call."""
    of: tuple[int, ...]
    """Arguments whose gradients are compared, from 0."""


F = TypeVar("F", bound=FunctionParams)


def asked(
    params: FunctionParams, draws: Draws, *, name: str = "", more: tuple[Json, ...] = ()
) -> tuple[Question, ...]:
    """A question a call; of another function where `name` says so.

    Args:
        params: the function and its calls.
        draws: where arguments come from.
        name: the function that is asked, if it is not the notebook's.
        more: places of arguments whose gradients are wanted, and the shapes that pull at them.
    """

    def made(number: int) -> Question:
        label = f"{params.function}-{number}"
        arrays = {
            f"x{place}": argument.drawn(draws, f"{label}-{place}-{argument.shape}")
            for place, argument in enumerate(params.calls[number])
        }
        told: dict[str, Json] = {"name": name or params.function, "args": list(arrays)}
        if not params.tensors:
            told["tensors"] = False
        if more:
            told["gradients"] = list(more[0])
            arrays["pull"] = draws.normal(f"{label}-pull", tuple(more[1][number]))
        return question("function", told, arrays)

    key = ("function", name, params.function, params.calls, params.tensors, more)
    return draws.memo.once(key, lambda: tuple(made(n) for n in range(len(params.calls))))


def why_nothing(params: FunctionParams, observation: Observation) -> str:
    """Why there is no value, in the student's words."""
    name = params.function
    without_answer = {
        "missing": f"no function {name} was left when the run ended",
        "timed_out": f"{name} did not answer in time",
        "died": f"calling {name} ended the notebook's process",
        "invalid": f"{name} gave nothing that could be read",
    }
    if observation.status in without_answer:
        return without_answer[observation.status]
    if observation.error:
        return f"{name} raised {observation.error[:200]}"
    return f"{name} returned no {params.what.removeprefix('the ')}"


class _FunctionCheck(Check[F]):
    """What all of this family do: ask every call, and count those that came out right."""

    def questions(self, params: F, draws: Draws) -> tuple[Question, ...]:
        """Asks the function, call by call."""
        return asked(params, draws)

    def names(self, params: F) -> tuple[str, ...]:
        """The function."""
        return (params.function,)

    def counted(self, params: F, evidence: Evidence, *, expected: str, wrong: Judgement) -> Opinion:
        """An opinion: the share of calls with which nothing is wrong."""
        answers = [evidence.observed(one) for one in self.questions(params, evidence.draws)]
        flaws = [wrong(number, answer) for number, answer in enumerate(answers)]
        right = flaws.count("")
        if right == len(flaws):
            return Opinion(share=Fraction(1), expected=expected, found="it is")
        told = dict.fromkeys(flaw for flaw in flaws if flaw)
        nothing = not any(answer.arrays for answer in answers)
        return Opinion(
            share=Fraction(right, len(flaws)),
            expected=expected,
            found="; ".join(list(told)[:3]),
            unjudged=nothing,
            stops=nothing,
            names=(params.function,),
        )

    def value(self, params: F, answer: Observation) -> Array | None:
        """The value that is judged."""
        return answer.arrays.get(f"out{params.part}")


class Shapes(_FunctionCheck[ShapesParams]):
    """A function returns arrays of the expected shapes, floating and finite.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN001"
    params = ShapesParams

    def title(self, params: ShapesParams) -> str:
        """What it checks."""
        return f"shape of {params.what}"

    def judge(self, params: ShapesParams, evidence: Evidence) -> Opinion:
        """Compares shapes."""
        shapes = params.shapes

        def wrong(number: int, answer: Observation) -> str:
            found = self.value(params, answer)
            if found is None:
                return why_nothing(params, answer)
            bad = flaw(found, shape=shapes[number])
            return f"call {number + 1}: {params.what} {bad}" if bad else ""

        told = ", ".join(in_words(shape) for shape in dict.fromkeys(shapes))
        return self.counted(
            params, evidence, expected=f"{params.what} of shape {told}", wrong=wrong
        )


class Same(_FunctionCheck[SameParams]):
    """A function returns what the reference's returns for the same arguments.

    Arguments are drawn after the notebook ran; every call is worth the same share (rtol 1e-4,
    atol 1e-5).
    """

    code = "FUN002"
    params = SameParams

    def title(self, params: SameParams) -> str:
        """What it checks."""
        return f"values of {params.what}"

    def constant_questions(self, params: SameParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the reference the same."""
        return asked(params, draws, name=_counterpart(params))

    def judge(self, params: SameParams, evidence: Evidence) -> Opinion:
        """Compares with the reference, call by call."""
        known = _known(
            self.constant_questions(params, evidence.draws), evidence, f"out{params.part}"
        )

        def wrong(number: int, answer: Observation) -> str:
            found = self.value(params, answer)
            if found is None:
                return why_nothing(params, answer)
            return _difference(found, known[number], what=params.what)

        expected = f"{params.what} as the definition gives it, for arguments of ours"
        return self.counted(params, evidence, expected=expected, wrong=wrong)


class Sums(_FunctionCheck[SumsParams]):
    """What a function returns adds up, along one dimension, and none of it is below 0.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN003"
    params = SumsParams

    def title(self, params: SumsParams) -> str:
        """What it checks."""
        return f"{params.what} add up to {params.total:g}"

    def judge(self, params: SumsParams, evidence: Evidence) -> Opinion:
        """Adds up."""
        total, axis = params.total, params.axis

        def wrong(_: int, answer: Observation) -> str:
            found = self.value(params, answer)
            if found is None:
                return why_nothing(params, answer)
            if flaw(found, shape=found.shape) or not -found.ndim <= axis < found.ndim:
                return f"{params.what} can't be added up"
            sums = numbers(found).sum(axis=axis)
            if not agrees(sums, np.full(sums.shape, total), within=NEAR * 10):
                return f"sums from {sums.min():.4g} to {sums.max():.4g}"
            return f"{params.what} hold numbers below 0" if found.min() < 0 else ""

        expected = f"every sum along dimension {axis} is {total:g}, and nothing is below 0"
        return self.counted(params, evidence, expected=expected, wrong=wrong)


class Masked(_FunctionCheck[MaskedParams]):
    """Where a mask says so, what a function returns is 0, and elsewhere it is not.

    Asked with arguments drawn after the notebook ran; every call is worth the same share.
    """

    code = "FUN004"
    params = MaskedParams

    def title(self, params: MaskedParams) -> str:
        """What it checks."""
        return f"{params.what} follow the mask"

    def judge(self, params: MaskedParams, evidence: Evidence) -> Opinion:
        """Looks behind the mask."""
        questions, place = self.questions(params, evidence.draws), f"x{params.mask}"

        def wrong(number: int, answer: Observation) -> str:
            found = self.value(params, answer)
            if found is None:
                return why_nothing(params, answer)
            mask = questions[number].arrays[place]
            fits = found.shape[found.ndim - mask.ndim :] == mask.shape
            if flaw(found, shape=found.shape) or not fits:
                return f"{params.what} don't have the mask's shape, or are not finite"
            kept = np.broadcast_to(mask, found.shape)
            if (np.abs(numbers(found)[~kept]) > ZERO).any():
                return f"{params.what} are not 0 where the mask is false"
            empty = (np.abs(numbers(found)[kept]) <= ZERO).all()
            return f"{params.what} are 0 where the mask is true" if empty else ""

        expected = f"{params.what} are 0 where the mask is false, and only there"
        return self.counted(params, evidence, expected=expected, wrong=wrong)


class Gradients(_FunctionCheck[GradientParams]):
    """The gradient of a function at its arguments is that of the reference's function.

    Taken of the first value, weighted by numbers drawn after the notebook ran: a result that was
    cut off from its arguments has none. Every call is worth the same share.
    """

    code = "FUN005"
    params = GradientParams

    def title(self, params: GradientParams) -> str:
        """What it checks."""
        return f"gradient through {params.what}"

    def _asked(
        self, params: GradientParams, draws: Draws, *, name: str = ""
    ) -> tuple[Question, ...]:
        return asked(params, draws, name=name, more=(params.of, params.shapes))

    def questions(self, params: GradientParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for gradients, call by call."""
        return self._asked(params, draws)

    def constant_questions(self, params: GradientParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the reference the same."""
        return self._asked(params, draws, name=_counterpart(params))

    def judge(self, params: GradientParams, evidence: Evidence) -> Opinion:
        """Compares with the reference's, argument by argument."""
        asked_of = self.constant_questions(params, evidence.draws)
        known = {place: _known(asked_of, evidence, f"grad{place}") for place in params.of}

        def wrong(number: int, answer: Observation) -> str:
            for place, gradients in known.items():
                found = answer.arrays.get(f"grad{place}")
                which = f"the gradient at argument {place + 1}"
                if found is None:
                    return answer.error[:200] or f"{which} is missing"
                if told := _difference(found, gradients[number], what=which):
                    return told
            return ""

        expected = f"gradients flow through {params.what} to every argument"
        return self.counted(params, evidence, expected=expected, wrong=wrong)


def _counterpart(params: SameParams) -> str:
    return params.counterpart or params.function


def _known(questions: tuple[Question, ...], evidence: Evidence, key: str) -> list[Array]:
    """The reference's answers.

    Raises:
        Ours: one of them is missing.
    """
    answers = [evidence.reference(one) for one in questions]
    bad = next((answer for answer in answers if key not in answer.arrays), None)
    if bad is not None:
        raise Ours(f"the reference gave no {key}: {bad.error or bad.status}")
    return [answer.arrays[key] for answer in answers]


def _difference(found: Array, expected: Array, *, what: str) -> str:
    """How an array differs from what is expected; '' for not at all. It says no value."""
    if bad := flaw(found, shape=expected.shape):
        return f"{what}: {bad}"
    return (
        ""
        if agrees(found, expected, within=NEAR, share=SHARE)
        else f"{what}: other values than the definition gives"
    )
