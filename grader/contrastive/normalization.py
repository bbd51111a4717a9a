"""NRM: judges whether embeddings have unit length."""

from __future__ import annotations

import numpy as np

from grader.checks.check import (
    Check,
    CheckOutcome,
    Evidence,
    SeededRandom,
    absent,
    failed,
    make_question,
    passed,
)
from grader.checks.memo import memoized
from grader.checks.modules import class_name
from grader.checks.values import all_close, as_float64
from grader.contrastive.labeled_inputs import LabeledInputsCheck, studied_vectors
from grader.contrastive.studied_module import describe_loose_layers
from grader.model import Json, Numbers, Question

TOLERANCE = 1e-4
"""The largest difference of a length from 1."""
EXPECTED = "every embedding has length 1 (± 0.0001)"
BATCH_SIZES_TRIED = (3, 1)
"""Batch sizes: several inputs, else one, for a module that takes no more."""


class OwnEmbeddingsNormalized(LabeledInputsCheck):
    """The embeddings of the student's own inputs have unit length (tolerance 1e-4).

    Those that a loss was computed from count only where there are no others: a training loop may
    run in half precision.
    """

    code = "NRM001"
    title = "embeddings of your {things} have length 1"
    subjects = ("module",)

    module: str
    """The handout's name of the class."""

    def find_doubt(self, evidence: Evidence) -> str:
        return describe_loose_layers(evidence, self.shape)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        if not self.all_encoded(evidence):
            observed = f"no module made embeddings of all {self.things}"
            return absent(expected=EXPECTED, observed=observed)
        rows = studied_vectors(evidence, labels=self.labels, shape=self.shape)
        apart = [row for row in rows if not row.forward.pulled]
        return judge_lengths(np.array([np.linalg.norm(row.vector) for row in apart or rows]))


class DrawnEmbeddingsNormalized(Check):
    """Embeddings of randomly drawn inputs, tiny to large, have unit length (tolerance 1e-4)."""

    code = "NRM002"
    subjects = ("module",)

    module: str
    """The handout's name of the class; a class of another name is found by its recorded calls."""
    shape: tuple[int, ...]
    """Shape of one input."""
    scales: tuple[float, ...]
    """Factors on standard normal inputs."""
    things: str = "inputs"
    """The handout's word for them: 'images'."""

    def describe(self) -> str:
        low, high = min(self.scales), max(self.scales)
        return f"embeddings of other {self.things} have length 1, at scales {low:g} to {high:g}"

    def find_doubt(self, evidence: Evidence) -> str:
        return describe_loose_layers(evidence, self.shape)

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return (_scaled_question(rng, self),)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        observation = evidence.observation(_scaled_question(evidence.rng, self))
        count = len(self.scales)
        for index, size in enumerate(BATCH_SIZES_TRIED):
            outputs = [observation.arrays.get(f"out{index * count + n}") for n in range(count)]
            batches = [
                array
                for array in outputs
                if array is not None and array.ndim == 2 and len(array) == size  # noqa: PLR2004
            ]
            if len(batches) == count and all(batch.dtype.kind == "f" for batch in batches):
                lengths = [np.linalg.norm(as_float64(batch), axis=1) for batch in batches]
                return judge_lengths(np.concatenate(lengths))
        name = class_name(observation, default=self.module)
        observed = f"{name} gave no rows to measure"
        return absent(expected=EXPECTED, observed=observed, names=(self.module,))


@memoized
def _scaled_question(rng: SeededRandom, check: DrawnEmbeddingsNormalized) -> Question:
    """Ask a module for outputs at every scale, at every batch size tried."""
    arrays = {
        f"x{n}-{index}": rng.normal(f"scale{n}-{index}", (n, *check.shape), scale=scale)
        for n in BATCH_SIZES_TRIED
        for index, scale in enumerate(check.scales)
    }
    calls: list[Json] = [[key, None] for key in arrays]
    fields: dict[str, Json] = {"module": check.module, "sets": {}, "calls": calls}
    return make_question("forward", fields, arrays)


def judge_lengths(lengths: Numbers) -> CheckOutcome:
    """Return the outcome for the lengths of embeddings."""
    if all_close(lengths, np.ones(lengths.shape), atol=TOLERANCE):
        return passed(expected=EXPECTED, observed="every embedding has length 1")
    finite = lengths[np.isfinite(lengths)]
    observed = "the embeddings have no lengths that are finite"
    if finite.size:
        low, high = f"{finite.min():.4g}", f"{finite.max():.4g}"
        span = f"from {low} to {high}" if low != high else low
        others = "" if finite.size == lengths.size else ", where they are finite"
        observed = f"the embeddings have lengths {span}{others}"
    hint = "What is the length of one embedding: over which dimension, and by which norm?"
    return failed(expected=EXPECTED, observed=observed, hint=hint)
