"""EMB: judges embeddings before and after training, recognized by their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, absent, failed, passed
from grader.checks.memo import memoized
from grader.checks.values import as_float64, equal_arrays
from grader.contrastive.labeled_inputs import (
    LabeledInputsCheck,
    array_fields,
    build_vector_index,
    labeled_vectors,
    namespace,
)
from grader.contrastive.vector_index import LabeledVector
from grader.model import Exhibit, Stage

if TYPE_CHECKING:
    from grader.model import Array, Numbers

STEPS_HINT = "How often does the training loop run, and does its step reach this {maker}?"
"""The hint where nothing was trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingNames:
    """The labels and shape of a rubric's inputs, and the handout's variables for embeddings."""

    labels: tuple[str, ...]
    shape: tuple[int, ...]
    before: str
    after: str


class EmbeddingCheck(LabeledInputsCheck):
    """Judges the embeddings of labeled inputs before and after training."""

    before: str
    """The handout's name for the embeddings before training."""
    after: str
    """The handout's name for the embeddings after training."""
    maker: str = "module"
    """The handout's word for the module that makes them: 'encoder'."""

    @property
    def embedding_names(self) -> EmbeddingNames:
        """Labels, shape and variables of its embeddings; equal for all checks of one rubric."""
        return EmbeddingNames(
            labels=self.labels, shape=self.shape, before=self.before, after=self.after
        )

    def missing_embeddings(self, name: str, *, expected: str) -> CheckOutcome:
        """Return the outcome where a variable is absent."""
        observed = f"no {name} after the notebook ran"
        return absent(expected=expected, observed=observed, names=(name,))

    def incomplete_embeddings(self, *, expected: str) -> CheckOutcome:
        """Return the outcome where no module made embeddings of all inputs."""
        observed = f"the {self.maker} made no finite embeddings of all {self.things}"
        return absent(expected=expected, observed=observed)

    def build_exhibit(self, evidence: Evidence) -> Exhibit | None:
        """Return the embeddings before and after, for the report's table and chart."""
        return _build_exhibit(evidence, self.embedding_names)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingSet:
    """One set of embeddings: a vector for each label, and the recorded output it came from."""

    name: str
    """The variable that holds them, or should."""
    vectors: Mapping[str, Numbers]
    sources: Mapping[str, LabeledVector]
    """By label, the recorded output of a module that equals the vector, where there is one."""

    @property
    def complete(self) -> bool:
        """Whether every vector is a recorded output of a module."""
        return len(self.sources) == len(self.vectors) > 0

    @property
    def module(self) -> int:
        """The index of the module that made them."""
        return next(iter(self.sources.values())).forward.module

    def weights_moved(self, evidence: Evidence) -> bool:
        """Return whether any of them was made at weights that training had changed."""
        return any(weights_moved(evidence, source) for source in self.sources.values())

    def stack(self, labels: tuple[str, ...]) -> Numbers:
        """Return the vectors as rows, in the order of the labels."""
        return np.stack([self.vectors[label] for label in labels])


def weights_moved(evidence: Evidence, labeled_vector: LabeledVector) -> bool:
    """Return whether the module's weights had changed since its start when it made a vector."""
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


@memoized
def find_embeddings(
    evidence: Evidence, names: EmbeddingNames, *, trained: bool
) -> EmbeddingSet | None:
    """Return the embeddings in the handout's variable, else in one that holds them, or None."""
    arrays = namespace(evidence)
    name = names.after if trained else names.before
    named_match = _match_labels(evidence, names, name=name, array=arrays.get(name))
    if named_match is not None:
        return named_match
    for other_name, array in reversed(list(arrays.items())):
        if other_name in {names.before, names.after}:
            continue
        candidate = _match_labels(evidence, names, name=other_name, array=array)
        if candidate is None or not candidate.complete:
            continue
        if all(weights_moved(evidence, row) is trained for row in candidate.sources.values()):
            return candidate
    return None


def _match_labels(
    evidence: Evidence, names: EmbeddingNames, *, name: str, array: Array | None
) -> EmbeddingSet | None:
    """Return an array's rows by label; if some are no module's output, in the handout's order."""
    labels = names.labels
    if array is None or array.ndim != 2 or len(array) != len(labels):  # noqa: PLR2004 (rows)
        return None
    vector_index = build_vector_index(evidence, labels=labels, shape=names.shape)
    matches: list[LabeledVector | None] = []
    for vector in array:
        used = frozenset(row.label for row in matches if row)
        matches.append(vector_index.nearest(vector, used=used))
    rows = [as_float64(vector).ravel() for vector in array]
    positions = {match.label: position for position, match in enumerate(matches) if match}
    if len(positions) == len(labels):
        return EmbeddingSet(
            name=name,
            vectors={label: rows[positions[label]] for label in labels},
            sources={label: row for label in labels if (row := matches[positions[label]])},
        )
    sources = {label: row for label, row in zip(labels, matches, strict=True) if row}
    return EmbeddingSet(
        name=name,
        vectors=dict(zip(labels, rows, strict=True)),
        sources=sources if len(sources) < len(labels) else {},
    )


@memoized
def trained_module(evidence: Evidence, names: EmbeddingNames) -> int | None:
    """Return the module that made the trained embeddings, or else one that an optimizer moved."""
    after = find_embeddings(evidence, names, trained=True)
    if after is not None and after.complete and after.weights_moved(evidence):
        return after.module
    for step in reversed(evidence.recording.steps):
        if step.modules:
            return step.modules[0]
    if after is not None and after.complete:
        return after.module
    rows = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    return rows[-1].forward.module if rows else None


@memoized
def module_embeddings(
    evidence: Evidence, names: EmbeddingNames, *, module: int | None, trained: bool
) -> EmbeddingSet | None:
    """Return a module's last recorded outputs for all inputs, before or after training."""
    rows = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    by_label = {
        row.label: row
        for row in rows
        if row.forward.module == module and weights_moved(evidence, row) is trained
    }
    if set(by_label) != set(names.labels):
        return None
    vectors = {label: by_label[label].vector for label in names.labels}
    if len({vector.size for vector in vectors.values()}) > 1:
        return None
    name = names.after if trained else names.before
    return EmbeddingSet(name=name, vectors=vectors, sources=by_label)


def trained_embeddings(evidence: Evidence, names: EmbeddingNames) -> EmbeddingSet | None:
    """Return the trained embeddings; if no variable holds them, the module's last outputs."""
    embeddings = find_embeddings(evidence, names, trained=True)
    if embeddings is None or not embeddings.complete:
        module = trained_module(evidence, names)
        return module_embeddings(evidence, names, module=module, trained=True)
    if embeddings.weights_moved(evidence):
        return embeddings
    module = embeddings.module
    return module_embeddings(evidence, names, module=module, trained=True) or embeddings


@memoized
def _build_exhibit(evidence: Evidence, names: EmbeddingNames) -> Exhibit | None:
    stages = []
    for title, trained in (("before", False), ("after", True)):
        embeddings = find_embeddings(evidence, names, trained=trained)
        if embeddings is not None:
            vectors = embeddings.stack(names.labels)
            if np.isfinite(vectors).all():
                stages.append(Stage(name=title, vectors=vectors))
    if not stages or len({stage.vectors.shape for stage in stages}) > 1:
        return None
    return Exhibit(
        title="Embeddings before and after training",
        labels=names.labels,
        stages=tuple(stages),
        caption="Computed from the embeddings that your notebook made when it was graded.",
    )


def join_labels(labels: tuple[str, ...]) -> str:
    """Return labels as a list in words: 'a, b and c'."""
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


class EmbeddingsBeforeTraining(EmbeddingCheck):
    """The embeddings before training are the module's output on all inputs, at its start weights.

    Recognized by their values, so their name and the order of their rows are free. Embeddings that
    are still attached to the graph get a note and lose nothing.
    """

    code = "EMB001"
    title = "embeddings before training"
    subjects = ("before",)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = f"the {self.maker}'s output on {join_labels(self.labels)}, before training"
        embeddings = find_embeddings(evidence, self.embedding_names, trained=False)
        if embeddings is None:
            return self.missing_embeddings(self.before, expected=expected)
        if not self.all_encoded(evidence):
            return self.incomplete_embeddings(expected=expected)
        exhibit = self.build_exhibit(evidence)
        problem = self._find_problem(evidence, embeddings)
        if problem:
            hint = f"Compute it with the {self.maker} you train, before its first step."
            observed = f"{embeddings.name} {problem}"
            return failed(expected=expected, observed=observed, hint=hint, exhibit=exhibit)
        note = "Still attached to its graph: harmless here, but .detach() says what is meant."
        attached = array_fields(evidence, embeddings.name).get("grad") is True
        hint = note if attached else ""
        return passed(expected=expected, observed="they are", hint=hint, exhibit=exhibit)

    def _find_problem(self, evidence: Evidence, embeddings: EmbeddingSet) -> str:
        if not embeddings.complete:
            return f"is not what the {self.maker} made of {join_labels(self.labels)}"
        if embeddings.weights_moved(evidence):
            return "was made after training had moved the weights"
        if not self._is_trained_module(evidence, embeddings):
            return f"comes from another {self.maker} than the one that was trained"
        return ""

    def _is_trained_module(self, evidence: Evidence, embeddings: EmbeddingSet) -> bool:
        after = find_embeddings(evidence, self.embedding_names, trained=True)
        if after is None or not after.complete or not after.weights_moved(evidence):
            return True
        modules_before = {row.forward.module for row in embeddings.sources.values()}
        modules_after = {row.forward.module for row in after.sources.values()}
        return modules_before == modules_after or _have_equal_starts(
            evidence, modules_before | modules_after
        )


def _have_equal_starts(evidence: Evidence, modules: set[int]) -> bool:
    """Return whether all these modules began at the same weights."""
    starts = [m.start for i, m in enumerate(evidence.recording.modules) if i in modules]
    start_weights = [start.weights for start in starts if start is not None]
    if len(start_weights) != len(modules) or not start_weights:
        return False
    return all(
        len(weights) == len(start_weights[0])
        and all(equal_arrays(a, b) for a, b in zip(weights, start_weights[0], strict=True))
        for weights in start_weights
    )


class EmbeddingsAfterTraining(EmbeddingCheck):
    """The embeddings after training are the module's output once training moved its weights."""

    code = "EMB002"
    title = "embeddings after training"
    subjects = ("after",)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        labels = join_labels(self.labels)
        expected = f"the {self.maker}'s output on {labels}, after training moved its weights"
        embeddings = find_embeddings(evidence, self.embedding_names, trained=True)
        if embeddings is None:
            return self.missing_embeddings(self.after, expected=expected)
        if not self.all_encoded(evidence):
            return self.incomplete_embeddings(expected=expected)
        if not embeddings.complete:
            observed = f"{embeddings.name} is not what the {self.maker} made of {labels}"
            return failed(expected=expected, observed=observed)
        if not embeddings.weights_moved(evidence):
            return failed(
                expected=expected,
                observed=f"the {self.maker}'s weights were still those of the start",
                hint=STEPS_HINT.format(maker=self.maker),
            )
        return passed(expected=expected, observed="they are")
