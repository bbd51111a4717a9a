"""TRN: whether training does what the reference's does from the same start."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

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
from grader.checks.embeddings import STEPS, made_by, trained_embeddings, trained_module
from grader.checks.labeled_inputs import cosine
from grader.checks.layers import counterpart_questions, forward_question
from grader.checks.recording import numbers
from grader.checks.training_start import (
    TrainingParams,
    optimiser_steps,
    trained_by_reference,
    training_question,
)
from grader.checks.values import agrees
from grader.model import Numbers, Question, Verdict

COSINES = 1e-3
"""How far the trained cosines may be from the reference's."""
SLACK = 0.02
"""How far the loss may be above the reference's."""


class LossParams(TrainingParams):
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
    place = {label: i for i, label in enumerate(labels)}
    a, b = (place[label] for label in positive)
    others = [i for i in range(len(labels)) if i not in {a, b}]
    terms = []
    for anchor, partner in ((a, b), (b, a)):
        near = cosine(vectors[anchor], vectors[partner]) / temperature
        far = [cosine(vectors[anchor], vectors[i]) / temperature for i in others]
        terms.append(np.logaddexp.reduce([near, *far]) - near)
    return float(np.mean(terms))


def cosines(vectors: Numbers) -> Numbers:
    """Cosines of all pairs of rows."""
    count = len(vectors)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    return np.array([cosine(vectors[i], vectors[j]) for i, j in pairs])


class LossFalls(Check[LossParams]):
    """Training does to the embeddings what the reference's does from the same start.

    The handout's loss may not be a number, so InfoNCE on the embeddings is measured, at the
    handout's temperature. The reference is trained from the student's own recorded start weights
    and inputs, with the activation the student's module was found to use. Weights that did not
    move: nothing. Trained cosines within 0.001 of the reference's after the recorded number of
    optimiser steps (at most 200): all points. Else, with L0 the loss at the start, L the trained
    one and R the reference's after the handout's number of steps: all if L <= R + 0.02, half if
    L < L0, otherwise a fifth. At most half where a pair was wrong.
    """

    code = "TRN001"
    params = LossParams

    def title(self, params: LossParams) -> str:
        """What it checks."""
        return "training does what the reference's does from your start"

    def questions(self, params: LossParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays, the recording, and the module's outputs at our weights."""
        asked = forward_question(params, draws, layers=tuple(sorted(params.layers)))
        return (ARRAYS, RECORDING, asked)

    def constant_questions(self, params: LossParams, draws: Draws) -> tuple[Question, ...]:
        """Asks what the module gives with every accepted activation, to tell which it uses."""
        return counterpart_questions(params, draws)

    def counter_questions(self, params: LossParams, evidence: Evidence) -> tuple[Question, ...]:
        """Trains the reference, for the handout's number of steps and for the student's own."""
        own = optimiser_steps(params, evidence) or params.steps
        asked = (
            training_question(params, evidence, steps=steps)
            for steps in dict.fromkeys((params.steps, own))
        )
        return tuple(one for one in asked if one is not None)

    def names(self, params: LossParams) -> tuple[str, ...]:
        """The trained embeddings and the loss."""
        return (params.after,)

    def judge(self, params: LossParams, evidence: Evidence) -> Opinion:
        """Measures, and compares with the reference."""
        expected = "the loss (InfoNCE) of the trained embeddings falls as the reference's does"
        found = trained_embeddings(params, evidence)
        if found is None:
            return absent(expected=expected, found="no embeddings that training made")
        if not found.moved(evidence):
            return failed(
                expected=expected,
                found=f"the {params.maker}'s weights did not move",
                hint=STEPS.format(maker=params.maker),
            )
        trained = np.stack([found.vectors[label] for label in params.labels])
        opinion = self._compared(params, evidence, trained=trained, expected=expected)
        return self._capped(params, evidence, opinion)

    def _compared(
        self,
        params: LossParams,
        evidence: Evidence,
        *,
        trained: Numbers,
        expected: str,
    ) -> Opinion:
        steps = optimiser_steps(params, evidence)
        replay = None if steps is None else self._reference(params, evidence, steps=steps)
        loss = self._loss(params, trained)
        start = self._start_loss(params, evidence)
        told = f"InfoNCE {start:.4f} at the start, {loss:.4f} after training"
        if replay is not None and agrees(cosines(trained), cosines(replay), within=COSINES):
            note = f"{told}; the reference's embeddings after {steps} optimiser step(s) are yours"
            return passed(expected=expected, found=note)
        aim = self._reference(params, evidence, steps=params.steps)
        goal = None if aim is None else self._loss(params, aim)
        if goal is not None:
            told += f"; the reference's is {goal:.4f} after {params.steps} step(s)"
        if goal is not None and loss <= goal + SLACK:
            return passed(expected=expected, found=told)
        share = Fraction(1, 2) if loss < start else Fraction(1, 5)
        hint = "It does not matter how low a printed loss is, but whether like moves to like."
        return Opinion(share=share, expected=expected, found=told, hint=hint)

    def _loss(self, params: LossParams, vectors: Numbers) -> float:
        return info_nce(
            vectors,
            labels=params.labels,
            positive=params.positive,
            temperature=params.temperature,
        )

    def _reference(self, params: LossParams, evidence: Evidence, *, steps: int) -> Numbers | None:
        asked = training_question(params, evidence, steps=steps)
        answer = trained_by_reference(asked, evidence)
        if answer is None or len(answer) != len(params.labels):
            return None
        vectors = numbers(answer)
        return vectors if np.isfinite(vectors).all() else None

    def _start_loss(self, params: LossParams, evidence: Evidence) -> float:
        """The loss of what the module made of the inputs before its weights moved."""
        module = trained_module(params, evidence)
        start = made_by(params, evidence, module=module, trained=False)
        if start is None:
            return float("nan")
        return self._loss(params, np.stack([start.vectors[label] for label in params.labels]))

    def _capped(self, params: LossParams, evidence: Evidence, opinion: Opinion) -> Opinion:
        lost = [
            f
            for f in evidence.findings
            if f.code in params.capped_by and f.verdict in {Verdict.FAILED, Verdict.BLOCKED}
        ]
        if not lost or opinion.share <= Fraction(1, 2):
            return opinion
        found = f"{opinion.found}; at most half, since a pair of {lost[0].item} is wrong"
        return Opinion(
            share=Fraction(1, 2), expected=opinion.expected, found=found, hint=opinion.hint
        )
