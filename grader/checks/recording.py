"""Parses the recording of a notebook's run, an untrusted observation, into records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.model import Array, Json, Observation

MAX_EVENTS, MAX_MODULES, MAX_ARRAYS = 1024, 16, 64
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
    output: Array | None
    output_gradient: Array | None = None
    """The gradient of the loss at the output, if it was backpropagated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a watched function, or (name '') a similarity that was computed."""

    event_index: int
    cell: int
    name: str
    args: Mapping[str, tuple[Array, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of an optimizer, on the parameters of `modules`."""

    event_index: int
    cell: int
    modules: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A module's weights at its 'first' call, first loss 'call', first 'step', or the 'end'."""

    state: int
    weights: tuple[Array, ...]


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
        outputs = self.find_arrays(event["args"]["out"])
        gradients = self.find_arrays(event["args"].get("pull", ()))
        return Forward(
            **self.event_fields(event),
            module=_read_count(event["module"]),
            state=int(event["state"]),
            grad=bool(event["grad"]),
            steps=_read_count(event["steps"]),
            inputs=self.find_arrays(event["args"]["in"]),
            output=outputs[0] if len(outputs) == 1 else None,
            output_gradient=gradients[0] if len(gradients) == 1 else None,
        )

    def read_call(self, event: Mapping[str, Any]) -> Call:
        args = {str(key): self.find_arrays(keys) for key, keys in event["args"].items()}
        return Call(**self.event_fields(event), name=str(event.get("name", "")), args=args)

    def read_step(self, event: Mapping[str, Any]) -> Step:
        modules = tuple(_read_count(number) for number in event["modules"])
        return Step(**self.event_fields(event), modules=modules)

    def read_module(self, entry: Mapping[str, Any]) -> Module:
        snapshots = {
            str(moment): Snapshot(
                state=int(snapshot["state"]),
                weights=self.find_arrays([key for _, key in snapshot["weights"]]),
            )
            for moment, snapshot in entry["snapshots"].items()
        }
        return Module(name=str(entry["class"]), snapshots=snapshots)

    def read_recording(self, data: Mapping[str, Any]) -> Recording:
        events = list(data["events"])[:MAX_EVENTS]
        return Recording(
            forwards=tuple(self.read_forward(e) for e in events if e["kind"] == "forward"),
            calls=tuple(self.read_call(e) for e in events if e["kind"] in {"call", "similarity"}),
            steps=tuple(self.read_step(e) for e in events if e["kind"] == "step"),
            modules=tuple(self.read_module(e) for e in list(data["modules"])[:MAX_MODULES]),
            event_count=int(data["count"]),
        )


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
