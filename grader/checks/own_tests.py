"""TST: judges by a test of the course's own, from what came of it in a process of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.checks.check import Check, CheckOutcome, Evidence, SeededRandom, absent, make_question
from grader.errors import CourseTestFault, ReferenceFault
from grader.model import Json, Observation, Question

MAX_SHOWN = 3
"""Most cases whose failure is told."""
NO_REASON = "it does not"
"""What is wrong where a student may not read more of it."""
GONE = {
    "timed_out": "did not answer in time",
    "died": "ended the notebook's process",
    "invalid": "gave nothing that could be read",
    "too_much": "never came to an end",
}
"""What a call did that was never answered, by status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What came of one case of a test."""

    name: str
    outcome: str
    status: str = ""
    names: tuple[str, ...] = ()
    sentence: str = ""
    call: str = ""
    code: str = ""
    exception: str = ""
    message: str = ""
    where: tuple[str, int | None] = ("", None)
    words: tuple[str, ...] = ()
    operators: bool = False

    @property
    def has_passed(self) -> bool:
        return self.outcome == "passed"


class CourseTest(Check):
    """A test in the assignment's `tests.py` passes: docs/tests.md.

    The test runs in a process of ours, and what it touches of the notebook's are remote objects
    whose plain values come back. A parametrized test shares its points among its cases.
    """

    code = "TST001"
    title = "{says}"
    subjects = ("names",)

    test: str
    """The name of the test: 'test_small', or 'TestAccount.test_new' in a class."""
    says: str = ""
    """What it asks for, in a sentence; without it the first paragraph of the test's docstring."""
    names: tuple[str, ...] = ()
    """The names of the notebook that it takes; they are read from the test."""
    shown: bool = False
    """Whether students may read what it asks: where the check is public; that is set, too."""
    draws: bool = False
    """Whether it draws inputs from the secret seed; that is read from the test, too."""

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        seed = rng.seed.hex() if self.draws else ""
        return (make_question("test", {"test": self.test, "seed": seed}),)

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return self.questions(rng)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        (question,) = self.questions(evidence.rng)
        expected = {c.name: c for c in self._reference_cases(evidence, question)}
        cases = {case.name: case for case in read_cases(evidence.observation(question))}
        for case in cases.values():
            if case.outcome == "error":
                raise CourseTestFault(
                    f"the test {self.test} failed by itself: {case.message[:300]}"
                )
        if expected.keys() - cases.keys():
            raise CourseTestFault(f"the test {self.test} could not be run to its end")
        missing = [c for c in cases.values() if c.outcome == "missing"]
        if len(missing) == len(expected):
            names = missing[0].names
            observed = find_flaw(missing[0], reference=missing[0], is_public=self.shown)
            return absent(expected=self.says, observed=observed, names=names)
        flaws = {
            name: flaw
            for name, case in expected.items()
            if (flaw := find_flaw(cases[name], reference=case, is_public=self.shown))
        }
        share = Fraction(len(expected) - len(flaws), len(expected))
        if share == 1:
            return CheckOutcome(share=share, expected=self.says, observed="the test passed")
        return CheckOutcome(
            share=share,
            expected=self.says,
            observed=join_flaws(flaws, count=len(expected)) or f"a hidden test failed: {self.says}",
            names=self.names,
        )

    def _reference_cases(self, evidence: Evidence, question: Question) -> Sequence[_Case]:
        """Return the cases that the reference passed.

        Raises:
            ReferenceFault: it did not pass one.
        """
        cases = list(read_cases(evidence.reference_observation(question)))
        failed_case = next((c for c in cases if c.outcome not in {"passed", "skipped"}), None)
        if failed_case is not None or not cases:
            why = failed_case.sentence or failed_case.message if failed_case else "it did not run"
            raise ReferenceFault(f"the reference does not pass {self.test}: {why}"[:600])
        counted = [case for case in cases if case.has_passed]
        if not counted:
            raise ReferenceFault(f"the reference skips {self.test}")
        return counted


def find_flaw(case: _Case, *, reference: _Case, is_public: bool) -> str:
    """Return why a case did not pass, or '' where it did.

    Args:
        case: the student's.
        reference: the same case with the reference, which passed.
        is_public: whether students may read what the test asks and expects.
    """
    if case.has_passed:
        return _find_borrowed_word(case, reference)
    sentences = {
        "missing": f"no name {' or '.join(case.names)} was left when the run ended",
        "gone": _begin(case, is_public) + GONE.get(case.status, GONE["invalid"]),
        "raised": _begin(case, is_public) + _tell_exception(case, is_public=is_public),
    }
    if is_public:
        message = f"{case.exception}: {case.message}"
        sentences["stopped"] = f"the test stopped at `{case.code}`: {message}"
        sentences["failed"] = case.sentence or case.message
    return sentences.get(case.outcome) or NO_REASON


def _begin(case: _Case, is_public: bool) -> str:  # noqa: FBT001
    """Return what did it: the expression of a public test, or 'it'."""
    return f"{case.call if is_public and case.call else 'it'} "


def _find_borrowed_word(case: _Case, reference: _Case) -> str:
    """Return what a student's case passed by and the reference's did not need, or ''."""
    if case.words and not reference.words:
        return f"`{case.words[0]}` holds only by the notebook's own word"
    if case.operators and not reference.operators:
        return "it gave an object of its own where a plain value was expected"
    return ""


def _tell_exception(case: _Case, *, is_public: bool) -> str:
    """Return what the student's code raised; its text may hold inputs that nobody should read."""
    function, line = case.where
    known = f"`{function}`, " if function and not function.startswith("<") else ""
    where = f" in {known}line {line} of its cell" if line else ""
    text = f": {case.message}" if is_public and case.message else ""
    return f"raised {case.exception}{where}{text}"


def join_flaws(flaws: Mapping[str, str], *, count: int) -> str:
    """Return what is wrong in a sentence or a few; '' where nothing may be told."""
    different = [flaw for flaw in dict.fromkeys(flaws.values()) if flaw != NO_REASON]
    more = len(different) - MAX_SHOWN
    shown = [*different[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    if count == 1:
        return "".join(shown)
    return ". ".join([f"{count - len(flaws)} of {count} cases pass", *map(_capitalize, shown)])


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def read_cases(answer: Observation) -> Iterator[_Case]:
    """Yield what came of each case of a test."""
    cases = answer.data.get("cases")
    for case in cases if isinstance(cases, list) else ():
        if isinstance(case, dict):
            yield _read_case(case)


def _read_case(case: Mapping[str, Json]) -> _Case:
    def text(key: str) -> str:
        value = case.get(key)
        return value if isinstance(value, str) else ""

    def texts(key: str) -> tuple[str, ...]:
        value = case.get(key)
        return (
            tuple(part for part in value if isinstance(part, str))
            if isinstance(value, list)
            else ()
        )

    match case.get("where"):
        case [str(function), int(line)]:
            where: tuple[str, int | None] = (function, line)
        case _:
            where = ("", None)
    return _Case(
        name=text("case"),
        outcome=text("outcome"),
        status=text("status"),
        names=texts("names"),
        sentence=text("sentence"),
        call=text("call"),
        code=text("code"),
        exception=text("exception"),
        message=text("message"),
        where=where,
        words=texts("words"),
        operators=bool(case.get("operators")),
    )
