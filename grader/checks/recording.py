"""What the recorder saw, parsed from an untrusted observation into records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from grader.model import Array, Json, Numbers, Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A module was called: inputs, output, and the state of its weights then."""

    n: int
    cell: int
    module: int
    state: int
    grad: bool
    steps: int
    """Optimiser steps of the module before it."""
    inputs: tuple[Array, ...]
    output: Array | None
    pull: Array | None = None
    """The loss's gradient at the output, once it went backwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A watched function was called, or (name '') a similarity was taken of two vectors."""

    n: int
    cell: int
    name: str
    args: Mapping[str, tuple[Array, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An optimiser stepped; `modules` hold the parameters it moves."""

    n: int
    cell: int
    modules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A module's weights at one moment: 'first' call, first loss 'call', first 'step', 'end'."""

    state: int
    weights: tuple[Array, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module that was called."""

    name: str
    snapshots: Mapping[str, Snapshot]

    @property
    def start(self) -> Snapshot | None:
        """The weights before training began."""
        for why in ("call", "step", "first"):
            if why in self.snapshots:
                return self.snapshots[why]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything, in order."""

    forwards: tuple[Forward, ...] = ()
    calls: tuple[Call, ...] = ()
    steps: tuple[Step, ...] = ()
    modules: tuple[Module, ...] = ()
    total: int = 0
    """Events in all; those in the middle of a long run are not kept."""

    def first_step(self, module: int) -> int | None:
        """When an optimiser first moved the module."""
        return next((step.n for step in self.steps if module in step.modules), None)


class _Reader:
    """Reads one observation; what doesn't fit raises TypeError, KeyError or ValueError."""

    def __init__(self, observation: Observation, cells: Sequence[int]) -> None:
        self.data: Mapping[str, Any] = observation.data
        self.arrays = observation.arrays
        self.cells = cells

    def count(self, value: Json) -> int:
        """A number of things, or of one among them: a negative one would be read from the end."""
        number = int(value)
        if number < 0:
            raise ValueError("a negative count")
        return number

    def cell(self, event: Mapping[str, Any]) -> int:
        place = int(event["cell"])
        return self.cells[place] if 0 <= place < len(self.cells) else -1

    def array(self, key: Json) -> Array | None:
        return self.arrays.get(key) if isinstance(key, str) else None

    def several(self, keys: Json) -> tuple[Array, ...]:
        found = (self.array(key) for key in list(keys)[:64])
        return tuple(array for array in found if array is not None)

    def forward(self, event: Mapping[str, Any]) -> Forward:
        outputs = self.several(event["args"]["out"])
        pulls = self.several(event["args"].get("pull", ()))
        return Forward(
            n=int(event["n"]),
            cell=self.cell(event),
            module=self.count(event["module"]),
            state=int(event["state"]),
            grad=bool(event["grad"]),
            steps=self.count(event["steps"]),
            inputs=self.several(event["args"]["in"]),
            output=outputs[0] if len(outputs) == 1 else None,
            pull=pulls[0] if len(pulls) == 1 else None,
        )

    def call(self, event: Mapping[str, Any]) -> Call:
        return Call(
            n=int(event["n"]),
            cell=self.cell(event),
            name=str(event.get("name", "")),
            args={str(key): self.several(keys) for key, keys in event["args"].items()},
        )

    def step(self, event: Mapping[str, Any]) -> Step:
        return Step(
            n=int(event["n"]),
            cell=self.cell(event),
            modules=tuple(self.count(number) for number in event["modules"]),
        )

    def module(self, entry: Mapping[str, Any]) -> Module:
        snapshots = {
            str(why): Snapshot(
                state=int(one["state"]),
                weights=self.several([key for _, key in one["weights"]]),
            )
            for why, one in entry["snapshots"].items()
        }
        return Module(name=str(entry["class"]), snapshots=snapshots)

    def recording(self) -> Recording:
        events = list(self.data["events"])[:1024]
        return Recording(
            forwards=tuple(self.forward(e) for e in events if e["kind"] == "forward"),
            calls=tuple(self.call(e) for e in events if e["kind"] in {"call", "similarity"}),
            steps=tuple(self.step(e) for e in events if e["kind"] == "step"),
            modules=tuple(self.module(entry) for entry in list(self.data["modules"])[:16]),
            total=int(self.data["count"]),
        )


def read(observation: Observation | None, *, cells: Sequence[int]) -> Recording:
    """Parse a recording; one that is absent or malformed is an empty one.

    Args:
        observation: the answer to the question 'recording'.
        cells: index in the notebook of each cell that ran, in order.
    """
    if observation is None or observation.status != "ok":
        return Recording()
    try:
        return _Reader(observation, cells).recording()
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return Recording()


def numbers(array: Array) -> Numbers:
    """An array as float64, for arithmetic on our side."""
    return np.asarray(array, dtype=np.float64)
