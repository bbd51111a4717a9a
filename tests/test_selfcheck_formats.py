"""What `grade check` writes for terminals, GitHub, JUnit and programs, whatever was found."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import selfchecking
from rich.console import Console

from grader.model import Finding, Verdict
from grader.selfcheck.check_json import render_json
from grader.selfcheck.check_output import render_result
from grader.selfcheck.github_output import (
    MAX_ANNOTATIONS,
    MAX_SUMMARY_BYTES,
    find_cell_lines,
    render_commands,
    render_summary,
)
from grader.selfcheck.junit_output import render_junit
from grader.selfcheck.public_findings import FileOutcome, SelfcheckResult, blocked_items
from grader.selfcheck.public_rubric import PublicRubric, load_public_rubric
from grader.selfcheck.result_box import ResultBox
from grader.selfcheck.student_feedback import (
    closing_line,
    join_item_ids,
    list_feedback,
    render_text,
)

NASTY = "50% |x|\n::error::no <b>`\x1b[31m\x00 ]]>\ud800"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> PublicRubric:
    """HW 5's public rubric."""
    folder = tmp_path_factory.mktemp("public")
    return load_public_rubric(selfchecking.publish(folder, selfchecking.loaded()))


def finding(item: str, verdict: Verdict, *, found: str = "found", by: str = "") -> Finding:
    return Finding(
        item=item,
        code="LAY001",
        title="the layer applied",
        verdict=verdict,
        earned=Fraction(1 if verdict is Verdict.PASSED else 0),
        possible=Fraction(1),
        public=True,
        expected="(3, 128)",
        found=found,
        hint="Which one?" if verdict is Verdict.FAILED else "",
        blocked_by=by,
        cells=(1,),
    )


PASSED = finding("V3", Verdict.PASSED)


def of(public: PublicRubric, *findings: Finding, warnings: tuple[str, ...] = ()) -> FileOutcome:
    checked = SelfcheckResult(
        public=public, findings=findings, cell_labels={1: "cell 1, `x`"}, warnings=warnings
    )
    return FileOutcome(path=Path("hw5.ipynb"), result=checked)


def test_junit_tells_wrong_from_our_fault_from_pending(public: PublicRubric) -> None:
    verdicts = (Verdict.PASSED, Verdict.FAILED, Verdict.BLOCKED, Verdict.ERROR, Verdict.PENDING)
    text = render_junit([of(public, *(finding("V3", v, found=NASTY) for v in verdicts))])
    suite = ET.fromstring(text).find("testsuite")  # noqa: S314 (ours)

    assert suite is not None
    assert [[child.tag for child in case] for case in suite.iter("testcase")] == [
        [],
        ["failure"],
        ["failure"],
        ["error"],
        ["skipped"],
    ]
    assert {n: suite.get(n) for n in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    assert suite.find("properties/property[@name='checks_sha256']") is not None


def test_github_annotations_are_few_and_nothing_in_them_is_a_command(public: PublicRubric) -> None:
    many = [finding("V3", Verdict.FAILED, found=NASTY) for _ in range(30)]
    lines = render_commands([of(public, *many, warnings=(NASTY,))]).splitlines()
    errors = [line for line in lines if line.startswith("::error")]

    assert len(errors) == MAX_ANNOTATIONS
    assert errors[-1].endswith("and 21 more: see the summary of this step")
    assert all(line.startswith(("::error", "::warning", "::notice")) for line in lines)
    assert all(line.isprintable() for line in lines)
    assert "50%25" in errors[0]


def test_a_cells_line_is_where_the_file_has_it(tmp_path: Path) -> None:
    path = selfchecking.write(tmp_path, "x = '\"cell_type\": 1'", "y = 2")
    lines = path.read_text(encoding="utf-8").splitlines()
    found = find_cell_lines(path)

    assert len(found) == 2
    assert all('"cell_type": "code"' in lines[line - 1] for line in found)


def test_a_summary_stays_below_its_limit_and_is_no_markup(public: PublicRubric) -> None:
    text = render_summary([of(public, finding("V3", Verdict.FAILED, found=NASTY))])
    long = render_summary([of(public, *(finding("V3", Verdict.FAILED, found="x" * 900),) * 3000)])

    assert "<b>" not in text
    assert r"50% \|x\|" in text
    assert public.sha256 in text
    assert len(long.encode()) < MAX_SUMMARY_BYTES
    assert long.endswith("The rest was left out: a summary may be no longer.\n")


def test_json_says_what_was_found_and_by_which_checks(public: PublicRubric) -> None:
    outcomes = [of(public, finding("V3", Verdict.FAILED, found=NASTY)), FileOutcome(path=Path("b"))]
    told = json.loads(render_json(outcomes))["notebooks"]

    assert told[0]["checks_sha256"] == public.sha256
    assert (told[0]["passed"], told[0]["of"]) == (0, 1)
    assert told[0]["findings"][0]["verdict"] == "failed"
    assert told[1] == {"file": "b", "reason": ""}


def test_what_waits_for_a_part_is_named_with_what_runs_later(public: PublicRubric) -> None:
    root = finding("Q2.3.1", Verdict.FAILED)
    by = "Q2.3.1 (the layer applied, cell 1)"
    blocked = [finding(name, Verdict.BLOCKED, by=by) for name in ("Q2.3.2", "V3", "V4", "V5")]
    checked = of(public, root, *blocked).result
    assert checked is not None
    text = render_text(checked)

    assert [item.id for item in blocked_items(checked, root)] == ["Q2.3.2", "V3", "V4", "V5", "V6"]
    assert "Until it runs, Q2.3.2 and V3 to V6 can't be checked." in text
    assert "Can't be checked until Q2.3.1 (the layer applied, cell 1) is fixed." in text
    assert join_item_ids(["V3", "V4"], rubric=public.rubric) == "V3 and V4"


def test_nothing_waits_for_a_part_that_holds_up_nothing(public: PublicRubric) -> None:
    root = finding("Q2.3.1", Verdict.FAILED)
    checked = of(public, root, finding("V3", Verdict.BLOCKED, by="cell 3 (KeyError)")).result
    assert checked is not None

    assert blocked_items(checked, root) == ()
    assert "Until it runs" not in render_text(checked)


def test_an_item_of_which_nothing_passed_is_not_called_partly_earned(public: PublicRubric) -> None:
    by = "cell 3 (KeyError)"
    lost = (finding("V3", Verdict.FAILED), finding("V3", Verdict.BLOCKED, by=by))
    none, some = (of(public, *found).result for found in (lost, (*lost, PASSED)))
    assert none is not None
    assert some is not None

    assert list_feedback(none)[0].verdict is Verdict.FAILED
    assert list_feedback(some)[0].verdict is Verdict.PARTIAL


def test_our_fault_costs_nothing_and_is_not_called_lost(public: PublicRubric) -> None:
    checked = of(public, finding("V3", Verdict.ERROR, found="It costs you nothing.")).result
    assert checked is not None

    assert (checked.loses_points, checked.has_errors) == (False, True)
    assert closing_line(checked).startswith("public checks passed: 0 of 1; 2 more run after")


def test_no_control_character_reaches_a_terminal_or_a_page(public: PublicRubric) -> None:
    outcome = of(public, finding("V3", Verdict.FAILED, found=NASTY), warnings=(NASTY,))
    assert outcome.result is not None
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(render_result(outcome.result, path=Path("a\x1b[31m.ipynb"), width=60))
    text = console.export_text(styles=False)
    html = ResultBox(result=outcome.result)._repr_html_()

    assert "\x1b" not in text
    assert "\x00" not in text
    assert max(map(len, text.splitlines())) <= 64
    assert "\x1b" not in html
    assert "<b>`" not in html
