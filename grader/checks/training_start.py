"""Where a student's training began, and the reference trained from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from grader.checks.check import Evidence, ReferenceFault, make_question, opaque_name
from grader.checks.embeddings import EmbeddingParams, trained_embeddings, trained_module
from grader.checks.labeled_inputs import encoded_arrays
from grader.checks.layers import (
    ModuleParams,
    finite_outputs,
    forward_question,
    matching_activation,
    student_batch_size,
)
from grader.model import Json, Question

if TYPE_CHECKING:
    from grader.model import Array

MAX_STEPS = 200
"""Of more optimizer steps these are replayed."""
UNANSWERED = frozenset({"died", "timed_out", "invalid", "not_asked"})
"""What becomes of a question when there is nobody to answer it."""


class TrainingParams(EmbeddingParams, ModuleParams):
    """A training run and its counterpart in the reference."""

    train: str
    """Function of the reference: (inputs, *weights, activation=..., steps=...) to embeddings."""
    steps: int = 1
    """The handout's number of steps."""
    layers: tuple[tuple[int, ...], ...]
    """Places of each layer's parameters in `weights`."""

    def masked(self) -> Self:
        """Without the reference's names."""
        return super().masked().model_copy(update={"train": opaque_name(self.train)})


def start_weights(params: TrainingParams, evidence: Evidence) -> tuple[Array, ...] | None:
    """The trained module's weights before training, in the counterpart's order; None if unlike."""
    key = ("start", *_training_key(params))
    return evidence.memo.get_or_compute(key, lambda: _start_weights(params, evidence))


def _training_key(params: TrainingParams) -> tuple[object, ...]:
    """What a memo knows a training run by."""
    names = (params.before, params.after, params.module, params.train)
    return (params.labels, params.shape, params.weights, *names)


def _start_weights(params: TrainingParams, evidence: Evidence) -> tuple[Array, ...] | None:
    module = trained_module(params, evidence)
    if module is None or module >= len(evidence.recording.modules):
        return None
    start = evidence.recording.modules[module].start
    unmatched = list(start.weights) if start is not None else []
    ordered = []
    for shape in params.weights:
        index = next((i for i, array in enumerate(unmatched) if array.shape == shape), None)
        if index is None or not np.isfinite(unmatched[index]).all():
            return None
        ordered.append(unmatched.pop(index))
    return tuple(ordered)


def find_activation(params: TrainingParams, evidence: Evidence) -> str:
    """The accepted activation that the module was found to use, or else the first."""
    question = forward_question(params, evidence.draws, layers=tuple(sorted(params.layers)))
    call_outputs = finite_outputs(evidence.observation(question), question)
    base = call_outputs.get((f"x{student_batch_size(params, evidence)}", "base"))
    if base is None:
        return params.accepted[0]
    try:
        return matching_activation(params, evidence, observed=base) or params.accepted[0]
    except ReferenceFault:
        return params.accepted[0]


def optimizer_steps(params: TrainingParams, evidence: Evidence) -> int | None:
    """Optimizer steps between the start and the trained embeddings, at most 200; None if none."""
    after = trained_embeddings(params, evidence)
    if after is None:
        return None
    return min(MAX_STEPS, max(row.forward.steps for row in after.sources.values())) or None


def training_question(
    params: TrainingParams,
    evidence: Evidence,
    *,
    steps: int | None = None,
    activation_name: str | None = None,
) -> Question | None:
    """Asks the reference to train from the student's start, or None where there is none.

    Args:
        params: names of things.
        evidence: the student's.
        steps: optimizer steps, the handout's number by default.
        activation_name: an accepted activation, by default the one the student's module was found to use.
    """
    chosen_activation = activation_name or find_activation(params, evidence)
    step_count = params.steps if steps is None else steps
    key = ("training", *_training_key(params), chosen_activation, step_count)
    return evidence.memo.get_or_compute(
        key,
        lambda: _build_training_question(
            params, evidence, steps=step_count, activation_name=chosen_activation
        ),
    )


def _build_training_question(
    params: TrainingParams, evidence: Evidence, *, steps: int, activation_name: str
) -> Question | None:
    weights = start_weights(params, evidence)
    inputs = encoded_arrays(evidence, labels=params.labels, shape=params.shape)
    if weights is None or set(inputs) != set(params.labels):
        return None
    if any(array.shape != params.shape or array.dtype.kind != "f" for array in inputs.values()):
        return None
    batch = np.stack([np.asarray(inputs[label], dtype=np.float32) for label in params.labels])
    arrays: dict[str, Array] = {"images": batch}
    for index, array in enumerate(weights):
        arrays[f"w{index}"] = np.asarray(array, dtype=np.float32)
    options: dict[str, Json] = {"activation": activation_name, "steps": steps}
    fields: dict[str, Json] = {"name": params.train, "args": list(arrays), "options": options}
    return make_question("function", fields, arrays)


def reference_embeddings(question: Question | None, evidence: Evidence) -> Array | None:
    """The reference's embeddings; None where there was nothing to ask, or they are none.

    Raises:
        Ours: the reference was gone, which is no student's fault.
    """
    if question is None:
        return None
    answer = evidence.reference_observation(question)
    if answer.status in UNANSWERED:
        raise ReferenceFault(f"the reference did not answer ({answer.status})")
    return answer.arrays.get("out0")
