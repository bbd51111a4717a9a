"""Writes the result of `grade validate` as JSON for continuous integration."""

from __future__ import annotations

import json

from grader.model import CaseResult, Json, MutantResult, Validation

FORMAT = 1
"""The version of the format, raised when a key changes its meaning."""


def render_validation_json(results: tuple[Validation, ...]) -> str:
    """Render one object: `format`, `holds`, and an entry per assignment."""
    document = {
        "format": FORMAT,
        "holds": all(result.passed for result in results),
        "assignments": [_assignment(result) for result in results],
    }
    return json.dumps(document, ensure_ascii=True, indent=2)


def _assignment(result: Validation) -> dict[str, Json]:
    return {
        "assignment": result.assignment,
        "title": result.title,
        "holds": result.passed,
        "seeds": result.seeds,
        "notebooks": result.notebooks,
        "seconds": round(result.seconds, 2),
        "reference": _case(result.reference),
        "template": _case(result.template),
        "cases": [_case(case) for case in result.cases],
        "mutants": [_mutant(mutant_result) for mutant_result in result.mutants],
        "cells_left_aside": dict(result.skipped_cells),
        "checks": [
            {
                "item": use.item,
                "code": use.code,
                "title": use.title,
                "mutants": use.mutants,
                "cases": use.cases,
                "why": use.why,
            }
            for use in result.checks
        ],
        "stale_explanations": list(result.stale_explanations),
        "unsettled": list(result.unsettled),
        "stated_points": list(result.stated_points),
    }


def _case(case: CaseResult) -> dict[str, Json]:
    return {
        "name": case.name,
        "holds": case.passed,
        "problem": case.problem,
        "wavers": case.is_unstable,
        "shortfalls": [
            {
                "item": shortfall.item,
                "expected": round(float(shortfall.expected), 2),
                "earned": round(float(shortfall.earned), 2),
                "found": shortfall.found,
            }
            for shortfall in case.shortfalls
        ],
    }


def _mutant(result: MutantResult) -> dict[str, Json]:
    mutant = result.mutant
    return {
        "cell": mutant.cell,
        "line": mutant.line,
        "change": mutant.change,
        "before": mutant.before,
        "after": mutant.after,
        "items": list(mutant.items),
        "fate": result.outcome.value,
        "caught_by": list(result.caught_by),
        "wavers": result.is_unstable,
        "why": result.why,
        "escaped": result.escaped,
    }
