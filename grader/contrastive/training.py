"""TRN: compares training with the reference's from the same start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, SeededRandom, absent, failed, passed
from grader.checks.values import all_close
from grader.contrastive.embeddings import (
    hint_at_training,
    is_of_stage,
    recorded_embeddings,
    stage_embeddings,
    studied_module,
)
from grader.contrastive.labeled_inputs import cosine, is_defined
from grader.contrastive.loss_guard import judge_guarded_loss
from grader.contrastive.training_start import TrainingCheck, start_weights
from grader.model import CellStatus, Numbers, Question, Verdict

COSINE_TOLERANCE = 1e-3
"""The largest difference of a trained cosine from the reference's."""
LOSS_TOLERANCE = 0.02
"""The largest difference of the loss above the reference's."""


def info_nce(
    vectors: Numbers, *, labels: Sequence[str], positive: tuple[str, str], temperature: float
) -> float:
    """Return InfoNCE (NT-Xent) over both directions of the positive pair, by cosine.

    Source: Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
    2020, equation 1.
    """
    index_by_label = {label: i for i, label in enumerate(labels)}
    a, b = (index_by_label[label] for label in positive)
    others = [i for i in range(len(labels)) if i not in {a, b}]
    terms = []
    for anchor, partner in ((a, b), (b, a)):
        near = cosine(vectors[anchor], vectors[partner]) / temperature
        far = [cosine(vectors[anchor], vectors[i]) / temperature for i in others]
        terms.append(np.logaddexp.reduce([near, *far]) - near)
    return float(np.mean(terms))


def pairwise_cosines(vectors: Numbers) -> Numbers:
    """Return the cosines of all pairs of rows."""
    count = len(vectors)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    return np.array([cosine(vectors[i], vectors[j]) for i, j in pairs])


def count_steps(steps: int | None) -> str:
    """Return a number of optimizer steps in words."""
    return "1 optimizer step" if steps == 1 else f"{steps} optimizer steps"


class LossFalls(TrainingCheck):
    """Training changes the embeddings as the reference's training does from the same start.

    The handout's loss may not be a number, so InfoNCE on the embeddings is measured, at the
    handout's temperature. The reference is trained from the student's own recorded start weights
    and inputs, with the activation the student's module was found to use. Weights that did not
    move: nothing. Trained cosines within 0.001 of the reference's after the recorded number of
    optimizer steps (at most 200): all points. Else, with L0 the loss at the start, L the trained
    one and R the reference's after the handout's number of steps: all if L <= R + 0.02, half if
    L < L0, otherwise a fifth. At most half where a pair was wrong or not contrasted.
    """

    code = "TRN001"
    title = "training does what the reference's does from your start"
    subjects = ("after",)

    positive: tuple[str, str]
    """Labels of the positive pair; all other inputs are negatives of both."""
    temperature: float
    """The number that cosines are divided by."""
    capped_by: tuple[str, ...] = ()
    """Codes of checks; where one of them lost points, at most half of the points are left."""

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        at_weights = self.forward_question(rng, tuple(sorted(self.layers)))
        return (*self.fixed_questions, at_weights)

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        # They tell which of the accepted activations the student's module uses.
        return self.reference_questions(rng)

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        student_steps = self.optimizer_steps(evidence) or self.steps
        questions = (
            self.training_question(evidence, steps=steps)
            for steps in dict.fromkeys((self.steps, student_steps))
        )
        return tuple(question for question in questions if question is not None)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = "training changes the loss (InfoNCE) of the embeddings as the reference's does"
        names = self.embedding_names
        embeddings = stage_embeddings(evidence, names, trained=True)
        if embeddings is None or not is_of_stage(evidence, names, embeddings, trained=True):
            observed = "There are no embeddings to compare."
            if not self.all_encoded(evidence):
                return absent(expected=expected, observed=observed)
            if self._is_not_made(evidence):
                return absent(expected=expected, observed=observed, names=(self.after,))
            studied = studied_module(evidence, names)
            return judge_guarded_loss(evidence, studied, expected=expected) or failed(
                expected=expected,
                observed="No embeddings came from weights that training had moved.",
                hint=hint_at_training(evidence, names, self.maker),
            )
        trained = embeddings.stack(self.labels)
        outcome = self._compare_loss(evidence, trained=trained, expected=expected)
        return self._cap_outcome(evidence, outcome)

    def _compare_loss(self, evidence: Evidence, *, trained: Numbers, expected: str) -> CheckOutcome:
        steps = self.optimizer_steps(evidence)
        loss, start = self._measure_loss(trained), self._start_loss(evidence)
        observed = f"InfoNCE was {start:.4f} at the start and {loss:.4f} after training"
        replay = None if steps is None else self._reference_vectors(evidence, steps=steps)
        if replay is not None and all_close(
            pairwise_cosines(trained), pairwise_cosines(replay), atol=COSINE_TOLERANCE
        ):
            observed += f"; after {count_steps(steps)}, the reference gives the same embeddings as"
            observed += f" your {self.maker}"
            return passed(expected=expected, observed=observed)
        target = self._reference_vectors(evidence, steps=self.steps)
        if target is not None:
            reference_loss = self._measure_loss(target)
            observed += f"; the reference comes to {reference_loss:.4f} from the same weights"
            observed += f" in {count_steps(self.steps)}"
            if loss <= reference_loss + LOSS_TOLERANCE:
                return passed(expected=expected, observed=observed)
        else:
            observed += f"; {self._reason_untrained(evidence)}"
        share = Fraction(1, 2) if loss < start else Fraction(1, 5)
        hint = "What counts is whether like moves to like, not how low a loss gets."
        return CheckOutcome(share=share, expected=expected, observed=observed, hint=hint)

    def _reason_untrained(self, evidence: Evidence) -> str:
        """Return why there is nothing of the reference's to compare with."""
        if self.training_question(evidence, steps=self.steps) is not None:
            return "from the same weights the reference's embeddings are no finite numbers"
        if start_weights(evidence, self.embedding_names, self.weights) is None:
            return (
                f"the weights of your {self.maker} don't fit the reference's layers, so it could "
                "not be trained from the same start"
            )
        return "the reference could not be trained on these inputs"

    def _is_not_made(self, evidence: Evidence) -> bool:
        """Return whether the variable is not there since its cell raised."""
        return not is_defined(evidence, self.after) and any(
            run.status is CellStatus.RAISED for run in evidence.record.cells
        )

    def _measure_loss(self, vectors: Numbers) -> float:
        return info_nce(
            vectors, labels=self.labels, positive=self.positive, temperature=self.temperature
        )

    def _reference_vectors(self, evidence: Evidence, *, steps: int) -> Numbers | None:
        """Return the reference's embeddings after that number of steps; None if not finite."""
        vectors = self.reference_vectors(self.training_question(evidence, steps=steps), evidence)
        return vectors if vectors is not None and np.isfinite(vectors).all() else None

    def _start_loss(self, evidence: Evidence) -> float:
        """Return the loss of the module's embeddings before its weights moved."""
        start = recorded_embeddings(evidence, self.embedding_names, trained=False)
        return float("nan") if start is None else self._measure_loss(start.stack(self.labels))

    def _cap_outcome(self, evidence: Evidence, outcome: CheckOutcome) -> CheckOutcome:
        """Leave at most half of the points where a check of `capped_by` failed, or did in part."""
        losing_items = [
            finding.item
            for finding in evidence.findings
            if finding.code in self.capped_by
            and finding.verdict in {Verdict.FAILED, Verdict.PARTIAL, Verdict.BLOCKED}
        ]
        if not losing_items or outcome.share <= Fraction(1, 2):
            return outcome
        reason = (
            f"at most half of the points are earned, since {losing_items[0]} is not fully right"
        )
        observed = f"{outcome.observed}; {reason}"
        return replace(outcome, share=Fraction(1, 2), observed=observed)
