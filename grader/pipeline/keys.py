"""What a grade was made from, as a key: equal keys, equal grades, so nothing need run again.

A key has two parts: what a run depends on, and what judging what it left behind depends on. Where
only the second differs, the stored observations are judged again and no kernel starts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import grader
from grader.errors import NotebookError
from grader.model import Submission
from grader.notebook import content
from grader.pipeline.judge import Judge

OURS = Path(grader.__file__).parent
ENDINGS = frozenset({".py", ".j2", ".css", ".html", ".js", ".svg"})
RUNNING = frozenset({"inside", "kernel.py", "sandbox", "wire.py", "notebook", "model"})
"""The rooms that a run passes through."""


def _digest(parts: Iterable[str | bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()[:32]


def _of_our_files() -> tuple[str, str]:
    """Digests of the files that a run passes through, and of all."""
    files = sorted(path for path in OURS.rglob("*") if path.suffix in ENDINGS)
    told = {path.relative_to(OURS): path.read_bytes() for path in files}
    running = {place: data for place, data in told.items() if place.parts[0] in RUNNING}
    every, some = (
        _digest(part for place, data in chosen.items() for part in (place.as_posix(), data))
        for chosen in (told, running)
    )
    return some, every


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Makes the keys of one run."""

    running: str
    judging: str

    @classmethod
    def of(cls, judge: Judge) -> Keys:
        """The keys under a judge."""
        rubric = judge.rubric
        running, every = _of_our_files()
        asked = (*judge.checks.questions, *judge.checks.constant_questions)
        told = (rubric.seed, rubric.record, rubric.optional_imports, rubric.limits)
        return cls(
            running=_digest(
                [
                    running,
                    judge.reference.sha256,
                    judge.environment,
                    judge.draws.seed,
                    repr(told),
                    *(question.id for question in asked),
                ]
            ),
            judging=_digest([every, rubric.sha256]),
        )

    def key(self, submission: Submission) -> str:
        """The key of a submission as it is now on disk; '' when it can't be read."""
        attached = " ".join(path.suffix.lower() for path in submission.attachments)
        try:
            data = content(submission.path)
        except NotebookError:
            return ""
        ran = _digest([self.running, submission.name, submission.shown, attached, data])
        return f"{ran}.{self.judging}"

    def rejudged(self, key: str) -> str:
        """The key of an earlier run that was judged again now; '' stays ''."""
        return f"{ran_of(key)}.{self.judging}" if key else ""


def ran_of(key: str) -> str:
    """The part of a key that a run depends on."""
    return key.partition(".")[0]
