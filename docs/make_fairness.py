"""Writes docs/fairness.md: what came out of the tests that hold what is fair, by kind."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "fairness.md"
if str(ROOT / "tests") not in sys.path:
    sys.path.insert(0, str(ROOT / "tests"))

from variants import KINDS, Variant  # noqa: E402 -- its folder comes first

VARIANTS = "test_a_variant_earns_what_it_should"
NAMES_AND_ANSWERS = {
    "test_students.py": "Names and ids in a notebook",
    "test_answers.py": "Written answers in their places",
    "test_answers_elsewhere.py": "Written answers elsewhere",
    "test_outputs.py": "Results that the file shows",
}
HEAD = """\
# Who keeps points and who doesn't

Made by `make fairness` from the tests; don't edit. A *case* is a notebook, or a piece of one, with
what must come out written down beforehand by the rules of the assignment; *right* is how many of
them came out so. *Right, unusual*: nothing but what the case is about may be lost. *Wrong, looks
right*: just that may be lost, and must be.

## Points of HW 5

| kind | right, unusual: cases | right | wrong, looks right: cases | right |
| --- | ---: | ---: | ---: | ---: |
"""
Results = Mapping[tuple[str, str], bool]


def run_tests(folder: Path) -> Results:
    """Return whether each case came out right, by the names of its file and its test."""
    report = folder / "report.xml"
    files = [str(ROOT / "tests" / name) for name in ("test_variants.py", *NAMES_AND_ANSWERS)]
    options = ["-q", "--slow", "all", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *options, *files]
    subprocess.run(command, check=False, cwd=ROOT)  # noqa: S603 -- a failing case is a result
    cases = ET.parse(report).iter("testcase")  # noqa: S314 -- the same
    return {
        (f"{case.attrib['classname'].rpartition('.')[2]}.py", case.attrib["name"]): not any(
            child.tag in {"failure", "error"} for child in case
        )
        for case in cases
    }


def points_rows(results: Results) -> Iterator[str]:
    """The rows of the table of points."""
    for kind, variants in KINDS.items():
        cases: Counter[bool] = Counter()
        right: Counter[bool] = Counter()
        for variant in variants:
            loses = loses_points(variant)
            cases[loses] += 1
            right[loses] += results["test_variants.py", f"{VARIANTS}[{variant.name}]"]
        yield f"| {kind} | {cases[False]} | {right[False]} | {cases[True]} | {right[True]} |\n"


def loses_points(variant: Variant) -> bool:
    """Whether more is lost than cells that fail, which V1 counts."""
    return bool(variant.expect.keys() - {"V1"})


def words_rows(results: Results, file: str) -> Iterator[str]:
    """The rows of one table of names and answers: a test is a kind."""
    cases: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for (name, test), passed in results.items():
        if name == file:
            kind = test.partition("[")[0].removeprefix("test_").replace("_", " ")
            cases[kind] += 1
            right[kind] += passed
    return (f"| {kind} | {cases[kind]} | {right[kind]} |\n" for kind in cases)


def page(results: Results) -> str:
    """The whole page."""
    parts = [HEAD, *points_rows(results), "\n## Names and answers\n"]
    for file, title in NAMES_AND_ANSWERS.items():
        parts.append(f"\n### {title}\n\n| kind | cases | right |\n| --- | ---: | ---: |\n")
        parts += words_rows(results, file)
    return re.sub(r"\n{3,}", "\n\n", "".join(parts))


def main() -> None:
    """Run the tests and write the page."""
    with TemporaryDirectory() as folder:
        results = run_tests(Path(folder))
    PAGE.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
