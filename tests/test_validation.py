"""What testing an assignment says is true, and is said so that it can be acted on."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import Mock

import pytest
from grading import ROOT
from in_process import run_command
from rich.console import Console
from test_authoring import ALL, loaded

from grader.authoring import validation_run
from grader.authoring.assignments import REFERENCE_RUNS, Assignment, load_assignments
from grader.authoring.mutant_verdicts import case_result, mutant_result
from grader.authoring.trial_runs import TrialRun, draw_seeds
from grader.authoring.validation_run import _spread_evenly
from grader.checks.evaluation import NO_COST, NOT_JUDGED
from grader.exports.validation_json import render_validation_json
from grader.model import (
    CaseResult,
    CellRun,
    CellStatus,
    CheckCoverage,
    ExecutionRecord,
    Finding,
    Graded,
    Item,
    ItemScore,
    Mutant,
    MutantOutcome,
    MutantResult,
    Score,
    Shortfall,
    Submission,
    Tally,
    Validation,
    Verdict,
)
from grader.report.mutants_page import mutants_page
from grader.report.progress import RunWatcher
from grader.report.validation_table import mutation_score, validation_report

MUTANT = Mutant(
    cell="c", line=3, change="call left out", before="x = f(y)", after="x = (y)", items=("Q1",),
    sources={},
)  # fmt: skip


def finding(item: str, verdict: Verdict) -> Finding:
    earned = Fraction(2 if verdict is Verdict.PASSED else 0)
    return Finding(
        item=item,
        code="FUN001",
        title="a check",
        verdict=verdict,
        earned=earned,
        possible=Fraction(2),
        public=True,
        expected="this",
        found="that",
    )


def graded(**verdicts: Verdict) -> Graded:
    scores = []
    for name, verdict in verdicts.items():
        item = Item(id=name, title=name, points=Fraction(2), kind="auto", source="handout")
        found = finding(name, verdict)
        scores.append(
            ItemScore(
                item=item,
                verdict=verdict,
                earned=found.earned,
                blocked=Fraction(0),
                findings=(found,),
            )
        )
    nothing = Fraction(0)
    tally = Tally(auto=nothing, marked=nothing, pending=nothing, blocked=nothing, possible=nothing)
    score = Score(items=tuple(scores), total=tally, by_source={})
    return Graded(
        submission=Submission(name="n", path=Path("n"), display_path="n"),
        students=(),
        reason=None,
        score=score,
        record=ExecutionRecord(cells=()),
    )


def tried(*grades: Graded, status: CellStatus = CellStatus.RAN) -> TrialRun:
    return TrialRun(grades=grades, record=ExecutionRecord(cells=(CellRun(index=0, status=status),)))


P, F, B, E = Verdict.PASSED, Verdict.FAILED, Verdict.BLOCKED, Verdict.ERROR


@pytest.mark.parametrize(
    ("grades", "status", "outcome"),
    [
        ((graded(Q1=F, Q2=P),), CellStatus.RAN, MutantOutcome.CAUGHT),
        ((graded(Q1=P, Q2=P),), CellStatus.RAN, MutantOutcome.SURVIVED),
        ((graded(Q1=P, Q2=F),), CellStatus.RAN, MutantOutcome.ELSEWHERE),
        ((graded(Q1=B, Q2=F),), CellStatus.RAN, MutantOutcome.ELSEWHERE),
        ((graded(Q1=P, Q2=P),), CellStatus.RAISED, MutantOutcome.STOPPED),
        ((graded(Q1=F, Q2=P), graded(Q1=P, Q2=P)), CellStatus.RAN, MutantOutcome.SURVIVED),
        ((graded(Q1=E, Q2=P),), CellStatus.RAN, MutantOutcome.UNGRADED),
        ((), CellStatus.RAN, MutantOutcome.UNGRADED),
    ],
)
def test_what_became_of_a_mutant(
    grades: tuple[Graded, ...], status: CellStatus, outcome: MutantOutcome
) -> None:
    result = mutant_result(MUTANT, tried(*grades, status=status), why="")

    assert result.outcome is outcome
    assert result.escaped == (outcome not in {MutantOutcome.CAUGHT, MutantOutcome.STOPPED})


def test_a_mutant_whose_points_depend_on_the_seed_is_to_be_looked_at() -> None:
    result = mutant_result(MUTANT, tried(graded(Q1=F, Q2=P), graded(Q1=F, Q2=F)), why="")

    assert (result.outcome, result.is_unstable, result.escaped) == (
        MutantOutcome.CAUGHT,
        True,
        True,
    )


def test_a_fault_of_ours_is_explained_by_nobody() -> None:
    assert mutant_result(MUTANT, tried(), why="it is the same program").escaped


def test_a_case_that_scores_otherwise_under_one_seed_does_not_hold() -> None:
    points = {"Q1": Fraction(2)}
    held = case_result("x", [tried(graded(Q1=P), graded(Q1=P))], points=points)
    failed = case_result("x", [tried(graded(Q1=P), graded(Q1=F))], points=points)

    assert held.passed
    assert not failed.passed
    assert failed.shortfalls == (
        Shortfall(item="Q1", expected=Fraction(2), earned=Fraction(0), found="a check: that"),
    )
    assert failed.is_unstable


def test_a_case_may_score_too_much_as_well() -> None:
    assert not case_result("x", [tried(graded(Q1=P))], points={"Q1": Fraction(0)}).passed


def test_what_earned_too_much_is_named_and_not_what_failed_beside_it() -> None:
    grade = graded(Q1=P)
    assert grade.score is not None
    (score,) = grade.score.items
    failed = replace(score.findings[0], title="what failed", earned=Fraction(0), verdict=F)
    earned = replace(score.findings[0], title="a check.", found="that.")  # as docstrings end
    both = replace(score, findings=(failed, earned))
    case = case_result(
        "template",
        [tried(replace(grade, score=replace(grade.score, items=(both,))))],
        points={"Q1": Fraction(0)},
    )

    (shortfall,) = case.shortfalls
    assert shortfall.found == "a check: that"


def test_a_case_that_cannot_be_graded_does_not_hold() -> None:
    broken = TrialRun(grades=(), record=ExecutionRecord(cells=()), problem="no kernel came up")

    assert not case_result("x", [broken], points={}).passed


def faulty(item: str, found: str) -> Graded:
    """A grade with an item whose check failed by a fault of the course's test."""
    grade = graded(**{item: E})
    assert grade.score is not None
    (score,) = grade.score.items
    fault = replace(score.findings[0], found=found)
    return replace(grade, score=replace(grade.score, items=(replace(score, findings=(fault,)),)))


def test_each_faulty_test_is_told_in_one_line_with_its_cause_whole() -> None:
    cause = "the reference does not pass test_a: " + "a long cause, " * 20 + "its end"
    trials = [
        tried(faulty("Q1", f"{NOT_JUDGED}{cause}{NO_COST}"), faulty("Q1", "another drawn input")),
        tried(faulty("Q2", f"{NOT_JUDGED}no file{NO_COST}")),
    ]
    case = case_result("reference", trials, points={"Q1": Fraction(2), "Q2": Fraction(2)})

    assert case.problem == f"Q1 FUN001: {cause}\nQ2 FUN001: no file"
    assert not case.shortfalls
    assert cause in " ".join(shown(result(reference=case)).split())


def test_seeds_are_the_same_each_time_unless_drawn_anew() -> None:
    assert draw_seeds("a", count=3, new=False) == draw_seeds("a", count=3, new=False)
    assert len({*draw_seeds("a", count=3, new=False), *draw_seeds("b", count=3, new=False)}) == 6
    assert draw_seeds("a", count=1, new=True) != draw_seeds("a", count=1, new=True)


def test_fewer_mutants_are_spread_evenly_and_the_list_of_the_assignment_comes_first() -> None:
    made = tuple(replace(MUTANT, line=n, is_listed=n >= 8) for n in range(10))

    assert [m.line for m in _spread_evenly(made, 6)] == [0, 2, 4, 6, 8, 9]
    assert [m.line for m in _spread_evenly(made, 1)] == [8]
    assert _spread_evenly(made, None) == made


# ---------------------------------------------------------------- what is said


def test_a_survivor_is_never_told_as_unnoticed_and_noticed() -> None:
    """A check may find something and take no points: both stand in the list."""
    seen = MutantResult(mutant=MUTANT, outcome=MutantOutcome.SURVIVED, caught_by=("Q4 TST001",))
    console = Console(file=io.StringIO(), width=100)

    console.print(validation_report(replace(result(), mutants=(seen,))))

    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "1 mutant: no check takes points for it" in text
    assert "noticed by Q4 TST001" in text
    assert "notices" not in text


def result(**more: object) -> Validation:
    survivor = MutantResult(mutant=MUTANT, outcome=MutantOutcome.SURVIVED)
    known = replace(survivor, mutant=replace(MUTANT, line=4), why="It is the same\nprogram.")
    fine = CaseResult(name="reference")
    whole = Validation(
        assignment="a",
        title="An [assignment]",
        reference=fine,
        template=replace(fine, name="template"),
        cases=(
            CaseResult(
                name="a case",
                shortfalls=(
                    Shortfall(item="Q1", expected=Fraction(2), earned=Fraction(1), found="so"),
                ),
            ),
        ),
        mutants=(
            survivor,
            known,
            MutantResult(mutant=MUTANT, outcome=MutantOutcome.CAUGHT, caught_by=("Q1 FUN001",)),
        ),
        skipped_cells={"show": "It only shows."},
        checks=(
            CheckCoverage(item="Q1", code="FUN001", title="a check", mutants=1, cases=0),
            CheckCoverage(item="Q2", code="FUN002", title="idle one", mutants=0, cases=0),
        ),
        stale_explanations=("[[explained]] cell x",),
        seeds=3,
        notebooks=9,
        seconds=12.0,
    )
    return replace(whole, **more)  # type: ignore[arg-type]


def shown(told: Validation) -> str:
    console = Console(width=100, file=io.StringIO(), color_system=None)
    console.print(validation_report(told))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_terminal_names_what_is_left_to_mend_and_nothing_else() -> None:
    text = shown(result())

    assert "An [assignment]" in text
    assert "Q1: 2 expected, 1 scored: so" in text
    assert "- x = f(y)" in text
    assert "+ x = (y)" in text
    assert text.count("call left out") == 1
    assert "Q2 FUN002: idle one" in text
    assert "[[explained]] cell x" in text


def test_other_points_in_the_notebook_are_a_note_and_no_fault() -> None:
    told = result(stated_points=("cell q1: 'Q1 (6 points)', but the rubric gives Q1 5",))

    assert "the notebook's text states other points" in shown(told)
    assert "cell q1: 'Q1 (6 points)'" in shown(told)
    assert told.passed is result().passed


def test_each_mutant_has_one_fate_in_the_line_that_sums_up() -> None:
    caught = MutantResult(mutant=MUTANT, outcome=MutantOutcome.CAUGHT, caught_by=("Q1 FUN001",))
    unstable = replace(caught, is_unstable=True)

    assert mutation_score(result()) == "3: 1 caught by a check, 1 explained, 1 to look at"
    assert mutation_score(result(mutants=(caught, unstable))) == (
        "2: 1 caught by a check, 1 to look at"
    )


def test_an_assignment_that_holds_is_said_in_a_few_lines() -> None:
    fine = result(
        cases=(), mutants=result().mutants[1:], checks=result().checks[:1], stale_explanations=()
    )

    assert fine.passed
    assert "✕" not in shown(fine)
    assert len(shown(fine).strip().splitlines()) <= 10


@pytest.mark.parametrize("part", ["cases", "mutants", "checks", "stale_explanations"])
def test_nothing_holds_while_one_part_does_not(part: str) -> None:
    whole = result()
    fine = {
        "cases": (),
        "mutants": whole.mutants[1:],
        "checks": whole.checks[:1],
        "stale_explanations": (),
    }
    del fine[part]

    assert not replace(whole, **fine).passed  # type: ignore[arg-type]


def test_the_json_says_what_the_terminal_says() -> None:
    told = json.loads(render_validation_json((result(),)))
    (one,) = told["assignments"]

    assert told["holds"] is one["holds"] is False
    assert [m["escaped"] for m in one["mutants"]] == [True, False, False]
    assert one["cases"][0]["shortfalls"][0] == {
        "item": "Q1", "expected": 2.0, "earned": 1.0, "found": "so",
    }  # fmt: skip


def test_the_page_names_every_survivor_with_its_reason() -> None:
    page = mutants_page([result()])

    assert "3 mutants, 1 noticed (33%)" in page
    assert "It is the same program." in page
    assert "**Nobody has said why.**" in page
    assert "- `show`: It only shows." in page


@pytest.mark.parametrize("name", ALL)
def test_the_committed_page_is_about_the_mutants_there_are(name: str) -> None:
    page = (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8")
    part = page.partition(f"## {name}: ")[2].partition("\n## ")[0]
    assignment = Assignment.from_rubric(loaded(name))
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \| \d+ \| \d+ \| \d+ \| (\d+) \|$", part, re.MULTILINE)
    changes = ["of its own" if m.is_listed else m.change for m in assignment.mutants.mutants]

    assert {change: int(count) for change, count, _ in rows} == {
        change: changes.count(change) for change in changes
    }, "run `make validate`"
    assert {unexplained for _, _, unexplained in rows} == {"0"}
    assert all(one.why.split()[0] in part for one in assignment.plan.mutants.explained)


# ---------------------------------------------------------------- the commands


def command(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"XDG_CACHE_HOME": str(root / "cache"), "COLUMNS": "100"}
    done = run_command(*words, folder=root, environment=environment)
    return subprocess.CompletedProcess(words, *done)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course")
    assert command(root, "init", "tiny").returncode == 0
    return root


@pytest.mark.kernel
def test_a_new_assignment_holds_at_once(course: Path) -> None:
    done = command(course, "validate", "tiny", "--seeds", "2")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "full automatic points, every time" in done.stdout


@pytest.mark.kernel
def test_a_hole_in_the_rubric_is_found(course: Path) -> None:
    place = course / "rubrics" / "tiny.toml"
    text = place.read_text(encoding="utf-8")
    place.write_text(text.replace('"FUN002"', '"FUN001"').replace(
        "calls = [[{ shape = [5, 3] }], [{ shape = [6, 2], scale = 10 }]]",
        "calls = [[{ shape = [5, 3] }]]\nshapes = [[5, 3]]",
    ), encoding="utf-8")  # fmt: skip
    done = command(course, "validate", "tiny", "--seeds", "1", "--format", "json")
    place.write_text(text, encoding="utf-8")
    (told,) = json.loads(done.stdout)["assignments"]

    assert done.returncode == 1
    assert "centered by rows" in {m["change"] for m in told["mutants"] if m["escaped"]}
    assert [case["name"] for case in told["cases"] if not case["holds"]] == [
        "the mean of all numbers"
    ]


@pytest.mark.kernel
def test_a_release_holds_what_students_need_and_is_the_same_each_time(course: Path) -> None:
    wheel = course / "notebook_grader-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("grader/__init__.py", "")
    done = command(course, "release", "tiny", "--wheel", str(wheel))
    assert done.returncode == 0, done.stderr
    first = (course / "release" / "tiny.zip").read_bytes()
    with zipfile.ZipFile(course / "release" / "tiny.zip") as archive:
        names = {name.removeprefix("tiny/") for name in archive.namelist()}
    again = command(course, "release", "tiny", "--wheel", str(wheel))
    assert again.returncode == 0
    assert (course / "release" / "tiny.zip").read_bytes() == first

    assert names == {
        "tiny.ipynb", "tiny.rubric.json", "tiny.numbers.safetensors", "README.md", wheel.name,
        "tiny_tests.py",
    }  # fmt: skip
    assert not list((course / "release").glob("**/*.toml"))


@pytest.mark.kernel
def test_a_release_that_would_leak_is_refused_and_nothing_is_written(course: Path) -> None:
    place = course / "reference" / "tiny.ipynb"
    text = place.read_text(encoding="utf-8")
    place.write_text(
        text.replace("print(centered(", "x = 1  # return x - x.mean(axis=0)\\nprint(centered(")
    )
    wheel = course / "notebook_grader-0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("grader/__init__.py", "")
    done = command(course, "release", "tiny", "--wheel", str(wheel), "--out", "other")
    place.write_text(text, encoding="utf-8")

    assert done.returncode == 2
    assert "tiny.ipynb, cell show, line 1: solution (cell centered, line 7)" in done.stderr
    assert not (course / "other").exists()


def test_where_the_reference_fails_nothing_else_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run_all(texts: Sequence[str]) -> Iterator[TrialRun]:
        ran.extend(texts)
        failed = TrialRun(grades=(), record=ExecutionRecord(cells=()), problem="no")
        return iter([failed] * len(texts))

    runner = nullcontext(Mock(run_all=run_all))
    monkeypatch.setattr(validation_run, "open_trial_runner", lambda *_, **__: runner)
    (assignment,) = load_assignments(ROOT, ids=("attention",))
    result = validation_run.validate_assignment(
        assignment, effort=validation_run.Effort(seeds=1), options=Mock(), watcher=RunWatcher()
    )

    assert len(ran) == result.notebooks == REFERENCE_RUNS
    assert (result.reference.passed, result.template.passed, result.passed) == (False, False, False)
    assert "until the reference scores as it must" in result.template.problem
