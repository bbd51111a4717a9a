"""Right answers written another way earn everything; wrong ones lose their own items."""

import re

import nbformat
import pytest
from grading import Run, grade
from variants import VARIANTS, Variant, build

pytestmark = pytest.mark.kernel


NAMED = re.compile(r"(Q|V)[\d.]+ \(.+\)$|cell \d+ \(")
"""An item and what of it failed (and in which cell, where one makes it), or a cell."""


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All variants through one run of the command."""
    folder = tmp_path_factory.mktemp("variants")
    for number, variant in enumerate(VARIANTS):
        nbformat.write(  # type: ignore[no-untyped-call]
            build(variant), folder / f"v{number:03}.ipynb"
        )
    return grade(folder, out=tmp_path_factory.mktemp("out") / "graded")


@pytest.mark.parametrize(
    ("number", "variant"), list(enumerate(VARIANTS)), ids=[v.name for v in VARIANTS]
)
def test_a_variant_earns_what_it_should(number: int, variant: Variant, graded: Run) -> None:
    result = graded.result(f"v{number:03}")
    items = [item for item in result["items"] if item["kind"] == "auto" and item["id"] != "V2"]
    findings = {item["id"]: item["findings"] for item in items}
    blocked = {
        name for name, found in findings.items() if any(f["verdict"] == "blocked" for f in found)
    }

    assert {item["id"]: item["earned"] for item in items} == pytest.approx(
        variant.points(), abs=0.006
    )
    assert blocked == set(variant.blocked)


def test_every_blocked_part_names_what_blocks_it(graded: Run) -> None:
    unnamed = [
        (variant.name, finding["title"])
        for number, variant in enumerate(VARIANTS)
        for item in graded.result(f"v{number:03}")["items"]
        for finding in item["findings"]
        if finding["verdict"] == "blocked" and not NAMED.match(finding["blocked_by"])
    ]

    assert unnamed == []


def test_nothing_is_an_error_of_ours(graded: Run) -> None:
    names = [f"v{number:03}" for number in range(len(VARIANTS))]
    errors = [
        (name, item["id"])
        for name in names
        for item in graded.result(name)["items"]
        if item["verdict"] == "error"
    ]

    assert errors == []
