"""SHP: shapes of what goes into a module and of what comes out."""

from __future__ import annotations

from fractions import Fraction

from grader.checks.check import (
    ARRAYS,
    RECORDING,
    Check,
    Draws,
    Evidence,
    Opinion,
    Params,
    absent,
    passed,
    question,
)
from grader.checks.initial_arrays import ArraysParams, in_words
from grader.checks.labeled_inputs import inputs_of, known_values
from grader.checks.layers import told
from grader.checks.values import equal, flaw
from grader.model import Json, Question


class BatchParams(ArraysParams):
    """The inputs that should go in together."""

    module: str
    """The handout's name of the class."""


class OutputParams(Params):
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


class Batch(Check[BatchParams]):
    """The inputs go into the module as one batch of the expected shape.

    Calls with one input at a time count if they cover all inputs.
    """

    code = "SHP001"
    params = BatchParams

    def title(self, params: BatchParams) -> str:
        """What it checks."""
        return f"batch of {params.things} {in_words((len(params.labels), *params.shape))}"

    def questions(self, params: BatchParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: BatchParams) -> tuple[str, ...]:
        """The arrays."""
        return params.labels

    def judge(self, params: BatchParams, evidence: Evidence) -> Opinion:
        """Looks for the batch among the inputs that were recorded."""
        whole = (len(params.labels), *params.shape)
        expected = f"a batch of shape {in_words(whole)}"
        shapes = [f.inputs[0].shape for f in evidence.recording.forwards if f.inputs]
        cells = tuple({f.cell for f in evidence.recording.forwards[:1]})
        if whole in shapes:
            return passed(expected=expected, found="it is", cells=cells)
        rows = {id(row.values): row.values for row in inputs_of(evidence, params.shape)}.values()
        known = known_values(evidence, labels=params.labels, shape=params.shape)
        covered = [label for label in known if any(equal(row, known[label]) for row in rows)]
        if len(covered) == len(params.labels):
            return passed(
                expected=expected, found=f"all {params.things}, a few at a time", cells=cells
            )
        if not shapes:
            return absent(
                expected=expected, found=f"{params.module} was never given {params.things}"
            )
        seen = ", ".join(sorted({in_words(shape) for shape in shapes})[:4])
        hint = f"Stack the {params.things} along a new first dimension."
        return absent(expected=expected, found=f"inputs of shape {seen}", hint=hint)


class Outputs(Check[OutputParams]):
    """The module gives one row of the expected length for each input, whatever the batch size.

    Asked with inputs drawn after the notebook ran; every batch size is worth the same share.
    """

    code = "SHP002"
    params = OutputParams

    def title(self, params: OutputParams) -> str:
        """What it checks."""
        sizes = ", ".join(map(str, params.batches))
        return f"embeddings (N, {params.features}) for N = {sizes}"

    def _asked(self, params: OutputParams, draws: Draws) -> Question:
        def made() -> Question:
            sizes = params.batches
            arrays = {f"x{n}": draws.normal(f"shape{n}", (n, *params.shape)) for n in sizes}
            calls = [[key, None] for key in arrays]
            asked: dict[str, Json] = {"module": params.module, "sets": {}, "calls": calls}
            return question("forward", asked, arrays)

        return draws.memo.once(("shapes", params), made)

    def questions(self, params: OutputParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the module at every batch size."""
        return (self._asked(params, draws),)

    def names(self, params: OutputParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: OutputParams, evidence: Evidence) -> Opinion:
        """Counts the batch sizes that came out right."""
        observation = evidence.observed(self._asked(params, evidence.draws))
        right, found = 0, list[str]()
        for place, size in enumerate(params.batches):
            array = observation.arrays.get(f"out{place}")
            if array is None:
                raised = str(told(observation, place).get("error") or "no output")
                found.append(f"N = {size}: {raised[:160]}")
            elif wrong := flaw(array, shape=(size, params.features)):
                found.append(f"N = {size}: {wrong}")
            else:
                right += 1
        expected = f"(N, {params.features}) for every N of {', '.join(map(str, params.batches))}"
        if right == len(params.batches):
            return passed(expected=expected, found="all of them")
        hint = f"Nothing in forward should depend on how many {params.things} come in at once."
        return Opinion(
            share=Fraction(right, len(params.batches)),
            expected=expected,
            found="; ".join(found),
            hint=hint if right else "",
            unjudged=right == 0 and not observation.arrays,
            stops=right == 0,
            names=(params.module,),
        )


def _error(calls: Json, place: int) -> str:
    """What a call raised, as far as the answer tells."""
    told = calls[place] if isinstance(calls, list) and place < len(calls) else None
    error = told.get("error") if isinstance(told, dict) else None
    return str(error or "no output")[:160]
