"""Runs after the first: what is kept, what is run again, and what a crash may cost."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import tiny_course

pytestmark = pytest.mark.kernel
LAYOUT = "note: layout: flat (files with any names; file names match no known LMS): 1 submission"


@pytest.fixture
def course(tmp_path: Path) -> tiny_course.Course:
    return tiny_course.made(tmp_path / "course")


def times(course: tiny_course.Course) -> dict[str, str]:
    """When each result was made."""
    return {name: json.loads(t)["provenance"]["time"] for name, t in course.results().items()}


def marked(course: tiny_course.Course) -> dict[str, int]:
    """When each page was last written."""
    pages = (course.out / "reports").glob("*.html")
    return {page.stem: page.stat().st_mtime_ns for page in pages}


def comparable(text: str) -> str:
    """A result without what may differ: seconds and time."""
    result = json.loads(text)
    for cell in result["cells"]:
        cell["seconds"] = None
    result["provenance"]["time"] = None
    return json.dumps(result, indent=1)


def test_what_did_not_change_is_kept_and_only_the_rest_is_run(course: tiny_course.Course) -> None:
    for name in ("ada", "ben", "cleo"):
        course.hand_in(name)
    first = course.grade()
    before = marked(course)
    course.hand_in("ben", number=1)
    course.hand_in("dora")

    code, told = course.grade()

    after = marked(course)
    assert first[0] == 1, "nobody is named in these notebooks, which asks for a person"
    assert code == 1
    assert "kept 2 submissions from the last run: nothing changed; 2 to run" in told
    assert {name for name in after if after[name] != before.get(name)} == {"ben", "dora"}
    assert (course.out / "index.html").read_text(encoding="utf-8").count("dora") > 0


def test_nothing_to_run_starts_no_kernel_and_force_runs_all(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    course.grade()
    before = marked(course)

    _, kept = course.grade()
    unchanged = marked(course)
    _, forced = course.grade("--force")

    assert "kept 1 submission from the last run: nothing changed\n" in kept
    assert unchanged == before
    assert "kept" not in forced
    assert marked(course) != before


@pytest.mark.parametrize("changed", ["seed", pytest.param("reference", marks=pytest.mark.slow)])
def test_another_reference_or_seed_runs_everything_again(
    course: tiny_course.Course, changed: str
) -> None:
    course.hand_in("ada")
    course.grade()
    if changed == "reference":
        place = course.root / "reference" / "tiny.ipynb"
        place.write_text(place.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    options = ("--new-seed",) if changed == "seed" else ()

    _, told = course.grade(*options)

    assert "kept" not in told


@pytest.mark.slow
def test_a_seed_is_drawn_once_and_another_only_when_asked_for(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    course.grade()
    first = course.seed()
    before = course.commitment("ada")
    course.grade("--force")
    _, again = course.grade(command="again")
    same = course.seed()

    course.grade("--new-seed")

    assert len(first) == 32
    assert "re-scored 1 submission from saved runs: no score changed" in again
    assert same == first
    assert course.seed() != first
    assert before == hashlib.sha256(b"tiny\0" + first).hexdigest()
    assert course.commitment("ada") == hashlib.sha256(b"tiny\0" + course.seed()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["submissions", "again"])
def test_a_seed_that_stood_in_a_file_moves_to_the_gradebook(
    course: tiny_course.Course, command: str
) -> None:
    course.hand_in("ada")
    course.grade()
    first = course.seed()
    with closing(sqlite3.connect(course.out / "gradebook.db")) as book, book:
        book.execute("DELETE FROM seeds")
    (course.out / ".seed").write_text(first.hex() + "\n", encoding="ascii")

    _, told = course.grade(command=command)

    assert course.seed() == first
    assert not (course.out / ".seed").exists()
    assert "kept 1 submission" in told or "no score changed" in told


def test_a_file_that_holds_no_seed_is_put_away(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    course.out.mkdir()
    (course.out / ".seed").write_text("not hexadecimal", encoding="ascii")

    course.grade()

    assert len(course.seed()) == 32
    assert not (course.out / ".seed").exists()


def test_grade_again_by_an_assignment_that_graded_nothing_is_a_clear_error(
    course: tiny_course.Course,
) -> None:
    course.hand_in("ada")
    course.grade()
    rubric = course.root / "rubrics" / "tiny.toml"
    other = rubric.read_text(encoding="utf-8").replace('id = "tiny"', 'id = "other"')
    rubric.write_text(other, encoding="utf-8")

    code, told = course.grade(command="again")

    assert code == 2
    assert "nothing there was graded by the assignment 'other'" in told

    before = course.results()
    code, told = course.grade()

    assert code == 2
    assert "holds the grades of 'tiny'" in " ".join(told.split())
    assert course.results() == before


@pytest.mark.slow
def test_a_result_that_was_lost_is_made_again_without_a_kernel(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    course.grade()
    before = course.results()
    shutil.rmtree(course.out / "results")
    shutil.rmtree(course.out / "reports")

    _, told = course.grade()

    assert "re-scored 1 from saved runs" in told
    assert comparable(course.results()["ada"]) == comparable(before["ada"])
    assert list(marked(course)) == ["ada"]


def test_grade_again_prints_the_scores_that_moved(course: tiny_course.Course) -> None:
    course.hand_in("ada", scale=0.5)
    course.hand_in("ben", scale=0.2)
    course.grade()
    course.rubric(low=0.4)

    code, told = course.grade(command="again")

    rows = [line.split() for line in told.splitlines() if re.match(r"^(ada|ben| )", line)]
    assert code == 1
    assert ["ben", "sum", "10", "8"] in rows
    assert ["A", "4", "2"] in rows
    assert not any("ada" in row for row in rows)
    assert "re-scored 2 submissions from saved runs: 1 score changed" in told
    assert (course.earned("ada"), course.earned("ben")) == (10, 8)


@pytest.mark.slow
def test_after_grade_again_the_next_run_keeps_all(course: tiny_course.Course) -> None:
    course.hand_in("ada", scale=0.2)
    course.grade()
    course.rubric(low=0.4)
    course.grade(command="again")

    _, told = course.grade()

    assert "kept 1 submission" in told
    assert course.earned("ada") == 8


def test_a_rubric_that_changed_is_judged_anew_without_running(course: tiny_course.Course) -> None:
    course.hand_in("ada", scale=0.2)
    course.grade()
    course.rubric(low=0.4)

    _, told = course.grade()

    assert "re-scored 1 from saved runs\n" in told
    assert course.earned("ada") == 8


def test_grade_again_where_nothing_was_graded_is_a_clear_error(course: tiny_course.Course) -> None:
    code, told = course.grade(command="again")

    assert code == 2
    assert "no gradebook there" in told


@pytest.mark.slow
def test_results_do_not_depend_on_how_many_run_at_once(course: tiny_course.Course) -> None:
    for number in range(7):  # nine in all: one more than a single process takes
        course.hand_in(f"s{number}", number=number, scale=0.3 + number / 10)
    course.hand_in("raises", "import numpy as np", "object().nothing", "1 / 0", "print(object())")
    course.hand_in("dies", "import os", "os._exit(3)", "x = 1")
    found = []
    seed = None
    for options in (("-j", "1"), ("-j", "4"), ("-j", "9")):
        if course.out.exists():
            shutil.rmtree(course.out)
        if seed is not None:
            course.out.mkdir()
            (course.out / ".seed").write_text(seed.hex(), encoding="ascii")
        course.grade(*options)
        seed = course.seed()
        found.append({name: comparable(text) for name, text in course.results().items()})

    assert len(found[0]) == 9
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_run_that_was_stopped_goes_on_where_it_was(
    course: tiny_course.Course, how: signal.Signals
) -> None:
    for number in range(8):
        course.hand_in(f"s{number}", "import time; time.sleep(1)", f"x = {number}")
    with course.start("-j", "1") as process:
        end = time.monotonic() + 60
        while len(list((course.out / "results").glob("*.json"))) < 3:
            assert time.monotonic() < end
            time.sleep(0.05)
        os.kill(process.pid, how)
        process.communicate(timeout=30)
    _, again = course.grade(command="again")
    done = times(course)

    _, told = course.grade("-j", "1")

    told_kept = re.findall(r"kept (\d+) submission", told)
    assert told_kept, told
    kept = int(told_kept[0])
    assert process.returncode != 0
    assert 2 <= kept < 8
    assert f"re-scored {kept} submissions" in again
    assert len(course.results()) == 8
    assert sum(times(course)[name] == done[name] for name in done) >= kept


def test_a_store_of_a_newer_version_is_refused_and_left_alone(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    course.grade()
    store = course.out / "gradebook.db"
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = store.read_bytes()

    code, told = course.grade()

    assert code == 2
    assert "newer" in told
    assert store.read_bytes() == before


def test_a_corrupt_cache_is_made_anew(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    course.grade()
    [place] = (course.root / "cache" / "notebook-grader" / "modules").iterdir()
    learned = place.read_text(encoding="utf-8")
    place.write_text("{", encoding="utf-8")

    code, told = course.grade("--force")

    assert code == 1
    assert [line for line in told.splitlines() if line.startswith("note")] == [LAYOUT]
    assert json.loads(place.read_text(encoding="utf-8")) == json.loads(learned)


def test_an_interpreter_that_lacks_packages_is_one_sentence(course: tiny_course.Course) -> None:
    course.hand_in("ada")

    code, told = course.grade("--python", "/bin/true")

    assert code == 2
    assert told.splitlines() == [
        LAYOUT,
        "grade: /bin/true cannot be used as a Python interpreter: it does not answer as one.",
    ]


@pytest.mark.slow
def test_what_ran_less_isolated_than_is_wanted_runs_again(course: tiny_course.Course) -> None:
    course.hand_in("ada")
    bare = ("--isolation", "none", "--allow-unsandboxed")
    course.grade(*bare)
    _, kept = course.grade("--allow-unsandboxed")

    _, walled = course.grade()
    result = json.loads(course.results()["ada"])
    if result["provenance"]["level"] == "none":
        pytest.skip("nothing isolates here")
    _, strict = course.grade(*bare)

    assert "kept 1 submission" in kept
    assert "kept" not in walled
    assert "kept 1 submission" in strict, "stronger walls than are wanted are good enough"


def test_a_limit_of_the_command_line_counts_and_is_in_the_result(
    course: tiny_course.Course,
) -> None:
    course.hand_in("ada", "import time\ntime.sleep(3)")

    course.grade("--limit", "cell_s=1")

    result = json.loads(course.results()["ada"])
    assert result["provenance"]["limits"]["cell_s"] == 1
    assert result["cells"][0]["status"] == "timed_out"
