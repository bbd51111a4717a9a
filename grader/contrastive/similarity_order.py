"""SIM: judges which of two labeled inputs is more similar to a third, before or after training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, SeededRandom, absent, failed, passed
from grader.checks.values import as_float64
from grader.contrastive.embeddings import stage_embeddings
from grader.contrastive.labeled_inputs import cosine, encoded_arrays
from grader.contrastive.training_start import TrainingCheck
from grader.model import Numbers, Question


class SimilarityOrder(TrainingCheck):
    """By cosine, the anchor is closer to one input than to another, in inputs or embeddings.

    After training it is also earned if the reference, trained from the same start, fails too: the
    handout's loss may bring them together.
    """

    code = "SIM001"

    stage: Literal["inputs", "before", "after"]
    """Whether inputs are compared, or embeddings before or after training."""
    anchor: str
    """The label that the other two are compared with."""
    closer: str
    """The label that should be closer to it."""
    farther: str
    """The label that should be farther from it."""

    def describe(self) -> str:
        stages = {"before": "before training", "after": "after training"}
        where = stages.get(self.stage, f"in the {self.things}")
        return f"{self.anchor} closer to {self.closer} than to {self.farther} {where}"

    def code_names(self) -> tuple[str, ...]:
        names = {"inputs": self.labels, "before": (self.before,), "after": (self.after,)}
        return names[self.stage]

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        # They tell which of the accepted activations the student's module uses.
        return self.reference_questions(rng) if self.asks_counter_questions() else ()

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        question = self._replay_question(evidence) if self.asks_counter_questions() else None
        return () if question is None else (question,)

    def asks_counter_questions(self) -> bool:
        return self.stage == "after"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        near, far = f"{self.anchor}, {self.closer}", f"{self.anchor}, {self.farther}"
        expected = f"cos({near}) above cos({far})"
        vectors = self._vectors(evidence)
        if not {self.anchor, self.closer, self.farther} <= set(vectors):
            return absent(expected=expected, observed="there are no vectors to compare")
        closer_cosine, farther_cosine = self._cosines(vectors)
        observed = f"cos({near}) is {closer_cosine:.4f}, and cos({far}) is {farther_cosine:.4f}"
        after = self.stage == "after"
        exhibit = self.build_exhibit(evidence) if after else None
        if closer_cosine > farther_cosine:
            return passed(expected=expected, observed=observed, exhibit=exhibit)
        hint = ""
        if not (np.isfinite(closer_cosine) and np.isfinite(farther_cosine)):
            hint = "A vector of zeros, or one that is not finite, has no direction."
        elif after and self._reference_fails_too(evidence):
            observed += "; from the same start, the reference's order is wrong, too"
            return passed(expected=expected, observed=observed, exhibit=exhibit)
        elif self.stage == "inputs" and all((v >= 0).all() for v in vectors.values()):
            hint = f"Random {self.things} that are all positive resemble each other."
        return failed(expected=expected, observed=observed, hint=hint, exhibit=exhibit)

    def _vectors(self, evidence: Evidence) -> Mapping[str, Numbers]:
        """Return the finite vectors of the stage by label."""
        if self.stage == "inputs":
            encoded = encoded_arrays(evidence, labels=self.labels, shape=self.shape)
            return {
                label: as_float64(array).ravel()
                for label, array in encoded.items()
                if array.shape == self.shape and np.isfinite(array).all()
            }
        trained, names = self.stage == "after", self.embedding_names
        embeddings = stage_embeddings(evidence, names, trained=trained)
        vectors = {} if embeddings is None else embeddings.vectors
        return vectors if all(np.isfinite(v).all() for v in vectors.values()) else {}

    def _cosines(self, vectors: Mapping[str, Numbers]) -> tuple[float, float]:
        anchor = vectors[self.anchor]
        return cosine(anchor, vectors[self.closer]), cosine(anchor, vectors[self.farther])

    def _replay_question(self, evidence: Evidence) -> Question | None:
        return self.training_question(evidence, steps=self.optimizer_steps(evidence))

    def _reference_fails_too(self, evidence: Evidence) -> bool:
        rows = self.reference_vectors(self._replay_question(evidence), evidence)
        if rows is None:
            return False
        closer_cosine, farther_cosine = self._cosines(dict(zip(self.labels, rows, strict=True)))
        return closer_cosine <= farther_cosine
