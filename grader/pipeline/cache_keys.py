"""What a grade was made from, as a key: equal keys, equal grades, so nothing need run again.

A key has three parts: what a run depends on, what judging what it left behind depends on, and what
finding names and written answers depends on beside the notebook: what a person said of this
submission's cells, too. Where the first is the same, the
stored observations are judged again and no kernel starts; where the third is too, what the notebook
says in words is not looked for again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grader
from grader.errors import NotebookError
from grader.model import Limits, Submission
from grader.notebook import read_submitted_file
from grader.pipeline.judge import Judge
from grader.pipeline.supplied_files import ProvidedFiles, file_digests
from grader.sandbox import IsolationLevel, IsolationRequest

PACKAGE_FOLDER = Path(grader.__file__).parent
SUFFIXES = frozenset({".py", ".j2", ".css", ".html", ".js", ".svg"})
RUN_SOURCES = frozenset({"inside", "kernel", "sandbox", "wire.py", "notebook", "model"})
"""The rooms that a run passes through."""
EXTRACTION_SOURCES = frozenset({"notebook", "model", "pipeline", "inside"})
"""The rooms that find names and written answers, and draw their pictures."""


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _SourceDigests:
    """Digests of our own files."""

    all_sources: str
    run: str
    extraction: str

    @classmethod
    def from_disk(cls) -> _SourceDigests:
        """As they are on disk."""
        files = sorted(path for path in PACKAGE_FOLDER.rglob("*") if path.suffix in SUFFIXES)
        contents = {path.relative_to(PACKAGE_FOLDER): path.read_bytes() for path in files}
        package_names = {relative.parts[0] for relative in contents}

        def digest_of(names: Collection[str]) -> str:
            chosen = (
                (relative, data)
                for relative, data in contents.items()
                if relative.parts[0] in names
            )
            return _digest(
                part for relative, data in chosen for part in (relative.as_posix(), data)
            )

        return cls(
            all_sources=digest_of(package_names),
            run=digest_of(RUN_SOURCES),
            extraction=digest_of(EXTRACTION_SOURCES),
        )


def _own_check_sources(modules: Iterable[str]) -> Iterator[str | bytes]:
    """Yield the code of a course's own checks: the whole package or file of each module."""
    for name in sorted({module.partition(".")[0] for module in modules} - {"grader"}):
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue  # loading the checks has refused it
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
        files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
        for path in files or ([Path(spec.origin)] if spec.origin else []):
            yield from (name, path.name, path.read_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheKeys:
    """Makes the keys of one run."""

    run_digest: str
    judge_digest: str
    extraction_digest: str
    override_digests: Mapping[str, str] = field(default_factory=dict)
    """By submission, a digest of the cells that a person told."""
    limits: Limits = field(default_factory=Limits)
    provided: ProvidedFiles = field(default_factory=ProvidedFiles)
    """What decides which files a notebook finds beside it."""

    @classmethod
    def for_judge(cls, judge: Judge, *, show_ids: bool = False) -> CacheKeys:
        """The keys under a judge, whose pages show whole ids or not."""
        rubric = judge.rubric
        sources = _SourceDigests.from_disk()
        questions = (*judge.checks.questions, *judge.checks.constant_questions)
        run_settings = (rubric.seed, rubric.record, rubric.optional_imports, rubric.limits)
        return cls(
            run_digest=_digest(
                [
                    sources.run,
                    judge.reference.sha256,
                    judge.environment,
                    judge.draws.seed,
                    repr(run_settings),
                    *(question.id for question in questions),
                ]
            ),
            judge_digest=_digest(
                [
                    sources.all_sources,
                    *_own_check_sources(rubric.check_modules),
                    rubric.sha256,
                    repr(judge.people),
                    repr(show_ids),
                ]
            ),
            extraction_digest=_digest(
                [sources.extraction, sys.version, judge.reference.sha256, repr(judge.answer_items)]
            ),
            override_digests={
                name: _digest([repr(sorted(items.items()))])
                for name, items in judge.overrides.items()
            },
            limits=rubric.limits,
            provided=ProvidedFiles.for_rubric(rubric),
        )

    def for_submission(self, submission: Submission) -> str:
        """The key of a submission as it is now on disk; '' when it can't be read."""
        suffixes = " ".join(path.suffix.lower() for path in submission.attachments)
        parts: list[str | bytes] = [
            submission.name,
            submission.shown,
            suffixes,
            _collection_facts(submission),
        ]
        if not submission.problem:
            try:
                parts.append(read_submitted_file(submission.path))
            except NotebookError:
                return ""
            parts += file_digests(self.provided.merge_with(submission, limits=self.limits))
        run_key = _digest([self.run_digest, *parts])
        return f"{run_key}.{self._judge_part(submission)}.{self._extraction_part(submission.name)}"

    def rejudged_key(self, key: str, *, submission: Submission) -> str:
        """The key of an earlier run that was judged again now; '' stays ''."""
        tail = f"{self._judge_part(submission)}.{self._extraction_part(submission.name)}"
        return f"{run_part(key)}.{tail}" if key else ""

    def _judge_part(self, submission: Submission) -> str:
        """With what the folder says of people and times."""
        people_fields = (submission.students, submission.at, submission.late)
        return _digest([self.judge_digest, repr(people_fields)])

    def has_same_extraction(self, key: str, *, submission: str = "") -> bool:
        """Whether names and answers of an earlier run were found as they would be now."""
        return key.split(".")[2:] == [self._extraction_part(submission)]

    def _extraction_part(self, submission: str) -> str:
        overrides = self.override_digests.get(submission)
        return (
            self.extraction_digest
            if overrides is None
            else _digest([self.extraction_digest, overrides])
        )


def _collection_facts(submission: Submission) -> str:
    """What was known of it before it was read, people and times aside: no kernel asks for those."""
    return repr((submission.problem, submission.remarks, submission.doubts))


def run_part(key: str) -> str:
    """The part of a key that a run depends on, and at which level it was."""
    return key.partition(".")[0]


def with_level(key: str, level: str) -> str:
    """The key of what was run at a level of isolation; '' stays ''."""
    return f"{level}:{key}" if key else ""


def without_level(key: str, *, required: IsolationRequest) -> str:
    """A stored key as keys are made now; '' where its run was less isolated than is wanted."""
    level, _, bare_key = key.partition(":")
    levels = list(IsolationLevel)
    if level not in levels:
        return ""
    least = required.level or (
        IsolationLevel.NONE if required.unsandboxed else IsolationLevel.REDUCED
    )
    return bare_key if levels.index(IsolationLevel(level)) <= levels.index(least) else ""
