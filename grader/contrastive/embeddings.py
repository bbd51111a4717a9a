"""EMB: judges embeddings before and after training, recognized by their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, absent, failed, passed
from grader.checks.memo import memoized
from grader.contrastive.embedding_sets import (
    EmbeddingSet,
    is_as_close,
    match_rows,
    point_alike,
    take_in_order,
)
from grader.contrastive.labeled_inputs import (
    LabeledInputsCheck,
    array_fields,
    is_defined,
    labeled_vectors,
    labels_left_out,
)
from grader.contrastive.loss_guard import judge_guarded_loss
from grader.contrastive.studied_module import (
    StudiedModule,
    describe_loose_layers,
    find_studied_module,
    held_arrays,
    split_vectors,
)
from grader.contrastive.vector_index import LabeledVector, VectorIndex
from grader.model import Exhibit, Stage

CAPTION = "Computed from the embeddings that your notebook made when it was graded."
AGAIN_CAPTION = (
    "Computed when your notebook had ended, from what its modules make of its inputs: it kept no "
    "embeddings of that stage."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingNames:
    """The labels and shape of a rubric's inputs, and the handout's variables for embeddings."""

    labels: tuple[str, ...]
    shape: tuple[int, ...]
    before: str
    after: str

    @property
    def holders(self) -> tuple[str, ...]:
        """The variables that tell which module counts, the most important one first."""
        return (self.after, self.before)


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

    def find_doubt(self, evidence: Evidence) -> str:
        return describe_loose_layers(evidence, self.shape)

    def missing_embeddings(self, name: str, *, expected: str) -> CheckOutcome:
        """Return the outcome where a variable is absent."""
        observed = f"there was no `{name}` when the run ended"
        return absent(expected=expected, observed=observed, names=(name,))

    def judge_unmade(self, evidence: Evidence, name: str, *, expected: str) -> CheckOutcome:
        """Return the outcome for a variable where no module made embeddings of all inputs."""
        if is_defined(evidence, name):
            return self.incomplete_embeddings(evidence, expected=expected)
        return self.missing_embeddings(name, expected=expected)

    def incomplete_embeddings(self, evidence: Evidence, *, expected: str) -> CheckOutcome:
        """Return the outcome where no module made embeddings of all inputs."""
        observed = f"the {self.maker} made no finite embeddings of all {self.things}"
        left_out = labels_left_out(evidence, labels=self.labels, shape=self.shape)
        if left_out:
            observed = f"{join_labels(left_out)} did not go into the {self.maker}"
        return absent(expected=expected, observed=observed)

    def build_exhibit(self, evidence: Evidence) -> Exhibit | None:
        """Return the embeddings before and after, for the report's table and chart."""
        return _build_exhibit(evidence, self.embedding_names)


def studied_module(evidence: Evidence, names: EmbeddingNames) -> StudiedModule | None:
    """Return the module under study."""
    return find_studied_module(evidence, names.shape, len(names.labels), names.holders)


def hint_at_training(evidence: Evidence, names: EmbeddingNames, maker: str) -> str:
    """Return a hint for embeddings that are not of trained weights."""
    studied = studied_module(evidence, names)
    if studied is not None and studied.later:
        return f"Compute them with the {maker} you train, after its last step."
    if studied is not None and evidence.recording.first_step(studied.index) is not None:
        return "Did the optimizer's steps change the weights, and did nothing set them back after?"
    return f"How often does the training loop run, and does its step reach this {maker}?"


def studied_rows(
    evidence: Evidence, names: EmbeddingNames, *, trained: bool
) -> tuple[LabeledVector, ...]:
    """Return the vectors of the module under study at one stage, in order."""
    studied = studied_module(evidence, names)
    if studied is None:
        return ()
    rows = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    return tuple(row for row in rows if studied.is_trained(row.forward) is trained)


@memoized
def held_embeddings(
    evidence: Evidence, names: EmbeddingNames, *, trained: bool
) -> EmbeddingSet | None:
    """Return what the handout's variable holds, told apart by label; None for no such vectors.

    Rows, columns, nested lists and more vectors than labels are fine. Vectors of the stage are
    looked for first, then those of the other one, then those of other modules.
    """
    name = names.after if trained else names.before
    rows = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    studied = frozenset(map(id, studied_rows(evidence, names, trained=trained)))
    other = frozenset(map(id, studied_rows(evidence, names, trained=not trained)))
    groups = (
        [row for row in rows if id(row) in studied],
        [row for row in rows if id(row) in other],
        [row for row in rows if id(row) not in studied | other],
    )
    arrays = held_arrays(evidence, name)
    sizes = frozenset(row.vector.size for row in rows)
    if not rows:  # nothing was recorded, so that any rows may be the embeddings
        sizes = frozenset(a.shape[1] for a in arrays if a.ndim == 2)  # noqa: PLR2004 (rows)
    held = [vector for array in arrays for vector in split_vectors(array, sizes)]
    if not held:
        return None
    matches = [match_rows(held, group, labels=names.labels, name=name) for group in groups]
    before = matches[1] if trained else None
    if before is not None and matches[0] is not None and is_as_close(before, matches[0]):
        return before  # what the start's weights make cannot show that they moved
    complete = next((match for match in matches if match is not None), None)
    return complete or take_in_order(held, rows, names.labels, name=name)


@memoized
def recorded_embeddings(
    evidence: Evidence, names: EmbeddingNames, *, trained: bool, apart: bool = False
) -> EmbeddingSet | None:
    """Return the last vectors of the module under study for all inputs at a stage, or None.

    Args:
        evidence: The student's.
        names: Labels, shape and variables.
        trained: Whether after training.
        apart: Whether only calls count that the notebook made for the vectors' own sake: not
            those from which a loss was computed, nor those made when it had ended.
    """
    rows = studied_rows(evidence, names, trained=trained)
    by_label = {
        row.label: row for row in rows if not apart or not (row.forward.pulled or row.forward.again)
    }
    if any(row.forward.again for row in by_label.values()):
        by_label = _made_before(rows, by_label) or by_label
    if set(by_label) != set(names.labels):
        return None
    vectors = {label: by_label[label].vector for label in names.labels}
    if len({vector.size for vector in vectors.values()}) > 1:
        return None
    name = names.after if trained else names.before
    return EmbeddingSet(name=name, vectors=vectors, sources=by_label)


def _made_before(
    rows: Sequence[LabeledVector], again: Mapping[str, LabeledVector]
) -> dict[str, LabeledVector]:
    """Return the notebook's own vectors that those made when it had ended equal; {} if not all."""
    index = VectorIndex([row for row in rows if not row.forward.again])
    own = {
        label: row
        for label, vector in again.items()
        if (row := index.nearest(vector.vector)) is not None and row.label == label
    }
    return own if len(own) == len(again) else {}


@memoized
def stood_in_embeddings(
    evidence: Evidence, names: EmbeddingNames, *, trained: bool
) -> EmbeddingSet | None:
    """Return the embeddings of a stage where the handout's variable holds none; None if not made.

    Where that variable holds something else, or was asked for and not there, nothing stands in for
    it; where it was used again for points in the plane, or has another name, what was made does.
    """
    name = names.after if trained else names.before
    if is_defined(evidence, name) and not held_arrays(evidence, name):
        return None
    if any(
        run.error is not None and run.error.name == "NameError" and f"'{name}'" in run.error.message
        for run in evidence.record.cells
    ):
        return None
    recorded = recorded_embeddings(evidence, names, trained=trained, apart=True)
    if recorded is not None or trained or is_defined(evidence, name):
        return recorded
    if any(name in cell.source for cell in evidence.notebook.cells if cell.kind == "code"):
        return None
    return recorded_embeddings(evidence, names, trained=False)


def stage_embeddings(
    evidence: Evidence, names: EmbeddingNames, *, trained: bool
) -> EmbeddingSet | None:
    """Return a stage's embeddings: those in the handout's variable, else those the module made.

    Where the variable holds what another module made, those are the student's.
    """
    held = held_embeddings(evidence, names, trained=trained)
    # Where they are of the other stage, the module under study has those of this one.
    is_other_stage = held is not None and is_of_stage(evidence, names, held, trained=not trained)
    if held is not None and held.complete and not is_other_stage:
        return held
    recorded = recorded_embeddings(evidence, names, trained=trained)
    if recorded or held is None or not (held.vectors and held.in_order):
        return recorded
    # Rows of the variable are labeled by their order alone: not where other inputs went in.
    is_of_others = labels_left_out(evidence, labels=names.labels, shape=names.shape)
    return None if is_of_others else held


def is_of_stage(
    evidence: Evidence, names: EmbeddingNames, embeddings: EmbeddingSet, *, trained: bool
) -> bool:
    """Return whether the module under study made all of them at a stage."""
    studied = studied_module(evidence, names)
    return (studied is not None and embeddings.complete) and all(
        studied.is_trained(row.forward) is trained for row in embeddings.sources.values()
    )


def _warn_of_other(evidence: Evidence, names: EmbeddingNames) -> str:
    """Return a sentence where the start's variable holds what another module made, or nothing."""
    held = held_embeddings(evidence, names, trained=False)
    is_own = held is not None and any(
        is_of_stage(evidence, names, held, trained=trained) for trained in (False, True)
    )
    if held is None or not held.complete or is_own:
        return ""
    return f" `{names.before}` comes from a module that was not trained: no point moved from there."


def _warn_of_held(
    evidence: Evidence, names: EmbeddingNames, shown: EmbeddingSet, *, trained: bool
) -> str:
    """Return a sentence where a stage's variable holds other vectors than are shown, or nothing."""
    held = held_embeddings(evidence, names, trained=trained)
    if held is None or held is shown or point_alike(held, shown):
        return ""
    return f" `{shown.name}` holds other vectors than these: what is computed from it differs."


@memoized
def _build_exhibit(evidence: Evidence, names: EmbeddingNames) -> Exhibit | None:
    stages, is_again, warnings = [], False, [_warn_of_other(evidence, names)]
    for title, trained in (("before", False), ("after", True)):
        embeddings = stage_embeddings(evidence, names, trained=trained)
        if embeddings is not None:
            vectors = embeddings.stack(names.labels)
            is_again |= any(row.forward.again for row in embeddings.sources.values())
            if np.isfinite(vectors).all():
                stages.append(Stage(name=title, vectors=vectors))
                warnings.append(_warn_of_held(evidence, names, embeddings, trained=trained))
    if not stages or len({stage.vectors.shape for stage in stages}) > 1:
        return None
    return Exhibit(
        title="Embeddings before and after training",
        labels=names.labels,
        stages=tuple(stages),
        caption="".join([AGAIN_CAPTION if is_again else CAPTION, *warnings]),
    )


def join_labels(labels: tuple[str, ...]) -> str:
    """Return labels as a list in words: 'a, b and c'."""
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))


class StageCheck(EmbeddingCheck):
    """Judges whether the embeddings of one stage were made, and kept."""

    trained: ClassVar[bool]
    """Whether after training."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        names, trained = self.embedding_names, self.trained
        name = self.after if trained else self.before
        expected = self.describe_expected()
        if not self.all_encoded(evidence):
            return self.judge_unmade(evidence, name, expected=expected)
        exhibit = None if trained else self.build_exhibit(evidence)
        held = held_embeddings(evidence, names, trained=trained)
        if held is None:
            return self._judge_absent(evidence, name, expected=expected)
        if not held.complete:
            observed = self._describe_held(held)
            outcome = failed(expected=expected, observed=observed, exhibit=exhibit)
            return self.unless_gaps(evidence, outcome)
        if not is_of_stage(evidence, names, held, trained=trained):
            return self.judge_other_stage(evidence, held, expected=expected)
        observed = f"`{name}` holds what the {self.maker} made of {join_labels(self.labels)}."
        hint = self.note_for(evidence, name)
        return passed(expected=expected, observed=observed, hint=hint, exhibit=exhibit)

    def describe_expected(self) -> str:
        """Return what is expected."""
        raise NotImplementedError

    def judge_other_stage(
        self, evidence: Evidence, held: EmbeddingSet, *, expected: str
    ) -> CheckOutcome:
        """Return the outcome for vectors of a module that are not of this stage."""
        raise NotImplementedError

    def note_for(self, evidence: Evidence, name: str) -> str:
        """Return a note on right embeddings, or ''."""
        return ""

    def _describe_held(self, held: EmbeddingSet) -> str:
        """Return in what a variable with other vectors differs."""
        there, missing = (
            tuple(label for label in self.labels if (label in held.matching) is is_there)
            for is_there in (True, False)
        )
        if there and missing:
            embedding = "an embedding" if len(there) == 1 else "embeddings"
            return (
                f"`{held.name}` holds {embedding} of {join_labels(there)}, but none of "
                f"{join_labels(missing)}."
            )
        return f"`{held.name}` is not what the {self.maker} made of {join_labels(self.labels)}."

    def unless_gaps(self, evidence: Evidence, outcome: CheckOutcome) -> CheckOutcome:
        """Return an outcome; where the recording of a very long run has gaps, for a person."""
        if evidence.recording.complete:
            return outcome
        observed = "The notebook calls modules so often that not all of its calls were kept."
        return replace(outcome, observed=observed, pending=True)

    def _judge_absent(self, evidence: Evidence, name: str, *, expected: str) -> CheckOutcome:
        stood_in = stood_in_embeddings(evidence, self.embedding_names, trained=self.trained)
        if stood_in is not None:
            stage = "after" if self.trained else "before"
            observed = f"The {self.maker} made {stage} training what `{name}` should hold."
            exhibit = None if self.trained else self.build_exhibit(evidence)
            return passed(expected=expected, observed=observed, exhibit=exhibit)
        if is_defined(evidence, name):
            observed = f"`{name}` does not hold embeddings of {join_labels(self.labels)}."
            return failed(expected=expected, observed=observed)
        return self.unless_gaps(evidence, self.missing_embeddings(name, expected=expected))


class EmbeddingsBeforeTraining(StageCheck):
    """The embeddings before training are the module's output on all inputs, at its start weights.

    Recognized by their values, so the order of their rows and the form in which the handout's
    variable holds them are free. Where it has another name, it counts that the module made them
    apart from the loss. Where the handout's variable holds something else, nothing stands in for
    it. Embeddings that are still attached to the graph get a note and lose nothing.
    """

    code = "EMB001"
    title = "embeddings before training"
    subjects = ("before",)
    trained = False

    def describe_expected(self) -> str:
        return f"the {self.maker}'s output on {join_labels(self.labels)}, before training"

    def judge_other_stage(
        self, evidence: Evidence, held: EmbeddingSet, *, expected: str
    ) -> CheckOutcome:
        after = is_of_stage(evidence, self.embedding_names, held, trained=True)
        problem = (
            "was made after training had moved the weights"
            if after
            else f"comes from another {self.maker} than the one that goes through the training"
        )
        return failed(
            expected=expected,
            observed=f"`{held.name}` {problem}.",
            hint=f"Compute it with the {self.maker} you train, before its first step.",
            exhibit=self.build_exhibit(evidence),
        )

    def note_for(self, evidence: Evidence, name: str) -> str:
        if array_fields(evidence, name).get("grad") is not True:
            return ""
        return (
            "It is still attached to its graph. That is harmless here, but `.detach()` says what "
            "is meant."
        )


class EmbeddingsAfterTraining(StageCheck):
    """The embeddings after training are the module's output once training moved its weights.

    A copy of the module, another one with its weights loaded, or an average over its steps counts
    as it.
    """

    code = "EMB002"
    title = "embeddings after training"
    subjects = ("after",)
    trained = True

    def describe_expected(self) -> str:
        labels = join_labels(self.labels)
        return f"the {self.maker}'s output on {labels}, after training moved its weights"

    def judge_other_stage(
        self, evidence: Evidence, held: EmbeddingSet, *, expected: str
    ) -> CheckOutcome:
        studied = studied_module(evidence, self.embedding_names)
        hint = hint_at_training(evidence, self.embedding_names, self.maker)
        if is_of_stage(evidence, self.embedding_names, held, trained=False):
            return judge_guarded_loss(evidence, studied, expected=expected) or failed(
                expected=expected,
                observed=f"The weights that made `{held.name}` were still those of the start.",
                hint=hint,
            )
        return failed(
            expected=expected,
            observed=f"`{held.name}` comes from another {self.maker} than the trained one.",
            hint=hint,
        )
