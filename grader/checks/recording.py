"""Parses the recording of a notebook's run, an untrusted observation, into records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.model import Array, Json, Observation

MAX_EVENTS, MAX_MODULES, MAX_ARRAYS = 16_384, 256, 64
"""The most that is read of an untrusted recording; arrays are those of one argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A call of a module: inputs, output, and the state of its weights at that time."""

    event_index: int
    cell: int
    module: int
    state: int
    grad: bool
    steps: int
    """Number of optimizer steps on the module before it."""
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    pulled: bool = False
    """Whether a gradient flowed back through it: the training's loss was computed from it."""
    again: bool = False
    """Whether it was called when the notebook had ended, with its last inputs."""
    finite: bool = True
    """Whether that loss is made of finite numbers."""
    position: int = 0
    """The index of the output that counts, where there are several."""
    gradients: Mapping[int, Array] = field(default_factory=dict)
    """The gradient of the loss at outputs, by their index, where it was kept."""

    @property
    def output_gradient(self) -> Array | None:
        """The gradient of the loss at the output that counts, if it was kept."""
        return self.gradients.get(self.position)

    @property
    def output(self) -> Array | None:
        """The output that counts."""
        return self.outputs[self.position] if self.position < len(self.outputs) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a watched function, or (name '') a similarity that was computed."""

    event_index: int
    cell: int
    name: str
    args: Mapping[str, tuple[Array, ...]]
    grads: frozenset[str] = frozenset()
    """The arguments to which a gradient could flow back."""
    pulled: bool = False
    """Whether one did: it was part of a loss that was backpropagated."""
    within: bool = False
    """Whether a watched function computed it."""
    finite: bool = True
    """Whether its result is made of finite numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of an optimizer, on the parameters of `modules`."""

    event_index: int
    cell: int
    modules: tuple[int, ...]
    ascends: bool = False
    """Whether it went up the gradient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A module's weights at its 'first' call, first loss 'call', first 'step', or the 'end'."""

    state: int
    weights: tuple[Array, ...] | None
    """None where they were not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module that was called."""

    name: str
    snapshots: Mapping[str, Snapshot]

    @property
    def start(self) -> Snapshot | None:
        """The weights before training began, or None."""
        for moment in ("call", "step", "first"):
            if moment in self.snapshots:
                return self.snapshots[moment]
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The recorded events of a run, in order."""

    forwards: tuple[Forward, ...] = ()
    calls: tuple[Call, ...] = ()
    steps: tuple[Step, ...] = ()
    modules: tuple[Module, ...] = ()
    event_count: int = 0
    """Number of events; those in the middle of a long run are not kept."""
    gaps: bool = False
    """Whether events in the middle are missing."""
    lost: int = 0
    """Number of calls and arrays that are missing for another reason."""
    fault: str = ""
    """The recorder's first fault of its own: what it should have seen may be missing."""

    @property
    def complete(self) -> bool:
        """Whether every event was kept."""
        return not self.lost and not self.gaps

    def first_step(self, module: int) -> int | None:
        """Return the index of the event in which an optimizer first moved a module, or None."""
        return next((step.event_index for step in self.steps if module in step.modules), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads an observation; what doesn't fit raises TypeError, KeyError or ValueError."""

    arrays: Mapping[str, Array]
    cells: Sequence[int]

    def find_arrays(self, keys: Json) -> tuple[Array, ...]:
        known = (key for key in list(keys)[:MAX_ARRAYS] if isinstance(key, str))
        return tuple(self.arrays[key] for key in known if key in self.arrays)

    def event_fields(self, event: Mapping[str, Any]) -> dict[str, int]:
        position = int(event["cell"])
        cell = self.cells[position] if 0 <= position < len(self.cells) else -1
        return {"event_index": int(event["n"]), "cell": cell}

    def read_forward(self, event: Mapping[str, Any]) -> Forward:
        pulled = int(event["pulled"])
        return Forward(
            **self.event_fields(event),
            module=_read_count(event["module"]),
            state=int(event["state"]),
            grad=bool(event["grad"]),
            steps=_read_count(event["steps"]),
            inputs=self.find_arrays(event["args"]["in"]),
            outputs=self.find_arrays(event["args"]["out"]),
            pulled=pulled >= 0,
            again=bool(event["again"]),
            finite=bool(event.get("finite", True)),
            position=max(0, pulled),
            gradients=self.read_gradients(event["args"]),
        )

    def read_gradients(self, args: Mapping[str, Json]) -> dict[int, Array]:
        gradients = {}
        for key, arrays in args.items():
            position = str(key).removeprefix("pull")
            if key != position and position.isdecimal():
                for array in self.find_arrays(arrays)[:1]:
                    gradients[int(position[:4])] = array
        return gradients

    def read_call(self, event: Mapping[str, Any]) -> Call:
        args = {str(key): self.find_arrays(keys) for key, keys in event["args"].items()}
        return Call(
            **self.event_fields(event),
            name=str(event.get("name", "")),
            args=args,
            grads=frozenset(map(str, event["grads"])),
            pulled=bool(event["pulled"]),
            within=bool(event.get("within", False)),
            finite=bool(event.get("finite", True)),
        )

    def read_step(self, event: Mapping[str, Any]) -> Step:
        modules = tuple(_read_count(number) for number in event["modules"])
        ascends = bool(event.get("ascends", False))
        return Step(**self.event_fields(event), modules=modules, ascends=ascends)

    def read_module(self, entry: Mapping[str, Any]) -> Module:
        snapshots = {
            str(moment): Snapshot(
                state=int(snapshot["state"]),
                weights=None
                if snapshot["weights"] is None
                else self.find_arrays(snapshot["weights"]),
            )
            for moment, snapshot in entry["snapshots"].items()
        }
        return Module(name=str(entry["class"]), snapshots=snapshots)

    def read_recording(self, data: Mapping[str, Any]) -> Recording:
        events = list(data["events"])[:MAX_EVENTS]
        return Recording(
            forwards=_choose_outputs(
                [
                    self.read_forward(event)
                    for event in events
                    if event["kind"] == "forward" and not event["superseded"]
                ]
            ),
            calls=tuple(self.read_call(e) for e in events if e["kind"] in {"call", "similarity"}),
            steps=tuple(self.read_step(e) for e in events if e["kind"] == "step"),
            modules=tuple(self.read_module(e) for e in list(data["modules"])[:MAX_MODULES]),
            event_count=int(data["count"]),
            gaps=int(data["count"]) > len(events),
            lost=_read_count(data.get("lost", 0)),
            fault=" ".join(map(str, list(data.get("faults", ()))[:1])),
        )


def _choose_outputs(forwards: Sequence[Forward]) -> tuple[Forward, ...]:
    """Return the calls, each with the output that counts.

    It is the one through which a gradient flowed back into the same module, where the call gave
    so many, or else the first that is a vector or a matrix.
    """
    trained = {forward.module: forward.position for forward in forwards if forward.pulled}
    return tuple(
        forward
        if forward.pulled
        else replace(forward, position=_choose_position(forward, trained.get(forward.module)))
        for forward in forwards
    )


def _choose_position(forward: Forward, trained: int | None) -> int:
    if trained is not None and trained < len(forward.outputs):
        return trained
    return _first_matrix(forward.outputs)


def _first_matrix(outputs: Sequence[Array]) -> int:
    return next((i for i, array in enumerate(outputs) if array.ndim in {1, 2}), 0)


def _read_count(value: Json) -> int:
    number = int(value)
    if number < 0:  # as an index it would count from the end
        raise ValueError("a negative count")
    return number


def read_recording(observation: Observation | None, *, cells: Sequence[int]) -> Recording:
    """Return a recording; an absent or malformed one is empty.

    Args:
        observation: The answer to the question 'recording'.
        cells: The index in the notebook of each cell that ran, in order.
    """
    if observation is None or observation.status != "ok":
        return Recording()
    try:
        return _Reader(arrays=observation.arrays, cells=cells).read_recording(observation.data)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return Recording()
