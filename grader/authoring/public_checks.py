"""Builds the files of public checks from a course's rubric and its live reference."""

from __future__ import annotations

from collections.abc import Mapping

from grader import checks
from grader.authoring.test_cutting import cut_public_tests
from grader.model import Rubric
from grader.pipeline import SessionOptions, open_grading_session
from grader.pipeline.judge import Judge
from grader.selfcheck.public_files import build_public_files, public_seed, reference_questions
from grader.selfcheck.public_tests import TESTS_SUFFIX


def build_public_checks(rubric: Rubric, *, options: SessionOptions) -> Mapping[str, bytes]:
    """Return the public rubric, the reference's numbers for it, and public tests, by file name.

    Args:
        rubric: The rubric of one notebook.
        options: How the reference is run, which computes the numbers.

    Raises:
        RubricError: A check is public that can't be, or the reference does not run.
    """
    judge = Judge.for_rubric(
        rubric,
        rng=checks.SeededRandom(seed=public_seed(rubric.id)),
        environment=options.environment.fingerprint,
    )
    questions = reference_questions(rubric)
    with open_grading_session(judge, options=options) as session:
        files = build_public_files(rubric, answers=session.reference.ask(questions))
    return {**files, **_public_tests(rubric)}


def _public_tests(rubric: Rubric) -> Mapping[str, bytes]:
    """Return the file of the tests that students can run themselves, if there are any."""
    names = {
        str(getattr(spec.params, "test", ""))
        for item in rubric.items
        for spec in item.checks
        if spec.public
    } - {""}
    if rubric.tests is None or not names:
        return {}
    source = rubric.tests.path.read_text(encoding="utf-8")
    public = cut_public_tests(source, names=names, path=str(rubric.tests.path))
    return {f"{rubric.id}{TESTS_SUFFIX}": public.encode()}
