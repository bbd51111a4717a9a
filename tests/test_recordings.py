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
    "pulled": 0,
    "again": False,
    "superseded": False,
    "args": {"in": ["a", "b"], "out": ["c"], "pull0": ["d"]},
}
CALL: dict[str, Json] = {
    "kind": "call",
    "n": 4,
    "cell": 0,
    "name": "loss",
    "grads": ["anchor"],
    "pulled": True,
    "within": True,
    "args": {"anchor": ["a"], "negatives": ["b", "c"]},
}
STEP: dict[str, Json] = {"kind": "step", "n": 5, "cell": 1, "modules": [0, 2], "ascends": True}
NET: dict[str, Json] = {
    "class": "Net",
    "snapshots": {"first": {"state": 1, "weights": ["a", "b"]}},
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
        outputs=(ARRAYS["c"],),
        pulled=True,
        gradients={0: ARRAYS["d"]},
    )


@pytest.mark.parametrize("outputs", [[], ["gone"], [7]])
def test_what_is_no_array_is_no_output_and_no_gradient(outputs: list[Json]) -> None:
    args: Json = {"in": ["a", "gone", None, "b"], "out": outputs, "pull0": outputs}
    (found,) = read(FORWARD | {"args": args, "grad": 0}).forwards

    assert found.inputs == (ARRAYS["a"], ARRAYS["b"])
    assert (found.output, found.output_gradient, found.grad) == (None, None, False)


def outputs_of(*events: dict[str, Json]) -> list[Array | None]:
    return [forward.output for forward in read(*events).forwards]


def test_of_several_outputs_the_one_counts_that_was_trained() -> None:
    several = FORWARD | {"args": {"in": ["a"], "out": ["c", "d"]}}
    looked = several | {"pulled": -1}
    other = looked | {"module": 3}

    assert outputs_of(looked) == [ARRAYS["c"]]
    assert outputs_of(looked, several | {"pulled": 1}, other) == [
        ARRAYS["d"],
        ARRAYS["d"],
        ARRAYS["c"],
    ]
    assert outputs_of(several | {"pulled": 2}) == [None]
    assert outputs_of(several | {"pulled": 2}, looked) == [None, ARRAYS["c"]]
    assert [forward.pulled for forward in read(looked, several).forwards] == [False, True]


def test_a_feature_map_before_a_matrix_is_passed_over() -> None:
    args: Json = {"in": ["a"], "out": ["map", "m"]}
    event = FORWARD | {"pulled": -1, "args": args}
    arrays = {**ARRAYS, "map": np.ones((2, 3, 4)), "m": np.eye(2)}
    data: dict[str, Json] = {"events": [event], "modules": [], "count": 1}
    told = Observation(id="r", status="ok", data=data, arrays=arrays)

    assert read_recording(told, cells=(10, 11)).forwards[0].output is arrays["m"]


def test_a_call_within_that_of_a_wrapper_is_left_out() -> None:
    assert outputs_of(FORWARD | {"superseded": True}, FORWARD | {"again": True}) == [ARRAYS["c"]]
    assert read(FORWARD | {"again": True}).forwards[0].again


def test_the_first_fault_of_the_recorder_is_read() -> None:
    data: dict[str, Json] = {"events": [], "modules": [], "count": 0, "faults": ["odd", "more"]}
    told = Observation(id="r", status="ok", data=data)

    assert read_recording(told, cells=()).fault == "odd"
    assert read().fault == ""


def test_a_recording_with_gaps_says_so() -> None:
    assert not read(FORWARD, count=2).complete
    assert read(FORWARD, CALL, count=2).complete
    data: dict[str, Json] = {"events": [], "modules": [], "count": 0, "lost": 1}
    told = Observation(id="r", status="ok", data=data, arrays=ARRAYS)
    assert not read_recording(told, cells=()).complete


def test_weights_that_were_not_kept_are_none() -> None:
    snapshots = {"first": {"state": 1, "weights": None}}
    (module,) = read(modules=[NET | {"snapshots": snapshots}]).modules

    assert module.snapshots["first"].weights is None


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
        grads=frozenset({"anchor"}),
        pulled=True,
        within=True,
    )
    assert similarity.name == ""
    unnamed = {key: value for key, value in CALL.items() if key != "name"}
    assert read(unnamed).calls[0].name == ""


def test_steps_are_read_with_what_they_move() -> None:
    later = STEP | {"n": 7, "modules": [1, 2]}
    found = read(STEP, later)

    assert found.steps[0] == Step(event_index=5, cell=11, modules=(0, 2), ascends=True)
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
        (CALL | {"grads": 3}, {}),
        ({**FORWARD, "pulled": None}, {}),
        (None, {}),
        (FORWARD | {"args": {}}, {}),
    ],
)
def test_what_does_not_fit_is_no_recording_at_all(event: Any, more: dict[str, Any]) -> None:
    assert read(event, **more) == Recording()


def test_where_nothing_was_recorded_there_is_nothing() -> None:
    assert read_recording(None, cells=()) == Recording()
    assert Recording().event_count == 0
