"""ARR: judges the arrays that a notebook starts from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, absent, failed, passed
from grader.checks.values import as_float64, format_shape
from grader.contrastive.labeled_inputs import (
    LabeledInputsCheck,
    array_fields,
    correlation,
    encoded_arrays,
    namespace,
)
from grader.model import Array, Numbers

MIN_LIKENESS = 0.999
"""The correlation from which two batches differ by scale and shift alone, up to rounding."""


class InitialArrayCheck(LabeledInputsCheck):
    """Judges labeled arrays: those that went into the model, else the variables of that name."""

    def arrays(self, evidence: Evidence) -> Mapping[str, Array]:
        """Return the notebook's arrays by name; labeled ones with the values that the model got."""
        named = namespace(evidence)
        encoded = encoded_arrays(evidence, labels=self.labels, shape=self.shape)
        if self._is_changed_alike(named, encoded):
            return named
        return {**named, **encoded}

    def _is_changed_alike(self, named: Mapping[str, Array], encoded: Mapping[str, Array]) -> bool:
        """Return whether one scale and one shift turn all named arrays into what was encoded.

        A batch that is divided by 255 or standardized as a whole says nothing of how its images
        were made.
        """
        arrays = [named.get(label) for label in self.labels]
        images = [array for array in arrays if array is not None and array.shape == self.shape]
        if len(images) < len(self.labels) or any(image.dtype.kind != "f" for image in images):
            return False
        batch = np.stack([encoded[label] for label in self.labels])
        return correlation(np.stack(images), batch) >= MIN_LIKENESS


class ArraysInitialized(InitialArrayCheck):
    """Arrays are initialized: right shape, floating, finite, not constant.

    Judges the arrays that went into the model, recognized by their values; where nothing went in,
    the variables of those names. An array with fewer than two distinct values is constant. Passes
    only if all of them are right. A wrong shape blocks the checks that need the arrays.
    """

    code = "ARR001"
    subjects = ("labels",)

    check: tuple[str, ...]
    """Labels of the arrays that the student fills."""
    hint: str = ""
    """Shown when one is missing or constant."""

    def describe(self) -> str:
        return f"{' and '.join(self.check)} initialized"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        each = "both of" if len(self.check) == 2 else "each of"  # noqa: PLR2004 (a pair)
        shape = format_shape(self.shape)
        expected = f"{each} shape {shape}, floating point, finite, not all the same value"
        arrays = self.arrays(evidence)
        missing_names = [name for name in self.check if name not in arrays]
        if missing_names:
            return absent(
                expected=expected,
                observed=f"there was no {' and no '.join(missing_names)} when the run ended",
                hint=self.hint,
                names=tuple(missing_names),
            )
        misshapen = [name for name in self.check if arrays[name].shape != self.shape]
        if misshapen:
            shapes = (f"{name} has shape {format_shape(arrays[name].shape)}" for name in misshapen)
            return failed(
                expected=expected,
                observed="; ".join(shapes),
                hint="Which sizes does the handout give, and in which order?",
                stops=True,
            )
        return self._judge_values(evidence, arrays=arrays, expected=expected)

    def _judge_values(
        self, evidence: Evidence, *, arrays: Mapping[str, Array], expected: str
    ) -> CheckOutcome:
        notes, problems = [], []
        for name in self.check:
            array = as_float64(arrays[name])
            if arrays[name].dtype.kind != "f":
                dtype = array_fields(evidence, name).get("dtype") or "whole numbers"
                problems.append(f"{name} holds {dtype}")
            elif not np.isfinite(array).all():
                problems.append(f"{name} holds values that are not finite")
            elif np.unique(array).size <= 1:
                problems.append(f"{name} is {array.flat[0]:g} everywhere")
            notes.append(
                f"{name} has mean {array.mean():.2f} and standard deviation {array.std():.2f}"
            )
        if problems:
            infinite = any("not finite" in problem for problem in problems)
            observed = "; ".join(problems)
            return failed(expected=expected, observed=observed, hint=self.hint, stops=infinite)
        # All values in [0, 1] look like torch.rand.
        uniform = any(arrays[n].min() >= 0 and arrays[n].max() <= 1 for n in self.check)
        hint = self.hint if uniform else ""
        return passed(expected=expected, observed="; ".join(notes), hint=hint)


class ArrayPairCheck(InitialArrayCheck):
    """Compares two of the arrays with each other."""

    subjects = ("one", "other")

    one: str
    """The label of the first array."""
    other: str
    """The label of the second array."""

    def array_pair(self, evidence: Evidence, *, expected: str) -> list[Numbers] | CheckOutcome:
        """Return both arrays, or the outcome where one can't be compared."""
        arrays, pair = self.arrays(evidence), (self.one, self.other)
        for name in pair:
            if name not in arrays:
                problem = f"there was no {name} when the run ended"
            elif arrays[name].shape != self.shape:
                problem = f"{name} has shape {format_shape(arrays[name].shape)}"
            elif not np.isfinite(as_float64(arrays[name])).all():
                problem = f"{name} holds values that are not finite"
            else:
                continue
            return absent(expected=expected, observed=problem, names=pair)
        return [as_float64(arrays[name]) for name in pair]


class ArraysIndependent(ArrayPairCheck):
    """Two arrays are independent: their absolute Pearson correlation is below a bound.

    A constant array correlates with nothing.
    """

    code = "ARR002"
    title = "{one} independent of {other}"

    below: float
    """Largest absolute Pearson correlation, exclusive."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = f"a correlation between {-self.below:g} and {self.below:g}"
        pair = self.array_pair(evidence, expected=expected)
        if isinstance(pair, CheckOutcome):
            return pair
        value = correlation(*pair)
        observed = f"the correlation of {self.one} and {self.other} is {value:.3f}"
        if abs(value) < self.below:
            return passed(expected=expected, observed=observed)
        hint = (
            f"What have {self.one} and {self.other} in common: is one made from the other, "
            "or are both made in the same way from the same start?"
        )
        return failed(expected=expected, observed=observed, hint=hint)


class ArrayNoise(ArrayPairCheck):
    """One array is another plus noise: the standard deviation of their difference is in a range."""

    code = "ARR003"
    title = "{other} still {one} plus noise"

    low: float
    """Lower bound, inclusive."""
    high: float
    """Upper bound of the standard deviation of the difference, inclusive."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        what = f"{self.other} \u2212 {self.one}"
        expected = f"a standard deviation of {what} from {self.low:g} to {self.high:g}"
        pair = self.array_pair(evidence, expected=expected)
        if isinstance(pair, CheckOutcome):
            return pair
        first, second = pair
        value = float((second - first).std())
        observed = f"the standard deviation of {what} is {value:.3f}"
        if self.low <= value <= self.high:
            return passed(expected=expected, observed=observed)
        hint = (
            f"{self.other} was given: is its line still the handout's, and was neither of the two "
            "changed after it?"
        )
        return failed(expected=expected, observed=observed, hint=hint)
