"""Asks the reference to train from where a student's training began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import Evidence, make_question
from grader.checks.memo import memoized
from grader.checks.values import as_float64
from grader.contrastive.embeddings import (
    EmbeddingCheck,
    EmbeddingNames,
    stage_embeddings,
    studied_module,
)
from grader.contrastive.labeled_inputs import encoded_arrays
from grader.contrastive.layers import ModuleAtWeightsCheck, finite_outputs
from grader.errors import ReferenceFault
from grader.model import Json, Question

if TYPE_CHECKING:
    from grader.checks.recording import Forward
    from grader.contrastive.studied_module import StudiedModule
    from grader.model import Array, Numbers

MAX_STEPS = 200
"""The most optimizer steps that are replayed."""
UNANSWERED = frozenset({"died", "timed_out", "invalid", "not_asked"})
"""Statuses of a question that the reference never answered."""


class TrainingCheck(EmbeddingCheck, ModuleAtWeightsCheck):
    """Compares a training run with the reference's from the same start."""

    reference_names = (*ModuleAtWeightsCheck.reference_names, "train")

    train: str
    """Name of the reference's function that trains: from (inputs, *weights, activation=...,
    steps=...) to embeddings."""
    steps: int = 1
    """The handout's number of steps."""
    layers: tuple[tuple[int, ...], ...]
    """For each layer, the indices of its parameters in `weights`, from 0."""

    def optimizer_steps(self, evidence: Evidence) -> int | None:
        """Return the number of steps to the trained embeddings, at most 200; None for 0."""
        after = stage_embeddings(evidence, self.embedding_names, trained=True)
        studied = studied_module(evidence, self.embedding_names)
        if after is None or studied is None:
            return None
        calls = [row.forward for row in after.sources.values()]
        steps = [_count_steps(evidence, studied, forward) for forward in calls]
        return min(MAX_STEPS, max(steps, default=0)) or None

    def training_question(self, evidence: Evidence, *, steps: int | None = None) -> Question | None:
        """Ask the reference to train from the student's start; None where there is none.

        Args:
            evidence: The student's.
            steps: How many optimizer steps; the handout's number by default.
        """
        step_count = self.steps if steps is None else steps
        options = (("activation", self._find_activation(evidence)), ("steps", step_count))
        return _training_question(evidence, self.embedding_names, self.weights, self.train, options)

    def reference_vectors(self, question: Question | None, evidence: Evidence) -> Numbers | None:
        """Return the reference's trained embeddings, a row for each label.

        Returns None where there was nothing to ask, or the reference's function raised.

        Raises:
            ReferenceFault: The reference did not answer.
        """
        if question is None:
            return None
        answer = evidence.reference_observation(question)
        if answer.status in UNANSWERED:
            raise ReferenceFault(f"the reference did not answer ({answer.status})")
        vectors = answer.arrays.get("out0")
        return None if vectors is None or len(vectors) != len(self.labels) else as_float64(vectors)

    def _find_activation(self, evidence: Evidence) -> str:
        """Return the accepted activation that the student's module uses, or else the first."""
        question = self.forward_question(evidence.rng, tuple(sorted(self.layers)))
        outputs = finite_outputs(evidence.observation(question), question)
        base = outputs.get((f"x{self.student_batch_size(evidence)}", "base"))
        if base is None:
            return self.accepted[0]
        try:
            return self.matching_activation(evidence, output=base) or self.accepted[0]
        except ReferenceFault:
            return self.accepted[0]


def _count_steps(evidence: Evidence, studied: StudiedModule, forward: Forward) -> int:
    """Return the optimizer's steps on the module under study to the weights of a call."""
    if forward.module == studied.index:
        return forward.steps - studied.undone_steps
    forwards = evidence.recording.forwards
    own = [other for other in forwards if other.module == studied.index]
    same = [other.steps for other in own if other.state == forward.state]
    return max(same or [other.steps for other in own], default=0) - studied.undone_steps


@memoized
def _training_question(
    evidence: Evidence,
    names: EmbeddingNames,
    shapes: tuple[tuple[int, ...], ...],
    function: str,
    options: tuple[tuple[str, Json], ...],
) -> Question | None:
    start = start_weights(evidence, names, shapes)
    inputs = encoded_arrays(evidence, labels=names.labels, shape=names.shape)
    if start is None or set(inputs) != set(names.labels):
        return None
    if any(a.shape != names.shape or a.dtype.kind != "f" for a in inputs.values()):
        return None
    batch = np.stack([inputs[label].astype(np.float32) for label in names.labels])
    weights = {f"w{index}": array.astype(np.float32) for index, array in enumerate(start)}
    arrays: dict[str, Array] = {"images": batch, **weights}
    fields = {"name": function, "args": list(arrays), "options": dict(options)}
    return make_question("function", fields, arrays)


@memoized
def start_weights(
    evidence: Evidence, names: EmbeddingNames, shapes: tuple[tuple[int, ...], ...]
) -> tuple[Array, ...] | None:
    """Return the studied module's weights before training, one array for each shape, or None.

    Raises:
        ReferenceFault: They were not kept.
    """
    studied = studied_module(evidence, names)
    if studied is None or studied.index >= len(evidence.recording.modules):
        return None
    modules = evidence.recording.modules
    start = modules[studied.index].start
    # Of modules that began alike, as after one seed, those of any may be the ones that were kept.
    kept = [
        s.weights for m in modules for s in m.snapshots.values() if start and s.state == start.state
    ]
    weights = next((each for each in kept if each is not None), None)
    if kept and weights is None:
        raise ReferenceFault("the weights of the start were not kept: there were too many modules")
    unmatched = list(weights or ())
    ordered = []
    for shape in shapes:
        index = next((i for i, array in enumerate(unmatched) if array.shape == shape), None)
        if index is None or not np.isfinite(unmatched[index]).all():
            return None
        ordered.append(unmatched.pop(index))
    return tuple(ordered)
