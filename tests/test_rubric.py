"""A rubric is loaded exactly, or refused with file, key and the nearest valid word."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from grader import checks
from grader.errors import RubricError, UsageError
from grader.model import Marking
from grader.rubric import find_rubric, load_rubric

ROOT = Path(__file__).parent.parent


class Applied(BaseModel):
    model_config = ConfigDict(extra="forbid")
    layer: Literal["conv", "linear"]
    rtol: float = 1e-4


class Shapes(BaseModel):
    model_config = ConfigDict(extra="forbid")
    sizes: list[int] = [1, 2]


def toy_checks(modules: tuple[str, ...]) -> dict[str, type[BaseModel]]:
    if "no.such" in modules:
        raise RubricError("'no.such' can't be imported")
    return {"applied": Applied, "shapes": Shapes}


GOOD = '''# Two items, one of each kind.
schema = 1

[assignment]
id = "toy"
title = "A toy"
total = 7.5
default = true
reference = "reference/toy.ipynb"
seed = 16
optional_imports = ["torchvision"]
record = ["contrastive_loss"]

[limits]
cell_s = 30

[[item]]
id = "Q1"
title = "Why"
points = 5
kind = "written"
source = "handout"
prompt = """
Why is
this so?
"""
good_answer = """
Because.
"""

[[item.criterion]]
id = "cause"
text = "names the cause"
points = 3
keywords = ["because"]

[[item.criterion]]
id = "effect"
text = "names the effect"
points = 2

[[item]]
id = "V1"
title = "Layers"
points = 2.5
kind = "auto"
source = "course"
why = "So that layers are used."

[[item.check]]
code = "shapes"
points = 1.25
public = true

[[item.check]]
code = "applied"
points = 1.25
needs = ["shapes"]
params = { layer = "conv", rtol = 0.001 }
'''


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "toy.ipynb").write_text("{}")
    (tmp_path / "rubrics" / "toy.toml").write_text(GOOD)
    return tmp_path


def refused(course: Path, *swaps: tuple[str, str]) -> str:
    text = GOOD
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    path = course / "rubrics" / "toy.toml"
    path.write_text(text)
    with pytest.raises(RubricError) as error:
        load_rubric(path, catalog=toy_checks)
    assert "toy.toml" in str(error.value)
    return str(error.value)


def test_a_good_rubric_is_loaded_whole(course: Path) -> None:
    rubric = load_rubric(course / "rubrics" / "toy.toml", catalog=toy_checks)
    assert (rubric.id, rubric.total, rubric.seed) == ("toy", Fraction(15, 2), 16)
    assert rubric.reference == course / "reference" / "toy.ipynb"
    assert (rubric.limits.cell_s, rubric.limits.submission_s) == (30.0, 300.0)
    assert rubric.record == ("contrastive_loss",)
    assert rubric.item("Q1").prompt == "Why is\nthis so?"
    assert rubric.item("Q1").criteria[0].keywords == ("because",)
    assert len(rubric.sha256) == 64


def test_points_are_exact(course: Path) -> None:
    swaps = [("points = 1.25\npublic", "points = 0.1\npublic"), ("points = 1.25", "points = 0.2")]
    swaps += [("points = 2.5", "points = 0.3"), ("total = 7.5", "total = 5.3")]
    text = GOOD
    for old, new in swaps:
        text = text.replace(old, new, 1)
    path = course / "rubrics" / "toy.toml"
    path.write_text(text)
    assert load_rubric(path, catalog=toy_checks).item("V1").points == Fraction(3, 10)


def test_points_may_be_a_fraction(course: Path) -> None:
    path = course / "rubrics" / "toy.toml"
    text = GOOD.replace("points = 1.25\npublic", 'points = "11/6"\npublic', 1)
    path.write_text(text.replace("points = 1.25", 'points = "2/3"', 1))
    checks = load_rubric(path, catalog=toy_checks).item("V1").checks

    assert [check.points for check in checks] == [Fraction(11, 6), Fraction(2, 3)]


def test_params_are_completed_by_their_model(course: Path) -> None:
    shapes, applied = (
        load_rubric(course / "rubrics" / "toy.toml", catalog=toy_checks).item("V1").checks
    )
    assert shapes.params == Shapes(sizes=[1, 2])
    assert applied.params == Applied(layer="conv", rtol=0.001)
    assert applied.needs == ("shapes",)


FAULTS = [
    (("seed = 16", "sed = 16"), "assignment → sed: there is no such key; did you mean 'seed'?"),
    (("schema = 1", "schema = 1\nitems = 2"), "items: there is no such key; did you mean 'item'?"),
    (("cell_s", "cel_s"), "limits → cel_s: there is no such key; did you mean 'cell_s'?"),
    (("good_answer", "good_anwser"), "item Q1 → good_anwser: there is no such key; did you mean "),
    (("public", "pubic"), "item V1 → check 1 → pubic: there is no such key; did you mean 'public'"),
    (('text = "names the e', 'txt = "names the e'), "item Q1 → criterion effect → txt"),
    (('code = "shapes"', 'code = "shape"'), "check 1 → code: there is no check 'shape'; did you "),
    (
        ("{ layer", "{ layr"),
        "item V1 → check 2 → params → layr: there is no such key; did you mean",
    ),
    (("{ layer", "{ layr"), "item V1 → check 2 → params → layer: is missing"),
    (('"conv"', '"konv"'), "check 2 → params → layer: 'konv' is not allowed; did you mean 'conv'?"),
    (('"auto"', '"automatic"'), "item V1 → kind: 'automatic' is not allowed; did you mean 'auto'?"),
    (("points = 2.5", "points = 3"), "item V1 → points: is 3, but its checks add up to 2.5"),
    (("total = 7.5", "total = 8"), "assignment → total: is 8, but the items add up to 7.5"),
    (('"toy"', "7"), "assignment → id"),
    (("total = 7.5\n", ""), "assignment → total: is missing"),
    (("total = 7.5", 'total = "7.5"'), "assignment → total: must be a number"),
    (("total = 7.5", "total = true"), "assignment → total: must be a number"),
    (("total = 7.5", "total = nan"), "assignment → total: must be a finite number"),
    (("points = 2.5", "points = -2.5"), "item V1 → points: must not be below 0"),
    (("cell_s = 30", "cell_s = 0"), "limits → cell_s: must be above 0"),
    (("points = 3", "points = 2"), "item Q1 → points: is 5, but its criteria (2 + 2) cannot add"),
    (('id = "V1"', 'id = "Q1"'), "item Q1 → id: there are several items of this id"),
    (('id = "effect"', 'id = "cause"'), "item Q1 → criterion cause → id: the item has several"),
    (('["shapes"]', '["shaeps"]'), "check 2 → needs: 'shaeps' is neither an item nor a check"),
    (('["shapes"]', '["shaeps"]'), "did you mean 'shapes'?"),
    (('["shapes"]', '["V1"]'), "item V1 → check 2 → needs: goes round in a circle"),
    (('why = "So that layers are used."\n', ""), "item V1 → why: is missing"),
    (("toy.ipynb", "tyo.ipynb"), "assignment → reference: there is no file 'reference/tyo.ipynb'"),
    (("schema = 1", "schema = 2"), "schema: 2 is newer than this grader reads (1)"),
    (("schema = 1\n", ""), "schema: is missing"),
    (("seed = 16", "seed = = 16"), "not TOML"),
    (("seed = 16", "seed = = 16"), "line 10"),
    (("needs = [", "needs = ["[:-1] + '["a", '), "needs: 'a' is neither an item"),
    (("seed = 16", "seed = 16\n[public]\ndraws = 'x'"), "public: there is no such key"),
    (("[limits]\n", "[limits]\nmemory_mb = 1\n"), "limits → memory_mb: must be at least 64"),
    (("params = { l", "params = 3 # { l"), "item V1 → check 2 → params: must be a table"),
    (('reference = "reference/toy.ipynb"\n', ""), "assignment → reference: is missing"),
    (('id = "Q1"', 'id = "Q 1"'), "is not allowed here; use letters, digits and . _ -"),
]


@pytest.mark.parametrize(("swap", "said"), FAULTS)
def test_a_fault_is_named_with_its_key(course: Path, swap: tuple[str, str], said: str) -> None:
    assert said in refused(course, swap)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("{ shape = [] }", "params → calls 1 1 → shape: must have 1 or more entries, not 0"),
        ("{ shape = [-1] }", "shape 1: must be at least 1"),
        ("{ shape = [1.5] }", "shape 1: must be a whole number"),
        ('{ shape = [1], scale = "x" }', "scale: must be a number"),
        ("3", "must be a table"),
    ],
)
def test_arguments_that_can_not_be_drawn_are_refused(tmp_path: Path, call: str, said: str) -> None:
    text = (ROOT / "rubrics" / "attention.toml").read_text(encoding="utf-8")
    path = tmp_path / "attention.toml"
    path.write_text(re.sub(r"\{ shape = .*? \}", call, text, count=1), encoding="utf-8")

    with pytest.raises(RubricError) as refusal:
        load_rubric(path, catalog=checks.load_checks)

    assert said in str(refusal.value)


def test_two_checks_that_wait_for_each_other_are_refused(course: Path) -> None:
    message = refused(course, ("public = true", 'public = true\nneeds = ["applied"]'))
    assert "goes round in a circle" in message
    assert "item V1 → check 1" in message
    assert "item V1 → check 2" in message


def test_all_faults_are_said_at_once(course: Path) -> None:
    message = refused(course, ("seed = 16", "sed = 16"), ("{ layer", "{ layr"), ('"auto"', '"x"'))
    assert "problems" in message
    assert all(key in message for key in ("sed", "layr", "kind"))


def test_all_sums_that_do_not_fit_are_said_at_once(course: Path) -> None:
    message = refused(course, ("total = 7.5", "total = 9"), ("points = 3", "points = 1"))
    assert "total" in message
    assert "criteria" in message


def test_an_automatic_item_has_checks(course: Path) -> None:
    start, _, _ = GOOD.partition("[[item.check]]")
    assert "at least one check" in refused(course, (GOOD, start))


def test_a_written_items_checks_give_no_points(course: Path) -> None:
    check = '\n[[item.check]]\ncode = "shapes"\npoints = 1\n'
    message = refused(course, ("points = 2\n", f"points = 2\n{check}"))
    assert "item Q1 → check 1 → points: must be 0" in message


def test_criteria_may_only_take_points_off(course: Path) -> None:
    path = course / "rubrics" / "toy.toml"
    text = GOOD.replace("points = 3\n", "points = -3\n").replace("points = 2\n", "points = -2\n")
    path.write_text(text)
    assert load_rubric(path, catalog=toy_checks).item("Q1").criteria[0].points == -3


@pytest.mark.parametrize("ending", [b"\xff", b'\nx = """never ended\n'])
def test_a_file_that_is_no_toml_says_the_line(course: Path, ending: bytes) -> None:
    path = course / "rubrics" / "toy.toml"
    path.write_bytes(GOOD.encode() + ending)
    with pytest.raises(RubricError, match=r"line \d+"):
        load_rubric(path, catalog=toy_checks)


def test_a_missing_file_is_a_rubric_error(tmp_path: Path) -> None:
    with pytest.raises(RubricError, match="cannot be opened"):
        load_rubric(tmp_path / "none.toml", catalog=toy_checks)


def test_a_byte_order_mark_does_no_harm(course: Path) -> None:
    path = course / "rubrics" / "toy.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_rubric(path, catalog=toy_checks).item("Q1").prompt == "Why is\nthis so?"


def test_the_reference_is_found_from_a_folder_below_rubrics(course: Path) -> None:
    below = course / "rubrics" / "alternatives"
    below.mkdir()
    (below / "short.toml").write_text(GOOD)
    rubric = load_rubric(below / "short.toml", catalog=toy_checks)
    assert rubric.reference == course / "reference" / "toy.ipynb"


def test_the_reference_may_lie_beside_the_rubric(tmp_path: Path) -> None:
    (tmp_path / "toy.ipynb").write_text("{}")
    (tmp_path / "toy.toml").write_text(GOOD.replace("reference/toy", "toy"))
    assert (
        load_rubric(tmp_path / "toy.toml", catalog=toy_checks).reference == tmp_path / "toy.ipynb"
    )


def add(course: Path, name: str, *, assignment: str, default: bool) -> Path:
    path = course / "rubrics" / f"{name}.toml"
    text = GOOD.replace('id = "toy"', f'id = "{assignment}"', 1)
    path.write_text(text if default else text.replace("default = true\n", ""))
    return path


def with_provided(course: Path, told: str) -> Path:
    path = course / "rubrics" / "toy.toml"
    text = path.read_text(encoding="utf-8").replace("seed = 16", f'seed = 16\nprovided = "{told}"')
    path.write_text(text, encoding="utf-8")
    return path


def test_provided_files_are_found_by_name_or_beside_the_rubric(course: Path) -> None:
    path = course / "rubrics" / "toy.toml"
    assert load_rubric(path, catalog=toy_checks).provided is None
    (course / "rubrics" / "toy" / "provided").mkdir(parents=True)
    (course / "data").mkdir()

    beside = load_rubric(path, catalog=toy_checks).provided
    named = load_rubric(with_provided(course, "data"), catalog=toy_checks).provided

    assert beside == (course / "rubrics" / "toy" / "provided").resolve()
    assert named == (course / "data").resolve()


def test_withheld_files_lie_beside_the_rubric_and_in_no_folder_for_students(course: Path) -> None:
    path = course / "rubrics" / "toy.toml"
    assert load_rubric(path, catalog=toy_checks).withheld is None
    withheld = course / "rubrics" / "toy" / "withheld"
    withheld.mkdir(parents=True)

    assert load_rubric(path, catalog=toy_checks).withheld == withheld.resolve()
    with pytest.raises(RubricError, match="students would see it"):
        load_rubric(with_provided(course, "rubrics/toy"), catalog=toy_checks)


def test_a_variable_without_its_seed_is_refused(course: Path) -> None:
    path = course / "rubrics" / "toy.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("seed = 16", 'seed = 16\nseed_variable = "s"'), encoding="utf-8")

    with pytest.raises(RubricError, match="holds `cell_seed` before each cell"):
        load_rubric(path, catalog=toy_checks)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("nowhere", "no folder 'nowhere'"),
        *((holds, "students would see it") for holds in ("rubrics", "reference", ".")),
    ],
)
def test_provided_files_that_are_not_there_or_give_answers_away_are_refused(
    told: str, said: str, course: Path
) -> None:
    with pytest.raises(RubricError, match=said):
        load_rubric(with_provided(course, told), catalog=toy_checks)


def test_the_only_rubric_is_found(course: Path) -> None:
    only = add(course, "toy", assignment="toy", default=False)
    assert find_rubric(course) == only


def test_the_default_is_found_among_several(course: Path) -> None:
    add(course, "other", assignment="other", default=False)
    assert find_rubric(course) == course / "rubrics" / "toy.toml"


def test_an_assignment_is_found_by_its_id_before_a_files_name(course: Path) -> None:
    other = add(course, "other", assignment="hw9", default=False)
    assert find_rubric(course, assignment="hw9") == other
    assert find_rubric(course, assignment="other") == other
    swapped = add(course, "hw9", assignment="other", default=False)
    assert find_rubric(course, assignment="other") == swapped


def test_rubrics_in_folders_below_are_not_considered(course: Path) -> None:
    (course / "rubrics" / "alternatives").mkdir()
    (course / "rubrics" / "alternatives" / "b.toml").write_text(GOOD)
    assert find_rubric(course) == course / "rubrics" / "toy.toml"


def test_without_a_default_the_rubrics_are_listed(course: Path) -> None:
    add(course, "toy", assignment="toy", default=False)
    add(course, "other", assignment="hw9", default=False)
    with pytest.raises(UsageError, match=r"(?s)none says default.*hw9.*other.toml.*toy"):
        find_rubric(course)


def test_two_defaults_are_refused(course: Path) -> None:
    add(course, "other", assignment="hw9", default=True)
    with pytest.raises(UsageError, match="several say default = true"):
        find_rubric(course)


def test_an_unknown_assignment_gets_the_nearest_id(course: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'toy'"):
        find_rubric(course, assignment="tyo")


def test_two_rubrics_of_one_id_are_refused(course: Path) -> None:
    add(course, "other", assignment="toy", default=False)
    with pytest.raises(UsageError, match="Several rubrics are called 'toy'"):
        find_rubric(course, assignment="toy")


def test_no_rubrics_at_all_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rubrics/"):
        find_rubric(tmp_path)


def test_a_broken_rubric_is_still_found_so_that_loading_says_why(course: Path) -> None:
    (course / "rubrics" / "toy.toml").write_text("= broken")
    assert find_rubric(course) == course / "rubrics" / "toy.toml"


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(
    "broken", [b"= broken", b"title = 'x", b"\xff\xfe", b"[[item]]\n[item]\n", b'a = "\\q"']
)
def test_a_broken_rubric_beside_another_is_told_first(
    course: Path, broken: bytes, *, default: bool
) -> None:
    add(course, "toy", assignment="toy", default=default)
    (course / "rubrics" / "a-draft.toml").write_bytes(broken)

    for assignment in (None, "hw9"):
        with pytest.raises(RubricError, match=r"(?s)a-draft\.toml: .*--assignment toy"):
            find_rubric(course, assignment=assignment)
    assert find_rubric(course, assignment="toy") == course / "rubrics" / "toy.toml"


def marking(course: Path, text: str) -> Marking:
    place = course / "rubrics" / "toy.toml"
    place.write_text(f"{GOOD}\n[marking]\n{text}\n")
    return load_rubric(place, catalog=toy_checks).marking


def test_what_students_are_told_of_marks_stands_in_the_rubric(course: Path) -> None:
    assert load_rubric(course / "rubrics" / "toy.toml", catalog=toy_checks).marking == Marking()
    assert marking(course, "show_markers = true").show_markers
    assert marking(course, "regrade_until = 2031-05-12").regrade_until == "2031-05-12"
    assert marking(course, 'regrade_until = "2031-05-12"').regrade_until == "2031-05-12"
    told = marking(course, 'regrade_until = 2031-05-12T17:00:00+02:00\nregrade_how = "Ask."')
    assert told == Marking(regrade_until="2031-05-12 17:00+02:00", regrade_how="Ask.")


@pytest.mark.parametrize("value", ["7", "true", '"soon"', '"2031-13-01"', "17:00:00"])
def test_a_day_that_is_none_is_refused(course: Path, value: str) -> None:
    with pytest.raises(RubricError, match="must be a day such as"):
        marking(course, f"regrade_until = {value}")
