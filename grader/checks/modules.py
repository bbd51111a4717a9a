"""MOD: calls a module of the notebook with drawn inputs, at its own weights or at drawn ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod, sqrt
from typing import TYPE_CHECKING

from grader.checks.check import (
    Check,
    CheckOutcome,
    Evidence,
    SeededRandom,
    explain_error,
    make_question,
    share_without_flaw,
)
from grader.checks.memo import memoized
from grader.checks.values import Size, array_flaw, equals_reference, format_shape
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array


def call_fields(observation: Observation, index: int) -> Mapping[str, Json]:
    """Return the notebook's data about one call of its module; {} where that is malformed."""
    calls = observation.data.get("calls")
    call = calls[index] if isinstance(calls, list) and index < len(calls) else None
    return call if isinstance(call, dict) else {}


def class_name(observation: Observation, *, default: str) -> str:
    """Return the name of the class that answered, which need not be the handout's."""
    name = observation.data.get("class")
    return name if isinstance(name, str) and name.isidentifier() else default


@memoized
def batch_question(
    rng: SeededRandom, *, module: str, shape: tuple[int, ...], batches: tuple[int, ...]
) -> Question:
    """Ask a module for its outputs at its own weights, once for each batch size."""
    arrays = {f"x{n}": rng.normal(f"mod{n}", (n, *shape)) for n in batches}
    calls: list[Json] = [[key, None] for key in arrays]
    return make_question("forward", {"module": module, "sets": {}, "calls": calls}, arrays)


def draw_weight(rng: SeededRandom, label: str, shape: tuple[int, ...]) -> Array:
    """Draw a weight of the size that a fresh module would have, or a bias."""
    scale = 1 / sqrt(prod(shape[1:])) if len(shape) > 1 else 0.1
    return rng.normal(label, shape, scale=scale)


class ModuleCheck(Check):
    """Asks a module for outputs at several batch sizes, and counts those that come out right."""

    subjects = ("module",)

    module: str
    """The handout's name of the class; a class of another name is found by its recorded calls."""
    shape: tuple[Size, ...]
    """Shape of one input."""
    batches: tuple[Size, ...]
    """Batch sizes to try; each is worth the same share."""

    def explain_no_output(self, observation: Observation, index: int) -> str:
        """Say why one call gave no output."""
        if observation.status == "missing":
            return f"no class {self.module} and no other torch module was left when the run ended"
        raised = str(call_fields(observation, index).get("error") or observation.error)
        name = class_name(observation, default=self.module)
        return explain_error(raised, name=name) if raised else f"{name} gave no output"

    def judge_batches(
        self, observation: Observation, *, expected: str, find_flaw: Callable[[int, Array], str]
    ) -> CheckOutcome:
        """Return the share of batch sizes without a flaw.

        Args:
            observation: The notebook's outputs.
            expected: What every output should be.
            find_flaw: From the index of a call and its output to what is wrong with it, or ''.
        """
        outputs = [observation.arrays.get(f"out{index}") for index in range(len(self.batches))]
        return share_without_flaw(
            [
                self.explain_no_output(observation, index)
                if output is None
                else find_flaw(index, output)
                for index, output in enumerate(outputs)
            ],
            expected=expected,
            has_values=bool(observation.arrays),
            name=self.module,
            max_shown=len(outputs),
        )


class ModuleShapeCheck(ModuleCheck):
    """Compares the shapes of a module's outputs, whatever the batch size."""

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        question = batch_question(rng, module=self.module, shape=self.shape, batches=self.batches)
        return (question,)

    def judge_shapes(
        self, evidence: Evidence, *, output: tuple[int, ...], expected: str
    ) -> CheckOutcome:
        """Return the share of batch sizes that give outputs of a shape."""

        def find_flaw(index: int, array: Array) -> str:
            size = self.batches[index]
            problem = array_flaw(array, shape=(size, *output))
            return f"for N = {size}, the output {problem}" if problem else ""

        (question,) = self.questions(evidence.rng)
        observation = evidence.observation(question)
        return self.judge_batches(observation, expected=expected, find_flaw=find_flaw)


class ModuleOutputShape(ModuleShapeCheck):
    """A module gives an output of the expected shape for each input, whatever the batch size."""

    code = "MOD001"

    output: tuple[Size, ...]
    """Shape of one output."""

    def describe(self) -> str:
        return f"output of {self.module} for N = {', '.join(map(str, self.batches))}"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        expected = f"one output of shape {format_shape(self.output)} for each input"
        return self.judge_shapes(evidence, output=self.output, expected=expected)


class ModuleOutputValues(ModuleCheck):
    """At equal weights a module gives the outputs of the reference's function.

    Asked at weights and inputs drawn after the notebook ran (rtol 1e-4, atol 1e-5). Parameters
    are matched by the handout's names, where they have those, else by shape.
    """

    code = "MOD002"
    title = "{module} at weights of ours"
    reference_names = ("counterpart",)

    weights: tuple[tuple[Size, ...], ...]
    """Shapes of the parameters, in the order in which the reference's function takes them."""
    names: tuple[str, ...] = ()
    """The handout's names of the parameters: 'query.weight'. Others are matched by their shape."""
    counterpart: str
    """Name of the reference's function: (inputs, *weights) to outputs."""

    def weight_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.weights

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return (_question_at_weights(rng, self),)

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return _reference_questions(rng, self)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        reference_outputs = [
            evidence.reference_array(question) for question in self.constant_questions(evidence.rng)
        ]
        (question,) = self.questions(evidence.rng)
        observation = evidence.observation(question)

        def find_flaw(index: int, output: Array) -> str:
            unmatched = call_fields(observation, index).get("unmatched")
            if unmatched:
                shape = format_shape(tuple(unmatched[0]))
                name = class_name(observation, default=self.module)
                return f"{name} has no parameter of shape {shape}"
            reference_output = reference_outputs[index]
            if problem := array_flaw(output, shape=reference_output.shape):
                return f"the output {problem}"
            matches = equals_reference(output, reference_output)
            return (
                ""
                if matches
                else "at equal weights, the output is another than that of the definition"
            )

        expected = "at equal weights, the output is that of the definition"
        return self.judge_batches(observation, expected=expected, find_flaw=find_flaw)


def _draw_arrays(check: ModuleOutputValues, rng: SeededRandom) -> dict[str, Array]:
    inputs = {f"x{n}": rng.normal(f"x{n}", (n, *check.shape)) for n in check.batches}
    weights = {f"w{i}": draw_weight(rng, f"w{i}", shape) for i, shape in enumerate(check.weights)}
    return inputs | weights


@memoized
def _question_at_weights(rng: SeededRandom, check: ModuleOutputValues) -> Question:
    arrays = _draw_arrays(check, rng)
    fields: dict[str, Json] = {
        "module": check.module,
        "sets": {"ours": [key for key in arrays if key.startswith("w")]},
        "calls": [[f"x{n}", "ours"] for n in check.batches],
        "names": list(check.names),
    }
    return make_question("forward", fields, arrays)


@memoized
def _reference_questions(rng: SeededRandom, check: ModuleOutputValues) -> tuple[Question, ...]:
    arrays = _draw_arrays(check, rng)
    weight_keys = [key for key in arrays if key.startswith("w")]
    questions = []
    for batch in check.batches:
        keys = [f"x{batch}", *weight_keys]
        fields: dict[str, Json] = {"name": check.counterpart, "args": keys}
        questions.append(make_question("function", fields, {key: arrays[key] for key in keys}))
    return tuple(questions)
