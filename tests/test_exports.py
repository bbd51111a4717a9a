from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import specimens
from hypothesis import given
from hypothesis import strategies as st
from results_contract import result_from_json
from specimen_assignment import rubric

from grader.exports import class_to_json, result_to_json
from grader.exports.number_format import to_number
from grader.model import CellRun, CellStatus, ExecutionRecord, Flag, FlagKind, Graded, Student

RUBRIC = rubric()
ITEMS = [item.id for item in RUBRIC.items]
DOCUMENT = Path(__file__).parent.parent / "docs" / "results.md"
Make = Callable[[], Graded]


def data_of(graded: Graded) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(result_to_json(graded, rubric=RUBRIC))
    return data


@pytest.mark.parametrize(
    ("points", "figure"),
    [("1/3", 0.33), ("1/200", 0.01), ("5/2", 2.5), ("6", 6), ("0", 0), ("1/400", 0)],
)
def test_figures_are_rounded_half_up(points: str, figure: float) -> None:
    found = to_number(Fraction(points))
    assert found == figure
    assert isinstance(found, type(figure))


@pytest.mark.parametrize("make", specimens.ALL)
def test_what_is_written_is_read_back_equal(make: Make) -> None:
    text = result_to_json(make(), rubric=RUBRIC)
    read = result_from_json(text)
    assert read.model_dump() == json.loads(text)
    text.encode("utf-8")


@given(st.text(st.characters()), st.sampled_from(["name", "reason", "note", "flag"]))
def test_hostile_strings_come_back_as_they_were(words: str, place: str) -> None:
    graded = specimens.ungradable()
    changed = {
        "name": replace(graded, students=(Student(name=words, id=words),)),
        "reason": replace(graded, reason=words or "none"),
        "note": replace(graded, notes=(Flag(FlagKind.NOTEBOOK_NOTE, (words,)),)),
        "flag": replace(graded, flags=(Flag(FlagKind.COLLECTION_CONCERN, (words,)),)),
    }[place]
    text = result_to_json(changed, rubric=RUBRIC)
    text.encode("utf-8")
    read = result_from_json(text)
    expected = re.sub("[\ud800-\udfff]", "\ufffd", words)
    found = {
        "name": [one.name for one in read.students],
        "reason": [read.reason],
        "note": read.notes,
        "flag": read.flags,
    }[place]
    assert found == [expected or ("none" if place == "reason" else "")]


@given(st.text(st.characters()))
def test_what_is_written_shows_every_letter_it_has(words: str) -> None:
    graded = replace(specimens.ungradable(), students=(Student(name=words, id=words),))
    for text in (result_to_json(graded, rubric=RUBRIC), class_to_json([graded], rubric=RUBRIC)):
        assert all(letter == "\n" or letter.isprintable() for letter in text)


def test_letters_that_show_are_written_as_they_are() -> None:
    graded = replace(specimens.ungradable(), students=(Student(name="Zoë 王 🙂", id="ž1"),))
    assert "Zoë 王 🙂" in result_to_json(graded, rubric=RUBRIC)


def test_the_keys_are_exactly_the_contracts() -> None:
    data = data_of(specimens.half_right())
    assert list(data) == [
        "schema",
        "assignment",
        "submission",
        "students",
        "status",
        "reason",
        "score",
        "items",
        "cells",
        "provenance",
        "flags",
        "notes",
        "remarks",
    ]
    assert list(data["score"]) == [
        "auto",
        "marked",
        "earned",
        "pending",
        "blocked",
        "possible",
        "late",
        "final",
    ]
    assert list(data["items"][0]) == (
        [
            "id",
            "title",
            "kind",
            "source",
            "possible",
            "earned",
            "verdict",
            "mark",
            "override",
            "findings",
        ]
    )
    assert list(data["items"][5]["findings"][0]) == (
        [
            "code",
            "title",
            "verdict",
            "earned",
            "possible",
            "expected",
            "found",
            "hint",
            "public",
            "blocked_by",
        ]
    )
    assert list(data["cells"][0]) == ["index", "status", "seconds", "error"]


def test_earned_is_auto_and_marked_so_far_and_final_waits() -> None:
    half, full = data_of(specimens.half_right()), data_of(specimens.full_marks())
    assert half["score"] == {
        "auto": 26.5,
        "marked": 0,
        "earned": 26.5,
        "pending": 40,
        "blocked": 10,
        "possible": 80,
        "late": None,
        "final": None,
    }
    assert (full["status"], full["score"]["marked"], full["score"]["final"]) == ("graded", 40, 80)


def test_an_item_with_an_error_of_ours_has_earned_null_and_counts_as_pending() -> None:
    data = data_of(specimens.with_our_error())
    item = data["items"][-1]
    assert (item["verdict"], item["earned"]) == ("error", None)
    assert data["score"]["pending"] == 45


def test_an_ungradable_result_has_a_reason_no_items_and_no_numbers() -> None:
    data = data_of(specimens.ungradable())
    assert data["reason"].startswith("The file is not a notebook")
    assert data["items"] == []
    assert set(data["score"].values()) == {None}


def test_an_error_is_said_in_one_string() -> None:
    errors = [cell["error"] for cell in data_of(specimens.half_right())["cells"] if cell["error"]]
    assert errors == [
        "TypeError: cosine_similarity(): argument 'x1' must be Tensor, not list (line 6)"
    ]


def test_a_duration_that_is_no_number_is_null() -> None:
    run = CellRun(index=0, status=CellStatus.RAN, seconds=float("nan"))
    graded = replace(specimens.ungradable(), record=ExecutionRecord(cells=(run,)))
    assert data_of(graded)["cells"][0]["seconds"] is None


def test_no_path_is_written() -> None:
    text = result_to_json(specimens.hostile(), rubric=RUBRIC)
    assert "secret-place" not in text
    assert "reference/" not in text


def test_all_results_of_a_run_are_one_object() -> None:
    results = [make() for make in specimens.ALL]
    whole = json.loads(class_to_json(results, rubric=RUBRIC))
    assert (whole["schema"], whole["assignment"]) == (1, "hw5")
    assert whole["results"] == [data_of(graded) for graded in results]


def test_the_example_of_the_document_keeps_the_contract() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    read = result_from_json(example)
    assert read.model_dump() == json.loads(example)
    assert read.score.earned == sum(item.earned or 0 for item in read.items)


def test_the_document_names_every_key() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    data = data_of(specimens.half_right())
    for part in (data, data["score"], data["items"][5], data["items"][5]["findings"][0]):
        assert all(f"`{key}`" in text for key in part)


def test_readers_ignore_unknown_keys() -> None:
    data = data_of(specimens.half_right())
    data["news"] = data["score"]["news"] = data["items"][0]["news"] = 1
    assert result_from_json(json.dumps(data)) == result_from_json(
        result_to_json(specimens.half_right(), rubric=RUBRIC)
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": 2}, "schema 2"),
        ({"schema": True}, "schema True"),
        ({"status": "great"}, "status"),
        ({"items": None}, "items"),
        ({"reason": "why not"}, "no reason"),
        ({"status": "graded"}, "final"),
        ({"students": [{"name": 5, "id": ""}]}, "students.0.name"),
        ({"score": {}}, "score"),
    ],
)
def test_what_breaks_the_contract_is_refused_by_name(change: dict[str, Any], told: str) -> None:
    text = json.dumps(data_of(specimens.half_right()) | change)
    with pytest.raises(ValueError, match=told):
        result_from_json(text)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": NaN}', "[" * 100_000, "null"])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        result_from_json(text)
