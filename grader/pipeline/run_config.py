"""What all processes of a run are told, and how each of them writes what it comes to."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from grader import checks
from grader.folder import OutputFolder
from grader.gradebook import Gradebook, StoredSubmission
from grader.gradebook.course_records import LocationOverrides
from grader.gradebook.store import GradeWithMarks
from grader.kernel.module_survey import ModuleSurvey
from grader.model import Graded, Rubric
from grader.people import People
from grader.pipeline import GradingResult, SessionOptions
from grader.pipeline.cache_keys import CacheKeys
from grader.pipeline.judge import Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What a run grades by and writes to; plain data, so that it can be sent to processes."""

    rubric: Rubric
    seed: bytes
    folder: OutputFolder
    session: SessionOptions | None = None
    """Where notebooks run; None where none does."""
    overrides: LocationOverrides = field(default_factory=dict)
    """By submission and item, the cells that a person named for its answer."""
    people: People = field(default_factory=People)

    def build_judge(self) -> Judge:
        """Read the reference, and bind checks to the seed."""
        return Judge.for_rubric(
            self.rubric,
            draws=checks.RandomDraws(seed=self.seed),
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

    def cache_keys(self, judge: Judge) -> CacheKeys:
        """Return what makes the keys of grades by this judge."""
        return CacheKeys(judge, show_ids=self.folder.show_ids)


class ResultWriter:
    """Stores grades, and then writes their pages: whatever was returned is on disk.

    A page that could not be written, or that another process wrote meanwhile, is stale in the
    gradebook, and the run writes it again when it publishes the class.
    """

    def __init__(self, config: RunConfig, *, book: Gradebook) -> None:
        self._rubric, self._folder, self._book = config.rubric, config.folder, book

    def write_result(self, result: GradingResult, *, cache_key: str) -> Graded:
        """Store what a run came to; return the grade with the marks there are."""
        token = secrets.token_hex(8)
        stored = StoredSubmission(
            cache_key="" if result.grader_fault else cache_key,
            graded=result.graded,
            trace=result.trace,
        )
        self._book.save_submission(stored, render_token=token)
        return self._write_pages(result.graded, token=token).graded

    def write_conclusion(self, graded: Graded, *, cache_key: str) -> GradeWithMarks:
        """Store another conclusion from the same run."""
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
