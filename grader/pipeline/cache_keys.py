"""What a grade was made from, as a key: equal keys, equal grades, so nothing need run again.

A key has three parts: what a run depends on, what judging what it left behind depends on, and what
finding names and written answers depends on beside the notebook: what a person said of this
submission's cells, too. Where the first is the same, the
stored observations are judged again and no kernel starts; where the third is too, what the notebook
says in words is not looked for again.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grader
from grader.errors import NotebookError
from grader.model import Limits, Submission
from grader.notebook import content
from grader.pipeline.judge import Judge
from grader.pipeline.supplied_files import Provided, digests
from grader.sandbox import Level, Wanted

OURS = Path(grader.__file__).parent
ENDINGS = frozenset({".py", ".j2", ".css", ".html", ".js", ".svg"})
RUNNING = frozenset({"inside", "kernel", "sandbox", "wire.py", "notebook", "model"})
"""The rooms that a run passes through."""
READING = frozenset({"notebook", "model", "pipeline", "inside"})
"""The rooms that find names and written answers, and draw their pictures."""


def _digest(parts: Iterable[str | bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Digests of our own files."""

    every: str
    running: str
    reading: str

    @classmethod
    def now(cls) -> _Files:
        """As they are on disk."""
        files = sorted(path for path in OURS.rglob("*") if path.suffix in ENDINGS)
        told = {path.relative_to(OURS): path.read_bytes() for path in files}
        rooms = {place.parts[0] for place in told}

        def of(some: Collection[str]) -> str:
            chosen = ((place, data) for place, data in told.items() if place.parts[0] in some)
            return _digest(part for place, data in chosen for part in (place.as_posix(), data))

        return cls(every=of(rooms), running=of(RUNNING), reading=of(READING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Makes the keys of one run."""

    running: str
    judging: str
    reading: str
    told: Mapping[str, str] = field(default_factory=dict)
    """By submission, a digest of the cells that a person told."""
    limits: Limits = field(default_factory=Limits)
    provided: Provided = field(default_factory=Provided)
    """What decides which files a notebook finds beside it."""

    @classmethod
    def of(cls, judge: Judge, *, show_ids: bool = False) -> Keys:
        """The keys under a judge, whose pages show whole ids or not."""
        rubric = judge.rubric
        files = _Files.now()
        asked = (*judge.checks.questions, *judge.checks.constant_questions)
        told = (rubric.seed, rubric.record, rubric.optional_imports, rubric.limits)
        return cls(
            running=_digest(
                [
                    files.running,
                    judge.reference.sha256,
                    judge.environment,
                    judge.draws.seed,
                    repr(told),
                    *(question.id for question in asked),
                ]
            ),
            judging=_digest([files.every, rubric.sha256, repr(judge.people), repr(show_ids)]),
            reading=_digest(
                [files.reading, sys.version, judge.reference.sha256, repr(judge.asked)]
            ),
            told={
                name: _digest([repr(sorted(items.items()))]) for name, items in judge.parts.items()
            },
            limits=rubric.limits,
            provided=Provided.of(rubric),
        )

    def key(self, submission: Submission) -> str:
        """The key of a submission as it is now on disk; '' when it can't be read."""
        attached = " ".join(path.suffix.lower() for path in submission.attachments)
        told: list[str | bytes] = [submission.name, submission.shown, attached, _found(submission)]
        if not submission.problem:
            try:
                told.append(content(submission.path))
            except NotebookError:
                return ""
            told += digests(self.provided.beside(submission, limits=self.limits))
        ran = _digest([self.running, *told])
        return f"{ran}.{self._judging(submission)}.{self._reading(submission.name)}"

    def rejudged(self, key: str, *, submission: Submission) -> str:
        """The key of an earlier run that was judged again now; '' stays ''."""
        now = f"{self._judging(submission)}.{self._reading(submission.name)}"
        return f"{ran_of(key)}.{now}" if key else ""

    def _judging(self, submission: Submission) -> str:
        """With what the folder says of people and times."""
        told = (submission.students, submission.at, submission.late)
        return _digest([self.judging, repr(told)])

    def reads_as(self, key: str, *, submission: str = "") -> bool:
        """Whether names and answers of an earlier run were found as they would be now."""
        return key.split(".")[2:] == [self._reading(submission)]

    def _reading(self, submission: str) -> str:
        told = self.told.get(submission)
        return self.reading if told is None else _digest([self.reading, told])


def _found(submission: Submission) -> str:
    """What was known of it before it was read, people and times aside: no kernel asks for those."""
    return repr((submission.problem, submission.remarks, submission.doubts))


def ran_of(key: str) -> str:
    """The part of a key that a run depends on, and at which level it was."""
    return key.partition(".")[0]


def at_level(key: str, level: str) -> str:
    """The key of what was run at a level of isolation; '' stays ''."""
    return f"{level}:{key}" if key else ""


def without_level(key: str, *, wanted: Wanted) -> str:
    """A stored key as keys are made now; '' where its run was less isolated than is wanted."""
    word, _, made = key.partition(":")
    order = list(Level)
    if word not in order:
        return ""
    least = wanted.level or (Level.NONE if wanted.unsandboxed else Level.REDUCED)
    return made if order.index(Level(word)) <= order.index(least) else ""
