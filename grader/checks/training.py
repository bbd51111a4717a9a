"""TRN: whether training does what the reference's does from the same start."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

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
    STEPS_HINT,
    module_embeddings,
    trained_embeddings,
    trained_module,
)
from grader.checks.labeled_inputs import cosine
from grader.checks.layers import counterpart_questions, forward_question
from grader.checks.recording import as_float64
from grader.checks.training_start import (
    TrainingParams,
    optimizer_steps,
    reference_embeddings,
    training_question,
)
from grader.checks.values import all_close
from grader.model import Numbers, Question, Verdict

COSINE_TOLERANCE = 1e-3
"""How far the trained cosines may be from the reference's."""
LOSS_TOLERANCE = 0.02
"""How far the loss may be above the reference's."""


class LossFallsParams(TrainingParams):
    """The loss that is measured instead of the handout's."""

    positive: tuple[str, str]
    """The two that belong together; all others are negatives of both."""
    temperature: float
    """What cosines are divided by."""
    capped_by: tuple[str, ...] = ()
    """Codes of checks that leave at most half of the points here where they failed."""


def info_nce(
    vectors: Numbers, *, labels: Sequence[str], positive: tuple[str, str], temperature: float
) -> float:
    """InfoNCE (NT-Xent) over both directions of the positive pair, by cosine.

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
    """Cosines of all pairs of rows."""
    count = len(vectors)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    return np.array([cosine(vectors[i], vectors[j]) for i, j in pairs])


class LossFalls(Check[LossFallsParams]):
    """Training does to the embeddings what the reference's does from the same start.

    The handout's loss may not be a number, so InfoNCE on the embeddings is measured, at the
    handout's temperature. The reference is trained from the student's own recorded start weights
    and inputs, with the activation the student's module was found to use. Weights that did not
    move: nothing. Trained cosines within 0.001 of the reference's after the recorded number of
    optimizer steps (at most 200): all points. Else, with L0 the loss at the start, L the trained
    one and R the reference's after the handout's number of steps: all if L <= R + 0.02, half if
    L < L0, otherwise a fifth. At most half where a pair was wrong.
    """

    code = "TRN001"
    params = LossFallsParams

    def title(self, params: LossFallsParams) -> str:
        """What it checks."""
        return "training does what the reference's does from your start"

    def questions(self, params: LossFallsParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays, the recording, and the module's outputs at our weights."""
        question = forward_question(params, draws, layers=tuple(sorted(params.layers)))
        return (ARRAYS_QUESTION, RECORDING_QUESTION, question)

    def constant_questions(
        self, params: LossFallsParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks what the module gives with every accepted activation, to tell which it uses."""
        return counterpart_questions(params, draws)

    def counter_questions(
        self, params: LossFallsParams, evidence: Evidence
    ) -> tuple[Question, ...]:
        """Trains the reference, for the handout's number of steps and for the student's own."""
        student_steps = optimizer_steps(params, evidence) or params.steps
        questions = (
            training_question(params, evidence, steps=steps)
            for steps in dict.fromkeys((params.steps, student_steps))
        )
        return tuple(question for question in questions if question is not None)

    def names(self, params: LossFallsParams) -> tuple[str, ...]:
        """The trained embeddings and the loss."""
        return (params.after,)

    def judge(self, params: LossFallsParams, evidence: Evidence) -> CheckOutcome:
        """Measures, and compares with the reference."""
        expected = "the loss (InfoNCE) of the trained embeddings falls as the reference's does"
        embeddings = trained_embeddings(params, evidence)
        if embeddings is None:
            return absent(expected=expected, observed="no embeddings that training made")
        if not embeddings.weights_moved(evidence):
            return failed(
                expected=expected,
                observed=f"the {params.maker}'s weights did not move",
                hint=STEPS_HINT.format(maker=params.maker),
            )
        trained = np.stack([embeddings.vectors[label] for label in params.labels])
        outcome = self._compare_loss(params, evidence, trained=trained, expected=expected)
        return self._cap_outcome(params, evidence, outcome)

    def _compare_loss(
        self,
        params: LossFallsParams,
        evidence: Evidence,
        *,
        trained: Numbers,
        expected: str,
    ) -> CheckOutcome:
        steps = optimizer_steps(params, evidence)
        replay = (
            None if steps is None else self._reference_embeddings(params, evidence, steps=steps)
        )
        loss = self._measure_loss(params, trained)
        start = self._start_loss(params, evidence)
        observed = f"InfoNCE {start:.4f} at the start, {loss:.4f} after training"
        if replay is not None and all_close(
            pairwise_cosines(trained), pairwise_cosines(replay), atol=COSINE_TOLERANCE
        ):
            note = (
                f"{observed}; the reference's embeddings after {steps} optimizer step(s) are yours"
            )
            return passed(expected=expected, observed=note)
        target_embeddings = self._reference_embeddings(params, evidence, steps=params.steps)
        reference_loss = (
            None if target_embeddings is None else self._measure_loss(params, target_embeddings)
        )
        if reference_loss is not None:
            observed += f"; the reference's is {reference_loss:.4f} after {params.steps} step(s)"
        if reference_loss is not None and loss <= reference_loss + LOSS_TOLERANCE:
            return passed(expected=expected, observed=observed)
        share = Fraction(1, 2) if loss < start else Fraction(1, 5)
        hint = "It does not matter how low a printed loss is, but whether like moves to like."
        return CheckOutcome(share=share, expected=expected, observed=observed, hint=hint)

    def _measure_loss(self, params: LossFallsParams, vectors: Numbers) -> float:
        return info_nce(
            vectors,
            labels=params.labels,
            positive=params.positive,
            temperature=params.temperature,
        )

    def _reference_embeddings(
        self, params: LossFallsParams, evidence: Evidence, *, steps: int
    ) -> Numbers | None:
        question = training_question(params, evidence, steps=steps)
        answer = reference_embeddings(question, evidence)
        if answer is None or len(answer) != len(params.labels):
            return None
        vectors = as_float64(answer)
        return vectors if np.isfinite(vectors).all() else None

    def _start_loss(self, params: LossFallsParams, evidence: Evidence) -> float:
        """The loss of what the module made of the inputs before its weights moved."""
        module = trained_module(params, evidence)
        start = module_embeddings(params, evidence, module=module, trained=False)
        if start is None:
            return float("nan")
        return self._measure_loss(
            params, np.stack([start.vectors[label] for label in params.labels])
        )

    def _cap_outcome(
        self, params: LossFallsParams, evidence: Evidence, outcome: CheckOutcome
    ) -> CheckOutcome:
        failed_findings = [
            f
            for f in evidence.findings
            if f.code in params.capped_by and f.verdict in {Verdict.FAILED, Verdict.BLOCKED}
        ]
        if not failed_findings or outcome.share <= Fraction(1, 2):
            return outcome
        observed = (
            f"{outcome.observed}; at most half, since a pair of {failed_findings[0].item} is wrong"
        )
        return CheckOutcome(
            share=Fraction(1, 2), expected=outcome.expected, observed=observed, hint=outcome.hint
        )
