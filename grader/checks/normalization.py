"""NRM: whether embeddings have unit length."""

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
    question,
)
from grader.checks.initial_arrays import ArraysParams
from grader.checks.labeled_inputs import rows_made
from grader.checks.recording import numbers
from grader.checks.values import agrees
from grader.model import Array, Json, Numbers, Question

TOLERANCE = 1e-4
"""How far a length may be from 1."""


class OwnImagesParams(ArraysParams):
    """The student's inputs."""

    module: str
    """The handout's name of the class."""


class ScalesParams(Params):
    """Inputs of ours."""

    module: str
    """The handout's name of the class; another name is found by what was recorded."""
    shape: tuple[int, ...]
    """Shape of one input."""
    scales: tuple[float, ...]
    """Factors on standard normal inputs."""
    things: str = "inputs"
    """What the handout calls them: 'images'."""


class OwnImages(Check[OwnImagesParams]):
    """The embeddings of the student's own inputs have unit length (tolerance 1e-4)."""

    code = "NRM001"
    params = OwnImagesParams

    def title(self, params: OwnImagesParams) -> str:
        """What it checks."""
        return f"embeddings of your {params.things} have length 1"

    def questions(self, params: OwnImagesParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: OwnImagesParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: OwnImagesParams, evidence: Evidence) -> Opinion:
        """Measures what the module made of them."""
        expected = "every embedding of length 1 (± 0.0001)"
        rows = rows_made(evidence, labels=params.labels, shape=params.shape)
        if {row.label for row in rows} != set(params.labels):
            return absent(
                expected=expected,
                found=f"{params.module} made no embeddings of all {params.things}",
            )
        return measured(np.array([np.linalg.norm(row.vector) for row in rows]), expected=expected)


class Scales(Check[ScalesParams]):
    """Embeddings of inputs drawn by us, from tiny to large, have unit length (tolerance 1e-4)."""

    code = "NRM002"
    params = ScalesParams

    def title(self, params: ScalesParams) -> str:
        """What it checks."""
        low, high = min(params.scales), max(params.scales)
        return f"embeddings of other {params.things} have length 1, at scales {low:g} to {high:g}"

    def _asked(self, params: ScalesParams, draws: Draws) -> Question:
        def made() -> Question:
            arrays = {
                f"x{n}-{place}": draws.normal(f"scale{n}-{place}", (n, *params.shape), scale=scale)
                for n in (3, 1)
                for place, scale in enumerate(params.scales)
            }
            calls: list[Json] = [[key, None] for key in arrays]
            asked: dict[str, Json] = {"module": params.module, "sets": {}, "calls": calls}
            return question("forward", asked, arrays)

        return draws.memo.once(("scales", params), made)

    def questions(self, params: ScalesParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the module at every scale, three inputs at once and one alone."""
        return (self._asked(params, draws),)

    def names(self, params: ScalesParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: ScalesParams, evidence: Evidence) -> Opinion:
        """Measures rows at the batch size that works."""
        expected = "every embedding of length 1 (± 0.0001)"
        observation = evidence.observed(self._asked(params, evidence.draws))
        count = len(params.scales)
        for size, first in ((3, 0), (1, count)):
            found = [observation.arrays.get(f"out{first + place}") for place in range(count)]
            whole = [a for a in found if a is not None and _are_rows(a, size)]
            if len(whole) == count:
                lengths = np.concatenate([np.linalg.norm(numbers(a), axis=1) for a in whole])
                return measured(lengths, expected=expected)
        return absent(
            expected=expected,
            found=f"{params.module} gave no rows to measure",
            names=(params.module,),
        )


def _are_rows(array: Array, count: int) -> bool:
    return array.ndim == 2 and len(array) == count and array.dtype.kind == "f"  # noqa: PLR2004 (rows)


def measured(lengths: Numbers, *, expected: str) -> Opinion:
    """An opinion on lengths."""
    if agrees(lengths, np.ones(lengths.shape), within=TOLERANCE):
        return passed(expected=expected, found="all of them")
    known = lengths[np.isfinite(lengths)]
    found = f"lengths from {known.min():.4g} to {known.max():.4g}" if known.size else "no lengths"
    found += "" if known.size == lengths.size else "; some are not finite"
    hint = "Which dimension runs along one embedding? That is the one to normalise over."
    return failed(expected=expected, found=found, hint=hint)
