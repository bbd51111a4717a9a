"""ARR: the arrays a notebook starts from."""

from __future__ import annotations

import numpy as np

from grader.checks.check import (
    ARRAYS_QUESTION,
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    Params,
    RandomDraws,
    absent,
    failed,
    passed,
)
from grader.checks.labeled_inputs import correlation, dtype_of, encoded_arrays, namespace
from grader.checks.recording import as_float64
from grader.model import Array, Numbers, Question


class ArraysParams(Params):
    """Arrays by name."""

    labels: tuple[str, ...]
    """All arrays that go into the model, in the handout's order."""
    shape: tuple[int, ...]
    """The shape of each."""
    things: str = "inputs"
    """What the handout calls them: 'images'."""


class ArraysInitializedParams(ArraysParams):
    """Which arrays the student fills."""

    check: tuple[str, ...]
    """Those that the student fills."""
    hint: str = ""
    """Shown when one is missing or constant."""


class ArrayPairParams(ArraysParams):
    """Two of the arrays."""

    one: str
    """The first, by its label."""
    other: str
    """The second, by its label."""


class ArraysIndependentParams(ArrayPairParams):
    """How much two arrays may correlate."""

    below: float
    """Largest absolute Pearson correlation, exclusive."""


class ArrayNoiseParams(ArrayPairParams):
    """How much one array may differ from another."""

    low: float
    """Lower bound, inclusive."""
    high: float
    """Upper bound of the standard deviation of the difference, inclusive."""


def labeled_arrays(params: ArraysParams, evidence: Evidence) -> dict[str, Array]:
    """The labeled arrays, as they were encoded or as they stand in the namespace."""
    return dict(encoded_arrays(evidence, labels=params.labels, shape=params.shape))


def join_labels(labels: tuple[str, ...]) -> str:
    """Labels as a list in words: 'one, two and three'."""
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


def format_shape(shape: tuple[int, ...]) -> str:
    """A shape as students write it: (3, 32, 32)."""
    return str(tuple(int(size) for size in shape))


class ArraysInitialized(Check[ArraysInitializedParams]):
    """Arrays are initialized: right shape, floating, finite, not constant.

    Judges the values that went into the model, told apart by value; where nothing went in, the
    variables of those names. An array with fewer than two distinct values is constant. Passes only
    if all of them are right. A wrong shape stops what needs the arrays.
    """

    code = "ARR001"
    params = ArraysInitializedParams

    def title(self, params: ArraysInitializedParams) -> str:
        """What it checks."""
        return f"{' and '.join(params.check)} initialized"

    def questions(
        self, params: ArraysInitializedParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: ArraysInitializedParams) -> tuple[str, ...]:
        """The arrays."""
        return params.labels

    def judge(self, params: ArraysInitializedParams, evidence: Evidence) -> CheckOutcome:
        """Looks at each array in turn."""
        shape = format_shape(params.shape)
        each = "both of" if len(params.check) == 2 else "each of"  # noqa: PLR2004 (a pair)
        expected = f"{each} shape {shape}, floating point, finite, not one constant"
        arrays = {**namespace(evidence), **labeled_arrays(params, evidence)}
        missing_names = [name for name in params.check if name not in arrays]
        if missing_names:
            return absent(
                expected=expected,
                observed=f"{' and '.join(missing_names)} not there after the notebook ran",
                hint=params.hint,
                names=tuple(missing_names),
            )
        misshapen = [name for name in params.check if arrays[name].shape != params.shape]
        if misshapen:
            shapes = ", ".join(f"{name} {format_shape(arrays[name].shape)}" for name in misshapen)
            return failed(
                expected=expected,
                observed=f"shapes {shapes}",
                hint="Which sizes does the handout give, and in which order?",
                stops=True,
            )
        return self._judge_values(params, evidence, arrays=arrays, expected=expected)

    def _judge_values(
        self,
        params: ArraysInitializedParams,
        evidence: Evidence,
        *,
        arrays: dict[str, Array],
        expected: str,
    ) -> CheckOutcome:
        notes, problems = [], []
        for name in params.check:
            array = as_float64(arrays[name])
            kind = arrays[name].dtype.kind
            if kind != "f":
                problems.append(f"{name} holds {dtype_of(evidence, name) or 'whole numbers'}")
            elif not np.isfinite(array).all():
                problems.append(f"{name} holds values that are not finite")
            elif np.unique(array).size <= 1:
                problems.append(f"{name} is constant ({array.flat[0]:g} everywhere)")
            notes.append(f"{name} mean {array.mean():.2f}, standard deviation {array.std():.2f}")
        if problems:
            infinite = any("not finite" in problem for problem in problems)
            observed = "; ".join(problems)
            return failed(expected=expected, observed=observed, hint=params.hint, stops=infinite)
        uniform = any(_in_unit_interval(as_float64(arrays[name])) for name in params.check)
        hint = params.hint if uniform else ""
        return passed(expected=expected, observed="; ".join(notes), hint=hint)


def _in_unit_interval(array: Numbers) -> bool:
    """Whether values lie in [0, 1], as those of torch.rand do."""
    return bool(array.min() >= 0 and array.max() <= 1)


class ArraysIndependent(Check[ArraysIndependentParams]):
    """Two arrays are independent: their absolute Pearson correlation is below a bound.

    A constant array correlates with nothing.
    """

    code = "ARR002"
    params = ArraysIndependentParams

    def title(self, params: ArraysIndependentParams) -> str:
        """What it checks."""
        return f"{params.one} independent of {params.other}"

    def questions(
        self, params: ArraysIndependentParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: ArraysIndependentParams) -> tuple[str, ...]:
        """The two arrays."""
        return (params.one, params.other)

    def judge(self, params: ArraysIndependentParams, evidence: Evidence) -> CheckOutcome:
        """Computes the correlation."""
        expected = f"absolute correlation below {params.below:g}"
        pair = array_pair(params, evidence)
        if isinstance(pair, str):
            return absent(expected=expected, observed=pair, names=(params.one, params.other))
        value = correlation(*pair)
        observed = f"correlation {value:.3f}"
        if abs(value) < params.below:
            return passed(expected=expected, observed=observed)
        hint = f"{params.one} should be drawn anew, not made from {params.other}."
        return failed(expected=expected, observed=observed, hint=hint)


class ArrayNoise(Check[ArrayNoiseParams]):
    """One array is another plus noise: the standard deviation of their difference is in a range."""

    code = "ARR003"
    params = ArrayNoiseParams

    def title(self, params: ArrayNoiseParams) -> str:
        """What it checks."""
        return f"{params.other} still {params.one} plus noise"

    def questions(self, params: ArrayNoiseParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: ArrayNoiseParams) -> tuple[str, ...]:
        """The two arrays."""
        return (params.one, params.other)

    def judge(self, params: ArrayNoiseParams, evidence: Evidence) -> CheckOutcome:
        """Computes the deviation."""
        what = f"{params.other} - {params.one}"
        expected = f"standard deviation of {what} from {params.low:g} to {params.high:g}"
        pair = array_pair(params, evidence)
        if isinstance(pair, str):
            return absent(expected=expected, observed=pair, names=(params.one, params.other))
        first, second = pair
        value = float((as_float64(second) - as_float64(first)).std())
        observed = f"standard deviation {value:.3f}"
        if params.low <= value <= params.high:
            return passed(expected=expected, observed=observed)
        hint = f"{params.other} was given; was one of the two changed after it was made?"
        return failed(expected=expected, observed=observed, hint=hint)


def array_pair(params: ArrayPairParams, evidence: Evidence) -> tuple[Array, Array] | str:
    """Both arrays in the right shape, or what is wrong with them."""
    arrays = {**namespace(evidence), **labeled_arrays(params, evidence)}
    for name in (params.one, params.other):
        if name not in arrays:
            return f"{name} not there after the notebook ran"
        if arrays[name].shape != params.shape:
            return f"{name} of shape {format_shape(arrays[name].shape)}"
        if not np.isfinite(as_float64(arrays[name])).all():
            return f"{name} with values that are not finite"
    return arrays[params.one], arrays[params.other]
