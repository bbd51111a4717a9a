"""Defines checks: their parameters, questions to a notebook, and outcomes from the answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from grader.checks.memo import Memo, memoized
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
    shorten,
)

if TYPE_CHECKING:
    from grader.model import Array, Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class SeededRandom:
    """Random numbers that no student can know: they follow from an assignment's secret seed."""

    seed: bytes
    memo: Memo = field(default_factory=Memo, compare=False, repr=False)
    """Numbers drawn, and questions made of them: the same for every submission."""

    @memoized
    def normal(self, label: str, shape: tuple[int, ...], *, scale: float = 1.0) -> Numbers:
        """Return normal numbers as read-only float32, the same for the same seed and label."""
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
    """The notebook's answers, by the question's id."""
    recording: Recording
    rng: SeededRandom
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
        cls, trace: Trace, *, rng: SeededRandom, attachments: tuple[str, ...] = ()
    ) -> Evidence:
        """Return the evidence in a trace."""
        executed = [run.index for run in trace.record.cells if run.status in _EXECUTED]
        return cls(
            notebook=trace.notebook,
            record=trace.record,
            observations=trace.observations,
            recording=read_recording(trace.observations.get(RECORDING_QUESTION.id), cells=executed),
            rng=rng,
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
    """The share of its points that is earned, from 0 to 1."""
    expected: str
    observed: str
    hint: str = ""
    usual: bool = False
    """Whether this is the usual mistake: `ask` of the rubric then replaces the hint."""
    unjudged: bool = False
    """Whether there is nothing to judge; it is blocked if a check that it needs is the cause."""
    stops: bool = False
    """Whether checks that need this one can't judge either."""
    because: str = ""
    """Why there is nothing to judge, where no cell failed: 'the training loop never ran'."""
    pending: bool = False
    """Whether only a person can decide."""
    names: tuple[str, ...] = ()
    """Names that the notebook should have defined."""
    cells: tuple[int, ...] = ()
    exhibit: Exhibit | None = None


def passed(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """Return an outcome with all points."""
    return CheckOutcome(share=Fraction(1), expected=expected, observed=observed, **more)


def failed(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """Return an outcome without points."""
    return CheckOutcome(share=Fraction(0), expected=expected, observed=observed, **more)


def absent(*, expected: str, observed: str, **more: Any) -> CheckOutcome:
    """Return an outcome where there is nothing to judge: no points."""
    return failed(expected=expected, observed=observed, unjudged=True, stops=True, **more)


def share_without_flaw(
    flaws: Sequence[str], *, expected: str, has_values: bool, name: str, max_shown: int
) -> CheckOutcome:
    """Return an outcome with the share of calls that have no flaw.

    Args:
        flaws: For each call, what is wrong with it, or ''.
        expected: What every call should give.
        has_values: Whether any call gave a value; otherwise there is nothing to judge.
        name: The name of the function or class that was called.
        max_shown: The most flaws that are shown.
    """
    right_count = flaws.count("")
    if right_count == len(flaws):
        calls = {1: "the call", 2: "both calls"}.get(right_count, f"all {right_count} calls")
        observed = f"{calls} of {name} gave what is expected"
        return passed(expected=expected, observed=observed)
    return CheckOutcome(
        share=Fraction(right_count, len(flaws)),
        expected=expected,
        observed="; ".join(list(dict.fromkeys(filter(None, flaws)))[:max_shown]),
        unjudged=not has_values,
        stops=not has_values,
        names=(name,),
    )


class Check(BaseModel):
    """A rule about observations; an instance is the rule with the parameters of one rubric.

    A subclass's fields are its parameters, its docstring is its page in docs/checks.md.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    code: ClassVar[str]
    title: ClassVar[str]
    """A few words for a report, in which `{field}` is replaced by a parameter."""
    subjects: ClassVar[tuple[str, ...]] = ()
    """Parameters that hold names in the student's code that it is about."""
    reference_names: ClassVar[tuple[str, ...]] = ()
    """Parameters that hold names in the reference, which students must not read."""
    fixed_questions: ClassVar[tuple[Question, ...]] = ()
    """Questions that are the same whatever its parameters are."""
    depends_on_run: ClassVar[bool] = True
    """Whether it may come out otherwise where something is missing that the notebook needs."""
    judges_file: ClassVar[bool] = False
    """Whether it judges the file and its run as a whole, not functions and values."""

    def describe(self) -> str:
        """Return its title for these parameters."""
        return self.title.format_map(vars(self))

    def code_names(self) -> tuple[str, ...]:
        """Return the names in the student's code that it is about, for showing that code."""
        values = [getattr(self, key) for key in self.subjects]
        groups = [(value,) if isinstance(value, str) else value for value in values]
        return tuple(name for group in groups for name in group if name)

    def weight_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Return the shapes of the module's parameters that it looks at."""
        return ()

    def masked(self) -> Self:
        """Return a copy that students may read: names in the reference are replaced by digests."""
        digests: dict[str, str | tuple[str, ...]] = {}
        for key in self.reference_names:
            value = getattr(self, key)
            is_single = isinstance(value, str)
            digests[key] = _digest_name(value) if is_single else tuple(map(_digest_name, value))
        return self.model_copy(update=digests)

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        """Return the questions to the student's live notebook."""
        return self.fixed_questions

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        """Return the questions to the reference that are the same for all submissions."""
        return ()

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        """Return the questions to the reference that depend on one student's answers."""
        return ()

    def asks_counter_questions(self) -> bool:
        """Return whether it has counter-questions: then it can't be public."""
        return type(self).counter_questions is not Check.counter_questions

    def find_doubt(self, evidence: Evidence) -> str:
        """Return why only a person can decide where points would be lost, or ''."""
        return ""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        """Return its outcome.

        Raises:
            ReferenceFault: The reference did not answer, or not as it must.
        """
        raise NotImplementedError


def _digest_name(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8] if name else ""


def explain_no_answer(
    observation: Observation, *, name: str, missing: str, call: str = "calling"
) -> str:
    """Return why a question about a function or class has no answer; '' where it has one.

    Args:
        observation: The notebook's answer.
        name: The name of the function or class.
        missing: The sentence for a notebook that left no such name.
        call: The verb for what was done with it.
    """
    sentences = {
        "missing": missing,
        "timed_out": f"{name} did not answer in time",
        "died": f"{call} {name} ended the notebook's process",
        "invalid": f"{name} gave something that could not be read",
        "not_asked": f"{name} was not called: the questions ended before its turn",
    }
    return sentences.get(observation.status, "")


def explain_error(error: str, *, name: str, call: str = "calling") -> str:
    """Return what an error says that ended a question about a function or class.

    Args:
        error: 'ValueError: …' as the notebook raised it, or 'NotNumbers: …' as our question did.
        name: The name of the function or class.
        call: The verb for what was done with it; '' where the name itself raised.
    """
    kind, _, value = error.partition(": ")
    if kind == "NotNumbers" and value:
        return f"{name} gave {shorten(value, most=200)}"
    return f"{call} {name} raised {shorten(error, most=200).rstrip(': ')}".lstrip()


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


ARRAYS_QUESTION = make_question("arrays", {"version": 2})
"""Asks for every numeric array of the notebook's namespace, and for all its names.

An answer of an earlier version, in another form, is none: its question had another id.
"""
RECORDING_QUESTION = make_question("recording", {"version": 2})
"""Asks for the recording of the notebook's own run."""
QUESTIONS_WITHOUT_CALL = frozenset({ARRAYS_QUESTION.id, RECORDING_QUESTION.id})
"""Questions that call nothing by a name of the student's: a lost answer is no failure of theirs."""
