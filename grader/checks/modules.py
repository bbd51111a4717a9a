"""MOD: what a module gives at inputs of ours, with its own weights and with ours."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod, sqrt
from typing import TYPE_CHECKING, Self, TypeVar

from grader.checks.check import (
    Check,
    CheckOutcome,
    Evidence,
    Params,
    RandomDraws,
    ReferenceFault,
    make_question,
    opaque_name,
)
from grader.checks.initial_arrays import format_shape
from grader.checks.layers import call_fields
from grader.checks.values import all_close, array_flaw
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array

ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE = 1e-5, 1e-4
"""How far a value may be off, and how far on top as a share of what is expected."""


class ModuleCallParams(Params):
    """A module, and inputs of ours."""

    module: str
    """The handout's name of the class; another name is found by what was recorded."""
    shape: tuple[int, ...]
    """Shape of one input."""
    batches: tuple[int, ...]
    """Batch sizes to try; each is worth the same share."""


class ModuleOutputShapeParams(ModuleCallParams):
    """Output shapes to expect."""

    output: tuple[int, ...]
    """Shape of one output."""


class ModuleOutputValuesParams(ModuleCallParams):
    """The reference's function of inputs and weights."""

    weights: tuple[tuple[int, ...], ...]
    """Shapes of the parameters, in the order in which the counterpart takes them."""
    names: tuple[str, ...] = ()
    """What the handout calls them: 'query.weight'. One of another name is found by its shape."""
    counterpart: str
    """Function of the reference: (inputs, *weights) to outputs."""

    def masked(self) -> Self:
        """Without the reference's name."""
        return self.model_copy(update={"counterpart": opaque_name(self.counterpart)})


M = TypeVar("M", bound=ModuleCallParams)


class _ModuleCheck(Check[M]):
    """What both do: one call a batch size, counted."""

    def names(self, params: M) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge_batches(
        self,
        params: M,
        observation: Observation,
        *,
        expected: str,
        find_flaw: Callable[[int, Array], str],
    ) -> CheckOutcome:
        """An opinion: the share of batch sizes with which nothing is wrong."""
        flaws = []
        for index in range(len(params.batches)):
            output = observation.arrays.get(f"out{index}")
            failure = observation.error if observation.status == "raised" else ""
            raised = str(call_fields(observation, index).get("error") or failure)
            no_output = f"calling {params.module} raised {raised[:200]}" if raised else "no output"
            flaws.append(no_output if output is None else find_flaw(index, output))
        right_count = flaws.count("")
        if right_count == len(flaws):
            return CheckOutcome(share=Fraction(1), expected=expected, observed="it is")
        if observation.status == "missing":
            flaws = [f"no class {params.module} and no other torch module was left"]
        return CheckOutcome(
            share=Fraction(right_count, len(params.batches)),
            expected=expected,
            observed="; ".join(dict.fromkeys(flaw for flaw in flaws if flaw)),
            unjudged=not observation.arrays,
            stops=not observation.arrays,
            names=(params.module,),
        )


class ModuleOutputShape(_ModuleCheck[ModuleOutputShapeParams]):
    """A module gives an output of the expected shape for each input, whatever the batch size."""

    code = "MOD001"
    params = ModuleOutputShapeParams

    def title(self, params: ModuleOutputShapeParams) -> str:
        """What it checks."""
        return f"output of {params.module} for N = {', '.join(map(str, params.batches))}"

    def _forward_question(self, params: ModuleOutputShapeParams, draws: RandomDraws) -> Question:
        def build_question() -> Question:
            arrays = {f"x{n}": draws.normal(f"mod{n}", (n, *params.shape)) for n in params.batches}
            calls: list[Json] = [[key, None] for key in arrays]
            return make_question(
                "forward", {"module": params.module, "sets": {}, "calls": calls}, arrays
            )

        return draws.memo.get_or_compute(
            ("module", params.module, params.shape, params.batches), build_question
        )

    def questions(
        self, params: ModuleOutputShapeParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks the module at every batch size."""
        return (self._forward_question(params, draws),)

    def judge(self, params: ModuleOutputShapeParams, evidence: Evidence) -> CheckOutcome:
        """Compares shapes."""
        output, sizes = params.output, params.batches

        def find_flaw(index: int, array: Array) -> str:
            problem = array_flaw(array, shape=(sizes[index], *output))
            return f"N = {sizes[index]}: {problem}" if problem else ""

        expected = f"one output of shape {format_shape(output)} for each input"
        observation = evidence.observation(self._forward_question(params, evidence.draws))
        return self.judge_batches(params, observation, expected=expected, find_flaw=find_flaw)


class ModuleOutputValues(_ModuleCheck[ModuleOutputValuesParams]):
    """At equal weights a module gives what the reference's function gives.

    Asked at weights and inputs drawn after the notebook ran (rtol 1e-4, atol 1e-5). Parameters
    are matched by the handout's names, where they have those, else by shape.
    """

    code = "MOD002"
    params = ModuleOutputValuesParams

    def title(self, params: ModuleOutputValuesParams) -> str:
        """What it checks."""
        return f"{params.module} at weights of ours"

    def questions(
        self, params: ModuleOutputValuesParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks the module."""
        return (_forward_question(params, draws),)

    def constant_questions(
        self, params: ModuleOutputValuesParams, draws: RandomDraws
    ) -> tuple[Question, ...]:
        """Asks the reference's function the same."""
        return _counterpart_questions(params, draws)

    def judge(self, params: ModuleOutputValuesParams, evidence: Evidence) -> CheckOutcome:
        """Compares outputs."""
        answers = [
            evidence.reference_observation(reference_question)
            for reference_question in _counterpart_questions(params, evidence.draws)
        ]
        unanswered = next((answer for answer in answers if "out0" not in answer.arrays), None)
        if unanswered is not None:
            raise ReferenceFault(
                f"the reference gave no output: {unanswered.error or unanswered.status}"
            )
        observation = evidence.observation(_forward_question(params, evidence.draws))

        def find_flaw(index: int, array: Array) -> str:
            lacking = call_fields(observation, index).get("unmatched")
            if lacking:
                return (
                    f"{params.module} has no parameter of shape {format_shape(tuple(lacking[0]))}"
                )
            reference_output = answers[index].arrays["out0"]
            if problem := array_flaw(array, shape=reference_output.shape):
                return f"the output is {problem}"
            matches = all_close(
                array, reference_output, atol=ABSOLUTE_TOLERANCE, rtol=RELATIVE_TOLERANCE
            )
            return "" if matches else "at equal weights the output is another"

        expected = "at equal weights the output is that of the definition"
        return self.judge_batches(params, observation, expected=expected, find_flaw=find_flaw)


def _draw_arrays(params: ModuleOutputValuesParams, draws: RandomDraws) -> dict[str, Array]:
    """Inputs, and weights of sizes that a fresh module would have."""
    arrays = {f"x{n}": draws.normal(f"x{n}", (n, *params.shape)) for n in params.batches}
    for index, shape in enumerate(params.weights):
        scale = 1 / sqrt(prod(shape[1:])) if len(shape) > 1 else 0.1
        arrays[f"w{index}"] = draws.normal(f"w{index}", shape, scale=scale)
    return arrays


def _forward_question(params: ModuleOutputValuesParams, draws: RandomDraws) -> Question:
    def build_question() -> Question:
        arrays = _draw_arrays(params, draws)
        fields: dict[str, Json] = {
            "module": params.module,
            "sets": {"ours": [key for key in arrays if key.startswith("w")]},
            "calls": [[f"x{n}", "ours"] for n in params.batches],
            "names": list(params.names),
        }
        return make_question("forward", fields, arrays)

    return draws.memo.get_or_compute(("at weights", params), build_question)


def _counterpart_questions(
    params: ModuleOutputValuesParams, draws: RandomDraws
) -> tuple[Question, ...]:
    def build_question(batch: int) -> Question:
        arrays = _draw_arrays(params, draws)
        keys = [f"x{batch}", *(key for key in arrays if key.startswith("w"))]
        fields: dict[str, Json] = {"name": params.counterpart, "args": keys}
        return make_question("function", fields, {key: arrays[key] for key in keys})

    key = ("weights' counterparts", params)
    return draws.memo.get_or_compute(
        key, lambda: tuple(build_question(batch) for batch in params.batches)
    )
