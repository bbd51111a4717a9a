"""SHP: shapes of what goes into a module and of what comes out."""

from __future__ import annotations

from fractions import Fraction

from grader.checks.check import (
    ARRAYS_QUESTION,
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    Params,
    RandomDraws,
    absent,
    make_question,
    passed,
)
from grader.checks.initial_arrays import ArraysParams, format_shape
from grader.checks.labeled_inputs import encoded_values, module_inputs
from grader.checks.layers import call_fields
from grader.checks.values import array_flaw, equal_values
from grader.model import Json, Question


class InputBatchParams(ArraysParams):
    """The inputs that should go in together."""

    module: str
    """The handout's name of the class."""


class EmbeddingShapeParams(Params):
    """Output shapes to expect."""

    module: str
    """The handout's name of the class; another name is found by what was recorded."""
    shape: tuple[int, ...]
    """Shape of one input."""
    features: int
    """Length of one output row."""
    batches: tuple[int, ...]
    """Batch sizes to try; each is worth the same share."""
    things: str = "inputs"
    """What the handout calls them: 'images'."""


class InputBatch(Check[InputBatchParams]):
    """The inputs go into the module as one batch of the expected shape.

    Calls with one input at a time count if they cover all inputs.
    """

    code = "SHP001"
    params = InputBatchParams

    def title(self, params: InputBatchParams) -> str:
        """What it checks."""
        return f"batch of {params.things} {format_shape((len(params.labels), *params.shape))}"

    def questions(self, params: InputBatchParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS_QUESTION, RECORDING_QUESTION)

    def names(self, params: InputBatchParams) -> tuple[str, ...]:
        """The arrays."""
        return params.labels

    def judge(self, params: InputBatchParams, evidence: Evidence) -> CheckOutcome:
        """Looks for the batch among the inputs that were recorded."""
        batch_shape = (len(params.labels), *params.shape)
        expected = f"a batch of shape {format_shape(batch_shape)}"
        shapes = [f.inputs[0].shape for f in evidence.recording.forwards if f.inputs]
        cells = tuple({f.cell for f in evidence.recording.forwards[:1]})
        if batch_shape in shapes:
            return passed(expected=expected, observed="it is", cells=cells)
        rows = {
            id(row.values): row.values for row in module_inputs(evidence, params.shape)
        }.values()
        encoded = encoded_values(evidence, labels=params.labels, shape=params.shape)
        covered = [
            label for label in encoded if any(equal_values(row, encoded[label]) for row in rows)
        ]
        if len(covered) == len(params.labels):
            return passed(
                expected=expected, observed=f"all {params.things}, a few at a time", cells=cells
            )
        if not shapes:
            return absent(
                expected=expected, observed=f"{params.module} was never given {params.things}"
            )
        seen_shapes = ", ".join(sorted({format_shape(shape) for shape in shapes})[:4])
        hint = f"Stack the {params.things} along a new first dimension."
        return absent(expected=expected, observed=f"inputs of shape {seen_shapes}", hint=hint)


class EmbeddingShape(Check[EmbeddingShapeParams]):
    """The module gives one row of the expected length for each input, whatever the batch size.

    Asked with inputs drawn after the notebook ran; every batch size is worth the same share.
    """

    code = "SHP002"
    params = EmbeddingShapeParams

    def title(self, params: EmbeddingShapeParams) -> str:
        """What it checks."""
        sizes = ", ".join(map(str, params.batches))
        return f"embeddings (N, {params.features}) for N = {sizes}"

    def _forward_question(self, params: EmbeddingShapeParams, draws: RandomDraws) -> Question:
        def build_question() -> Question:
            sizes = params.batches
            arrays = {f"x{n}": draws.normal(f"shape{n}", (n, *params.shape)) for n in sizes}
            calls = [[key, None] for key in arrays]
            fields: dict[str, Json] = {"module": params.module, "sets": {}, "calls": calls}
            return make_question("forward", fields, arrays)

        return draws.memo.get_or_compute(("shapes", params), build_question)

    def questions(self, params: EmbeddingShapeParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks the module at every batch size."""
        return (self._forward_question(params, draws),)

    def names(self, params: EmbeddingShapeParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: EmbeddingShapeParams, evidence: Evidence) -> CheckOutcome:
        """Counts the batch sizes that came out right."""
        observation = evidence.observation(self._forward_question(params, evidence.draws))
        right_count, problems = 0, list[str]()
        for index, size in enumerate(params.batches):
            array = observation.arrays.get(f"out{index}")
            if array is None:
                raised = str(call_fields(observation, index).get("error") or "no output")
                problems.append(f"N = {size}: {raised[:160]}")
            elif problem := array_flaw(array, shape=(size, params.features)):
                problems.append(f"N = {size}: {problem}")
            else:
                right_count += 1
        expected = f"(N, {params.features}) for every N of {', '.join(map(str, params.batches))}"
        if right_count == len(params.batches):
            return passed(expected=expected, observed="all of them")
        hint = f"Nothing in forward should depend on how many {params.things} come in at once."
        return CheckOutcome(
            share=Fraction(right_count, len(params.batches)),
            expected=expected,
            observed="; ".join(problems),
            hint=hint if right_count else "",
            unjudged=right_count == 0 and not observation.arrays,
            stops=right_count == 0,
            names=(params.module,),
        )


def _error(calls: Json, index: int) -> str:
    """What a call raised, as far as the answer tells."""
    call = calls[index] if isinstance(calls, list) and index < len(calls) else None
    error = call.get("error") if isinstance(call, dict) else None
    return str(error or "no output")[:160]
