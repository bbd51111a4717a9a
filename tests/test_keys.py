"""A grade's key names all that it was made from: what changed is done again, and nothing else."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from test_again import ASKS, PROMPT, WROTE, notebook, rubric_of

from grader.folder import OutputFolder
from grader.model import Limits, Rubric, Student, Submission
from grader.people import People, RosterMember
from grader.pipeline import cache_keys
from grader.pipeline.cache_keys import CacheKeys, with_level, without_level
from grader.pipeline.run import RunPlan, plan_run
from grader.pipeline.run_config import RunConfig
from grader.sandbox import IsolationLevel, IsolationRequest

ADA = Student(name="Ada Probe", id="ap12345")
PARTS = ("run", "judging", "extraction")


@pytest.fixture(autouse=True)
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of our own code, which takes a while to read."""
    folder = tmp_path / "grader"
    folder.mkdir()
    monkeypatch.setattr(cache_keys, "PACKAGE_FOLDER", folder)
    return folder


@pytest.fixture
def work(tmp_path: Path) -> RunConfig:
    """What a run of an assignment grades by, with a notebook beside it."""
    notebook(tmp_path / "reference.ipynb")
    notebook(tmp_path / "ada.ipynb", wrote=WROTE)
    folder = OutputFolder(tmp_path / "graded")
    return RunConfig(rubric=rubric_of(tmp_path), seed=b"2" * 32, folder=folder)


def handed_in(work: RunConfig) -> Submission:
    path = work.rubric.reference.parent / "ada.ipynb"
    return Submission(name="ada", path=path, display_path="ada.ipynb")


def key_of(work: RunConfig, submission: Submission) -> str:
    return work.cache_keys(work.build_judge()).prepare(submission).key


def changed(before: str, after: str) -> set[str]:
    """The parts of a key that are not what they were."""
    return {
        part
        for part, old, new in zip(PARTS, before.split("."), after.split("."), strict=True)
        if old != new
    }


def test_a_key_is_three_digests_and_the_same_each_time(work: RunConfig) -> None:
    key = key_of(work, handed_in(work))

    assert re.fullmatch(r"[0-9a-f]{32}(\.[0-9a-f]{32}){2}", key)
    assert key_of(work, handed_in(work)) == key


def with_rubric(**changes: object) -> Callable[[RunConfig], RunConfig]:
    def change(work: RunConfig) -> RunConfig:
        rubric: Rubric = replace(work.rubric, **changes)  # type: ignore[arg-type]  # fields of Rubric
        return replace(work, rubric=rubric)

    return change


def with_another_prompt(work: RunConfig) -> RunConfig:
    asked, runs = work.rubric.items
    asked = replace(asked, prompt=PROMPT.replace("very deep", "deep"))
    return with_rubric(items=(asked, runs))(work)


def with_a_check_that_asks(work: RunConfig) -> RunConfig:
    asked, runs = work.rubric.items
    return with_rubric(items=(asked, replace(runs, checks=(ASKS,))))(work)


def with_other_points(work: RunConfig) -> RunConfig:
    asked, runs = work.rubric.items
    return with_rubric(items=(asked, replace(runs, points=Fraction(1))), sha256="1")(work)


def with_another_reference(work: RunConfig) -> RunConfig:
    place = work.rubric.reference
    place.write_text(place.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return work


def with_a_roster(work: RunConfig) -> RunConfig:
    return replace(work, people=People(members=(RosterMember(student=ADA),)))


def with_whole_ids(work: RunConfig) -> RunConfig:
    return replace(work, folder=OutputFolder(work.folder.path, show_ids=True))


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda work: work, set()),
        (lambda work: replace(work, seed=b"3" * 32), {"run"}),
        (with_rubric(seed=2), {"run"}),
        (with_rubric(record=("loss",)), {"run"}),
        (with_rubric(optional_imports=("seaborn",)), {"run"}),
        (with_rubric(limits=Limits(cell_s=59.0)), {"run"}),
        (with_a_check_that_asks, {"run"}),
        (with_another_reference, {"run", "extraction"}),
        (with_rubric(sha256="1"), {"judging"}),
        (with_other_points, {"judging"}),
        (with_a_roster, {"judging"}),
        (with_whole_ids, {"judging"}),
        (with_another_prompt, {"extraction"}),
        (lambda work: replace(work, overrides={"ada": {"A": (1,)}}), {"extraction"}),
        (lambda work: replace(work, overrides={"ben": {"A": (1,)}}), set()),
    ],
)
def test_what_changed_decides_what_is_done_again(
    work: RunConfig, change: Callable[[RunConfig], RunConfig], parts: set[str]
) -> None:
    submission = handed_in(work)
    before = key_of(work, submission)

    assert changed(before, key_of(change(work), submission)) == parts


def test_the_order_of_rows_in_files_about_people_changes_no_key(work: RunConfig) -> None:
    """The gradebook returns dates sorted, so an unsorted times.csv was judged again."""
    members = (RosterMember(student=ADA), RosterMember(student=Student(name="Ben Trial", id="b")))
    dates = [("zm10003", "2026-11-20T12:00:00-06:00"), ("ar10001", "2026-11-21T12:00:00-06:00")]
    people = [
        People(members=members, extensions=dict(dates), submission_times=dict(dates)),
        People(members=members[::-1], extensions=dict(dates[::-1]), submission_times=dict(dates)),
        People(members=members, extensions=dict(dates), submission_times=dict(dates[::-1])),
    ]
    others = [
        People(members=members, extensions=dict(dates)),
        People(members=members, submission_times=dict(dates)),
        People(members=members[:1], extensions=dict(dates), submission_times=dict(dates)),
    ]

    keys = {key_of(replace(work, people=each), handed_in(work)) for each in people}
    different = {key_of(replace(work, people=each), handed_in(work)) for each in others}

    assert len(keys) == 1
    assert len(keys | different) == 4


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"name": "ben"}, {"run"}),
        ({"display_path": "team/ada.ipynb"}, {"run"}),
        ({"attachments": (Path("ada.pdf"),)}, {"run"}),
        ({"problem": "There is no notebook."}, {"run"}),
        ({"remarks": ("The newest of 2.",)}, {"run"}),
        ({"concerns": ("Whose is it?",)}, {"run"}),
        ({"students": (ADA,)}, {"judging"}),
        ({"submitted_at": "2026-11-20T12:00:00-06:00"}, {"judging"}),
        ({"late": False}, {"judging"}),
    ],
)
def test_what_is_known_of_a_submission_decides_what_is_done_again(
    work: RunConfig, change: dict[str, object], parts: set[str]
) -> None:
    submission = handed_in(work)
    other: Submission = replace(submission, **change)  # type: ignore[arg-type]  # fields of Submission

    before, after = (key_of(work, one) for one in (submission, other))

    assert changed(before, after) == parts


def test_attachments_count_by_their_kind_and_their_order(work: RunConfig) -> None:
    def key(*names: str) -> str:
        attached = replace(handed_in(work), attachments=tuple(map(Path, names)))
        return key_of(work, attached)

    assert key("a.PDF") == key("b.pdf")
    assert (
        len({key(), key("a.pdf"), key("a.txt"), key("a.pdf", "a.txt"), key("a.txt", "a.pdf")}) == 5
    )


def test_the_notebook_and_what_lies_beside_it_decide_whether_it_is_run_again(
    work: RunConfig, tmp_path: Path
) -> None:
    data, submission = tmp_path / "data.csv", handed_in(work)
    data.write_text("1", encoding="utf-8")
    beside = replace(submission, files={"data.csv": data})
    keys = [key_of(work, one) for one in (submission, beside)]
    data.write_text("2", encoding="utf-8")
    keys.append(key_of(work, beside))
    notebook(submission.path, wrote="Something else.")
    keys.append(key_of(work, beside))

    assert [changed(*pair) for pair in pairwise(keys)] == [{"run"}] * 3


def test_names_are_told_apart_wherever_they_are_cut(work: RunConfig) -> None:
    one, other = (
        replace(handed_in(work), name=name, display_path=path)
        for name, path in (("ab", "c"), ("a", "bc"))
    )

    assert key_of(work, one) != key_of(work, other)


def test_a_name_that_is_no_text_has_a_key(work: RunConfig) -> None:
    submission = replace(handed_in(work), display_path="caf\udce9.ipynb")

    assert key_of(work, submission) != key_of(work, handed_in(work))


def test_a_notebook_that_cannot_be_read_has_no_key(work: RunConfig, tmp_path: Path) -> None:
    gone = replace(handed_in(work), path=tmp_path / "gone.ipynb", files={"x": tmp_path / "x"})
    prepared = CacheKeys(work.build_judge()).prepare(gone)

    assert prepared.key == ""
    assert prepared.submission is gone
    assert prepared.supplied.left_out != ()


def test_what_is_no_notebook_is_not_looked_for(work: RunConfig, tmp_path: Path) -> None:
    nothing = replace(handed_in(work), path=tmp_path / "gone.ipynb", problem="There is none.")
    prepared = CacheKeys(work.build_judge()).prepare(nothing)

    assert prepared.key
    assert prepared.submission is nothing
    assert prepared.supplied.files == {}


def test_files_of_the_course_count_and_are_there_for_all(work: RunConfig, tmp_path: Path) -> None:
    (tmp_path / "provided").mkdir()
    (tmp_path / "provided" / "data.csv").write_text("1", encoding="utf-8")
    given = with_rubric(provided=tmp_path / "provided")(work)
    submission = handed_in(work)
    prepared = CacheKeys(given.build_judge()).prepare(submission)

    assert list(prepared.supplied.files) == ["data.csv"]
    assert changed(key_of(work, submission), prepared.key) == {"run"}


def test_what_is_withheld_is_there_in_place_of_what_students_got(
    work: RunConfig, tmp_path: Path
) -> None:
    for folder in ("provided", "withheld"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "data.csv").write_text(folder, encoding="utf-8")
    given = with_rubric(provided=tmp_path / "provided", withheld=tmp_path / "withheld")(work)
    prepared = CacheKeys(given.build_judge()).prepare(handed_in(work))

    assert prepared.supplied.files == {"data.csv": tmp_path / "withheld" / "data.csv"}


def test_as_much_is_kept_of_what_lies_beside_as_the_rubric_allows(
    work: RunConfig, tmp_path: Path
) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(600_000))
    little = with_rubric(limits=Limits(disk_mb=1))(work)
    submission = replace(handed_in(work), files={"large.bin": large})

    assert CacheKeys(little.build_judge()).prepare(submission).supplied.files == {}
    assert CacheKeys(work.build_judge()).prepare(submission).supplied.files != {}


# ---------------------------------------------------------------- judging again


def test_a_grade_that_is_judged_again_keeps_how_it_was_run(work: RunConfig) -> None:
    submission = handed_in(work)
    keys = CacheKeys(work.build_judge())
    _, _, tail = keys.prepare(submission).key.partition(".")

    assert keys.rejudged_key("full:as-it-ran.old.old", submission=submission) == (
        f"full:as-it-ran.{tail}"
    )
    assert keys.rejudged_key("", submission=submission) == ""


def test_names_and_answers_are_taken_over_where_they_were_found_as_they_would_be_now(
    work: RunConfig,
) -> None:
    moved = replace(work, overrides={"ada": {"A": (1,)}})
    now, then = (CacheKeys(work.build_judge()) for work in (moved, work))
    key = then.prepare(handed_in(work)).key

    assert then.has_same_extraction(key, submission="ada")
    assert then.has_same_extraction(f"full:{key}", submission="ben")
    assert not now.has_same_extraction(key, submission="ada")
    assert now.has_same_extraction(key, submission="ben")
    for other in ("", key.rpartition(".")[0], f"{key}.more", key + "0"):
        assert not then.has_same_extraction(other, submission="ada")


def test_the_cells_of_each_item_count(work: RunConfig) -> None:
    def key(cells: dict[str, tuple[int, ...]]) -> str:
        return key_of(replace(work, overrides={"ada": cells}), handed_in(work))

    assert key({"A": (1,), "B": (2,)}) == key({"B": (2,), "A": (1,)})
    assert len({key({"A": (1,)}), key({"A": (2,)}), key({"B": (1,)})}) == 3


# ---------------------------------------------------------------- isolation


@pytest.mark.parametrize(
    ("stored", "required", "known"),
    [
        ("full:k", IsolationRequest(), True),
        ("namespaces:k", IsolationRequest(), True),
        ("reduced:k", IsolationRequest(), True),
        ("none:k", IsolationRequest(), False),
        ("none:k", IsolationRequest(unsandboxed=True), True),
        ("full:k", IsolationRequest(unsandboxed=True), True),
        ("full:k", IsolationRequest(level=IsolationLevel.FULL), True),
        ("namespaces:k", IsolationRequest(level=IsolationLevel.FULL), False),
        ("none:k", IsolationRequest(level=IsolationLevel.REDUCED, unsandboxed=True), False),
        ("none:k", IsolationRequest(level=IsolationLevel.NONE), True),
        ("strong:k", IsolationRequest(), False),
        ("k", IsolationRequest(), False),
        ("", IsolationRequest(), False),
    ],
)
def test_what_ran_less_isolated_than_is_wanted_is_not_known(
    stored: str, required: IsolationRequest, *, known: bool
) -> None:
    assert without_level(stored, required=required) == ("k" if known else "")


def test_a_key_is_stored_with_the_level_of_its_run_and_nothing_stays_nothing() -> None:
    assert with_level("k", "full") == "full:k"
    assert with_level("", "full") == ""
    assert without_level("full:k:1", required=IsolationRequest()) == "k:1"


def plan(work: RunConfig, stored: str, *, force: bool = False, files: bool = True) -> RunPlan:
    prepared = CacheKeys(work.build_judge()).prepare(handed_in(work))
    return plan_run(
        {"ada": prepared},
        stored_keys={"ada": stored.replace("KEY", prepared.key)} if stored else {},
        required=IsolationRequest(),
        has_files=lambda _: files,
        force=force,
    )


def test_what_is_known_is_kept_judged_again_or_run_again(work: RunConfig) -> None:
    kept, again, anew = (
        RunPlan(to_judge=(), to_run=()),
        RunPlan(to_judge=("ada",), to_run=()),
        RunPlan(to_judge=(), to_run=("ada",)),
    )

    assert plan(work, "full:KEY") == kept
    assert plan(work, "full:KEY", files=False) == again
    assert plan(work, "full:KEY0") == again
    assert plan(work, "full:KEY", force=True) == anew
    assert plan(work, "none:KEY") == anew
    assert plan(work, "full:0KEY") == anew
    assert plan(work, "") == anew


# ---------------------------------------------------------------- sources


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("wire.py", {"run", "judging"}),
        ("sandbox/launch.py", {"run", "judging"}),
        ("kernel/__init__.py", {"run", "judging"}),
        ("inside/runner.py", {"run", "judging", "extraction"}),
        ("notebook/answers.py", {"run", "judging", "extraction"}),
        ("text_folding.py", {"run", "judging", "extraction"}),
        ("model/__init__.py", {"run", "judging", "extraction"}),
        ("pipeline/__init__.py", {"judging", "extraction"}),
        ("scoring.py", {"judging"}),
        ("report/templates/student.html", {"judging"}),
        ("report/README.md", set()),
    ],
)
def test_our_own_code_decides_what_is_done_again(
    work: RunConfig, ours: Path, file: str, parts: set[str]
) -> None:
    place = ours / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("", encoding="utf-8")
    before = key_of(work, handed_in(work))
    place.write_text("# changed\n", encoding="utf-8")

    assert changed(before, key_of(work, handed_in(work))) == parts


def test_a_file_of_ours_that_is_moved_is_another(work: RunConfig, ours: Path) -> None:
    (ours / "report").mkdir()
    (ours / "report" / "page.py").write_text("x = 1\n", encoding="utf-8")
    before = key_of(work, handed_in(work))
    (ours / "report" / "page.py").rename(ours / "report" / "pages.py")

    assert changed(before, key_of(work, handed_in(work))) == {"judging"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which modules can be imported, whatever was imported before."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    for name in [name for name in sys.modules if name.startswith("own_keys")]:
        monkeypatch.delitem(sys.modules, name)
    return folder


@pytest.mark.parametrize(
    ("modules", "file"),
    [
        (("own_keys_file",), "own_keys_file.py"),
        (("own_keys_package",), "own_keys_package/__init__.py"),
        (("own_keys_deep.checks.rows",), "own_keys_deep/other.py"),
        (("own_keys_a", "own_keys_b"), "own_keys_b.py"),
    ],
)
def test_a_courses_own_checks_are_judged_again_wherever_they_changed(
    work: RunConfig, own: Path, modules: tuple[str, ...], file: str
) -> None:
    for name in modules:
        *packages, module = name.split(".")
        folder = own.joinpath(*packages)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{module}.py").write_text("CHECKS = {}\n", encoding="utf-8")
    place = own / file
    if place.name == "__init__.py":
        place.parent.mkdir()
        (own / f"{modules[0]}.py").rename(place)
    own_work = with_rubric(check_modules=modules)(work)
    before = key_of(own_work, handed_in(work))
    with place.open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")

    assert changed(before, key_of(own_work, handed_in(work))) == {"judging"}


def test_the_courses_own_checks_are_told_from_ours(work: RunConfig, own: Path) -> None:
    (own / "own_keys_single.py").write_text("CHECKS = {}\n", encoding="utf-8")
    keys = [
        key_of(with_rubric(check_modules=modules)(work), handed_in(work))
        for modules in ((), ("grader.contrastive",), ("own_keys_single",))
    ]

    assert changed(keys[0], keys[1]) == set()
    assert changed(keys[0], keys[2]) == {"judging"}
