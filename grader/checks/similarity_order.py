"""SIM: which of three labeled things are closer to each other, at one stage of the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from grader.checks.check import (
    ARRAYS_QUESTION,
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    RandomDraws,
    absent,
    failed,
    passed,
)
from grader.checks.embeddings import (
    build_exhibit,
    find_embeddings,
    module_embeddings,
    trained_module,
)
from grader.checks.labeled_inputs import cosine, encoded_arrays
from grader.checks.layers import counterpart_questions
from grader.checks.recording import as_float64
from grader.checks.training_start import (
    TrainingParams,
    optimizer_steps,
    reference_embeddings,
    training_question,
)
from grader.model import Numbers, Question


class SimilarityOrderParams(TrainingParams):
    """The order of two similarities."""

    stage: Literal["inputs", "before", "after"]
    """Whether inputs are compared, or embeddings before or after training."""
    anchor: str
    """The label that the other two are compared with."""
    closer: str
    """The label that should be closer to it."""
    farther: str
    """The label that should be farther from it."""


class SimilarityOrder(Check[SimilarityOrderParams]):
    """By cosine, the anchor is closer to one thing than to the other, in inputs or embeddings.

    After training it is also earned if the reference, trained from the same start, fails too: the
    handout's loss may bring them together.
    """

    code = "SIM001"
    params = SimilarityOrderParams

    def title(self, params: SimilarityOrderParams) -> str:
        """What it checks."""
        where = {
            "inputs": f"in the {params.things}",
            "before": "before training",
            "after": "after training",
        }[params.stage]
        return f"{params.anchor} closer to {params.closer} than to {params.farther} {where}"

    def questions(self, params: SimilarityOrderParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def constant_questions(
        self, params: SimilarityOrderParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks what the module gives with every accepted activation, to tell which it uses."""
        return counterpart_questions(params, draws) if params.stage == "after" else ()

    def counter_questions(
        self, params: SimilarityOrderParams, evidence: Evidence
    ) -> tuple[Question, ...]:
        """Trains the reference from the same start, for what comes after training."""
        if params.stage != "after":
            return ()
        question = self._training_question(params, evidence)
        return () if question is None else (question,)

    def asks_counter_questions(self, params: SimilarityOrderParams) -> bool:
        """After training it does."""
        return params.stage == "after"

    def _training_question(
        self, params: SimilarityOrderParams, evidence: Evidence
    ) -> Question | None:
        steps = optimizer_steps(params, evidence)
        return training_question(params, evidence, steps=steps)

    def names(self, params: SimilarityOrderParams) -> tuple[str, ...]:
        """The arrays or the embeddings."""
        return {"inputs": params.labels, "before": (params.before,), "after": (params.after,)}[
            params.stage
        ]

    def _vectors(self, params: SimilarityOrderParams, evidence: Evidence) -> Mapping[str, Numbers]:
        if params.stage == "inputs":
            encoded = encoded_arrays(evidence, labels=params.labels, shape=params.shape)
            well_shaped = {k: v for k, v in encoded.items() if v.shape == params.shape}
            return {
                k: as_float64(v).ravel() for k, v in well_shaped.items() if np.isfinite(v).all()
            }
        trained = params.stage == "after"
        name = params.after if trained else params.before
        embeddings = find_embeddings(params, evidence, name=name, trained=trained)
        if embeddings is not None and not embeddings.complete:
            module = trained_module(params, evidence)
            embeddings = (
                module_embeddings(params, evidence, module=module, trained=trained) or embeddings
            )
        vectors = {} if embeddings is None else embeddings.vectors
        return vectors if all(np.isfinite(v).all() for v in vectors.values()) else {}

    def judge(self, params: SimilarityOrderParams, evidence: Evidence) -> CheckOutcome:
        """Compares two cosines."""
        near, far = f"{params.anchor}, {params.closer}", f"{params.anchor}, {params.farther}"
        expected = f"cos({near}) above cos({far})"
        vectors = self._vectors(params, evidence)
        if not {params.anchor, params.closer, params.farther} <= set(vectors):
            return absent(expected=expected, observed="there is nothing to compare")
        closer_cosine = cosine(vectors[params.anchor], vectors[params.closer])
        farther_cosine = cosine(vectors[params.anchor], vectors[params.farther])
        observed = f"cos({near}) = {closer_cosine:.4f}, cos({far}) = {farther_cosine:.4f}"
        embedding_exhibit = build_exhibit(params, evidence) if params.stage == "after" else None
        if closer_cosine > farther_cosine:
            return passed(expected=expected, observed=observed, exhibit=embedding_exhibit)
        if not (np.isfinite(closer_cosine) and np.isfinite(farther_cosine)):
            hint = "A vector of zeros, or one that is not finite, has no direction."
            return failed(
                expected=expected, observed=observed, hint=hint, exhibit=embedding_exhibit
            )
        if params.stage == "after" and self._reference_fails_too(params, evidence):
            return passed(
                expected=expected,
                observed=f"{observed}; from the same start the reference's order fails too",
                exhibit=embedding_exhibit,
            )
        hint = f"Random {params.things} that are all positive resemble each other."
        return failed(
            expected=expected,
            observed=observed,
            hint=hint if params.stage == "inputs" else "",
            exhibit=embedding_exhibit,
        )

    def _reference_fails_too(self, params: SimilarityOrderParams, evidence: Evidence) -> bool:
        question = self._training_question(params, evidence)
        answer = reference_embeddings(question, evidence)
        if answer is None or len(answer) != len(params.labels):
            return False
        vectors = dict(zip(params.labels, as_float64(answer), strict=True))
        closer_cosine = cosine(vectors[params.anchor], vectors[params.closer])
        return closer_cosine <= cosine(vectors[params.anchor], vectors[params.farther])
