"""Attacks on a course's own tests, all in one notebook: what they gain, and who comes next."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import course_stage
import pytest
from attack import CourseAttack
from attacks_tests import BREAKING, COURSE_ATTACKS, EXHAUSTING, PRELUDE

from grader.kernel import test_bench

GRADER = Path(__file__).parent.parent.parent / "grader"
IMPORTS = "import numpy as np\nimport pandas as pd\nimport pytest\nimport torch\n\n\n"
INNOCENT = CourseAttack(
    name="innocent",
    tries="Nothing",
    code="""
def ANSWER(n):
    return [i * i for i in range(1, n + 1)]
""",
)
TOGETHER = (*COURSE_ATTACKS, INNOCENT)
LAST = BREAKING[-1]
EVERY = (*COURSE_ATTACKS, EXHAUSTING[0], INNOCENT, EXHAUSTING[1], *BREAKING)
HONEST = PRELUDE + "".join(attack.written(attack.honest) for attack in EVERY)
Cases = Mapping[str, Mapping[str, Any]]
Attack = Callable[..., Cases]


def name_of(attack: CourseAttack) -> str:
    return f"test_{attack.answer}"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[course_stage.Stage]:
    """A bench with the test of every attack, all of which the reference passes."""
    tests = IMPORTS + "\n\n".join(attack.written(attack.test) for attack in EVERY)
    folder = tmp_path_factory.mktemp("course")
    with course_stage.staged(folder, tests=tests, reference=HONEST) as stage:
        yield stage


@pytest.fixture(scope="session")
def attack(stage: course_stage.Stage) -> Attack:
    """What runs a notebook with some attacks, and returns what came of their tests."""

    def run(name: str, *attacks: CourseAttack) -> Cases:
        code = PRELUDE + "".join(attack.written(attack.code) for attack in attacks)
        stage.tests = [name_of(attack) for attack in attacks]
        return stage.run(stage.start(name, code), code)

    return run


@pytest.fixture(scope="session")
def attacked(attack: Attack) -> Cases:
    """What came of a notebook with all attacks that leave the way to it open."""
    return attack("attacks", *TOGETHER)


def flaws_of(case: Mapping[str, Any], name: str, stage: course_stage.Stage) -> list[str]:
    return [stage.flaw(name, case, is_public=public) for public in (True, False)]


def test_the_reference_passes_what_the_attacks_are_after(stage: course_stage.Stage) -> None:
    failed = {n: case for n, case in stage.expected.items() if case["outcome"] != "passed"}
    assert failed == {}
    assert len(stage.expected) == len(EVERY)


@pytest.mark.parametrize("name", [name_of(attack) for attack in COURSE_ATTACKS])
def test_an_attack_on_a_test_passes_nothing(
    name: str, attacked: Cases, stage: course_stage.Stage
) -> None:
    case = attacked[name]
    flaws = flaws_of(case, name, stage)

    assert case["outcome"] in {"passed", "failed", "stopped", "raised", "gone"}
    assert all(flaws), case
    assert "94731" not in flaws[1]
    assert not any("\x1b" in flaw for flaw in flaws)


def test_attacks_leave_an_innocent_neighbor_and_the_next_notebook_their_points(
    attacked: Cases, stage: course_stage.Stage
) -> None:
    stage.tests = [name_of(attack) for attack in EVERY]
    passed = stage.run(stage.start("honest", HONEST), HONEST)

    assert attacked["test_innocent"]["outcome"] == "passed"
    flaws = {name: stage.flaw(name, case, is_public=True) for name, case in passed.items()}
    assert {name: flaw for name, flaw in flaws.items() if flaw} == {}
    assert not list(stage.folder.rglob("escaped*"))
    files = [path for path in (stage.folder / "bench0").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == ["tests.py", "value_tests_of_the_grader.py"]


def test_who_spoils_the_way_to_a_notebook_loses_by_it(
    attack: Attack, stage: course_stage.Stage
) -> None:
    for number, one in enumerate(BREAKING):
        cases = attack(f"breaking{number}", one)
        assert all(flaws_of(cases[name_of(one)], name_of(one), stage))
    assert attack("after", INNOCENT)["test_innocent"]["outcome"] == "passed"


def test_what_keeps_our_process_busy_costs_only_who_does_it(
    attack: Attack, stage: course_stage.Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_bench, "TEST_SECONDS", 3.0)
    monkeypatch.setattr(test_bench, "MAX_LOST", 2)

    cases = attack("exhausting", *EXHAUSTING, INNOCENT, LAST)

    assert cases["test_innocent"]["outcome"] == "passed"
    assert {cases[name_of(a)]["status"] for a in EXHAUSTING} == {"unending"}
    assert all(all(flaws_of(cases[name_of(a)], name_of(a), stage)) for a in EXHAUSTING)
    assert cases[name_of(LAST)] == {"outcome": "lost", "given_up": True}
    assert attack("after-all", INNOCENT)["test_innocent"]["outcome"] == "passed"


def test_nothing_on_our_side_reads_a_pickle() -> None:
    """What may stand in the process of the tests, and how it would be read."""
    ours = [
        *GRADER.glob("course_tests/*.py"),
        *(GRADER / "inside" / f"{name}.py" for name in ("frames", "plain_values", "table_values")),
    ]
    used = {
        f"{node.value.id}.{node.attr}"
        for path in ours
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }

    assert {name for name in used if name.startswith(("pickle.", "marshal."))} == {"pickle.dumps"}
    assert not used & {"torch.load", "np.load", "pd.read_pickle", "pandas.read_pickle"}
