"""What the recorder saw is read as it was sent, in order and bounded, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.checks.recording import (
    MAX_ARRAYS,
    MAX_EVENTS,
    MAX_MODULES,
    Call,
    Forward,
    Module,
    Recording,
    Snapshot,
    Step,
    read_recording,
)
from grader.model import Array, Json, Observation

ARRAYS: dict[str, Array] = {name: np.full((2,), float(n)) for n, name in enumerate("abcd")}
FORWARD: dict[str, Json] = {
    "kind": "forward",
    "n": 3,
    "cell": 1,
    "module": 2,
    "state": 4,
    "grad": 1,
    "steps": 5,
    "args": {"in": ["a", "b"], "out": ["c"], "pull": ["d"]},
}
CALL: dict[str, Json] = {
    "kind": "call",
    "n": 4,
    "cell": 0,
    "name": "loss",
    "args": {"anchor": ["a"], "negatives": ["b", "c"]},
}
STEP: dict[str, Json] = {"kind": "step", "n": 5, "cell": 1, "modules": [0, 2]}
NET: dict[str, Json] = {
    "class": "Net",
    "snapshots": {"first": {"state": 1, "weights": [["w", "a"], ["b", "b"]]}},
}


def read(*events: Any, modules: Any = (), count: Any = 9, status: str = "ok") -> Recording:
    data = {"events": list(events), "modules": list(modules), "count": count}
    told = Observation(id="r", status=status, data=data, arrays=ARRAYS)
    return read_recording(told, cells=(10, 11))


def test_a_forward_is_read_with_its_arrays_and_its_moment() -> None:
    (found,) = read(FORWARD).forwards

    assert found == Forward(
        event_index=3,
        cell=11,
        module=2,
        state=4,
        grad=True,
        steps=5,
        inputs=(ARRAYS["a"], ARRAYS["b"]),
        output=ARRAYS["c"],
        output_gradient=ARRAYS["d"],
    )


@pytest.mark.parametrize("outputs", [[], ["c", "d"], ["gone"], [7]])
def test_anything_but_one_output_is_none_and_so_is_its_gradient(outputs: list[Json]) -> None:
    args: Json = {"in": ["a", "gone", None, "b"], "out": outputs, "pull": outputs}
    (found,) = read(FORWARD | {"args": args, "grad": 0}).forwards

    assert found.inputs == (ARRAYS["a"], ARRAYS["b"])
    assert (found.output, found.output_gradient, found.grad) == (None, None, False)


def test_a_forward_without_a_gradient_has_none() -> None:
    (found,) = read(FORWARD | {"args": {"in": [], "out": ["c"]}}).forwards

    assert found.output is ARRAYS["c"]
    assert found.output_gradient is None


def test_calls_and_similarities_are_read_with_their_arguments() -> None:
    loss, similarity = read(CALL, {**CALL, "kind": "similarity", "name": ""}).calls

    assert loss == Call(
        event_index=4,
        cell=10,
        name="loss",
        args={"anchor": (ARRAYS["a"],), "negatives": (ARRAYS["b"], ARRAYS["c"])},
    )
    assert similarity.name == ""
    unnamed = {key: value for key, value in CALL.items() if key != "name"}
    assert read(unnamed).calls[0].name == ""


def test_steps_are_read_with_what_they_move() -> None:
    later = STEP | {"n": 7, "modules": [1, 2]}
    found = read(STEP, later)

    assert found.steps[0] == Step(event_index=5, cell=11, modules=(0, 2))
    assert [found.first_step(module) for module in range(4)] == [5, 7, 5, None]


def test_modules_are_read_with_their_weights_at_each_moment() -> None:
    found = read(modules=[NET])

    assert found.modules == (
        Module(
            name="Net",
            snapshots={"first": Snapshot(state=1, weights=(ARRAYS["a"], ARRAYS["b"]))},
        ),
    )
    assert found.event_count == 9


def test_the_start_is_the_last_moment_before_training() -> None:
    def start(*moments: str) -> int | None:
        taken = {moment: {"state": n, "weights": []} for n, moment in enumerate(moments)}
        (module,) = read(modules=[NET | {"snapshots": taken}]).modules
        return None if module.start is None else module.start.state

    assert start("first", "step", "call", "end") == 2
    assert start("first", "step", "end") == 1
    assert start("first", "end") == 0
    assert start("end") is None


def test_what_is_of_another_kind_is_passed_over() -> None:
    found = read({"kind": "mood"}, CALL, FORWARD, STEP)

    assert (len(found.forwards), len(found.calls), len(found.steps)) == (1, 1, 1)


@pytest.mark.parametrize(("cell", "index"), [(0, 10), (1, 11), (2, -1), (-1, -1)])
def test_a_cell_that_did_not_run_is_none(cell: int, index: int) -> None:
    assert read(STEP | {"cell": cell}).steps[0].cell == index


def test_of_a_flood_the_beginning_is_read() -> None:
    many: Json = ["a"] * (MAX_ARRAYS + 1)
    found = read(
        *[STEP | {"n": n} for n in range(MAX_EVENTS + 1)], modules=[NET] * (MAX_MODULES + 1)
    )
    (call,) = read(CALL | {"args": {"anchor": many}}).calls

    assert [step.event_index for step in found.steps] == list(range(MAX_EVENTS))
    assert len(found.modules) == MAX_MODULES
    assert len(call.args["anchor"]) == MAX_ARRAYS


@pytest.mark.parametrize("number", ["module", "steps"])
def test_zero_is_a_count_and_less_is_none(number: str) -> None:
    assert len(read(FORWARD | {number: 0}).forwards) == 1
    assert read(FORWARD | {number: -1}) == Recording()
    assert read(STEP | {"modules": [-1]}) == Recording()


@pytest.mark.parametrize(
    ("event", "more"),
    [
        (STEP, {"status": "raised"}),
        (STEP, {"count": "many"}),
        (STEP, {"count": float("inf")}),
        (STEP | {"cell": "x"}, {}),
        ({"kind": "call", "n": 0, "cell": 0, "args": []}, {}),
        (None, {}),
        (FORWARD | {"args": {}}, {}),
    ],
)
def test_what_does_not_fit_is_no_recording_at_all(event: Any, more: dict[str, Any]) -> None:
    assert read(event, **more) == Recording()


def test_where_nothing_was_recorded_there_is_nothing() -> None:
    assert read_recording(None, cells=()) == Recording()
    assert Recording().event_count == 0
