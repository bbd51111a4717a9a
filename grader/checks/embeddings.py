"""EMB: embeddings before and after training, told by their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
from grader.checks.initial_arrays import ArraysParams, join_labels
from grader.checks.labeled_inputs import (
    build_vector_index,
    labeled_vectors,
    namespace,
    requires_grad,
)
from grader.checks.values import equal_arrays
from grader.checks.vector_index import LabeledVector, VectorIndex
from grader.model import Exhibit, Numbers, Question, Stage

STEPS_HINT = "How often does the training loop run, and does its step reach this {maker}?"
"""For who trained nothing."""


class EmbeddingParams(ArraysParams):
    """Where the embeddings are kept."""

    before: str
    """The handout's name for the embeddings before training."""
    after: str
    """The handout's name for the embeddings after training."""
    maker: str = "module"
    """What the handout calls what makes them: 'encoder'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSet:
    """One set of embeddings: a vector a label, and where each was made, if anywhere."""

    name: str
    vectors: Mapping[str, Numbers]
    sources: Mapping[str, LabeledVector]

    @property
    def complete(self) -> bool:
        """Whether every label has a vector that the module made."""
        return len(self.sources) == len(self.vectors) > 0

    @property
    def module(self) -> int:
        """The number of the module that made them."""
        return next(iter(self.sources.values())).forward.module

    def weights_moved(self, evidence: Evidence) -> bool:
        """Whether training had moved the module's weights."""
        return any(weights_moved(evidence, source) for source in self.sources.values())


def weights_moved(evidence: Evidence, labeled_vector: LabeledVector) -> bool:
    """Whether the module's weights were no longer those of its start when it made the row."""
    recording, forward = evidence.recording, labeled_vector.forward
    if forward.module >= len(recording.modules):
        return False
    start = recording.modules[forward.module].start
    if forward.state >= 0 and start is not None:
        return forward.state != start.state
    return any(
        forward.module in step.modules and step.event_index < forward.event_index
        for step in recording.steps
    )


def find_embeddings(
    params: EmbeddingParams, evidence: Evidence, *, name: str, trained: bool
) -> EmbeddingSet | None:
    """Embeddings by the handout's name, or else by what they are; None when there are none."""
    key = ("find", *_embeddings_key(params), name, trained)
    return evidence.memo.get_or_compute(
        key, lambda: _find_embeddings(params, evidence, name=name, trained=trained)
    )


def _embeddings_key(params: EmbeddingParams) -> tuple[object, ...]:
    """What a memo knows the stages of a rubric by."""
    return (params.labels, params.shape, params.before, params.after)


def _find_embeddings(
    params: EmbeddingParams, evidence: Evidence, *, name: str, trained: bool
) -> EmbeddingSet | None:
    vector_index = build_vector_index(evidence, labels=params.labels, shape=params.shape)
    arrays = namespace(evidence)
    named_match = _match_labels(params, vector_index, name=name, array=arrays.get(name))
    if named_match is not None:
        return named_match
    for other_name, array in reversed(list(arrays.items())):
        candidate = _match_labels(params, vector_index, name=other_name, array=array)
        if (
            candidate is None
            or not candidate.complete
            or other_name in {params.before, params.after}
        ):
            continue
        if all(weights_moved(evidence, row) is trained for row in candidate.sources.values()):
            return candidate
    return None


def _match_labels(
    params: EmbeddingParams, vector_index: VectorIndex, *, name: str, array: Numbers | None
) -> EmbeddingSet | None:
    """An array's rows as labeled embeddings; rows that nothing made keep the handout's order."""
    count = len(params.labels)
    if array is None or array.ndim != 2 or array.shape[0] != count:  # noqa: PLR2004 (rows)
        return None
    matches: list[LabeledVector | None] = []
    for position in range(count):
        used = frozenset(row.label for row in matches if row)
        matches.append(vector_index.nearest(array[position], used=used))
    labels = [row.label if row else None for row in matches]
    if len(set(labels)) == count and None not in labels:
        by_label = {row.label: (row, array[i]) for i, row in enumerate(matches) if row}
        return EmbeddingSet(
            name=name,
            vectors={label: _flat(by_label[label][1]) for label in params.labels},
            sources={label: by_label[label][0] for label in params.labels},
        )
    vectors = {label: _flat(array[position]) for position, label in enumerate(params.labels)}
    matched_sources = {params.labels[i]: row for i, row in enumerate(matches) if row}
    return EmbeddingSet(
        name=name, vectors=vectors, sources=matched_sources if len(matched_sources) < count else {}
    )


def _flat(array: Numbers) -> Numbers:
    return np.asarray(array, dtype=np.float64).ravel()


def trained_module(params: EmbeddingParams, evidence: Evidence) -> int | None:
    """The module that made the trained embeddings, or else the one that an optimizer moved."""
    key = ("module", *_embeddings_key(params))
    return evidence.memo.get_or_compute(key, lambda: _trained_module(params, evidence))


def _trained_module(params: EmbeddingParams, evidence: Evidence) -> int | None:
    after = find_embeddings(params, evidence, name=params.after, trained=True)
    if after is not None and after.complete and after.weights_moved(evidence):
        return after.module
    for step in reversed(evidence.recording.steps):
        if step.modules:
            return step.modules[0]
    if after is not None and after.complete:
        return after.module
    rows = labeled_vectors(evidence, labels=params.labels, shape=params.shape)
    return rows[-1].forward.module if rows else None


def module_embeddings(
    params: EmbeddingParams, evidence: Evidence, *, module: int | None, trained: bool
) -> EmbeddingSet | None:
    """What a module last made of the inputs before training, or after it, whoever kept it."""
    key = ("made", *_embeddings_key(params), module, trained)
    return evidence.memo.get_or_compute(
        key, lambda: _module_embeddings(params, evidence, module=module, trained=trained)
    )


def _module_embeddings(
    params: EmbeddingParams, evidence: Evidence, *, module: int | None, trained: bool
) -> EmbeddingSet | None:
    rows = labeled_vectors(evidence, labels=params.labels, shape=params.shape)
    module_rows = [
        r for r in rows if r.forward.module == module and weights_moved(evidence, r) is trained
    ]
    by_label = {row.label: row for row in module_rows}
    if set(by_label) != set(params.labels):
        return None
    vectors = {label: by_label[label].vector for label in params.labels}
    if len({vector.size for vector in vectors.values()}) > 1:
        return None
    return EmbeddingSet(
        name=params.after if trained else params.before, vectors=vectors, sources=by_label
    )


def trained_embeddings(params: EmbeddingParams, evidence: Evidence) -> EmbeddingSet | None:
    """The trained embeddings; where the variable missed them, what the module makes at the end."""
    embeddings = find_embeddings(params, evidence, name=params.after, trained=True)
    if embeddings is not None and embeddings.complete:
        if embeddings.weights_moved(evidence):
            return embeddings
        return (
            module_embeddings(params, evidence, module=embeddings.module, trained=True)
            or embeddings
        )
    module = trained_module(params, evidence)
    return module_embeddings(params, evidence, module=module, trained=True)


def build_exhibit(params: EmbeddingParams, evidence: Evidence) -> Exhibit | None:
    """The embeddings before and after, for the report's table and chart."""
    key = ("exhibit", *_embeddings_key(params))
    return evidence.memo.get_or_compute(key, lambda: _build_exhibit(params, evidence))


def _build_exhibit(params: EmbeddingParams, evidence: Evidence) -> Exhibit | None:
    stages = []
    for title, name, trained in (("before", params.before, False), ("after", params.after, True)):
        embeddings = find_embeddings(params, evidence, name=name, trained=trained)
        if embeddings is not None:
            vectors = np.stack([embeddings.vectors[label] for label in params.labels])
            if np.isfinite(vectors).all():
                stages.append(Stage(name=title, vectors=vectors))
    if not stages or len({stage.vectors.shape for stage in stages}) > 1:
        return None
    return Exhibit(
        title="Embeddings before and after training",
        labels=params.labels,
        stages=tuple(stages),
        caption="Computed from the embeddings that your notebook made when it was graded.",
    )


class EmbeddingsBeforeTraining(Check[EmbeddingParams]):
    """The embeddings before training are the module's output on all inputs, at its start weights.

    Told by value, so their name and the order of their rows are free. Embeddings that are still
    attached to the graph get a note and lose nothing.
    """

    code = "EMB001"
    params = EmbeddingParams

    def title(self, params: EmbeddingParams) -> str:
        """What it checks."""
        return "embeddings before training"

    def questions(self, params: EmbeddingParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: EmbeddingParams) -> tuple[str, ...]:
        """The variable."""
        return (params.before,)

    def judge(self, params: EmbeddingParams, evidence: Evidence) -> CheckOutcome:
        """Compares values with what the module was seen to make."""
        expected = f"the {params.maker}'s output on {join_labels(params.labels)}, before training"
        embeddings = find_embeddings(params, evidence, name=params.before, trained=False)
        if embeddings is None:
            return missing_embeddings(params.before, expected=expected)
        if not all_encoded(params, evidence):
            return incomplete_embeddings(params, expected=expected)
        embedding_exhibit = build_exhibit(params, evidence)
        problem = self._find_problem(params, evidence, embeddings)
        if problem:
            hint = f"Compute it with the {params.maker} you train, before its first step."
            observed = f"{embeddings.name} {problem}"
            return failed(
                expected=expected, observed=observed, hint=hint, exhibit=embedding_exhibit
            )
        note = "Still attached to its graph: harmless here, but .detach() says what is meant."
        hint = note if requires_grad(evidence, embeddings.name) else ""
        return passed(expected=expected, observed="they are", hint=hint, exhibit=embedding_exhibit)

    def _find_problem(
        self, params: EmbeddingParams, evidence: Evidence, embeddings: EmbeddingSet
    ) -> str:
        if not embeddings.complete:
            return f"is not what the {params.maker} made of {join_labels(params.labels)}"
        if embeddings.weights_moved(evidence):
            return "was made after training had moved the weights"
        if not self._is_trained_module(params, evidence, embeddings):
            return f"comes from another {params.maker} than the one that was trained"
        return ""

    def _is_trained_module(
        self, params: EmbeddingParams, evidence: Evidence, embeddings: EmbeddingSet
    ) -> bool:
        after = find_embeddings(params, evidence, name=params.after, trained=True)
        if after is None or not after.complete or not after.weights_moved(evidence):
            return True
        modules_before = {row.forward.module for row in embeddings.sources.values()}
        modules_after = {row.forward.module for row in after.sources.values()}
        return modules_before == modules_after or _have_equal_starts(
            evidence, modules_before | modules_after
        )


def _have_equal_starts(evidence: Evidence, modules: set[int]) -> bool:
    """Whether all these modules began at the same weights."""
    starts = [m.start for i, m in enumerate(evidence.recording.modules) if i in modules]
    start_weights = [start.weights for start in starts if start is not None]
    if len(start_weights) != len(modules) or not start_weights:
        return False
    return all(
        len(weights) == len(start_weights[0])
        and all(equal_arrays(a, b) for a, b in zip(weights, start_weights[0], strict=True))
        for weights in start_weights
    )


class EmbeddingsAfterTraining(Check[EmbeddingParams]):
    """The embeddings after training are the module's output once training moved its weights."""

    code = "EMB002"
    params = EmbeddingParams

    def title(self, params: EmbeddingParams) -> str:
        """What it checks."""
        return "embeddings after training"

    def questions(self, params: EmbeddingParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: EmbeddingParams) -> tuple[str, ...]:
        """The variable."""
        return (params.after,)

    def judge(self, params: EmbeddingParams, evidence: Evidence) -> CheckOutcome:
        """Compares values with what the module was seen to make."""
        output = f"the {params.maker}'s output on {join_labels(params.labels)}"
        expected = f"{output}, after training moved its weights"
        embeddings = find_embeddings(params, evidence, name=params.after, trained=True)
        if embeddings is None:
            return missing_embeddings(params.after, expected=expected)
        if not all_encoded(params, evidence):
            return incomplete_embeddings(params, expected=expected)
        if not embeddings.complete:
            return failed(
                expected=expected,
                observed=f"{embeddings.name} is not what the {params.maker} made of {join_labels(params.labels)}",
            )
        if not embeddings.weights_moved(evidence):
            return failed(
                expected=expected,
                observed=f"the {params.maker}'s weights were still those of the start",
                hint=STEPS_HINT.format(maker=params.maker),
            )
        return passed(expected=expected, observed="they are")


def missing_embeddings(name: str, *, expected: str) -> CheckOutcome:
    """An opinion on embeddings that are not there."""
    return absent(expected=expected, observed=f"no {name} after the notebook ran", names=(name,))


def all_encoded(params: EmbeddingParams, evidence: Evidence) -> bool:
    """Whether a module made a finite embedding of every input."""
    rows = labeled_vectors(evidence, labels=params.labels, shape=params.shape)
    return {row.label for row in rows} == set(params.labels)


def incomplete_embeddings(params: EmbeddingParams, *, expected: str) -> CheckOutcome:
    """An opinion where the module was not seen to make embeddings of all inputs."""
    return absent(
        expected=expected,
        observed=f"the {params.maker} made no finite embeddings of all {params.things}",
    )
