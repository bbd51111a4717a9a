"""Every attack at every level of isolation that this machine can force, in one real run a level."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import scene
from attack import Attack
from bases import BASES
from corpus import ATTACKS
from levels import Level, offered, options
from mutation import mutated
from verdicts import not_held

from grader import checks, gradebook, rubric
from grader.model import Submission, Verdict
from grader.pipeline.judge import Judge
from grader.pipeline.remembered_inputs import require_seed

pytestmark = pytest.mark.kernel

TOGETHER = tuple(attack for attack in ATTACKS if not attack.alone)
ALONE = tuple(attack for attack in ATTACKS if attack.alone)
OFFERED = offered()
AT_LEVELS = [
    pytest.param(
        level,
        id=level,
        marks=[] if level == OFFERED[-1] else [pytest.mark.slow],
    )
    for level in OFFERED
]
"""The strongest level is run always, the others where slow tests are."""
PEAK_MB = 700
"""What the grader's own process may come to hold, whatever the notebooks send."""
Graded = Callable[[Level], scene.Aftermath]


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    """One run a level, made when the first test asks for it."""
    runs: dict[Level, scene.Aftermath] = {}
    with ExitStack() as stages:

        def at(level: Level) -> scene.Aftermath:
            if level not in runs:
                stage = stages.enter_context(scene.staged(tmp_path_factory.mktemp(level)))
                runs[level] = scene.run(stage, TOGETHER, options=options(level))
            if runs[level].code == scene.CANNOT:
                pytest.skip(f"level {level} cannot be forced here: {runs[level].said[-300:]}")
            return runs[level]

        yield at


@pytest.mark.parametrize("level", AT_LEVELS)
@pytest.mark.parametrize("attack", TOGETHER, ids=lambda attack: attack.name)
def test_an_attack_reaches_nothing_outside(attack: Attack, level: Level, graded: Graded) -> None:
    got = not_held(attack, graded(level))

    if got and level not in attack.holds_at:
        pytest.xfail(f"not held at level {level}: {'; '.join(got)}")
    assert got == []


@pytest.mark.parametrize("level", AT_LEVELS)
@pytest.mark.parametrize("attack", TOGETHER, ids=lambda attack: attack.name)
def test_an_attack_gains_no_points_and_loses_only_its_own(
    attack: Attack, level: Level, graded: Graded
) -> None:
    after = graded(level)
    expected = after.points(scene.plain_name(attack.base))
    if attack.tells:
        expected["V1"] = 5  # it ends by raising

    earned = after.points(after.names[attack.name])
    deserved = {**expected, **attack.costs, **attack.concedes}

    if attack.known:
        assert earned != pytest.approx(deserved, abs=0.006), (
            f"mended, so no longer known: {attack.known}"
        )
        pytest.xfail(attack.known)
    if level in attack.waits_at:  # it gains nothing by that
        deserved = deserved | {item: None for item, points in earned.items() if points is None}
    assert earned == pytest.approx(deserved, abs=0.006)


@pytest.mark.parametrize("level", AT_LEVELS)
def test_the_wrong_solutions_earn_what_they_should_without_an_attack(
    level: Level, graded: Graded
) -> None:
    for base, variant in BASES.items():
        assert graded(level).points(scene.plain_name(base)) == pytest.approx(variant.points())


@pytest.mark.parametrize("level", AT_LEVELS)
@pytest.mark.parametrize("name", scene.INNOCENTS)
def test_an_innocent_neighbour_has_full_marks(name: str, level: Level, graded: Graded) -> None:
    result = graded(level).result(name)

    assert result["score"]["auto"] == 40
    assert result["flags"] == []


@pytest.mark.parametrize("level", AT_LEVELS)
def test_no_attack_makes_the_grader_fail(level: Level, graded: Graded) -> None:
    after = graded(level)
    results = [after.result(name) for name in after.names.values()]

    assert after.code in {0, 1}
    assert "Traceback" not in after.said
    assert "\x1b" not in after.said
    assert [r["submission"] for r in results if r["status"] == "ungradable"] == []
    assert [flag for r in results for flag in r["flags"] if "the grader" in flag] == []


@pytest.mark.parametrize("level", AT_LEVELS)
def test_nothing_is_left_running_or_lying_about(level: Level, graded: Graded) -> None:
    after = graded(level)

    assert after.left == {}
    assert list((after.scene.root / "tmp").iterdir()) == []
    assert list(after.out.glob("**/.part-*")) == []
    assert not (after.scene.home / "escaped-import").exists()
    assert "traced" in after.alive


@pytest.mark.parametrize("level", AT_LEVELS)
def test_floods_do_not_fill_the_grader(level: Level, graded: Graded) -> None:
    assert graded(level).peak_mb < PEAK_MB


@pytest.mark.parametrize("level", OFFERED[-1:])
@pytest.mark.parametrize("name", ["m-innocent", "c-plain-zeros", "c-plain-still"])
def test_whatever_a_notebook_answers_no_check_fails_at_it(
    name: str, level: Level, graded: Graded
) -> None:
    after = graded(level)
    found = rubric.find_rubric(after.scene.course, assignment=None)
    loaded = rubric.load_rubric(found, catalog=checks.load_checks)
    with gradebook.open_gradebook(after.out / "gradebook.db") as book:
        seed = require_seed(book, loaded.id, folder=after.out)
        trace = book.trace(name)
    judge = Judge.for_rubric(loaded, rng=checks.SeededRandom(seed=seed))
    assert trace is not None
    submission = Submission(name=name, path=Path(name), display_path=name)
    rng = random.Random(name)  # noqa: S311 -- variety that repeats, no secret

    errors = []
    for _ in range(100):
        evidence = judge.evidence(submission, mutated(trace, rng=rng))
        is_asked = bool(judge.checks.counter_questions(evidence))  # here nobody asks the reference
        score = judge.conclude(submission, evidence).score
        assert score is not None
        errors += [
            (item.item.id, finding.found)
            for item in score.items
            for finding in item.findings
            if finding.verdict is Verdict.ERROR
            and not (is_asked and "did not answer (not_asked)" in finding.found)
        ]

    assert errors == []


@pytest.mark.parametrize("level", AT_LEVELS)
@pytest.mark.parametrize("attack", ALONE, ids=lambda attack: attack.name)
def test_an_attack_on_all_leaves_the_innocent_their_marks(
    attack: Attack, level: Level, tmp_path: Path
) -> None:
    if level not in attack.holds_at:
        pytest.skip(f"not held at level {level}, and it would take the others with it")
    with scene.staged(tmp_path) as stage:
        after = scene.run(stage, (attack,), options=options(level))
        if after.code == scene.CANNOT:
            pytest.skip(f"level {level} cannot be forced here: {after.said[-300:]}")
        assert [after.result(name)["score"]["auto"] for name in scene.INNOCENTS] == [40, 40, 40]
