"""Cache keys: digests of all that a grade was made from, so that equal keys mean equal grades.

A key has three parts: of what a run depends on, of what judging its trace depends on, and of what
extracting names and written answers depends on. Where the first is the same, the trace is judged
again and no kernel starts; where the third is, too, names and answers are taken over. A stored key
begins with the level of isolation of its run: "full:run.judging.extraction".
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grader
from grader.errors import NotebookError
from grader.model import Submission
from grader.notebook import read_submitted_file
from grader.people import People
from grader.pipeline.judge import Judge
from grader.pipeline.supplied_files import NotebookFiles, choose_files, list_course_files
from grader.pipeline.test_runs import tests_digest
from grader.sandbox import IsolationLevel, IsolationRequest

PACKAGE_FOLDER = Path(grader.__file__).parent
SUFFIXES = frozenset({".py", ".j2", ".css", ".html", ".js", ".svg"})
RUN_SOURCES = frozenset(
    {
        "inside",
        "course_tests",
        "kernel",
        "sandbox",
        "wire.py",
        "notebook",
        "text_folding.py",
        "model",
    }
)
"""The rooms that a run passes through."""
EXTRACTION_SOURCES = frozenset(
    {"notebook", "text_folding.py", "model", "pipeline", "inside", "confined_readers.py"}
)
"""The rooms that find names and written answers, and sanitize their pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSubmission:
    """A submission, with the files beside its notebook and the key of its grade."""

    submission: Submission
    supplied: NotebookFiles
    key: str
    """The key of its grade; '' where the notebook can't be read."""
    parts: Mapping[str, PreparedSubmission] = field(default_factory=dict)
    """Of an assignment of several notebooks, those that are there, by the notebook's id."""

    def notebooks(self) -> Iterator[tuple[Submission, Iterable[str]]]:
        """Yield each notebook, with the names of the files beside it."""
        for prepared in self.parts.values() or (self,):
            yield prepared.submission, prepared.supplied.files


def _people_text(people: People) -> str:
    """Return the same text for the same people, in whatever order a file lists them."""
    dates = (people.extensions, people.submission_times)
    return repr((sorted(map(repr, people.members)), *(sorted(each.items()) for each in dates)))


def _own_check_sources(modules: Iterable[str]) -> Iterator[str | bytes]:
    """Yield the code of a course's own checks: the whole package or file of each module."""
    names = list(modules)
    for path in map(Path, sorted(name for name in names if name.endswith(".py"))):
        yield from (path.name, path.read_bytes())
    packages = {name.partition(".")[0] for name in names if not name.endswith(".py")}
    for name in sorted(packages - {"grader"}):
        spec = importlib.util.find_spec(name)
        if spec is None:
            continue  # loading the checks has refused it
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
        files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
        for path in files or ([Path(spec.origin)] if spec.origin else []):
            yield from (name, path.name, path.read_bytes())


class SubmissionKeys(ABC):
    """Makes the keys of submissions."""

    @abstractmethod
    def prepare(self, submission: Submission) -> PreparedSubmission:
        """Read the files of a submission once, for its key and for its run."""

    @abstractmethod
    def judging_part(self, submission: Submission) -> str:
        """Return the part of a key that judging depends on."""

    @abstractmethod
    def extraction_part(self, submission: str) -> str:
        """Return the part of a key that finding names and answers depends on."""

    @abstractmethod
    def common_parts(self) -> tuple[str, ...]:
        """Return what is the same in the keys of all submissions."""

    def tail(self, submission: Submission) -> str:
        """Return what follows the part of a key that a run depends on."""
        return f"{self.judging_part(submission)}.{self.extraction_part(submission.name)}"

    def rejudged_key(self, key: str, *, submission: Submission) -> str:
        """Return the key of an earlier run that was judged again now; '' stays ''."""
        return f"{run_part(key)}.{self.tail(submission)}" if key else ""

    def pending_key(self, key: str, *, submission: Submission) -> str:
        """Return the key of an earlier run that could be judged again only in part.

        It has the same parts, and is the key of no submission: the next run takes it up.
        """
        judging, extraction = self.judging_part(submission), self.extraction_part(submission.name)
        return f"{run_part(key)}.{judging}-pending.{extraction}" if key else ""

    def has_same_extraction(self, key: str, *, submission: str) -> bool:
        """Return whether names and answers were extracted as they would be now."""
        return key.split(".")[2:] == [self.extraction_part(submission)]


class CacheKeys(SubmissionKeys):
    """Makes the keys of one run.

    Args:
        judge: the judge of the run.
        show_ids: whether pages show whole ids.
    """

    def __init__(self, judge: Judge, *, show_ids: bool = False) -> None:
        rubric, checks = judge.rubric, judge.checks
        self._provided = list_course_files(rubric)
        self._limits = rubric.limits
        self._overrides = judge.overrides
        run_settings: tuple[object, ...] = (
            rubric.seed,
            rubric.record,
            rubric.optional_imports,
            rubric.limits,
        )
        if rubric.cell_seed is not None:
            run_settings += (rubric.cell_seed, rubric.seed_variable)
        if rubric.imported_from:  # whose test cells are not run
            run_settings += (rubric.imported_from, [(item.id, item.kind) for item in rubric.items])
        self._run = _digest(
            [
                _source_digest(RUN_SOURCES),
                judge.reference.sha256,
                judge.environment,
                judge.rng.seed,
                repr(run_settings),
                *(("figures",) if rubric.takes_code else ()),  # which are read with the notebook
                *(question.id for question in (*checks.questions, *checks.constant_questions)),
            ]
        )
        self._judging = _digest(
            [
                _source_digest(),
                *_own_check_sources(rubric.check_modules),
                rubric.sha256,
                tests_digest(rubric),
                _people_text(judge.people),
                repr(show_ids),
            ]
        )
        self._extraction = _digest(
            [
                _source_digest(EXTRACTION_SOURCES),
                sys.version,
                judge.reference.sha256,
                repr(judge.answer_items),
            ]
        )

    def prepare(self, submission: Submission) -> PreparedSubmission:
        """Read the files of a submission once, for its key and for its run."""
        supplied = NotebookFiles(files={})
        # Without people and times, since no run depends on them; see `tail`.
        parts: list[str | bytes] = [
            submission.name,
            submission.display_path,
            " ".join(path.suffix.lower() for path in submission.attachments),
            repr((submission.problem, submission.remarks, submission.concerns)),
        ]
        if not submission.problem:
            supplied = choose_files(self._provided, submission, limits=self._limits)
            try:
                parts.append(read_submitted_file(submission.path))
            except NotebookError:
                return PreparedSubmission(submission=submission, supplied=supplied, key="")
            parts += supplied.digests()
        key = f"{_digest([self._run, *parts])}.{self.tail(submission)}"
        return PreparedSubmission(submission=submission, supplied=supplied, key=key)

    def common_parts(self) -> tuple[str, ...]:
        """Return what is the same in the keys of all submissions."""
        return self._run, self._judging, self._extraction

    def judging_part(self, submission: Submission) -> str:
        """Return the part of a key that judging depends on."""
        people_fields = (submission.students, submission.submitted_at, submission.late)
        return _digest([self._judging, repr(people_fields)])

    def extraction_part(self, submission: str) -> str:
        """Return the part of a key that finding names and answers depends on."""
        if submission not in self._overrides:
            return self._extraction
        return _digest([self._extraction, repr(sorted(self._overrides[submission].items()))])


class JoinedKeys(SubmissionKeys):
    """Makes the keys of submissions of several notebooks, of those of each.

    Args:
        keys: what makes the keys of each notebook, by its id.
    """

    def __init__(self, keys: Mapping[str, CacheKeys]) -> None:
        self._keys = keys

    def prepare(self, submission: Submission) -> PreparedSubmission:
        """Read the files of a submission once, for its key and for its run."""
        parts = {
            notebook: self._keys[notebook].prepare(part)
            for notebook, part in submission.parts.items()
        }
        supplied = NotebookFiles(files={})
        if not all(part.key for part in parts.values()):
            return PreparedSubmission(submission=submission, supplied=supplied, key="", parts=parts)
        runs = [run_part(part.key) for part in parts.values()]
        run = _digest([submission.problem, repr(submission.concerns), *parts, *runs])
        key = f"{run}.{self.tail(submission)}"
        return PreparedSubmission(submission=submission, supplied=supplied, key=key, parts=parts)

    def common_parts(self) -> tuple[str, ...]:
        """Return what is the same in the keys of all submissions."""
        return tuple(part for keys in self._keys.values() for part in keys.common_parts())

    def judging_part(self, submission: Submission) -> str:
        """Return the part of a key that judging depends on."""
        return _digest(keys.judging_part(submission) for keys in self._keys.values())

    def extraction_part(self, submission: str) -> str:
        """Return the part of a key that finding names and answers depends on."""
        return _digest(keys.extraction_part(submission) for keys in self._keys.values())


def run_part(key: str) -> str:
    """Return the part of a key that a run depends on, with its level of isolation if it has one."""
    return key.partition(".")[0]


def with_level(key: str, level: str) -> str:
    """Return the key of what was run at a level of isolation; '' stays ''."""
    return f"{level}:{key}" if key else ""


def without_level(key: str, *, required: IsolationRequest) -> str:
    """Return a stored key without its level; '' if its run was less isolated than required."""
    level, _, bare_key = key.partition(":")
    levels = list(IsolationLevel)
    if level not in levels:
        return ""
    least = required.level or (
        IsolationLevel.NONE if required.unsandboxed else IsolationLevel.REDUCED
    )
    return bare_key if levels.index(IsolationLevel(level)) <= levels.index(least) else ""


def _source_digest(packages: Collection[str] | None = None) -> str:
    """Digest our own files on disk: those of some packages, or all."""
    paths = sorted(path for path in PACKAGE_FOLDER.rglob("*") if path.suffix in SUFFIXES)
    named_paths = ((path.relative_to(PACKAGE_FOLDER), path) for path in paths)
    return _digest(
        part
        for relative, path in named_paths
        if packages is None or relative.parts[0] in packages
        for part in (relative.as_posix(), path.read_bytes())
    )


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:32]
