"""The configuration that all processes of a run share, and the writer of their results."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import checks, rubric
from grader.folder import OutputFolder
from grader.gradebook import Gradebook, StoredSubmission
from grader.gradebook.course_records import LocationOverrides
from grader.gradebook.encoded_submissions import EncodedSubmission
from grader.gradebook.store import GradeWithMarks
from grader.kernel.module_survey import ModuleSurvey
from grader.model import Graded, Rubric
from grader.people import People
from grader.pipeline import GradingResult, SessionOptions
from grader.pipeline.cache_keys import CacheKeys, JoinedKeys, SubmissionKeys
from grader.pipeline.joined_grades import WholeJudge
from grader.pipeline.judge import Judge


def load_rubric(root: Path, *, assignment: str | None) -> Rubric:
    """Load the rubric of an assignment; None for the default one.

    Raises:
        RubricError: there is no such rubric below the root, or it is not valid.
    """
    path = rubric.find_rubric(root, assignment=assignment)
    return rubric.load_rubric(path, catalog=checks.load_checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What a run grades by and writes to; plain data, so that processes can receive it."""

    rubric: Rubric
    seed: bytes
    folder: OutputFolder
    session: SessionOptions | None = None
    """Where notebooks run; None where no notebook runs."""
    overrides: LocationOverrides = field(default_factory=dict)
    """By submission and item, the cells that a person named for its answer."""
    people: People = field(default_factory=People)
    python: str = sys.executable
    """The interpreter that tests of the course run in, where no notebook runs."""

    def build_judges(self) -> tuple[Judge, ...]:
        """Read the references, and bind checks to the seed: a judge for each notebook."""
        return tuple(replace(self, rubric=part).build_judge() for part in self.rubric.whole)

    def build_whole_judge(self, judges: Sequence[Judge]) -> WholeJudge | None:
        """Return what joins the grades of several notebooks; None where there is one."""
        if not self.rubric.parts:
            return None
        return WholeJudge.for_rubric(self.rubric, {j.rubric.notebook: j for j in judges})

    def build_judge(self) -> Judge:
        """Read the reference of a rubric's only notebook, and bind checks to the seed."""
        return Judge.for_rubric(
            self.rubric,
            rng=checks.SeededRandom(seed=self.seed),
            environment=self.session.environment.fingerprint if self.session else "",
            overrides=self.overrides,
            people=self.people,
        )

    def module_survey(self) -> ModuleSurvey:
        """Return what modules notebooks find."""
        return ModuleSurvey(
            installed=self.session.environment.modules if self.session else frozenset(),
            optional=self.rubric.optional_imports,
        )

    def cache_keys(self, *judges: Judge) -> SubmissionKeys:
        """Return what makes the keys of grades by these judges."""
        keys = {
            judge.rubric.notebook: CacheKeys(judge, show_ids=self.folder.show_ids)
            for judge in judges
        }
        return JoinedKeys(keys) if self.rubric.parts else keys[""]


class ResultWriter:
    """Stores grades, and then writes their pages: each returned grade is on disk.

    A page that could not be written, or that another process wrote at the same time, is marked
    stale in the gradebook, and written again when the class is published.
    """

    def __init__(self, config: RunConfig, *, book: Gradebook) -> None:
        self._rubric, self._folder, self._book = config.rubric, config.folder, book

    def write_result(self, result: GradingResult, *, cache_key: str) -> Graded:
        """Store the result of a run; return the grade with its marks."""
        token = secrets.token_hex(8)
        stored = StoredSubmission(
            cache_key="" if result.grader_fault else cache_key,
            graded=result.graded,
            trace=result.trace,
        )
        self._book.save_submission(stored, render_token=token)
        return self._write_pages(result.graded, token=token).graded

    def write_encoded(self, encoded: EncodedSubmission) -> Graded:
        """Store what another computer encoded; return the grade with its marks.

        Raises:
            KeyError: a large array that the store should have is not there; nothing was stored.
            UsageError: it is damaged.
        """
        token = secrets.token_hex(8)
        graded = self._book.decode_result(encoded.result)
        self._book.save_encoded(encoded, render_token=token)
        return self._write_pages(graded, token=token).graded

    def write_conclusion(self, graded: Graded, *, cache_key: str) -> GradeWithMarks:
        """Store another grade from the same run; return it with its marks."""
        token = secrets.token_hex(8)
        self._book.replace_grade(graded, cache_key=cache_key, render_token=token)
        return self._write_pages(graded, token=token)

    def _write_pages(self, graded: Graded, *, token: str) -> GradeWithMarks:
        marked = self._book.apply_stored_marks(graded)
        self._folder.write_submission(marked.graded, rubric=self._rubric)
        self._book.finish_rendering(
            graded.submission.name, token=token, mark_revision=marked.mark_revision
        )
        return marked
