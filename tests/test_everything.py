"""One folder with everything that real folders hold, through the real command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import lms
import pytest
import tiny_course
from test_archives import encrypted

pytestmark = pytest.mark.kernel

READS = "import helpers\nshared = open('shared.csv').read()\nmine = open('d/my.csv').read()"
RIGHT = tuple(source.format(scale=0.5, number=0) for source in tiny_course.SOLUTION)
STRANGE = "Straße \"quoted\" 'x' 🎓\nsecond line.ipynb"


def right(*more: str) -> str:
    """A right solution, with other cells before it."""
    return json.dumps(tiny_course.notebook(*more, *RIGHT))


def everything() -> lms.Tree:
    return {
        "ada.ipynb": right(),
        "ada.pdf": b"%PDF",
        STRANGE: right("x = 1"),
        "page.ipynb": "<html>log in</html>",
        "ben/work/hw.ipynb": right(READS),
        "ben/work/helpers.py": "answer = 42",
        "ben/work/d/my.csv": "mine",
        "ben/work/shared.csv": "not the course's",
        "cleo/one.ipynb": right("a = 1"),
        "cleo/two.ipynb": right("a = 1", "b = 2"),
        "dora.pdf": b"%PDF",
        "eve/report.docx": b"PK",
        "script.py": "print(1)",
        "gus.zip": b"PK not a zip",
        "notes.txt": "a list of mine",
        ".DS_Store": b"\0",
        "__MACOSX/._ada.ipynb": b"\0",
        ".ipynb_checkpoints/ada-checkpoint.ipynb": right(),
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tiny_course.Course:
    made = tiny_course.made(tmp_path_factory.mktemp("course"))
    lms.laid_out(made.root / "rubrics" / "tiny" / "provided", {"shared.csv": "the course's"})
    place = lms.laid_out(made.root / "submissions", everything())
    encrypted(lms.zipped(place / "hal.zip", {"hw.ipynb": right()}))
    lms.zipped(
        place / "ida.zip", {"hw/hw.ipynb": right(READS), "hw/helpers.py": "", "hw/d/my.csv": ""}
    )
    return made


@pytest.fixture(scope="module")
def run(course: tiny_course.Course) -> tuple[int, str]:
    return course.grade()


def told(course: tiny_course.Course) -> dict[str, dict[str, object]]:
    return {
        re.sub(r"-[0-9a-f]{8}$", "", name): json.loads(text)
        for name, text in course.results().items()
    }


NEEDS = {
    "page": "web page",
    "cleo": "cleo/two.ipynb is graded: of 2 notebooks that look like the handout it is the fullest",
    "dora": "only dora.pdf",
    "eve": "only report.docx",
    "script": "only script.py",
    "gus": "gus.zip could not be opened",
    "hal": "it is encrypted",
}


def test_it_ends_with_1_and_a_line_for_each_thing_that_needs_a_person(
    course: tiny_course.Course, run: tuple[int, str]
) -> None:
    code, said = run
    found = told(course)

    assert code == 1
    assert "Traceback" not in said
    assert set(found) == {*NEEDS, "ada", "ben", "ida", "Stra_e_quoted_x_second_line"}
    for name, word in NEEDS.items():
        assert any(word in str(flag) for flag in found[name]["flags"]), (name, found[name])  # type: ignore[attr-defined]
        assert word in re.sub(r"\s+", " ", said)
        assert (course.out / "reports" / f"{name}.html").is_file()


def test_right_ones_are_graded_with_what_lies_beside_them(
    course: tiny_course.Course, run: tuple[int, str]
) -> None:
    assert run
    for name in ("ada", "ben", "ida", "cleo", "Stra_e_quoted_x_second_line"):
        result = told(course)[name]
        assert result["status"] == "graded", result
        assert [cell["error"] for cell in result["cells"]] == [None] * len(result["cells"])  # type: ignore[attr-defined,arg-type]
        assert result["score"]["earned"] == 10  # type: ignore[index]
    report = (course.out / "reports" / "ben.html").read_text(encoding="utf-8")
    assert (
        "shared.csv: the course&#39;s file was there when the notebook ran, in place of yours."
        in report
    )


def test_nothing_was_written_to_what_was_handed_in_and_nothing_is_left(
    course: tiny_course.Course, run: tuple[int, str]
) -> None:
    assert run
    place = course.root / "submissions"
    names = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()}

    assert names == {*everything(), "hal.zip", "ida.zip"}
    assert not list(course.out.glob(".unpacked-*"))


def test_again_all_stays_and_a_file_beside_one_runs_only_that(
    course: tiny_course.Course, run: tuple[int, str]
) -> None:
    assert run
    (course.root / "submissions" / "ben" / "work" / "d" / "my.csv").write_text("other", "utf-8")

    _, said = course.grade()

    assert "1 to run" in said


def test_the_same_as_an_archive_has_the_same_rows(
    course: tiny_course.Course, run: tuple[int, str]
) -> None:
    assert run
    place = course.root / "submissions"
    tree = {
        p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()
    }
    lms.zipped(course.root / "class.zip", tree)

    code, said = course.grade("--out", "again", command="class.zip")
    results = {
        p.stem: json.loads(p.read_text("utf-8"))
        for p in Path(course.root, "again", "results").iterdir()
    }

    def brief(one: dict[str, object]) -> tuple[object, object, object]:
        return one["status"], one["reason"], one["score"]["earned"]  # type: ignore[index]

    assert code == 1
    assert "Traceback" not in said
    assert {name: brief(one) for name, one in results.items()} == {
        name: brief(json.loads(text)) for name, text in course.results().items()
    }


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        ("nonsense", "the layouts are blackboard, brightspace, canvas"),
        ("canvas", "named as in a download"),
    ],
)
def test_a_layout_that_is_none_or_not_there_is_an_error(
    layout: str, said: str, course: tiny_course.Course
) -> None:
    code, told = course.grade("--layout", layout, "--out", "elsewhere")

    assert code == 2
    assert said in told
    assert not (course.root / "elsewhere").exists()
