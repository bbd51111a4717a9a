"""Renders `classroom50/result/v1`, which the runner of Classroom 50 reads from an autograder.

https://github.com/foundation50/classroom50/wiki/Advanced-Autograding has the contract. Its scores
are whole numbers and ours are fractions, so each point is `SCALE` there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from grader.errors import UsageError
from grader.exports.number_format import escape_invisible, replace_surrogates, to_number
from grader.model import Finding, Json, Verdict
from grader.report.text_format import one_line, printable
from grader.selfcheck.public_findings import FileOutcome
from grader.settings import CLASSROOM50_VARIABLES

SCALE = 100
"""Scores are points times this."""


def read_identity(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return what identifies a submission there.

    Raises:
        UsageError: The environment is not that of the runner.
    """
    missing = [
        name for name in CLASSROOM50_VARIABLES if not variables.get(name) and name != "REVIEW_URL"
    ]
    if missing:
        raise UsageError(
            f"--format classroom50 is for the runner of Classroom 50, which sets "
            f"{', '.join(missing)}; elsewhere use --format json"
        )
    return {
        "classroom": variables["CLASSROOM"],
        "assignment": variables["ASSIGNMENT"],
        "submission": variables["SUBMISSION_TAG"],
        "commit": variables["COMMIT_URL"],
        "release": variables["RELEASE_URL"],
        "review": variables.get("REVIEW_URL") or variables["COMMIT_URL"],
    }


def render_classroom50(outcomes: Sequence[FileOutcome], *, identity: Mapping[str, str]) -> str:
    """Return the result of all notebooks, with a test for each public check that was judged."""
    tests = [test for outcome in outcomes for test in _tests(outcome, named=len(outcomes) > 1)]
    payload: dict[str, Json] = {
        "schema": "classroom50/result/v1",
        **identity,
        "datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(_scaled(earned) for _, earned, _ in tests),
        "max-score": sum(_scaled(possible) for _, _, possible in tests),
        "tests": [
            {
                "test-name": name,
                "passed": earned == possible,
                "score": _scaled(earned),
                "max-score": _scaled(possible),
                "points": f"{to_number(earned)} of {to_number(possible)}",
            }
            for name, earned, possible in tests
        ],
    }
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, indent=2)
    return escape_invisible(replace_surrogates(text)) + "\n"


def _scaled(points: Fraction) -> int:
    return int(points * SCALE + Fraction(1, 2))


def _tests(outcome: FileOutcome, *, named: bool) -> Iterator[tuple[str, Fraction, Fraction]]:
    """Yield name, earned and possible points of each check that was judged."""
    findings: Sequence[Finding] = outcome.result.findings if outcome.result else ()
    for finding in findings:
        if finding.verdict not in {Verdict.PENDING, Verdict.ERROR}:
            name = f"{finding.item} {finding.title} ({finding.code})"
            full_name = f"{outcome.path.name}: {name}" if named else name
            yield one_line(printable(full_name)), finding.earned, finding.possible
