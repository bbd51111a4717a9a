"""The example submissions earn what their page says."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from grading import ROOT, Run, grade

pytestmark = pytest.mark.kernel

ROW = re.compile(r"^\| `(?P<file>[^`]+)` \|[^|]*\| (?P<points>[\d.]+|none) \|", re.MULTILINE)


def promised() -> Mapping[str, float | None]:
    """The table of examples/README.md: automatic points by file."""
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    return {
        row["file"]: None if row["points"] == "none" else float(row["points"])
        for row in ROW.finditer(page)
    }


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All examples through one run of the command."""
    return grade(
        ROOT / "examples" / "submissions", out=tmp_path_factory.mktemp("examples") / "graded"
    )


def name_in(run: Run, file: str) -> str:
    """The name that a file's report goes by: its own, or its own made safe."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", Path(file).stem)
    names = [path.stem for path in (run.out / "results").iterdir()]
    return next(name for name in names if name == stem or name[:-9] == stem.strip("_"))


@pytest.mark.parametrize(("file", "points"), promised().items(), ids=list(promised()))
def test_an_example_earns_what_its_page_says(file: str, points: float | None, run: Run) -> None:
    assert run.result(name_in(run, file))["score"]["auto"] == points


def test_every_example_is_on_the_page() -> None:
    files = {path.name for path in (ROOT / "examples" / "submissions").iterdir()}

    assert files == set(promised())


def test_the_solved_copys_figures_are_reproduced(run: Run) -> None:
    found = " ".join(f["found"] for f in run.item("hw5_ada_ben", "V5")["findings"])

    assert "cos(C1, C2) is 0.9193, and cos(C1, B1) is 0.1696" in found
    assert "cos(C1, C2) is 0.9980, and cos(C1, B1) is 0.0626" in found
    page = (run.out / "reports" / "hw5_ada_ben.html").read_text(encoding="utf-8")
    assert "0.1561" in page
    assert "0.0586" in page


def test_a_team_of_two_has_two_rows_in_the_gradebook(run: Run) -> None:
    lines = (run.out / "gradebook.csv").read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line.startswith("hw5_ada_ben,")]) == 2
