"""TST: judges by a test of the course's own, from what came of it in a process of ours."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from grader.checks.check import Check, CheckOutcome, Evidence, SeededRandom, absent, make_question
from grader.errors import CourseTestFault, ReferenceFault
from grader.model import Json, Observation, Question

MAX_SHOWN = 3
"""Most cases whose failure is told."""
NO_REASON = "the test failed"
"""What is wrong where a student may not read more of it."""
GONE = {
    "timed_out": "did not answer in time",
    "lacks_threads": "did not answer in time, asked without the threads that the notebook started",
    "died": "ended the notebook's process",
    "invalid": "gave something that could not be read",
    "too_much": "never came to an end",
    "unending": "gave something with which the test never came to an end",
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
    asked: bool = True
    """Whether it asked the notebook anything."""
    operators: tuple[str, ...] = ()
    is_written: bool = True
    """Whether the names in `exception` and `where` stand in the notebook's code."""
    share: Fraction = Fraction(1)
    """What it earned of its points where it passed."""
    is_scored: bool = False
    """Whether it gave a number of points."""

    @property
    def has_passed(self) -> bool:
        return self.outcome == "passed"

    def reason(self) -> str:
        """Return why it did not pass, for whoever wrote the test."""
        raised = f"`{self.code}` raised {self.exception}: {self.message}" if self.code else ""
        return self.sentence or raised or self.message or GONE.get(self.status, self.outcome)


class TestedCheck(Check):
    """A check that something of the course's runs in a process of ours, and this judges."""

    subjects = ("names",)

    names: tuple[str, ...] = ()
    """The names of the notebook that it is about; they are read from the test."""
    at: str = ""
    """A moment of the run: the notebook is asked as it was at its last `grader.check("q1")`, or at
    nbgrader's cell of that id; where it has neither, and without this, as it was at the end."""
    success: str = ""
    """What reports say of who passes it, in place of "the test passed"."""
    shown: bool = False
    """Whether students may read what it asks: where the check is public; that is set, too."""

    def sentence(self) -> str:
        """Return what it asks for."""
        raise NotImplementedError

    def name(self) -> str:
        """Return what an author calls it."""
        raise NotImplementedError

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return self.questions(rng)

    def make_question(self, params: Mapping[str, Json]) -> tuple[Question, ...]:
        """Return its question, with the moment that it is about where it names one."""
        return (make_question("test", {**params, **({"at": self.at} if self.at else {})}),)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        (question,) = self.questions(evidence.rng)
        expected = {c.name: c for c in self._reference_cases(evidence, question)}
        answer = evidence.observation(question)
        cases = {case.name: case for case in read_cases(answer)}
        if answer.data.get("given_up"):
            lost = {name: _Case(name=name, outcome="gone", status="unending") for name in expected}
            cases = {**lost, **cases}
        for case in cases.values():
            if case.outcome == "error":
                raise CourseTestFault(
                    f"the test {self.name()} failed by itself: {case.message[:300]}"
                )
        if expected.keys() - cases.keys():
            raise CourseTestFault(f"{self.name()} could not be run to its end")
        missing = [c for c in cases.values() if c.outcome == "missing"]
        if len(missing) == len(expected):
            names = missing[0].names
            observed = find_flaw(missing[0], reference=missing[0], is_public=self.shown)
            return absent(expected=self.sentence(), observed=observed, names=names)
        flaws = {
            name: flaw
            for name, case in expected.items()
            if (flaw := find_flaw(cases[name], reference=case, is_public=self.shown))
        }
        shares = (_earned_share(cases[name], case) for name, case in expected.items())
        share = sum(shares, Fraction(0)) / len(expected)
        if share == 1:
            observed = self.success or "the test passed"
            return CheckOutcome(share=share, expected=self.sentence(), observed=observed)
        return CheckOutcome(
            share=share,
            expected=self.sentence(),
            observed=join_flaws(flaws, count=len(expected))
            or f"a hidden test that asks for this failed: {self.sentence()}",
        )

    def _reference_cases(self, evidence: Evidence, question: Question) -> Sequence[_Case]:
        """Return the cases that the reference passed.

        Raises:
            ReferenceFault: it did not pass one.
        """
        cases = list(read_cases(evidence.reference_observation(question)))
        failed_case = next((c for c in cases if c.outcome not in {"passed", "skipped"}), None)
        if failed_case is not None or not cases:
            why = failed_case.reason() if failed_case else "it did not run"
            raise ReferenceFault(f"the reference does not pass {self.name()}: {why}")
        partial = next((case for case in cases if case.share < 1), None)
        if partial is not None:
            raise ReferenceFault(f"the reference does not pass {self.name()}: {partial.sentence}")
        counted = [case for case in cases if case.has_passed]
        if not counted:
            raise ReferenceFault(f"the reference skips {self.name()}")
        return counted


class CourseTest(TestedCheck):
    """A test in the assignment's `tests.py` passes: docs/tests.md.

    The test runs in a process of ours, and what it touches of the notebook's are remote objects
    whose plain values come back. A parametrized test shares its points among its cases.
    """

    code = "TST001"
    title = "{says}"

    test: str
    """The name of the test: 'test_small', or 'TestAccount.test_new' in a class."""
    says: str = ""
    """What it asks for, in a sentence; without it the first paragraph of the test's docstring."""
    compares: bool = False
    """Whether it compares with the reference, which students don't have; read from the test."""
    draws: bool = False
    """Whether it draws inputs from the secret seed; that is read from the test, too."""

    def sentence(self) -> str:
        return self.says

    def name(self) -> str:
        return self.test

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        seed = rng.seed.hex() if self.draws else ""
        return self.make_question({"test": self.test, "seed": seed})

    def asks_counter_questions(self) -> bool:
        return self.compares


class ReferenceValue(TestedCheck):
    """An expression gives what it gives in the reference, for each of some inputs.

    The short form of a test: `ask = "squares(n)"`, `given = { n = [1, 2, 10] }`. Where the
    reference's own code raises an exception, one of the same name is expected. The inputs share the
    points.
    """

    code = "VAL001"
    title = "{ask}"

    ask: str
    """An expression with names of the notebook and of what is given: "squares(n)"."""
    given: Annotated[dict[str, list[Any]], Field(default_factory=dict)]
    """By name, a value for each case: `{ n = [1, 2, 10] }`."""
    draw: Annotated[dict[str, str], Field(default_factory=dict)]
    """By name, what draws it from the secret seed: `{ n = "integers(1, 20)" }`: docs/tests.md."""
    times: Annotated[int, Field(ge=1, le=100)] = 3
    """How many cases there are where all is drawn."""
    close: Annotated[float, Field(ge=0)] = 1e-6
    """The largest difference of two numbers, relative and absolute."""
    digits: Annotated[int, Field(ge=0, le=15)] | None = None
    """To how many digits floats are rounded before they are compared, as AUTOTEST does."""
    order: Literal["same", "free"] = "same"
    """Whether the order of lists, arrays and rows matters."""
    types: bool = True
    """Whether a list is no tuple, and a whole number no float."""
    raises: str = ""
    """The exception, "AttributeError", that is right though no code of the notebook's raises it."""

    @field_validator("ask")
    @classmethod
    def _check_expression(cls, ask: str) -> str:
        try:
            ast.parse(ask, mode="eval")
        except SyntaxError as error:
            raise ValueError(f"is not an expression of Python: {error.msg}") from error
        return ask

    @model_validator(mode="after")
    def _check_cases(self) -> Self:
        lengths = {len(values) for values in self.given.values()}
        if len(lengths) > 1 or 0 in lengths:
            raise ValueError("the lists of `given` must have equal lengths, above 0")
        return self

    def sentence(self) -> str:
        return f"`{self.ask}` gives what the reference gives"

    def name(self) -> str:
        return self.ask

    def code_names(self) -> tuple[str, ...]:
        nodes = ast.walk(ast.parse(self.ask, mode="eval"))
        names = dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name))
        known = {*self.given, *self.draw, *dir(builtins)}
        return tuple(name for name in names if name not in known)

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        value = self.model_dump(
            mode="json", include={"ask", "given", "draw", "times", "close", "order", "types"}
        )
        if self.digits is not None:
            value["digits"] = self.digits
        if self.raises:
            value["raises"] = self.raises
        seed = rng.seed.hex() if self.draw else ""
        return self.make_question({"value": value, "seed": seed})

    def asks_counter_questions(self) -> bool:
        return True


def find_flaw(case: _Case, *, reference: _Case, is_public: bool) -> str:
    """Return why a case did not pass, or '' where it did.

    Args:
        case: the student's.
        reference: the same case with the reference, which passed.
        is_public: whether students may read what the test asks and expects.
    """
    if case.has_passed:
        partial = case.sentence if case.share < 1 else ""
        if reference.is_scored and not case.is_scored:
            partial = "the test gave no number of points"
        return _find_borrowed_word(case, reference, is_public=is_public) or partial
    sentences = {
        "missing": f"no name {' or '.join(case.names)} was left when the run ended",
        "gone": _begin(case, is_public) + GONE.get(case.status, GONE["invalid"]),
        "raised": _begin(case, is_public) + _tell_exception(case, is_public=is_public),
    }
    if is_public:
        message = case.sentence or f"{case.exception}: {case.message}"
        sentences["stopped"] = f"the test stopped at `{case.code}`: {message}"
        sentences["failed"] = case.sentence or case.message
    return sentences.get(case.outcome) or NO_REASON


def _begin(case: _Case, is_public: bool) -> str:  # noqa: FBT001
    """Return what did it: the expression of a public test, or that of any."""
    return f"{case.call if is_public and case.call else 'what the test called'} "


def _find_borrowed_word(case: _Case, reference: _Case, *, is_public: bool) -> str:
    """Return what a student's case passed by and the reference's did not need, or ''."""
    words = [word for word in case.words if word not in reference.words]
    if words and is_public:
        return f"`{words[0]}` holds only because an object of the notebook's own class says so"
    if words:
        return "the test passed only because an object of the notebook's own class says so"
    if set(case.operators) - set(reference.operators):
        return "the notebook gave an object of its own class where a plain value was expected"
    return ""


def _earned_share(case: _Case, reference: _Case) -> Fraction:
    """Return what a student's case earned of its points."""
    if not case.has_passed or _find_borrowed_word(case, reference, is_public=False):
        return Fraction(0)
    if reference.is_scored and not case.is_scored:
        return Fraction(0)
    return case.share


def _tell_exception(case: _Case, *, is_public: bool) -> str:
    """Return what the student's code raised.

    In a hidden test, neither its text nor a name that was made when it was asked: they may hold
    inputs that nobody should read.
    """
    if not is_public and not case.is_written:
        return "raised an exception"
    function, line = case.where
    known = f"`{function}`, " if function and not function.startswith("<") else ""
    where = f" in {known}line {line} of its cell" if line else ""
    text = f": {case.message}" if is_public and case.message else ""
    if case.exception == "NotImplementedError":
        where = f", as a blank does{',' if where else ''}{where}"
    elif text and "'ellipsis'" in text:
        text += " (a blank gives an ellipsis, `...`)"
    return f"raised {case.exception}{where}{text}"


def join_flaws(flaws: Mapping[str, str], *, count: int) -> str:
    """Return what is wrong in a sentence or a few; '' where nothing may be told."""
    different = [flaw for flaw in dict.fromkeys(flaws.values()) if flaw != NO_REASON]
    more = len(different) - MAX_SHOWN
    shown = [*different[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    if count == 1:
        return "".join(shown)
    sentences = [f"{count - len(flaws)} of {count} cases pass", *map(_capitalize, shown)]
    # The author's own messages may be sentences, with a mark at their end.
    return "".join(_end_sentence(text) for text in sentences[:-1]) + sentences[-1]


def _end_sentence(text: str) -> str:
    return f"{text} " if text.endswith((".", "?", "!")) else f"{text}. "


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
        asked=case.get("requests") != 0,
        operators=texts("operators"),
        is_written=case.get("is_written") is not False,
        share=_read_share(text("share")),
        is_scored=case.get("scored") is True,
    )


def _read_share(text: str) -> Fraction:
    """Return the share of its points that a case earned; all where it does not say."""
    if re.fullmatch(r"\d{1,40}(?:/0*[1-9]\d{0,40})?", text) is None:
        return Fraction(1)
    return min(Fraction(text), Fraction(1))
