"""What a copy without names holds, to the field: orders, pictures, times and graders tell names."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import private_class
import pytest
from private_class import ADA, DUE, rubric
from specimens import half_right

from grader.errors import UsageError
from grader.model import Answer, Lateness, Mark, Picture
from grader.privacy import write_anonymized_copy
from grader.privacy.anonymization import _anonymize_lateness, _hide_graders, _without_pictures


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class and its copy, whose pseudonyms are given in the opposite order."""
    folder = tmp_path_factory.mktemp("class")
    private_class.made(folder / "graded")
    (folder / "copy").mkdir()  # an empty folder is as good as none
    shown = replace(rubric(), marking=replace(rubric().marking, show_markers=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("secrets.SystemRandom.shuffle", lambda _, those: those.reverse())
        write_anonymized_copy(
            folder / "graded", to=folder / "copy", key=folder / "new" / "er" / "k.csv", rubric=shown
        )
    return folder


def rows(place: Path) -> list[list[str]]:
    with place.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_key_lists_everyone_with_what_they_handed_in(made: Path) -> None:
    assert rows(made / "new" / "er" / "k.csv") == [
        ["pseudonym", "name", "id", "submission", "copy"],
        ["S001", "Zoë Nobody", "zn10004", "", ""],
        ["S002", "Cleo Adam", "ca10003", "cleo", "submission-1"],
        ["S003", "Benedikt Müller-Ørsted", "bm10002", "team", "submission-2"],
        ["S004", "Ada Rivers", "ar10001", "solo", "submission-3"],
        ["S004", "Ada Rivers", "ar10001", "team", "submission-2"],
    ]


def test_a_copy_is_in_the_order_of_its_pseudonyms(made: Path) -> None:
    listed = [row[:3] for row in rows(made / "copy" / "gradebook.csv")[1:]]
    page = (made / "copy" / "index.html").read_text(encoding="utf-8")

    assert listed == [
        ["submission-1", "Student 2", "S002"],
        ["submission-2", "Student 4", "S004"],
        ["submission-2", "Student 3", "S003"],
        ["submission-3", "Student 4", "S004"],
        ["", "Student 1", "S001"],
    ]
    assert "S004" in page


def test_a_page_tells_a_student_by_one_pseudonym_and_the_flags_of_the_class(made: Path) -> None:
    page = (made / "copy" / "reports" / "submission-3.html").read_text(encoding="utf-8")
    flags = json.loads((made / "copy" / "results" / "submission-3.json").read_bytes())["flags"]

    assert "I am Student 4 (S004)" in page
    assert "Student 4 (S004) is also in submission-2" in flags


def test_times_in_a_copy_are_whole_days_from_the_common_due_date(made: Path) -> None:
    result = json.loads((made / "copy" / "results" / "submission-2.json").read_bytes())
    times = [(late["due"], late["at"], late["late_s"]) for late in result["score"]["late"]["each"]]

    assert times == [(DUE, "2026-11-21T23:59:00-06:00", 86400)] * 2
    assert all(type(late_s) is int for *_, late_s in times)


def test_a_time_that_was_not_known_is_none_in_the_copy_either() -> None:
    late = Lateness(due=DUE, at="", late_s=1, days=2, deduction=None)

    assert _anonymize_lateness(late, rubric()) == replace(late, late_s=2 * 86400)
    assert _anonymize_lateness(late, replace(rubric(), late=None)) is late
    assert _anonymize_lateness(None, rubric()) is None


def test_graders_are_hidden_though_a_course_shows_them(made: Path) -> None:
    mark = Mark(points=Fraction(1), by="Marker Mabel", at=DUE, comment="Good.")
    score = half_right().score
    assert score is not None
    marked = replace(score.items[0], mark=mark, outdated=replace(mark, comment="Old."))
    items = (marked, replace(score.items[1], mark=None, outdated=None))
    hidden = _hide_graders(replace(score, items=items))

    assert hidden.items == (
        replace(
            items[0],
            mark=replace(mark, by="staff"),
            outdated=replace(mark, by="staff", comment="Old."),
        ),
        items[1],
    )
    found = private_class.texts(made / "copy")
    assert [name for name, text in found.items() if "Mabel" in text] == []
    assert '"by": "staff"' in found["results/submission-1.json"]


def test_pictures_are_left_out_and_said_to_be() -> None:
    picture = Picture(mime="image/png", base64="iVBORw0KGgo=")
    plain = Answer(item="Q", text="Words.")
    left_out = "*[A picture was left out of this copy.]*"

    assert _without_pictures(replace(plain, images=(picture,) * 2)) == replace(
        plain, text=f"Words.\n\n{left_out}\n\n{left_out}"
    )
    assert _without_pictures(plain) is plain


def test_missing_students_are_in_the_order_of_their_pseudonyms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_class, "TEAMS", {"solo": (ADA,), "other": (ADA,)})
    monkeypatch.setattr(private_class, "WROTE", {"solo": "", "other": ""})
    private_class.made(tmp_path / "graded")
    monkeypatch.setattr("secrets.SystemRandom.shuffle", lambda _, those: those.reverse())

    write_anonymized_copy(
        tmp_path / "graded", to=tmp_path / "copy", key=tmp_path / "k.csv", rubric=rubric()
    )

    ids = [row[2] for row in rows(tmp_path / "copy" / "gradebook.csv")[1:]]
    assert ids == ["S004", "S004", "S001", "S002", "S003"]


def test_a_file_is_no_folder_for_a_copy_and_no_folder_for_a_key(made: Path, tmp_path: Path) -> None:
    source, page = made / "graded", made / "graded" / "index.html"

    with pytest.raises(UsageError, match="is there already"):
        write_anonymized_copy(source, to=page, key=tmp_path / "k.csv", rubric=rubric())
    with pytest.raises(UsageError, match=r"k\.csv: cannot be written \("):
        write_anonymized_copy(source, to=tmp_path / "to", key=page / "k.csv", rubric=rubric())
