"""SIM: which of three labelled things are closer to each other, at one stage of the work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from grader.checks.check import (
    ARRAYS,
    RECORDING,
    Check,
    Draws,
    Evidence,
    Opinion,
    absent,
    failed,
    passed,
)
from grader.checks.embeddings import exhibit, find, made_by, trained_module
from grader.checks.labeled_inputs import as_encoded, cosine
from grader.checks.layers import counterpart_questions
from grader.checks.recording import numbers
from grader.checks.training_start import (
    TrainingParams,
    optimiser_steps,
    trained_by_reference,
    training_question,
)
from grader.model import Numbers, Question


class OrderParams(TrainingParams):
    """The order of two similarities."""

    stage: Literal["inputs", "before", "after"]
    """Whether inputs are compared, or embeddings before or after training."""
    anchor: str
    """The label that the other two are compared with."""
    closer: str
    """The label that should be closer to it."""
    farther: str
    """The label that should be farther from it."""


class Order(Check[OrderParams]):
    """By cosine, the anchor is closer to one thing than to the other, in inputs or embeddings.

    After training it is also earned if the reference, trained from the same start, fails too: the
    handout's loss may bring them together.
    """

    code = "SIM001"
    params = OrderParams

    def title(self, params: OrderParams) -> str:
        """What it checks."""
        where = {
            "inputs": f"in the {params.things}",
            "before": "before training",
            "after": "after training",
        }[params.stage]
        return f"{params.anchor} closer to {params.closer} than to {params.farther} {where}"

    def questions(self, params: OrderParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def constant_questions(self, params: OrderParams, draws: Draws) -> tuple[Question, ...]:
        """Asks what the module gives with every accepted activation, to tell which it uses."""
        return counterpart_questions(params, draws) if params.stage == "after" else ()

    def counter_questions(self, params: OrderParams, evidence: Evidence) -> tuple[Question, ...]:
        """Trains the reference from the same start, for what comes after training."""
        if params.stage != "after":
            return ()
        asked = self._replay(params, evidence)
        return () if asked is None else (asked,)

    def compares(self, params: OrderParams) -> bool:
        """After training it does."""
        return params.stage == "after"

    def _replay(self, params: OrderParams, evidence: Evidence) -> Question | None:
        steps = optimiser_steps(params, evidence)
        return training_question(params, evidence, steps=steps)

    def names(self, params: OrderParams) -> tuple[str, ...]:
        """The arrays or the embeddings."""
        return {"inputs": params.labels, "before": (params.before,), "after": (params.after,)}[
            params.stage
        ]

    def _vectors(self, params: OrderParams, evidence: Evidence) -> Mapping[str, Numbers]:
        if params.stage == "inputs":
            encoded = as_encoded(evidence, labels=params.labels, shape=params.shape)
            right = {k: v for k, v in encoded.items() if v.shape == params.shape}
            return {k: numbers(v).ravel() for k, v in right.items() if np.isfinite(v).all()}
        trained = params.stage == "after"
        name = params.after if trained else params.before
        found = find(params, evidence, name=name, trained=trained)
        if found is not None and not found.complete:
            module = trained_module(params, evidence)
            found = made_by(params, evidence, module=module, trained=trained) or found
        vectors = {} if found is None else found.vectors
        return vectors if all(np.isfinite(v).all() for v in vectors.values()) else {}

    def judge(self, params: OrderParams, evidence: Evidence) -> Opinion:
        """Compares two cosines."""
        near, far = f"{params.anchor}, {params.closer}", f"{params.anchor}, {params.farther}"
        expected = f"cos({near}) above cos({far})"
        vectors = self._vectors(params, evidence)
        if not {params.anchor, params.closer, params.farther} <= set(vectors):
            return absent(expected=expected, found="there is nothing to compare")
        one = cosine(vectors[params.anchor], vectors[params.closer])
        other = cosine(vectors[params.anchor], vectors[params.farther])
        found = f"cos({near}) = {one:.4f}, cos({far}) = {other:.4f}"
        shown = exhibit(params, evidence) if params.stage == "after" else None
        if one > other:
            return passed(expected=expected, found=found, exhibit=shown)
        if not (np.isfinite(one) and np.isfinite(other)):
            hint = "A vector of zeros, or one that is not finite, has no direction."
            return failed(expected=expected, found=found, hint=hint, exhibit=shown)
        if params.stage == "after" and self._reference_fails_too(params, evidence):
            return passed(
                expected=expected,
                found=f"{found}; from the same start the reference's order fails too",
                exhibit=shown,
            )
        hint = f"Random {params.things} that are all positive resemble each other."
        return failed(
            expected=expected,
            found=found,
            hint=hint if params.stage == "inputs" else "",
            exhibit=shown,
        )

    def _reference_fails_too(self, params: OrderParams, evidence: Evidence) -> bool:
        asked = self._replay(params, evidence)
        answer = trained_by_reference(asked, evidence)
        if answer is None or len(answer) != len(params.labels):
            return False
        vectors = dict(zip(params.labels, numbers(answer), strict=True))
        one = cosine(vectors[params.anchor], vectors[params.closer])
        return one <= cosine(vectors[params.anchor], vectors[params.farther])
