"""What a check is: its questions, its counter-questions, and an opinion on what came back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from grader.checks.memo import Memo
from grader.checks.recording import Recording, read_recording
from grader.model import (
    CellStatus,
    ExecutionRecord,
    Exhibit,
    Finding,
    Json,
    Notebook,
    Observation,
    Question,
    Trace,
)

if TYPE_CHECKING:
    from grader.model import Array, Numbers


class Params(BaseModel):
    """The parameters a check takes from a rubric; subclasses name them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def masked(self) -> Self:
        """The same as students may read them: what only the reference has is `nameless`."""
        return self


def opaque_name(word: str) -> str:
    """A stand-in for a word that only the reference knows: another one for every word."""
    return hashlib.sha256(word.encode()).hexdigest()[:8]


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomDraws:
    """Numbers nobody can know before: drawn from the assignment's secret seed, by label."""

    seed: bytes
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """What was drawn, and questions made of it: the same for every submission."""

    def normal(self, label: str, shape: tuple[int, ...], *, scale: float = 1.0) -> Numbers:
        """Normal numbers as float32, the same for the same seed and label; not to be written to."""
        key = ("normal", label, shape, scale)
        return self.memo.get_or_compute(key, lambda: self._draw_normal(label, shape, scale=scale))

    def _draw_normal(self, label: str, shape: tuple[int, ...], *, scale: float) -> Numbers:
        digest = hashlib.sha256(self.seed + b"|" + label.encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:16], "big"))
        array: Numbers = (generator.standard_normal(shape) * scale).astype(np.float32)
        array.flags.writeable = False
        return array


_EXECUTED = frozenset({CellStatus.RAN, CellStatus.RAISED, CellStatus.TIMED_OUT})
"""Statuses of cells that ran, so that the recorder counted them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one submission when it is judged."""

    notebook: Notebook
    record: ExecutionRecord
    observations: Mapping[str, Observation]
    recording: Recording
    draws: RandomDraws
    attachments: tuple[str, ...] = ()
    """Endings of files handed in beside the notebook, such as '.pdf'."""
    expected: Mapping[str, Observation] = field(default_factory=dict)
    """The reference's answers to counter-questions."""
    findings: tuple[Finding, ...] = ()
    """What was concluded so far, in the rubric's order."""
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """What checks worked out from the notebook's side alone, findings and reference aside."""

    @classmethod
    def from_trace(
        cls, trace: Trace, *, draws: RandomDraws, attachments: tuple[str, ...] = ()
    ) -> Evidence:
        """Return what a run left behind, as checks see it."""
        executed = [run.index for run in trace.record.cells if run.status in _EXECUTED]
        return cls(
            notebook=trace.notebook,
            record=trace.record,
            observations=trace.observations,
            recording=read_recording(trace.observations.get(RECORDING_QUESTION.id), cells=executed),
            draws=draws,
            attachments=attachments,
            expected=trace.expected,
        )

    def observation(self, question: Question) -> Observation:
        """The student's answer to a question."""
        return self.observations.get(question.id, Observation(id=question.id, status="died"))

    def with_expected(self, expected: Mapping[str, Observation]) -> Evidence:
        """The same, with more of the reference's answers."""
        return replace(self, expected={**self.expected, **expected})

    def reference_observation(self, question: Question) -> Observation:
        """The reference's answer to a counter-question."""
        return self.expected.get(question.id, Observation(id=question.id, status="died"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What a check makes of the evidence, before its dependencies are considered."""

    share: Fraction
    """Of its points, from 0 to 1."""
    expected: str
    observed: str
    hint: str = ""
    usual: bool = False
    """Whether it is the usual mistake: the rubric's own question then replaces the hint."""
    unjudged: bool = False
    """The thing to judge is not there: blocked, if something it needs is why."""
    stops: bool = False
    """What needs this can't be judged either."""
    because: str = ""
    """What kept it from being judged, where nothing failed: 'the training loop never ran'."""
    pending: bool = False
    """Only a person can tell."""
    names: tuple[str, ...] = ()
    """Names of the notebook that are missing."""
    cells: tuple[int, ...] = ()
    exhibit: Exhibit | None = None


def passed(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """All points."""
    return CheckOutcome(share=Fraction(1), expected=expected, observed=observed, **more)


def failed(*, expected: str, observed: str, hint: str = "", **more: Any) -> CheckOutcome:
    """No points."""
    return CheckOutcome(share=Fraction(0), expected=expected, observed=observed, hint=hint, **more)


def absent(*, expected: str, observed: str, hint: str = "", **more: Any) -> CheckOutcome:
    """Nothing to judge."""
    return CheckOutcome(
        share=Fraction(0),
        expected=expected,
        observed=observed,
        hint=hint,
        unjudged=True,
        stops=True,
        **more,
    )


class ReferenceFault(Exception):
    """The reference did not answer: our failure, verdict ERROR."""


class Check(Generic[P]):
    """A rule about observations, with a code; its docstring is its documentation page."""

    code: ClassVar[str]
    params: ClassVar[type[Params]]
    judges_file: ClassVar[bool] = False
    """Whether it judges the file and its run from top to bottom, not what a notebook holds."""

    def title(self, params: P) -> str:
        """What it checks, in a few words for a report."""
        raise NotImplementedError

    def questions(self, params: P, draws: RandomDraws) -> tuple[Question, ...]:
        """What it asks the student's live notebook."""
        return ()

    def constant_questions(self, params: P, draws: RandomDraws) -> tuple[Question, ...]:
        """What it asks the reference whatever a student did: asked once for all submissions."""
        return ()

    def counter_questions(self, params: P, evidence: Evidence) -> tuple[Question, ...]:
        """What it then asks the reference about one student, constant answers at hand."""
        return ()

    def asks_counter_questions(self, params: P) -> bool:
        """Whether it asks the reference about one student: then it can't be public."""
        return type(self).counter_questions is not Check.counter_questions

    def judge(self, params: P, evidence: Evidence) -> CheckOutcome:
        """Its opinion.

        Raises:
            Ours: the reference did not answer as it must.
        """
        raise NotImplementedError

    def names(self, params: P) -> tuple[str, ...]:
        """Names in the student's code that it is about, for showing that code."""
        return ()


def make_question(
    kind: str, params: Mapping[str, Json], arrays: Mapping[str, Array] | None = None
) -> Question:
    """A question whose id is its content, so that equal questions are asked once."""
    digest = hashlib.sha256(json.dumps([kind, params], sort_keys=True).encode())
    for key, value in sorted((arrays or {}).items()):
        digest.update(key.encode() + str(value.shape).encode())
        digest.update(np.ascontiguousarray(value).data)
    return Question(
        id=f"{kind}-{digest.hexdigest()[:16]}", kind=kind, params=params, arrays=arrays or {}
    )


ARRAYS_QUESTION = make_question("arrays", {})
"""Every numeric array of the notebook's namespace."""
RECORDING_QUESTION = make_question("recording", {})
"""What was recorded of the notebook's own run."""
