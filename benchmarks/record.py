"""What a run of the benchmark found, as records and as JSON; medians are taken here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median

CLASS, AGAIN, JUDGED = "class", "again", "judged"
"""Grading a folder; once more into the same output, nothing changed; `grade again` on that."""
OURS, FLOOR = "ours", "floor"
"""The rows that others are compared with."""
TRUSTED = 1.25
"""How many times a job's own CPU the machine may have used before the figure is doubted."""
QUIET = 0.1
"""CPU seconds a second that the machine may use before a job begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One timed run of one variant."""

    variant: str
    task: str
    notebooks: int
    jobs: int
    wall: float
    cpu: float
    machine_cpu: float
    first: float | None
    problems: tuple[str, ...]
    background: float = 0.0
    """CPU seconds a second that the machine used before it began."""
    start_wall: float = 0.0
    start_cpu: float = 0.0
    """What of it a class of any size pays once, where only few notebooks were run."""

    def each(self, what: str, *, of: int) -> float:
        """`wall` or `cpu` a notebook, if the start were shared by a class of that size."""
        whole, start = getattr(self, what), getattr(self, f"start_{what}")
        return float((whole - start) / self.notebooks + start / max(of, self.notebooks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One untimed run of one variant: its peak memory, and that it rendered every figure."""

    variant: str
    notebooks: int
    peak: int
    """Bytes."""
    pictures: tuple[int, ...]
    """Bytes of each notebook's PNG; 0 where there was none."""
    problems: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """Whether each notebook has a figure."""
        return len(self.pictures) == self.notebooks and all(self.pictures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything that one run of the benchmark found."""

    machine: Mapping[str, str]
    """What it ran on, by a name for people."""
    explained: Mapping[str, tuple[str, str]]
    """Of each variant, what it does and what it leaves out."""
    measures: tuple[Measure, ...]
    proofs: tuple[Proof, ...]
    walls: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds of a room with one small cell, by level of isolation."""

    def of(self, variant: str, *, task: str = CLASS) -> tuple[Measure, ...]:
        """The timed runs of one variant."""
        return tuple(m for m in self.measures if m.variant == variant and m.task == task)

    def proof(self, variant: str) -> Proof | None:
        """The untimed run of one variant."""
        return next((p for p in self.proofs if p.variant == variant), None)

    def problems(self) -> list[str]:
        """Everything that forbids to trust a figure."""
        wrong = [f"{m.variant}: {line}" for m in self.measures for line in m.problems]
        wrong += [f"{p.variant}: {line}" for p in self.proofs for line in p.problems]
        wrong += [f"{p.variant}: a figure is missing" for p in self.proofs if not p.proven]
        wrong += [
            f"{m.variant}: {m.cpu:.1f} CPU s of the machine's {m.machine_cpu:.1f}: "
            "it was not alone, or not all of it was counted"
            for m in self.measures
            if m.machine_cpu > TRUSTED * m.cpu + 1
        ]
        wrong += [
            f"{m.variant}: the machine used {m.background:.2f} CPU s a second before it began"
            for m in self.measures
            if m.background > QUIET
        ]
        return wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One variant's medians, a notebook."""

    variant: str
    notebooks: int
    rounds: int
    wall: float
    cpu: float
    first: float | None
    peak: int | None
    proven: bool
    against_ours: float | None
    """How many times our seconds."""
    against_floor: float | None
    """How many times the floor's CPU."""


def rows(record: Record, *, variants: Iterable[str]) -> tuple[Row, ...]:
    """Medians and ratios of the variants that were measured."""
    measured = [name for name in variants if record.of(name)]
    size = max((m.notebooks for name in measured for m in size_of_class(record, name)), default=1)
    return tuple(_row(record, name, size=size) for name in measured)


def per_notebook(measures: Iterable[Measure], *, what: str, size: int = 1) -> float | None:
    """The median of `wall` or `cpu` a notebook of such a class; None if nothing was measured."""
    values = [m.each(what, of=size) for m in measures]
    return median(values) if values else None


def size_of_class(record: Record, variant: str) -> tuple[Measure, ...]:
    """The timed runs that the table is about: like the first, so not the curves'."""
    runs = record.of(variant)
    if not runs:
        return ()
    shapes = [(m.notebooks, m.jobs) for m in runs]
    chosen = shapes[0]
    return tuple(m for m in runs if (m.notebooks, m.jobs) == chosen)


def dumps(record: Record) -> str:
    """The record as JSON."""
    return json.dumps(asdict(record), indent=1, allow_nan=False) + "\n"


def loads(text: str) -> Record:
    """The record that `dumps` wrote."""
    data = json.loads(text)
    return Record(
        machine=data["machine"],
        explained={name: (does, leaves) for name, (does, leaves) in data["explained"].items()},
        measures=tuple(Measure(**_tuples(one)) for one in data["measures"]),
        proofs=tuple(Proof(**_tuples(one)) for one in data["proofs"]),
        walls=data.get("walls", {}),
    )


def _tuples(entry: dict[str, object]) -> dict[str, object]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}


def _row(record: Record, name: str, *, size: int) -> Row:
    runs = size_of_class(record, name)
    proof = record.proof(name)
    wall = per_notebook(runs, what="wall", size=size) or 0.0
    cpu = per_notebook(runs, what="cpu", size=size) or 0.0
    firsts = [m.first for m in runs if m.first is not None]
    ours = per_notebook(size_of_class(record, OURS), what="wall")
    floor = per_notebook(size_of_class(record, FLOOR), what="cpu")
    return Row(
        variant=name,
        notebooks=runs[0].notebooks,
        rounds=len(runs),
        wall=wall,
        cpu=cpu,
        first=median(firsts) if firsts else None,
        peak=proof.peak if proof else None,
        proven=bool(proof and proof.proven),
        against_ours=wall / ours if ours else None,
        against_floor=cpu / floor if floor else None,
    )
