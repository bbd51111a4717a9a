"""ARR: the arrays a notebook starts from."""

from __future__ import annotations

import numpy as np

from grader.checks.check import (
    ARRAYS,
    RECORDING,
    Check,
    Draws,
    Evidence,
    Opinion,
    Params,
    absent,
    failed,
    passed,
)
from grader.checks.labeled_inputs import as_encoded, correlation, dtype_of, namespace
from grader.checks.recording import numbers
from grader.model import Array, Numbers, Question


class ArraysParams(Params):
    """Arrays by name."""

    labels: tuple[str, ...]
    """All arrays that go into the model, in the handout's order."""
    shape: tuple[int, ...]
    """The shape of each."""
    things: str = "inputs"
    """What the handout calls them: 'images'."""


class InitialisedParams(ArraysParams):
    """Which arrays the student fills."""

    check: tuple[str, ...]
    """Those that the student fills."""
    hint: str = ""
    """Shown when one is missing or constant."""


class PairParams(ArraysParams):
    """Two of the arrays."""

    one: str
    """The first, by its label."""
    other: str
    """The second, by its label."""


class IndependentParams(PairParams):
    """How much two arrays may correlate."""

    below: float
    """Largest absolute Pearson correlation, exclusive."""


class NoiseParams(PairParams):
    """How much one array may differ from another."""

    low: float
    """Lower bound, inclusive."""
    high: float
    """Upper bound of the standard deviation of the difference, inclusive."""


def found_arrays(params: ArraysParams, evidence: Evidence) -> dict[str, Array]:
    """The labelled arrays, as they were encoded or as they stand in the namespace."""
    return dict(as_encoded(evidence, labels=params.labels, shape=params.shape))


def named(labels: tuple[str, ...]) -> str:
    """Labels as a list in words: 'one, two and three'."""
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


def in_words(shape: tuple[int, ...]) -> str:
    """A shape as students write it: (3, 32, 32)."""
    return str(tuple(int(size) for size in shape))


class Initialised(Check[InitialisedParams]):
    """Arrays are initialised: right shape, floating, finite, not constant.

    Judges the values that went into the model, told apart by value; where nothing went in, the
    variables of those names. An array with fewer than two distinct values is constant. Passes only
    if all of them are right. A wrong shape stops what needs the arrays.
    """

    code = "ARR001"
    params = InitialisedParams

    def title(self, params: InitialisedParams) -> str:
        """What it checks."""
        return f"{' and '.join(params.check)} initialised"

    def questions(self, params: InitialisedParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: InitialisedParams) -> tuple[str, ...]:
        """The arrays."""
        return params.labels

    def judge(self, params: InitialisedParams, evidence: Evidence) -> Opinion:
        """Looks at each array in turn."""
        shape = in_words(params.shape)
        each = "both of" if len(params.check) == 2 else "each of"  # noqa: PLR2004 (a pair)
        expected = f"{each} shape {shape}, floating point, finite, not one constant"
        arrays = {**namespace(evidence), **found_arrays(params, evidence)}
        lost = [name for name in params.check if name not in arrays]
        if lost:
            return absent(
                expected=expected,
                found=f"{' and '.join(lost)} not there after the notebook ran",
                hint=params.hint,
                names=tuple(lost),
            )
        wrong = [name for name in params.check if arrays[name].shape != params.shape]
        if wrong:
            shapes = ", ".join(f"{name} {in_words(arrays[name].shape)}" for name in wrong)
            return failed(
                expected=expected,
                found=f"shapes {shapes}",
                hint="Which sizes does the handout give, and in which order?",
                stops=True,
            )
        return self._values(params, evidence, arrays=arrays, expected=expected)

    def _values(
        self,
        params: InitialisedParams,
        evidence: Evidence,
        *,
        arrays: dict[str, Array],
        expected: str,
    ) -> Opinion:
        notes, bad = [], []
        for name in params.check:
            array = numbers(arrays[name])
            kind = arrays[name].dtype.kind
            if kind != "f":
                bad.append(f"{name} holds {dtype_of(evidence, name) or 'whole numbers'}")
            elif not np.isfinite(array).all():
                bad.append(f"{name} holds values that are not finite")
            elif np.unique(array).size <= 1:
                bad.append(f"{name} is constant ({array.flat[0]:g} everywhere)")
            notes.append(f"{name} mean {array.mean():.2f}, standard deviation {array.std():.2f}")
        if bad:
            infinite = any("not finite" in told for told in bad)
            found = "; ".join(bad)
            return failed(expected=expected, found=found, hint=params.hint, stops=infinite)
        uniform = any(_in_unit_interval(numbers(arrays[name])) for name in params.check)
        hint = params.hint if uniform else ""
        return passed(expected=expected, found="; ".join(notes), hint=hint)


def _in_unit_interval(array: Numbers) -> bool:
    """Whether values lie in [0, 1], as those of torch.rand do."""
    return bool(array.min() >= 0 and array.max() <= 1)


class Independent(Check[IndependentParams]):
    """Two arrays are independent: their absolute Pearson correlation is below a bound.

    A constant array correlates with nothing.
    """

    code = "ARR002"
    params = IndependentParams

    def title(self, params: IndependentParams) -> str:
        """What it checks."""
        return f"{params.one} independent of {params.other}"

    def questions(self, params: IndependentParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: IndependentParams) -> tuple[str, ...]:
        """The two arrays."""
        return (params.one, params.other)

    def judge(self, params: IndependentParams, evidence: Evidence) -> Opinion:
        """Computes the correlation."""
        expected = f"absolute correlation below {params.below:g}"
        pair = two(params, evidence)
        if isinstance(pair, str):
            return absent(expected=expected, found=pair, names=(params.one, params.other))
        value = correlation(*pair)
        found = f"correlation {value:.3f}"
        if abs(value) < params.below:
            return passed(expected=expected, found=found)
        hint = f"{params.one} should be drawn anew, not made from {params.other}."
        return failed(expected=expected, found=found, hint=hint)


class Noise(Check[NoiseParams]):
    """One array is another plus noise: the standard deviation of their difference is in a range."""

    code = "ARR003"
    params = NoiseParams

    def title(self, params: NoiseParams) -> str:
        """What it checks."""
        return f"{params.other} still {params.one} plus noise"

    def questions(self, params: NoiseParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: NoiseParams) -> tuple[str, ...]:
        """The two arrays."""
        return (params.one, params.other)

    def judge(self, params: NoiseParams, evidence: Evidence) -> Opinion:
        """Computes the deviation."""
        what = f"{params.other} - {params.one}"
        expected = f"standard deviation of {what} from {params.low:g} to {params.high:g}"
        pair = two(params, evidence)
        if isinstance(pair, str):
            return absent(expected=expected, found=pair, names=(params.one, params.other))
        one, other = pair
        value = float((numbers(other) - numbers(one)).std())
        found = f"standard deviation {value:.3f}"
        if params.low <= value <= params.high:
            return passed(expected=expected, found=found)
        hint = f"{params.other} was given; was one of the two changed after it was made?"
        return failed(expected=expected, found=found, hint=hint)


def two(params: PairParams, evidence: Evidence) -> tuple[Array, Array] | str:
    """Both arrays in the right shape, or what is wrong with them."""
    arrays = {**namespace(evidence), **found_arrays(params, evidence)}
    for name in (params.one, params.other):
        if name not in arrays:
            return f"{name} not there after the notebook ran"
        if arrays[name].shape != params.shape:
            return f"{name} of shape {in_words(arrays[name].shape)}"
        if not np.isfinite(numbers(arrays[name])).all():
            return f"{name} with values that are not finite"
    return arrays[params.one], arrays[params.other]
