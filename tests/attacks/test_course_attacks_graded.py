"""Attacks on a course's own tests in one real run: behind walls and in Jupyter, to points."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tested_course
from attack import CourseAttack
from attacks_tests import BREAKING, COURSE_ATTACKS, PRELUDE
from test_tested_course import points_of

ROOT = Path(__file__).parent.parent.parent
INNOCENT = CourseAttack(name="innocent", tries="Nothing", code="")
TRIED = re.compile(
    "says-yes|own-method|hides-a-failure|ends-a-map|skips|text-never-ends|text-breaks|dies|"
    "never-ends|huge-number|prints-a-gigabyte|patches-pytest|forges-reply-(place|long-place|skip)|"
    "forges-value-(pickle|known|digits)|answers-ahead|thread-answers|calls-back-deeper|"
    "zeroes-inputs|breaks-the-reference|links-out|names-out|pickle-in-a-file|tells-.*"
)
ATTACKS = tuple(attack for attack in COURSE_ATTACKS if TRIED.fullmatch(attack.name))
IMPORTS = "import numpy as np\nimport pandas as pd\nimport pytest\n\n\n"
pytestmark = pytest.mark.kernel


def rubric() -> str:
    """A rubric with an item of one point for each attack, whose test is hidden."""
    tests = (*ATTACKS, INNOCENT, *BREAKING)
    text = tested_course.RUBRIC.replace("total = 10", f"total = {len(tests)}")
    for attack in tests:
        text += tested_course.ITEM.format(id=attack.name, points=1)
        test = f"test_{attack.answer}"
        text += tested_course.CHECK.format(points=1, public="false", test=test)
    return text


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, graded; what attacks is between two notebooks that don't."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("rubrics/intro", "reference", "submissions"):
        (folder / name).mkdir(parents=True)
    every = (*ATTACKS, INNOCENT, *BREAKING)
    tests = IMPORTS + "\n\n".join(attack.written(attack.test) for attack in every)
    (folder / "rubrics" / "intro.toml").write_text(rubric(), encoding="utf-8")
    (folder / "rubrics" / "intro" / "tests.py").write_text(tests, encoding="utf-8")
    honest = (PRELUDE, *(attack.written(attack.honest) for attack in every))
    attacking = (
        PRELUDE,
        *(attack.written(attack.code) for attack in (*ATTACKS, *BREAKING)),
        INNOCENT.written(INNOCENT.honest),
    )
    tested_course.write_notebook(folder / "reference" / "intro.ipynb", honest)
    for name, cells in {"a": honest, "m": attacking, "z": honest}.items():
        tested_course.write_notebook(folder / "submissions" / f"{name}.ipynb", cells)
    done = subprocess.run(
        [sys.executable, "-m", "grader", "submissions", "--out", "graded", "-j", "1"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr  # nobody has a name
    return folder


def test_the_attacks_earn_nothing_and_their_neighbors_all(course: Path) -> None:
    earned = {name: points_of(course / "graded", name) for name in ("a", "m", "z")}

    assert {item for item, points in earned["m"].items() if points} == {INNOCENT.name}
    assert all(earned["a"].values())
    assert all(earned["z"].values())


def test_no_attack_is_taken_for_an_error_of_ours_or_tells_what_was_asked(course: Path) -> None:
    written = [path for path in (course / "graded").rglob("*") if path.suffix in {".html", ".json"}]
    texts = [path.read_text(encoding="utf-8") for path in written]

    assert not any("could not judge" in text for text in texts)
    assert not any("94731" in text.replace("Asked94731", "") for text in texts)
    assert not any("\x1b" in text for text in texts)
    assert not list(course.rglob("escaped*"))
