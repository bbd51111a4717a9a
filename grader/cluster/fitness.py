"""Whether a worker may grade: it comes to what the head would come to, behind walls as strong."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter

import grader
from grader.checks.values import all_close
from grader.cluster.parcels import pack_parcel, unpack_parcel
from grader.gradebook.array_storage import ArrayPacker, PackedArrays
from grader.model import Array, Fault, Observation
from grader.pipeline.open_sessions import OpenSessions
from grader.pipeline.run_config import RunConfig
from grader.sandbox import IsolationLevel

RELATIVE_TOLERANCE = 1e-3
ABSOLUTE_TOLERANCE = 1e-5
"""Processors of different makes differ in the last digits of a reference's answers alone."""
MAX_NAMED = 4
"""Packages that a refusal names."""
_FAULT = TypeAdapter(Fault | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What grades on a computer."""

    version: str
    python: str
    fingerprint: str
    """Of the interpreter that notebooks run in, with its packages."""
    packages: Mapping[str, str]
    """Versions by name, of the grader's own interpreter."""
    key_parts: tuple[str, ...]
    """Digests of all that is the same in the keys of a class."""

    @classmethod
    def of(cls, config: RunConfig) -> Program:
        """Return what this computer grades with."""
        if config.session is None:
            raise ValueError("a configuration without a session runs no notebook")
        judges = config.build_judges()
        packages = {d.name.lower(): d.version for d in importlib.metadata.distributions()}
        return cls(
            version=grader.__version__,
            python=platform.python_version(),
            fingerprint=config.session.environment.fingerprint,
            packages=dict(sorted(packages.items())),
            key_parts=config.cache_keys(*judges).common_parts(),
        )

    def differences(self, other: Program) -> Iterator[str]:
        """Yield clauses on what another computer has otherwise."""
        if other.version != self.version:
            yield f"its grader is {other.version}, the head's {self.version}"
        if other.python != self.python:
            yield f"its Python is {other.python}, the head's {self.python}"
        if other.fingerprint != self.fingerprint:
            names = sorted({*self.packages, *other.packages})
            differing = [
                f"{name} {other.packages.get(name, 'missing')}, the head's "
                f"{self.packages.get(name, 'missing')}"
                for name in names
                if self.packages.get(name) != other.packages.get(name)
            ]
            more = len(differing) - MAX_NAMED
            listed = "; ".join(differing[:MAX_NAMED]) + (f"; {more} more" if more > 0 else "")
            yield f"what notebooks run with is another ({listed or 'see `grade doctor`'})"


_PROGRAM = TypeAdapter(Program)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """What a worker says of itself once its course is open."""

    refusal: str = ""
    """Why it could not open it."""
    fault: Fault | None = None
    program: Program | None = None
    level: str = ""
    description: str = ""
    """Of its isolation."""
    slots: int = 1
    """Submissions that it takes at once."""
    notes: tuple[str, ...] = ()
    constants: Mapping[str, Observation] = field(default_factory=dict)
    """Its reference's answers to what is asked of all, by notebook and question."""


def pack_refusal(reason: str, *, fault: Fault | None = None) -> bytes:
    """Pack why a course can't be opened here."""
    return pack_parcel({"refusal": reason, "fault": _FAULT.dump_python(fault)}, {})


def ask_fitness(
    config: RunConfig, sessions: OpenSessions, *, notes: Sequence[str], slots: int
) -> bytes:
    """Pack what the head judges by."""
    packer = ArrayPacker(blob_threshold=None)
    constants = {}
    for notebook, session in sessions.sessions.items():
        # Without tests: what they ask may tell of this computer, such as a moment.
        for question in session.judge.checks.notebook_constants:
            answer = session.constants[question.id]
            constants[f"{notebook}/{question.id}"] = {
                "status": answer.status,
                "data": answer.data,
                "arrays": {name: packer.add(array) for name, array in answer.arrays.items()},
            }
    document = {
        "program": _PROGRAM.dump_python(Program.of(config)),
        "level": str(sessions.isolation.level),
        "description": sessions.isolation.description,
        "notes": list(notes),
        "slots": slots,
        "constants": constants,
    }
    return pack_parcel(document, {"arrays": packer.pack})


def read_facts(packed: bytes) -> WorkerFacts:
    """Return what a worker said of itself."""
    parcel = unpack_parcel(packed)
    document = parcel.document
    if "refusal" in document:
        return WorkerFacts(
            refusal=document["refusal"], fault=_FAULT.validate_python(document["fault"])
        )
    arrays = PackedArrays(pack=parcel.blobs["arrays"])
    return WorkerFacts(
        program=_PROGRAM.validate_python(document["program"]),
        level=document["level"],
        description=document["description"],
        notes=tuple(document["notes"]),
        slots=document["slots"],
        constants={
            key: Observation(
                id=key,
                status=plain["status"],
                data=plain["data"],
                arrays={name: arrays.resolve(ref) for name, ref in plain["arrays"].items()},
            )
            for key, plain in document["constants"].items()
        },
    )


def find_refusal(
    facts: WorkerFacts,
    *,
    program: Program,
    weakest: IsolationLevel,
    constants: Mapping[str, Observation] | None,
) -> str:
    """Return why a worker may not grade; '' if it may.

    Args:
        facts: what it says of itself.
        program: the head's.
        weakest: the weakest isolation that will do.
        constants: answers of the first worker's reference; None for the first.
    """
    if facts.refusal or facts.program is None:
        return facts.refusal or "it says nothing of itself"
    levels = list(IsolationLevel)
    if levels.index(IsolationLevel(facts.level)) > levels.index(weakest):
        return f"its isolation is '{facts.level}', and this run needs '{weakest}'"
    differences = list(program.differences(facts.program))
    if not differences and facts.program.key_parts != program.key_parts:
        differences = ["its grader or the course's own checks have other code than the head's"]
    if not differences and (question := _other_answer(constants or {}, facts.constants)):
        differences = [f"its reference answers otherwise than the first worker's ({question})"]
    return "; ".join(differences)


def _other_answer(
    constants: Mapping[str, Observation], others: Mapping[str, Observation]
) -> str | None:
    """Return a question that two references answer differently."""
    for key, answer in constants.items():
        other = others.get(key)
        if other is None or other.status != answer.status:
            return key
        if not _agree({"data": answer.data, **answer.arrays}, {"data": other.data, **other.arrays}):
            return key
    return None


def _agree(left: Any, right: Any) -> bool:
    """Return whether numbers in two answers agree; texts may tell of a computer."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_agree(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_agree, left, right))
    if isinstance(left, str) and isinstance(right, str):
        return True
    return _same_numbers(np.asarray(left), np.asarray(right))


def _same_numbers(array: Array, other: Array) -> bool:
    if array.shape != other.shape or array.dtype != other.dtype:
        return False
    if array.dtype.kind == "f":
        close = all_close(array, other, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE)
        return close or np.array_equal(array, other, equal_nan=True)
    return np.array_equal(array, other)
