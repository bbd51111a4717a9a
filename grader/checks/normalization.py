"""NRM: whether embeddings have unit length."""

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
    make_question,
    passed,
)
from grader.checks.initial_arrays import ArraysParams
from grader.checks.labeled_inputs import labeled_vectors
from grader.checks.recording import as_float64
from grader.checks.values import all_close
from grader.model import Array, Json, Numbers, Question

TOLERANCE = 1e-4
"""How far a length may be from 1."""


class OwnEmbeddingsNormalizedParams(ArraysParams):
    """The student's inputs."""

    module: str
    """The handout's name of the class."""


class DrawnEmbeddingsNormalizedParams(Params):
    """Inputs of ours."""

    module: str
    """The handout's name of the class; another name is found by what was recorded."""
    shape: tuple[int, ...]
    """Shape of one input."""
    scales: tuple[float, ...]
    """Factors on standard normal inputs."""
    things: str = "inputs"
    """What the handout calls them: 'images'."""


class OwnEmbeddingsNormalized(Check[OwnEmbeddingsNormalizedParams]):
    """The embeddings of the student's own inputs have unit length (tolerance 1e-4)."""

    code = "NRM001"
    params = OwnEmbeddingsNormalizedParams

    def title(self, params: OwnEmbeddingsNormalizedParams) -> str:
        """What it checks."""
        return f"embeddings of your {params.things} have length 1"

    def questions(
        self, params: OwnEmbeddingsNormalizedParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: OwnEmbeddingsNormalizedParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: OwnEmbeddingsNormalizedParams, evidence: Evidence) -> CheckOutcome:
        """Measures what the module made of them."""
        expected = "every embedding of length 1 (± 0.0001)"
        rows = labeled_vectors(evidence, labels=params.labels, shape=params.shape)
        if {row.label for row in rows} != set(params.labels):
            return absent(
                expected=expected,
                observed=f"{params.module} made no embeddings of all {params.things}",
            )
        return judge_lengths(
            np.array([np.linalg.norm(row.vector) for row in rows]), expected=expected
        )


class DrawnEmbeddingsNormalized(Check[DrawnEmbeddingsNormalizedParams]):
    """Embeddings of inputs drawn by us, from tiny to large, have unit length (tolerance 1e-4)."""

    code = "NRM002"
    params = DrawnEmbeddingsNormalizedParams

    def title(self, params: DrawnEmbeddingsNormalizedParams) -> str:
        """What it checks."""
        low, high = min(params.scales), max(params.scales)
        return f"embeddings of other {params.things} have length 1, at scales {low:g} to {high:g}"

    def _scaled_question(
        self, params: DrawnEmbeddingsNormalizedParams, draws: RandomDraws
    ) -> Question:
        def build_question() -> Question:
            arrays = {
                f"x{n}-{index}": draws.normal(f"scale{n}-{index}", (n, *params.shape), scale=scale)
                for n in (3, 1)
                for index, scale in enumerate(params.scales)
            }
            calls: list[Json] = [[key, None] for key in arrays]
            fields: dict[str, Json] = {"module": params.module, "sets": {}, "calls": calls}
            return make_question("forward", fields, arrays)

        return draws.memo.get_or_compute(("scales", params), build_question)

    def questions(
        self, params: DrawnEmbeddingsNormalizedParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks the module at every scale, three inputs at once and one alone."""
        return (self._scaled_question(params, draws),)

    def names(self, params: DrawnEmbeddingsNormalizedParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: DrawnEmbeddingsNormalizedParams, evidence: Evidence) -> CheckOutcome:
        """Measures rows at the batch size that works."""
        expected = "every embedding of length 1 (± 0.0001)"
        observation = evidence.observation(self._scaled_question(params, evidence.draws))
        count = len(params.scales)
        for size, first in ((3, 0), (1, count)):
            outputs = [observation.arrays.get(f"out{first + index}") for index in range(count)]
            well_shaped = [a for a in outputs if a is not None and _are_rows(a, size)]
            if len(well_shaped) == count:
                lengths = np.concatenate(
                    [np.linalg.norm(as_float64(a), axis=1) for a in well_shaped]
                )
                return judge_lengths(lengths, expected=expected)
        return absent(
            expected=expected,
            observed=f"{params.module} gave no rows to measure",
            names=(params.module,),
        )


def _are_rows(array: Array, count: int) -> bool:
    return array.ndim == 2 and len(array) == count and array.dtype.kind == "f"  # noqa: PLR2004 (rows)


def judge_lengths(lengths: Numbers, *, expected: str) -> CheckOutcome:
    """An opinion on lengths."""
    if all_close(lengths, np.ones(lengths.shape), atol=TOLERANCE):
        return passed(expected=expected, observed="all of them")
    finite_lengths = lengths[np.isfinite(lengths)]
    observed = (
        f"lengths from {finite_lengths.min():.4g} to {finite_lengths.max():.4g}"
        if finite_lengths.size
        else "no lengths"
    )
    observed += "" if finite_lengths.size == lengths.size else "; some are not finite"
    hint = "Which dimension runs along one embedding? That is the one to normalize over."
    return failed(expected=expected, observed=observed, hint=hint)
