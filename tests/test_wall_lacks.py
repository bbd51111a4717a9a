"""What a wall of the level `reduced` may have forbidden waits, and takes nobody's points."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction

import pytest
from test_checks import RNG

from grader.checks import CHECKS, Evidence, SeededRandom
from grader.checks.check import Check, CheckOutcome, failed
from grader.checks.evaluation import BoundRubric, RubricCheck
from grader.checks.lacks import lacking_cells
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    CheckSpec,
    ExecutionRecord,
    Finding,
    Isolation,
    Item,
    Notebook,
    Observation,
    Question,
    Trace,
    Verdict,
)

LACK = "the isolation was reduced where notebooks are graded, which may be why a cell failed"
REFUSED = "ConnectionRefusedError: [Errno 111] Connection refused"
WALL_ERRORS = [
    REFUSED,
    "AccessDenied: (pid=3)",
    "PermissionError: [Errno 13] Permission denied: '/proc/7/maps'",
    "PermissionError: [Errno 13] Permission denied: b'/proc'",
    "PermissionError: [Errno 13] Permission denied: '/tmp/runs'",
    "PermissionError: [Errno 1] Operation not permitted: '/dev/shm/x'",
    "RuntimeError: File /tmp/model.pt cannot be opened.",
    "OSError: [Errno 13] Unable to create file (unable to open file: name = '/tmp/a.h5')",
    "OSError: out of pty devices",
    "OperationalError: unable to open database file",
]
OTHER_ERRORS = [
    "PermissionError: [Errno 13] Permission denied: '/etc/x'",
    "PermissionError: [Errno 13] Permission denied: 'data/tmp/x'",
    "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/x'",
    "ValueError: /tmp is no number",
    "ValueError: no",
]
"""Errors that say nothing of walls."""


class Asks(Check):
    """A check that asks one question and is failed by any error."""

    code = "ASK001"
    title = "asks"

    subjects = ("name",)

    name: str

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        """Ask for the name."""
        return (Question(id=self.name, kind="function"),)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        """Fail it."""
        return failed(expected="an answer", observed="none")


def bound_checks() -> BoundRubric:
    """Return what asks for two functions, and whether the notebook runs; items have their names."""
    checks: dict[str, Check] = {
        "early": Asks(name="early"),
        "late": Asks(name="late"),
        "runs": CHECKS["EXE001"].model_validate({"at_most": "1"}),
    }
    rubric_checks = tuple(
        RubricCheck(
            item=Item(id=name, title=name, points=Fraction(4), kind="auto", source="course"),
            spec=CheckSpec(code=type(check).code, points=Fraction(4)),
            check=check,
        )
        for name, check in checks.items()
    )
    return BoundRubric(
        rubric_checks=rubric_checks,
        judging_order=(0, 1, 2),
        questions=(),
        constant_questions=(),
        rng=RNG,
    )


SOURCES = (
    "def early(x): return x\n!wget -q https://example.org/cat.png -P images",
    "m = Manager()\nhelp = 1",
    "print(help)",
    "def late(x): 1",
)


def judged(
    error: str, *, level: str = "reduced", answer: str = "", shown: str = ""
) -> tuple[Evidence, dict[str, Finding]]:
    """Judge a notebook whose second cell ended with an error, and whose `early` answers one."""
    name, _, message = error.partition(": ")
    runs = [CellRun(index=i, status=CellStatus.RAN) for i in range(4)]
    if error:
        own_error = CellError(name=name, message=message)
        no_name = CellError(name="NameError", message="name 'help' is not defined")
        runs[1] = replace(runs[1], status=CellStatus.RAISED, error=own_error, shown=shown)
        runs[2] = replace(runs[2], status=CellStatus.RAISED, error=no_name)
    cells = (Cell(index=i, kind="code", source=source) for i, source in enumerate(SOURCES))
    isolation = Isolation(level=level, description="")
    trace = Trace(
        notebook=Notebook(cells=tuple(cells), sha256=""),
        record=ExecutionRecord(cells=tuple(runs), isolation=isolation),
        observations={"early": Observation(id="early", status="raised", error=answer)},
        expected={},
    )
    evidence = Evidence.from_trace(trace, rng=SeededRandom(seed=b"seed"))
    findings = bound_checks().judge(evidence).findings
    return evidence, {finding.item: finding for finding in findings}


@pytest.mark.parametrize("error", WALL_ERRORS)
def test_what_a_wall_may_have_broken_waits_with_all_behind_it(error: str) -> None:
    evidence, found = judged(error)

    assert {index: lack.cell for index, lack in lacking_cells(evidence).items()} == {1: 1, 2: 1}
    assert {name: finding.lack for name, finding in found.items()} == {
        "early": "",
        "late": LACK,
        "runs": LACK,
    }
    assert found["early"].verdict is Verdict.FAILED  # what stands before it is judged


@pytest.mark.parametrize("error", OTHER_ERRORS)
def test_other_errors_are_the_notebooks_own(error: str) -> None:
    assert not any(finding.lack for finding in judged(error)[1].values())


@pytest.mark.parametrize("level", ["full", "namespaces", "none"])
def test_other_levels_have_no_such_walls(level: str) -> None:
    shown = "ls: cannot open directory '/': Permission denied"
    found = judged(REFUSED, level=level, answer=REFUSED, shown=shown)[1]
    assert not any(finding.lack for finding in found.values())


NETWORK_LACK = "there is no network where notebooks are graded, which may be why a cell failed"
NETWORK_ERRORS = [
    "URLError: <urlopen error [Errno -3] Temporary failure in name resolution>",
    "OSError: [Errno 95] Operation not supported",
    "DistNetworkError: The server socket has failed to bind. port: 29511, code: -95, name: ENOTSUP",
    "CalledProcessError: Command '['git', 'clone', 'x']' returned non-zero exit status 128.",
    "FileNotFoundError: [Errno 2] No such file or directory: 'images/cat.png'",
]


@pytest.mark.parametrize("level", ["full", "namespaces", "reduced"])
@pytest.mark.parametrize("error", NETWORK_ERRORS)
def test_what_needs_a_network_waits_with_all_behind_it(error: str, level: str) -> None:
    found = judged(error, level=level)[1]

    assert [found[name].lack for name in ("early", "late", "runs")] == [
        "",
        NETWORK_LACK,
        NETWORK_LACK,
    ]
    assert judged("", level=level, answer=error)[1]["early"].lack == NETWORK_LACK


@pytest.mark.parametrize("error", NETWORK_ERRORS)
def test_on_a_computer_with_a_network_errors_of_it_are_the_notebooks_own(error: str) -> None:
    assert not any(finding.lack for finding in judged(error, level="none")[1].values())


@pytest.mark.parametrize("error", NETWORK_ERRORS)
def test_a_notebook_that_fetches_nothing_fails_of_its_own(
    error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "SOURCES", ("def early(x): return x", *SOURCES[1:]))

    assert not any(finding.lack for finding in judged(error)[1].values())


def test_a_file_that_nobody_fetches_is_the_notebooks_own() -> None:
    error = "FileNotFoundError: [Errno 2] No such file or directory: 'data/dog.png'"
    assert not any(finding.lack for finding in judged(error)[1].values())


@pytest.mark.parametrize("said", ["Permission denied", "bind: Operation not permitted\n"])
def test_what_a_child_process_was_refused_is_told_by_what_it_printed(said: str) -> None:
    error = "CalledProcessError: Command '['ls', '/']' returned non-zero exit status 2."

    assert judged(error, shown=said)[1]["runs"].lack == LACK
    assert judged(error, shown="no such file")[1]["runs"].lack == ""


def test_an_answer_that_a_wall_broke_waits() -> None:
    found = judged("", answer=REFUSED)[1]

    assert [found["early"].lack, found["early"].cells] == [LACK, (0,)]
    assert found["late"].verdict is Verdict.FAILED
