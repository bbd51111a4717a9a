"""A course's own checks are loaded by a rubric's list of modules, or refused by name."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import selfchecking
from test_again import class_of_one
from test_checks import RNG, course, evidence

from grader import checks, contrastive, rubric
from grader.checks import CHECKS, bind_rubric, load_checks
from grader.checks.check import ARRAYS_QUESTION, Check
from grader.errors import RubricError
from grader.model import Array, CheckSpec, Finding, Observation, Verdict
from grader.pipeline.cache_keys import CacheKeys
from grader.selfcheck.public_files import reference_questions
from grader.selfcheck.public_rubric import load_public_rubric

ROOT = Path(__file__).parent.parent
TAKEN = "from grader.checks import CHECKS as theirs\nCHECKS = {'EXE001': theirs['EXE001']}"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which modules can be imported."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    for name in [name for name in sys.modules if name.startswith(("own_", "example_in_"))]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def the_example() -> str:
    text = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    return str(block)


def judge_rows(rows: Array | None) -> Finding:
    spec = CheckSpec(
        code="ROW001", points=Fraction(2), public=True, needs=(), params={"array": "batches"}
    )
    bound = bind_rubric(course(a=(spec,)), registry=load_checks(["example_in_authoring"]), rng=RNG)
    arrays = {} if rows is None else {"batches": rows}
    answer = Observation(id=ARRAYS_QUESTION.id, status="ok", arrays=arrays)
    (finding,) = bound.judge(replace(evidence(), observations={answer.id: answer})).findings
    return finding


def test_the_example_of_the_page_is_a_check_that_a_rubric_can_call(own: Path) -> None:
    (own / "example_in_authoring.py").write_text(the_example(), encoding="utf-8")

    right = judge_rows(np.arange(6.0).reshape(3, 2))
    wrong = judge_rows(np.ones((3, 2)))
    gone = judge_rows(None)

    assert (right.verdict, right.title) == (Verdict.PASSED, "no row of batches occurs twice")
    assert (wrong.verdict, wrong.found) == (Verdict.FAILED, "2 rows occur again.")
    assert gone.found == "No array batches of up to 200,000 elements after the notebook ran."
    assert judge_rows(np.ones((0, 2))).found == "The array has no rows."
    assert judge_rows(np.full(2, np.nan)).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("own_absent", None, "can't be imported: ModuleNotFoundError"),
        ("own_broken", "1 / 0", "can't be imported: ZeroDivisionError: division by zero"),
        ("own_empty", "", "has no mapping CHECKS"),
        ("own_strange", "CHECKS = {'A': int}", "has no mapping CHECKS"),
        ("own_taken", TAKEN, "has a check 'EXE001', and so has another module"),
    ],
)
def test_a_module_without_checks_is_refused_by_key(
    own: Path, tmp_path: Path, name: str, source: str | None, said: str
) -> None:
    if source is not None:
        (own / f"{name}.py").write_text(source, encoding="utf-8")
    text = (ROOT / "rubrics" / "hw5.toml").read_text(encoding="utf-8")
    assert '["grader.contrastive"]' in text
    path = tmp_path / "hw5.toml"
    path.write_text(text.replace("grader.contrastive", name), encoding="utf-8")

    with pytest.raises(RubricError) as error:
        rubric.load_rubric(path, catalog=load_checks)

    assert f"assignment → checks: '{name}' {said}" in str(error.value)


def test_a_rubric_without_modules_calls_general_checks_alone() -> None:
    assert load_checks(()) == CHECKS
    assert not CHECKS.keys() & contrastive.CHECKS.keys()


def test_no_general_room_knows_the_family() -> None:
    words = re.compile(r"(?i)contrastive|encoder|embedding|\bimages\b")
    rooms = [*(ROOT / "grader" / "checks").glob("*.py"), ROOT / "grader" / "scoring.py"]

    assert [p.name for p in rooms if words.search(p.read_text(encoding="utf-8"))] == []


def test_a_change_of_a_courses_own_check_is_judged_again_and_not_run_again(
    own: Path, tmp_path: Path
) -> None:
    module = own / "own_changing.py"
    module.write_text("CHECKS = {}\n", encoding="utf-8")
    work = class_of_one(tmp_path).work
    work = replace(work, rubric=replace(work.rubric, check_modules=("own_changing",)))
    before = CacheKeys(work.build_judge())

    module.write_text("CHECKS = {}  # changed\n", encoding="utf-8")
    after = CacheKeys(work.build_judge())

    assert after._judging != before._judging  # noqa: SLF001 (what a key is made of)
    assert after._run == before._run  # noqa: SLF001


def test_students_get_the_modules_that_public_checks_need(tmp_path: Path) -> None:
    path = selfchecking.publish(tmp_path, selfchecking.loaded())
    tree = json.loads(path.read_text(encoding="utf-8"))

    assert load_public_rubric(path).rubric.check_modules == ("grader.contrastive",)
    tree["assignment"]["checks"] = ["no_such_module"]
    path.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(RubricError, match="'no_such_module' can't be imported"):
        load_public_rubric(path)


@pytest.mark.parametrize("module", [checks, contrastive])
def test_every_check_is_registered_under_its_own_code(module: ModuleType) -> None:
    def subclasses(cls: type[Check]) -> Iterator[type[Check]]:
        for below in cls.__subclasses__():
            yield below
            yield from subclasses(below)

    written = {
        check.code: check
        for check in subclasses(Check)
        if check.__module__.startswith(f"{module.__name__}.") and "code" in vars(check)
    }

    assert written
    assert written == module.CHECKS


def own_course(folder: Path, *, public: bool = False) -> Path:
    """A course whose rubric calls the example of the page, in a file beside it."""
    rubrics = folder / "rubrics"
    (rubrics / "rows").mkdir(parents=True)
    (folder / "reference").mkdir()
    (folder / "reference" / "rows.ipynb").write_text(
        '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', encoding="utf-8"
    )
    (rubrics / "rows" / "checks.py").write_text(the_example(), encoding="utf-8")
    text = f"""
schema = 1
[assignment]
id = "rows"
title = "Rows"
total = 2
reference = "reference/rows.ipynb"
[[item]]
id = "A"
title = "rows"
points = 2
kind = "auto"
source = "handout"
[[item.check]]
code = "ROW001"
points = 2
public = {str(public).lower()}
params = {{ array = "batches" }}
"""
    path = rubrics / "rows.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_checks_beside_the_rubric_are_found_by_their_place(tmp_path: Path) -> None:
    path = own_course(tmp_path)
    loaded = rubric.load_rubric(path, catalog=load_checks)
    registry = load_checks(loaded.check_modules)

    assert registry["ROW001"].__name__ == "NoRepeatedRows"
    assert registry["ROW001"] is load_checks(loaded.check_modules)["ROW001"]
    assert "checks.py" not in (loaded.tests.files if loaded.tests else {})


def test_a_fault_in_the_file_is_told_with_its_name(tmp_path: Path) -> None:
    path = own_course(tmp_path)
    (path.parent / "rows" / "checks.py").write_text("import nowhere_to_be_had", encoding="utf-8")

    with pytest.raises(RubricError, match=r"checks\.py.*nowhere_to_be_had"):
        rubric.load_rubric(path, catalog=load_checks)


def test_a_check_of_the_file_is_never_public(tmp_path: Path) -> None:
    loaded = rubric.load_rubric(own_course(tmp_path, public=True), catalog=load_checks)

    with pytest.raises(RubricError, match="which students don't get"):
        reference_questions(loaded)
