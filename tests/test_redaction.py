"""Words that say who somebody is are found in any order and form, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path

import pytest

from grader.model import Item, Picture, Student
from grader.privacy.redaction import MAX_GAP, Identity, Redactor, vocabulary, words_in_names
from grader.privacy.text_mapping import map_texts

ADA = Student(
    name="Ada Byron Rivers",
    id="ar10001",
    email="ada.rivers@uni.example",
    lms={"canvas": "4711", "moodle": "m-77-a"},
)
RAE = Student(name="", id="", email="rx77@uni.example")
LI = Student(name="Li Wu", id="lw1")


def redactor(*students: Student, kept: frozenset[str] = frozenset()) -> Redactor:
    identities = [
        Identity(
            records=(student,),
            replacement_name=f"<name {n}>",
            replacement_id=f"<id {n}>",
            replacement_part=f"<part {n}>",
        )
        for n, student in enumerate(students)
    ]
    return Redactor(identities, assignment_words=kept)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ada Byron Rivers", "<name 0>"),
        ("Byron Rivers Ada", "<name 0>"),
        ("Rivers Ada Byron", "<name 0>"),
        ("Ada Rivers", "<name 0>"),
        ("Rivers, Ada", "<name 0>"),
        ("rivers ada!", "<name 0>!"),
        ("adarivers and adabyronrivers", "<name 0> and <name 0>"),
        ("ada byron", "ada byron"),
        ("Ada Byron", "<part 0> <part 0>"),
        ("Byron and RIVERS.", "<part 0> and <part 0>."),
        ("by ar10001, ADA.RIVERS@UNI.EXAMPLE", "by <id 0>, <id 0>"),
        ("mail to ada.rivers, or rx77", "mail to <name 0>, or <id 1>"),
        ("rx77@uni.example, rx77@elsewhere.example", "<id 1>, <id 1>@elsewhere.example"),
        ("4711, m-77-a, m 77 a", "<id 0>, <id 0>, <id 0>"),
        ("47110 or 711", "47110 or 711"),
        ("m-77", "m-77"),
        ("a Riverside and Adam", "a Riverside and Adam"),
        ("Ada Byron Rivers Ada Rivers", "<name 0> <name 0>"),
        ("x Ada y Rivers z", "x <part 0> y <part 0> z"),
    ],
)
def test_a_person_is_found_by_name_id_and_address(text: str, told: str) -> None:
    assert redactor(ADA, RAE).redact(text) == told


def test_the_words_of_a_name_may_be_a_few_characters_apart() -> None:
    near, far = "-" * MAX_GAP, "-" * (MAX_GAP + 1)

    assert redactor(ADA).redact(f"ada{near}rivers") == "<name 0>"
    assert redactor(ADA).redact(f"ada{far}rivers") == f"ada{far}rivers"


def test_short_parts_of_a_name_need_a_capital_or_their_owner() -> None:
    words = words_in_names([LI])

    assert redactor(LI).redact("Li and li; but Wu; lw1") == "<part 0> and li; but <part 0>; lw1"
    assert redactor(LI).redact("li and wu", own_words=words) == "li and wu"
    assert redactor(LI).redact("Liwu li wu") == "<name 0> <name 0>"
    ada = words_in_names([ADA])
    assert redactor(ADA).redact("ada and byron", own_words=ada) == "<part 0> and <part 0>"
    assert redactor(ADA).redact("ada and byron", own_words=frozenset({"ada"})) == (
        "<part 0> and byron"
    )


def test_a_letter_alone_is_no_part_of_a_name() -> None:
    initial = Student(name="A. Rivers", id="")

    assert redactor(initial).redact("A Rivers. A plan. Rivers.") == "<name 0>. A plan. <part 0>."


def test_a_script_without_capitals_is_found_as_it_is() -> None:
    name = Student(name="李明 王芳", id="")

    assert redactor(name).redact("李明 did") == "<part 0> did"
    assert redactor(name).redact("王芳 李明") == "<name 0>"


def test_a_part_with_several_words_is_found_whole_and_word_by_word() -> None:
    name = Student(name="Zoë Müller-Ørsted", id="")

    assert redactor(name).redact("Müller-Ørsted, and Muller, or ORSTED, and Zoe") == (
        "<part 0>, and <part 0>, or <part 0>, and <part 0>"
    )


def test_a_name_with_the_last_part_first_has_the_same_parts() -> None:
    for name in ("Rivers, Ada", "Rivers,Ada"):
        known = redactor(Student(name=name, id=""))
        assert known.redact("Ada; and Rivers") == "<part 0>; and <part 0>"
        assert known.redact("Ada Rivers") == "<name 0>"


def test_every_record_of_a_person_counts() -> None:
    records = (Student(name="Ada", id=""), Student(name="Grace Hopper", id="gh10"))
    known = Redactor([Identity(records=records, replacement_name="<n>", replacement_id="<i>")])

    assert known.redact("Ada; Hopper, Grace; gh10; so Hopper") == "[name]; <n>; <i>; so [name]"


def test_words_of_the_assignment_are_kept_but_in_a_whole_name() -> None:
    kept = vocabulary(["The rivers of ADA."])
    known = redactor(ADA, kept=kept)

    assert kept == {"the", "rivers", "of", "ada"}
    assert known.redact("Ada, Rivers, Byron") == "<name 0>, <part 0>"
    assert known.redact("Ada ... and Rivers; Byron") == "Ada ... and Rivers; <part 0>"


def test_full_names_and_ids_alone_can_be_taken_out() -> None:
    known = redactor(ADA)

    assert known.redact("Ada; Ada Rivers; Byron; ar10001", own_words=None) == (
        "Ada; <name 0>; Byron; <id 0>"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [("Ada", False), ("ada rivers", True), ("AR10001", True), ("nobody", False), ("", False)],
)
def test_a_text_identifies_by_full_names_and_ids_alone(text: str, *, found: bool) -> None:
    assert redactor(ADA).identifies_person(text) is found


def test_of_several_people_the_longest_name_that_stands_there_is_meant() -> None:
    short = Student(name="Ada Byron", id="")

    for known in (redactor(short, ADA), redactor(ADA, short)):
        told = known.redact("Ada Byron Rivers; Ada Byron")
        assert told in {"<name 1>; <name 0>", "<name 0>; <name 1>"}


def test_an_id_that_is_a_word_of_a_name_is_an_id() -> None:
    named = Student(name="Rivers", id="rivers")

    assert redactor(named).redact("Rivers") == "<id 0>"


def test_a_text_in_which_nobody_is_found_stays_letter_by_letter() -> None:
    text = "Mu\u0308ller is nobody here"

    assert redactor(ADA).redact(text) is text
    assert redactor(ADA).redact("Mu\u0308ller and Ada") == "M\u00fcller and <part 0>"
    assert redactor(Student(name="Mu\u0308ller", id="")).identifies_person("x") is False


def test_a_combined_letter_in_a_name_or_an_id_is_the_same_letter() -> None:
    known = redactor(Student(name="Zoe\u0308 Mu\u0308ller", id="zo\u00eb1"))

    assert known.redact("Zo\u00eb M\u00fcller, zoe\u03081") == "<name 0>, <id 0>"
    assert known.identifies_person("zoe\u0308 mu\u0308ller")


# ---------------------------------------------------------------- records


class Color(Enum):
    """An enumeration with a text in it."""

    RED = "red"


@dataclass(frozen=True)
class Box:
    """A record that holds records."""

    text: str
    parts: tuple[object, ...] = ()
    by: Mapping[str, object] | None = None


def upper(text: str) -> str:
    return text.upper()


def test_every_text_at_any_depth_is_mapped_and_keys_stay() -> None:
    box = Box(text="a", parts=("b", ["c", 1, None], Box(text="d")), by={"k": {"l": "e"}, "m": 2.5})

    mapped = map_texts(box, map_text=upper)

    assert mapped == Box(
        text="A", parts=("B", ["C", 1, None], Box(text="D")), by={"k": {"l": "E"}, "m": 2.5}
    )
    assert isinstance(mapped.parts, tuple)


def test_what_does_not_change_is_the_same_object() -> None:
    box = Box(text="A", parts=("B", ["C", b"x", 7]), by={"k": "D"})
    half = Box(text="a", parts=("B", ["C"]))

    assert map_texts(box, map_text=upper) is box
    assert map_texts(half, map_text=upper).parts is half.parts


def test_the_rubrics_words_pictures_and_paths_stay() -> None:
    item = Item(id="a", title="a", points=Fraction(1), kind="auto", source="handout")
    kept = (item, Picture(mime="image/png", base64="abc"), Color.RED, Path("a/b"))

    assert map_texts(Box(text="A", parts=kept), map_text=upper).parts is kept
