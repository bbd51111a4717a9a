"""Classroom 50: whose a clone is, whatever lies in it, and the result that its runner reads."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import cast

import lms
import pytest
import selfchecking
from click.testing import CliRunner

from grader import cli
from grader.errors import UsageError
from grader.model import Finding, Verdict
from grader.selfcheck.classroom50_result import read_identity, render_classroom50
from grader.selfcheck.public_findings import FileOutcome, SelfcheckResult
from grader.selfcheck.public_rubric import PublicRubric, load_public_rubric
from grader.submissions import collect

VARIABLES = {
    "CLASSROOM": "cs",
    "ASSIGNMENT": "hw5",
    "SUBMISSION_TAG": "submit/2026-06-01T14-32-05Z-a1b2c3d",
    "COMMIT_URL": "https://example.org/commit/1",
    "RELEASE_URL": "https://example.org/release/1",
}


def result(**changes: object) -> str:
    """The file of a submission by benx."""
    known = {"schema": "classroom50/result/v1", "classroom": "cs", "assignment": "hw5"}
    return json.dumps(known | {"owner": "benx", "datetime": "2026-11-20T10:00:00Z"} | changes)


def owners(folder: Path, tree: lms.Tree) -> list[tuple[str, ...]]:
    return [
        tuple(student.lms.get("github", "") for student in one.students)
        for one in collect(lms.laid_out(folder, tree))
    ]


def test_a_download_without_scores_is_known_by_its_results_or_its_name(tmp_path: Path) -> None:
    clones: lms.Tree = {"cs-hw5-ada/a.ipynb": lms.ADA, "cs-hw5-benx/b.ipynb": lms.BEN}
    results: lms.Tree = {f"cs-hw5-{user}/result.json": result() for user in ("ada", "benx")}
    named = tmp_path / "cs-hw5_submissions_2026_11_21_T_09_00_00"

    assert owners(tmp_path / "x", {**clones, **results}) == [("ada",), ("benx",)]
    assert owners(named, clones) == [("ada",), ("benx",)]
    assert owners(tmp_path / "y", clones) == [(), ()]


@pytest.mark.parametrize(
    "forged",
    [
        result(owner="ada", classroom="cs", assignment="hw5-ada"),
        result(datetime=["x"], owner=5),
        "[" * 100_000,
        "1" * 5000,
        "[]",
        b"\xff\x00",
    ],
)
def test_what_lies_in_a_clone_makes_nobody_elses_of_it(tmp_path: Path, forged: str | bytes) -> None:
    tree = {**lms.CLASSROOM50, "cs-hw-5-benx/result.json": forged}

    found = owners(tmp_path / "d", tree)

    assert found == [("Ada-Example",), ("benx", "mate"), ("cleomock",)]


def test_a_time_that_only_the_student_wrote_is_looked_at_by_a_person(tmp_path: Path) -> None:
    tree = {
        **lms.CLASSROOM50,
        "cs-hw-5-cleomock/result.json": result(datetime="2026-01-01T00:00:00Z"),
        "cs-hw-5-cleomock/hw5.ipynb": lms.CLEO,
    }

    ada, _, cleo = collect(lms.laid_out(tmp_path / "d", tree))

    assert ada.concerns == ()
    assert "result.json" not in ada.files
    assert cleo.submitted_at == "2026-01-01T00:00:00+00:00"
    assert "which the student can write" in cleo.concerns[0]


def test_who_has_a_clone_is_in_nobody_elses_team(tmp_path: Path) -> None:
    tree = {**lms.CLASSROOM50, "cs-hw-5-mate/hw5.ipynb": lms.CLEO}

    assert ("benx",) in owners(tmp_path / "d", tree)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> PublicRubric:
    return load_public_rubric(
        selfchecking.publish(tmp_path_factory.mktemp("public"), selfchecking.loaded())
    )


def finding(verdict: Verdict, earned: str, possible: str) -> Finding:
    return Finding(
        item="Q2.3.1",
        code="LAY001",
        title="the layer\x1b applied",
        verdict=verdict,
        earned=Fraction(earned),
        possible=Fraction(possible),
        public=True,
        expected="",
        found="",
    )


def test_scores_are_whole_numbers_that_add_up(public: PublicRubric) -> None:
    findings = (
        finding(Verdict.PASSED, "1/3", "1/3"),
        finding(Verdict.PARTIAL, "1/2", "3/2"),
        finding(Verdict.FAILED, "0", "1"),
        finding(Verdict.PENDING, "0", "5"),
    )
    outcome = FileOutcome(
        path=Path("hw5.ipynb"), result=SelfcheckResult(public=public, findings=findings)
    )

    made = json.loads(render_classroom50([outcome], identity=read_identity(VARIABLES)))

    assert [(one["score"], one["max-score"], one["passed"]) for one in made["tests"]] == [
        (33, 33, True),
        (50, 150, False),
        (0, 100, False),
    ]
    assert (made["score"], made["max-score"]) == (83, 283)
    assert made["tests"][1]["points"] == "0.5 of 1.5"
    assert made["schema"] == "classroom50/result/v1"
    assert made["review"] == made["commit"] == VARIABLES["COMMIT_URL"]
    assert made["datetime"].endswith("Z")
    assert all(one["test-name"].isprintable() for one in made["tests"])


def test_the_command_ends_with_0_where_it_ran_and_writes_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = FileOutcome(
        path=Path("hw5.ipynb"),
        result=SelfcheckResult(
            public=cast("PublicRubric", None), findings=(finding(Verdict.FAILED, "0", "1"),)
        ),
    )
    monkeypatch.setattr(
        sys.modules["grader.cli.check_command"], "_check_notebook", lambda *_, **__: failed
    )
    (tmp_path / "hw5.ipynb").write_text("{}", encoding="utf-8")
    words = ["check", str(tmp_path / "hw5.ipynb"), "--format", "classroom50"]

    done = CliRunner().invoke(cli.cli, words, env=VARIABLES)

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["max-score"] == 100
    assert "points times 100" in done.stderr


def test_outside_of_the_runner_the_error_says_what_is_missing() -> None:
    with pytest.raises(UsageError, match="COMMIT_URL") as raised:
        read_identity({**VARIABLES, "COMMIT_URL": ""})

    assert "RELEASE_URL" not in str(raised.value)
