"""SHP: judges the shapes of a module's inputs and outputs."""

from __future__ import annotations

from dataclasses import replace

from grader.checks.check import CheckOutcome, Evidence, absent, explain_error, passed
from grader.checks.modules import ModuleShapeCheck, call_fields, class_name
from grader.checks.values import equal_values, format_shape
from grader.contrastive.labeled_inputs import LabeledInputsCheck, encoded_values
from grader.contrastive.module_rows import module_rows
from grader.contrastive.studied_module import describe_loose_layers, find_studied_module
from grader.model import Observation


class InputBatch(LabeledInputsCheck):
    """The inputs go into the module as one batch of the expected shape.

    Calls with one input at a time count if they cover all inputs.
    """

    code = "SHP001"
    subjects = ("labels",)

    module: str
    """The handout's name of the class."""

    def describe(self) -> str:
        return f"batch of {self.things} {format_shape((len(self.labels), *self.shape))}"

    def find_doubt(self, evidence: Evidence) -> str:
        return describe_loose_layers(evidence, self.shape)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        batch_shape = (len(self.labels), *self.shape)
        expected = f"a batch of shape {format_shape(batch_shape)}"
        studied = find_studied_module(evidence, self.shape, len(self.labels))
        forwards = [
            forward
            for forward in evidence.recording.forwards
            if studied is None or studied.is_trained(forward) is not None
        ]
        shapes = [forward.inputs[0].shape for forward in forwards if forward.inputs]
        cells = tuple({forward.cell for forward in forwards[:1]})
        if batch_shape in shapes:
            observed = f"the {self.things} went in as a batch of shape {format_shape(batch_shape)}"
            return passed(expected=expected, observed=observed, cells=cells)
        inputs = module_rows(evidence, self.shape)
        calls = {
            id(forward)
            for forward in forwards
            if forward.inputs and forward.inputs[0].shape[-len(self.shape) :] == self.shape
        }
        rows = {id(row.values): row.values for row in inputs if id(row.forward) in calls}.values()
        encoded = encoded_values(evidence, labels=self.labels, shape=self.shape)
        covered = [
            label for label in encoded if any(equal_values(row, encoded[label]) for row in rows)
        ]
        if len(covered) == len(self.labels):
            observed = f"all {self.things} went in, though not as one batch"
            return passed(expected=expected, observed=observed, cells=cells)
        if not shapes:
            observed = f"no module was given {self.things}"
            return absent(expected=expected, observed=observed)
        seen_shapes = ", ".join(sorted({format_shape(shape) for shape in shapes})[:4])
        hint = f"Stack the {self.things} along a new first dimension."
        observed = f"the inputs had shape {seen_shapes}"
        return absent(expected=expected, observed=observed, hint=hint)


class EmbeddingShape(ModuleShapeCheck):
    """The module gives one row of the expected length for each input, whatever the batch size.

    Asked with inputs drawn after the notebook ran; every batch size is worth the same share.
    """

    code = "SHP002"

    features: int
    """Length of one output row."""
    things: str = "inputs"
    """The handout's word for them: 'images'."""

    def describe(self) -> str:
        return f"embeddings (N, {self.features}) for N = {', '.join(map(str, self.batches))}"

    def find_doubt(self, evidence: Evidence) -> str:
        return describe_loose_layers(evidence, self.shape)

    def explain_no_output(self, observation: Observation, index: int) -> str:
        raised = str(call_fields(observation, index).get("error") or "")
        name = class_name(observation, default=self.module)
        why = explain_error(raised, name=name) if raised else f"{name} gave no output"
        sizes = range(len(self.batches))
        if len({str(call_fields(observation, size).get("error")) for size in sizes}) == 1:
            return why
        return f"for N = {self.batches[index]}, {why}"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = f"(N, {self.features}) for every N of {', '.join(map(str, self.batches))}"
        outcome = self.judge_shapes(evidence, output=(self.features,), expected=expected)
        if outcome.share == 1:
            observed = f"the output had shape {expected}"
            return replace(outcome, observed=observed)
        hint = f"Nothing in forward should depend on how many {self.things} come in at once."
        return replace(outcome, hint=hint if outcome.share else "", stops=outcome.share == 0)
