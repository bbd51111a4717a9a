"""What a check is: parameters, questions to a notebook, and an outcome from what came back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from grader.checks.memo import Memo, remembered
from grader.checks.recording import Recording, read_recording
from grader.errors import ReferenceFault
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomDraws:
    """Numbers that nobody can know beforehand: drawn from an assignment's secret seed, by label."""

    seed: bytes
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """Numbers drawn, and questions made of them: the same for every submission."""

    def normal(self, label: str, shape: tuple[int, ...], *, scale: float = 1.0) -> Numbers:
        """Return normal numbers as read-only float32, the same for the same seed and label."""
        return _draw_normal(self, label, shape, scale=scale)


@remembered
def _draw_normal(
    draws: RandomDraws, label: str, shape: tuple[int, ...], *, scale: float
) -> Numbers:
    digest = hashlib.sha256(draws.seed + b"|" + label.encode()).digest()
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
    """The notebook's answers, by the question's id."""
    recording: Recording
    draws: RandomDraws
    attachments: tuple[str, ...] = ()
    """Suffixes of the files submitted beside the notebook, such as '.pdf'."""
    expected: Mapping[str, Observation] = field(default_factory=dict)
    """The reference's answers, by the question's id."""
    findings: tuple[Finding, ...] = ()
    """Findings so far, in the order of judging."""
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """Results that depend neither on findings nor on the reference."""

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
        """Return the notebook's answer to a question."""
        return self.observations.get(question.id, Observation(id=question.id, status="not_asked"))

    def reference_observation(self, question: Question) -> Observation:
        """Return the reference's answer to a question."""
        return self.expected.get(question.id, Observation(id=question.id, status="not_asked"))

    def reference_array(self, question: Question, key: str = "out0") -> Array:
        """Return an array of the reference's answer.

        Raises:
            ReferenceFault: There is none.
        """
        answer = self.reference_observation(question)
        if key not in answer.arrays:
            raise ReferenceFault(f"the reference gave no {key}: {answer.error or answer.status}")
        return answer.arrays[key]

    def with_expected(self, expected: Mapping[str, Observation]) -> Evidence:
        """Return the evidence with more of the reference's answers."""
        return replace(self, expected={**self.expected, **expected})


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """A check's conclusion from the evidence, before its dependencies are considered."""

    share: Fraction
    """Of its points, from 0 to 1."""
    expected: str
    observed: str
    hint: str = ""
    usual: bool = False
    """Whether this is the usual mistake: the rubric's own question then replaces the hint."""
    unjudged: bool = False
    """Whether the thing to judge is absent: blocked, if something it needs is the cause."""
    stops: bool = False
    """Whether what needs this can't be judged either."""
    because: str = ""
    """What kept it from being judged, where nothing failed: 'the training loop never ran'."""
    pending: bool = False
    """Whether only a person can tell."""
    names: tuple[str, ...] = ()
    """Names of the notebook that are missing."""
    cells: tuple[int, ...] = ()
    exhibit: Exhibit | None = None


def passed(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """Return an outcome with all points."""
    return CheckOutcome(share=Fraction(1), expected=expected, observed=observed, **more)


def failed(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """Return an outcome without points."""
    return CheckOutcome(share=Fraction(0), expected=expected, observed=observed, **more)


def absent(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """Return an outcome for a thing that isn't there: no points, and nothing to judge."""
    return failed(expected=expected, observed=observed, unjudged=True, stops=True, **more)


class Check(BaseModel):
    """A rule about observations; an instance is the rule with the parameters of one rubric.

    A subclass's fields are its parameters, its docstring is its page in docs/checks.md.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    code: ClassVar[str]
    title: ClassVar[str]
    """What it checks, in a few words for a report; `{field}` stands for a parameter."""
    subjects: ClassVar[tuple[str, ...]] = ()
    """Parameters that hold names of the student's code that it is about."""
    fixed_questions: ClassVar[tuple[Question, ...]] = ()
    """Questions that are the same whatever its parameters are."""
    depends_on_run: ClassVar[bool] = True
    """Whether it may come out otherwise where something is missing that the notebook needs."""
    judges_file: ClassVar[bool] = False
    """Whether it judges the file and its run from top to bottom, not what a notebook holds."""

    def describe(self) -> str:
        """Return its title for these parameters."""
        return self.title.format_map(vars(self))

    def code_names(self) -> tuple[str, ...]:
        """Return the names in the student's code that it is about, for showing that code."""
        values = [getattr(self, key) for key in self.subjects]
        groups = [(value,) if isinstance(value, str) else value for value in values]
        return tuple(name for group in groups for name in group if name)

    def masked(self) -> Self:
        """Return a copy that students may read: names of the reference alone are opaque."""
        return self

    def questions(self, draws: RandomDraws) -> tuple[Question, ...]:
        """Return what it asks the student's live notebook."""
        return self.fixed_questions

    def constant_questions(self, draws: RandomDraws) -> tuple[Question, ...]:
        """Return what it asks the reference once, for all submissions."""
        return ()

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """Return what it then asks the reference about one student."""
        return ()

    def asks_counter_questions(self) -> bool:
        """Tell whether it asks the reference about one student: then it can't be public."""
        return type(self).counter_questions is not Check.counter_questions

    def judge(self, evidence: Evidence) -> CheckOutcome:
        """Return its outcome.

        Raises:
            ReferenceFault: The reference did not answer as it must.
        """
        raise NotImplementedError


def opaque_name(word: str) -> str:
    """Return a stand-in for a word that only the reference knows, another for every word."""
    return hashlib.sha256(word.encode()).hexdigest()[:8]


def explain_no_answer(
    observation: Observation, *, name: str, missing: str, call: str = "calling"
) -> str:
    """Say why a question about a name of the notebook has no answer; '' where it has one.

    Args:
        observation: The notebook's answer.
        name: The function or class that was asked.
        missing: What to say where no such thing was left.
        call: What asking is called.
    """
    sentences = {
        "missing": missing,
        "timed_out": f"{name} did not answer in time",
        "died": f"{call} {name} ended the notebook's process",
        "invalid": f"{name} gave nothing that could be read",
        "not_asked": f"{name} was not called: the questions ended before its turn",
    }
    return sentences.get(observation.status, "")


def make_question(
    kind: str, params: Mapping[str, Json], arrays: Mapping[str, Array] | None = None
) -> Question:
    """Return a question whose id is a digest of its content, so that equal ones are asked once."""
    digest = hashlib.sha256(json.dumps([kind, params], sort_keys=True).encode())
    for key, value in sorted((arrays or {}).items()):
        digest.update(key.encode() + str(value.shape).encode())
        digest.update(np.ascontiguousarray(value).data)
    return Question(
        id=f"{kind}-{digest.hexdigest()[:16]}", kind=kind, params=params, arrays=arrays or {}
    )


ARRAYS_QUESTION = make_question("arrays", {})
"""Asks for every numeric array of the notebook's namespace."""
RECORDING_QUESTION = make_question("recording", {})
"""Asks for what was recorded of the notebook's own run."""
