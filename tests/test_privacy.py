"""People are taken out: a copy without names, and one student forgotten, wherever names stand."""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import stat
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import private_class
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from page_reader import Page, squeezed
from private_class import ADA, BEN, CLEO, EVERYONE, ZOE, rubric, texts

from grader import gradebook
from grader.cli import cli
from grader.errors import UsageError
from grader.gradebook.course_records import load_people
from grader.gradebook.ledger import current_marks, mark_history
from grader.model import Student
from grader.privacy import forget_student, plan_forgetting, write_anonymized_copy
from grader.privacy.redaction import Identity, Redactor, vocabulary, words_in_names

SECRETS = re.compile(
    r"\bAda\b|Rivers|ar10001|Benedikt|M[uü]ller|[OØ]rsted|bm10002|Cleo|ca10003|Zoë|Nobody|zn10004"
    r"|47110815|uni\.example|Mabel|feedfeed|/secret/",
    re.IGNORECASE,
)
AWAY = re.compile(r"\bAda\b|Rivers|ar10001|ada\.rivers", re.IGNORECASE)


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    return private_class.made(tmp_path / "graded")


# ---------------------------------------------------------------- words


def veil(*students: Student, spared: frozenset[str] = frozenset()) -> Redactor:
    known = [
        Identity(
            records=(one,), replacement_name=f"N{at}", replacement_id=f"I{at}", replacement_part="P"
        )
        for at, one in enumerate(students)
    ]
    return Redactor(known, assignment_words=spared)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Ada Rivers", "N0"),
        ("RIVERS, ADA", "N0"),
        ("ada rivers", "N0"),
        ("adarivers_hw5", "N0_hw5"),
        ("riversada", "N0"),
        ("by AR10001.", "by I0."),
        ("hw5_ar10001.ipynb", "hw5_I0.ipynb"),
        ("mail Ada.Rivers@uni.example!", "mail I0!"),
        ("Ada's, and ADA", "P's, and P"),
        ("an ada armada rivers", "an ada armada rivers"),
        ("xar10001", "xar10001"),
        ("Adaptive", "Adaptive"),
        ("Benedikt Muller Orsted", "N1"),
        ("benediktmullerorsted", "N1"),
        ("M\u00fcller-\u00d8rsted", "P"),
        ("Mu\u0308ller", "P"),
        ("ORSTED", "P"),
        ("canvas 47110815", "canvas I1"),
        ("", ""),
    ],
)
def test_names_and_ids_are_found_in_any_form(text: str, told: str) -> None:
    assert veil(ADA, BEN).redact(text) == told


def test_small_letters_are_a_name_in_its_owners_texts_alone() -> None:
    known = veil(ADA, BEN)

    assert known.redact("ada did", own_words=words_in_names([ADA])) == "P did"
    assert known.redact("ada did", own_words=words_in_names([BEN])) == "ada did"


def test_words_of_the_assignment_stay_unless_the_whole_name_stands_there() -> None:
    known = veil(CLEO, spared=vocabulary(["torch.optim.Adam"]))

    said = "Adam and adam, says Cleo. By Cleo Adam"
    assert known.redact(said, own_words=words_in_names([CLEO])) == "Adam and adam, says P. By N0"


@pytest.mark.parametrize(
    ("identifier", "told"),
    [("12", "12 cats"), ("ab1", "ab1 cats"), ("ab12", "I0 cats"), ("ab123", "I0 cats")],
)
def test_ids_of_four_characters_are_hidden_and_shorter_ones_are_ordinary_words(
    identifier: str, told: str
) -> None:
    known = veil(Student(name="", id=identifier))

    assert known.redact(f"{identifier} cats") == told
    assert known.identifies_person(f"by {identifier}") is (told == "I0 cats")


@given(st.text(st.characters(), max_size=60), st.sampled_from(EVERYONE))
def test_any_text_is_told_without_a_traceback(text: str, who: Student) -> None:
    known = veil(*EVERYONE)
    hidden = known.redact(f"{text} {who.id} {text}")

    assert who.id not in hidden.split()
    assert not known.identifies_person(hidden)


@given(
    name=st.from_regex(
        r"[abcdeéøß]{2,6}( |-|'|, )[abcdeéøß]{1,6}( [abcdeéøß]{1,6})?", fullmatch=True
    )
)
def test_any_name_is_found_as_it_is_written(name: str) -> None:
    assert veil(Student(name=name, id="")).redact(f"by {name}.") == "by N0."


def test_a_long_text_of_a_large_class_is_told_in_a_moment() -> None:
    crowd = [Student(name=f"Given{n} Family{n}", id=f"xy{n:05}") for n in range(400)]
    known = veil(*crowd)

    told = known.redact("Given7 words " * 20_000)

    assert told.count("P words") == 20_000


# ---------------------------------------------------------------- a copy without names


def test_a_copy_tells_of_nobody_and_keeps_the_points(graded: Path, tmp_path: Path) -> None:
    to, key = tmp_path / "copy", tmp_path / "key.csv"

    copied = write_anonymized_copy(graded, to=to, key=key, rubric=rubric())

    found = texts(to)
    assert {
        name: SECRETS.findall(text) for name, text in found.items() if SECRETS.search(text)
    } == {}
    assert [name for name in found if SECRETS.search(name)] == []
    assert (copied.submissions, copied.people, copied.pictures) == (3, 4, 6)
    assert len([name for name in found if name.startswith("reports/")]) == 3
    results = [json.loads(text) for name, text in found.items() if name.startswith("results/")]
    assert {one["score"]["earned"] for one in results} == {28.5}
    assert sorted(len(one["students"]) for one in results) == [1, 1, 2]
    assert all(one["items"][0]["mark"]["by"] != "Marker Mabel" for one in results)
    pages = "".join(text for name, text in found.items() if name.startswith("reports/"))
    assert "The Adam optimizer is good" in pages
    assert "A picture was left out of this copy" in pages
    assert "max" in pages
    assert "1 day late" in pages
    assert "09:41" not in "".join(found.values()), "a time of handing in tells who it was"
    assert "29 Nov" not in "".join(found.values()), "so does a due date of one's own"


def test_the_key_says_who_is_who_to_its_owner_alone(graded: Path, tmp_path: Path) -> None:
    to, key = tmp_path / "copy", tmp_path / "key.csv"
    write_anonymized_copy(graded, to=to, key=key, rubric=rubric())
    with key.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    ada = [row for row in rows if row["id"] == "ar10001"]
    assert {row["submission"] for row in ada} == {"solo", "team"}
    (solo,) = (row for row in ada if row["submission"] == "solo")
    told = json.loads((to / "results" / f"{solo['copy']}.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in told["students"]] == [solo["pseudonym"]]
    assert [row["submission"] for row in rows if row["id"] == "zn10004"] == [""]
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_one_who_handed_in_nothing_is_missing_from_the_copy_too(
    graded: Path, tmp_path: Path
) -> None:
    to = tmp_path / "copy"
    write_anonymized_copy(graded, to=to, key=tmp_path / "key.csv", rubric=rubric())

    with (to / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        statuses = sorted(row["status"] for row in csv.DictReader(file))
    assert statuses == ["missing", "needs_marks", "needs_marks", "needs_marks", "needs_marks"]


@pytest.mark.parametrize(
    ("to", "key", "said"),
    [
        ("graded", "key.csv", "is there already"),
        ("copy", "copy/key.csv", "must not lie in the copy"),
        ("copy", "graded/index.html", "is there already"),
    ],
)
def test_nothing_is_written_over(
    to: str, key: str, said: str, graded: Path, tmp_path: Path
) -> None:
    before = texts(graded)

    with pytest.raises(UsageError, match=said):
        write_anonymized_copy(graded, to=tmp_path / to, key=tmp_path / key, rubric=rubric())

    assert texts(graded) == before
    assert not (tmp_path / "copy").exists()


# ---------------------------------------------------------------- forgetting


def everything_in(place: Path) -> str:
    """All that stands in a gradebook's file, compressed or not, deleted or not."""
    found = [place.read_bytes().decode("utf-8", "replace")]
    with closing(sqlite3.connect(place)) as book:
        tables = [
            row[0] for row in book.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        for table in tables:
            for row in book.execute(f"SELECT * FROM {table}"):  # noqa: S608 (our own words)
                for cell in row:
                    found.append(str(cell))
                    if isinstance(cell, bytes) and cell[1:2] == b"x":  # after the codec's byte
                        found.append(zlib.decompress(cell[1:]).decode())
    return "\n".join(found)


def test_the_book_of_these_tests_does_hold_the_names(graded: Path) -> None:
    assert AWAY.search(everything_in(graded / "gradebook.db"))
    assert AWAY.search(everything_in(graded / "backups" / "one.db"))
    assert "/secret/ar10001.ipynb" in everything_in(graded / "gradebook.db"), "compressed"


def test_a_plan_says_what_will_happen_and_changes_nothing(graded: Path) -> None:
    before = texts(graded)

    what = plan_forgetting(graded, identifier="AR10001")

    assert what.student.id == "ar10001"
    assert what.own_submissions == ("solo",)
    assert what.team_submissions == ("team",)
    assert {place.name for place in what.gradebooks} == {"gradebook.db", "one.db"}
    assert {place.name for place in what.files} == {"canvas.csv", "feedback.zip"}
    after = texts(graded)
    assert {name for name in before if before[name] != after.get(name)} <= {
        "gradebook.db-shm",
        "gradebook.db-wal",
    }


def test_a_student_who_is_forgotten_is_nowhere(graded: Path) -> None:
    what = plan_forgetting(graded, identifier="ar10001")

    done = forget_student(graded, identifier="ar10001", rubric=rubric(), forget_plan=what)

    assert (done.deleted_submissions, done.changed_submissions, done.removed_files) == (1, 2, 2)
    for place in (graded / "gradebook.db", graded / "backups" / "one.db"):
        assert AWAY.findall(everything_in(place)) == []
    assert {n: AWAY.findall(t) for n, t in texts(graded).items() if AWAY.search(t)} == {}
    assert not (graded / "reports" / "solo.html").exists()
    assert (graded / "exports" / "other.csv").exists()


def test_no_page_of_a_gradebook_keeps_what_was_deleted(graded: Path) -> None:
    place = graded / "gradebook.db"
    with closing(sqlite3.connect(place)) as book:
        (result,) = book.execute("SELECT result FROM submissions WHERE name = 'solo'").fetchone()
        (trace,) = book.execute("SELECT document FROM traces WHERE name = 'solo'").fetchone()
        book.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pieces = [trace[-60:], result[-60:]]
    before = place.read_bytes()

    forget_student(
        graded,
        identifier="ar10001",
        rubric=rubric(),
        forget_plan=plan_forgetting(graded, identifier="ar10001"),
    )

    left = b"".join(p.read_bytes() for p in graded.glob("gradebook.db*"))
    assert all(piece in before for piece in pieces)
    assert not [piece for piece in pieces if piece in left]
    with closing(sqlite3.connect(place)) as book:
        assert book.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_the_others_of_a_team_keep_grade_and_marks(graded: Path) -> None:
    forget_student(
        graded,
        identifier="ar10001",
        rubric=rubric(),
        forget_plan=plan_forgetting(graded, identifier="ar10001"),
    )

    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        team = book.graded("team")
        assert book.roll() == ("team", "cleo")
        assert team.students == (BEN,)
        assert team.named == (BEN,)
        assert (team.submission.name, team.submission.students) == ("team", ())
        assert team.submission.path == Path("/secret/\u2026.ipynb")
        assert [late and late.due for late in team.lateness] == ["2026-11-29T23:59:00-06:00"]
        assert team.score is not None
        (item,) = (one for one in team.score.items if one.item.id == "Q1.1")
        assert item.mark is not None
        assert item.mark.comment == "Well done, \u2026!"
        assert item.outdated is None, "a mark stays on the answer that was only told otherwise"
        assert mark_history(book, "solo", "Q1.1") == ()
        assert {name for name, _ in current_marks(book)} == {"team", "cleo"}
        people = load_people(book, "hw5")
        assert [one.student.id for one in people.members] == ["bm10002", "ca10003", "zn10004"]
        assert list(people.extensions) == ["zn10004"]
    page = squeezed(Page((graded / "reports" / "team.html").read_text(encoding="utf-8")))
    assert "Benedikt; \u2026 and Muller-Orsted checked" in page
    staff = (graded / "index.html").read_text(encoding="utf-8")
    assert "solo" not in staff


def test_what_others_wrote_stays_but_for_the_name(graded: Path) -> None:
    forget_student(
        graded,
        identifier="ar10001",
        rubric=rubric(),
        forget_plan=plan_forgetting(graded, identifier="ar10001"),
    )

    with gradebook.open_gradebook(graded / "gradebook.db") as book:
        cleo = book.graded("cleo")
        assert cleo.answers["Q1.1"].text == (
            "Thanks to \u2026 and to bm10002. The Adam optimizer is good, says Cleo."
        )


def test_somebody_of_the_roster_alone_can_be_forgotten(graded: Path) -> None:
    what = plan_forgetting(graded, identifier=ZOE.id)

    forget_student(graded, identifier=ZOE.id, rubric=rubric(), forget_plan=what)

    assert what.own_submissions == what.team_submissions == ()
    assert "zn10004" not in everything_in(graded / "gradebook.db")


def test_nobody_is_an_error_that_changes_nothing(graded: Path) -> None:
    said = rf"xx99999: matches no student, or more than one, in {graded}"
    what = plan_forgetting(graded, identifier="ar10001")

    with pytest.raises(UsageError, match=said):
        plan_forgetting(graded, identifier="xx99999")
    with pytest.raises(UsageError, match=said):
        forget_student(graded, identifier="xx99999", rubric=rubric(), forget_plan=what)


def test_of_two_with_one_name_neither_is_forgotten_by_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namesake = replace(ZOE, id="zn10005")
    monkeypatch.setattr(private_class, "EVERYONE", (*EVERYONE, namesake))
    folder = private_class.made(tmp_path / "graded")

    with pytest.raises(UsageError, match="matches no student, or more than one"):
        plan_forgetting(folder, identifier="Zoë Nobody")
    assert plan_forgetting(folder, identifier="zn10005").student == namesake


def test_a_team_that_is_named_after_a_student_keeps_its_name_and_others_their_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "rivers flow, says Cleo, and so says Ada Rivers"
    monkeypatch.setattr(private_class, "TEAMS", {"hw-ada": (ADA, BEN), "cleo": (CLEO,)})
    monkeypatch.setattr(private_class, "WROTE", {"hw-ada": "By ada.", "cleo": said})
    folder = private_class.made(tmp_path / "graded")
    what = plan_forgetting(folder, identifier="ar10001")

    forget_student(folder, identifier="ar10001", rubric=rubric(), forget_plan=what)

    assert what.identifying_names == ("hw-ada",)
    with gradebook.open_gradebook(folder / "gradebook.db") as book:
        assert book.graded("hw-ada").submission.name == "hw-ada"
        assert book.graded("hw-ada").answers["Q1.1"].text == "By \u2026."
        assert book.graded("cleo").answers["Q1.1"].text == (
            "rivers flow, says Cleo, and so says \u2026"
        )


def test_a_book_that_is_in_use_says_so(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.gradebook.erasure.LOCK_TIMEOUT_S", 0.1)
    what = plan_forgetting(graded, identifier="ar10001")
    with closing(sqlite3.connect(graded / "gradebook.db")) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM submissions").fetchone()

        with pytest.raises(UsageError, match=r"another program|can't be written anew"):
            forget_student(graded, identifier="ar10001", rubric=rubric(), forget_plan=what)

    forget_student(
        graded,
        identifier="bm10002",
        rubric=rubric(),
        forget_plan=plan_forgetting(graded, identifier="bm10002"),
    )
    assert "ar10001" not in everything_in(graded / "gradebook.db")


# ---------------------------------------------------------------- the commands


def test_forgetting_asks_first_and_no_is_no(graded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(private_class.ROOT)
    before = texts(graded)

    done = CliRunner().invoke(cli, ["forget", "ar10001", str(graded)], input="n\n")

    assert done.exit_code == 1
    assert "to be forgotten: Ada Rivers (ar10001)" in done.output
    assert "deleted (this student's alone): solo" in done.output
    assert texts(graded)["index.html"] == before["index.html"]


def test_the_commands_say_what_they_did(
    graded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(private_class.ROOT)
    to = tmp_path / "copy"

    copied = CliRunner().invoke(cli, ["anonymize", str(graded), "--to", str(to)])
    gone = CliRunner().invoke(cli, ["forget", "ar10001", str(graded), "--yes"])

    assert copied.exit_code == 0, copied.output
    assert "3 submissions of 4 people, without names" in copied.output
    assert (tmp_path / "copy-key.csv").is_file()
    assert gone.exit_code == 0, gone.output
    assert "1 submission deleted, 2 others changed, 2 files removed" in gone.output
    assert "Not reached: the submitted files" in gone.output
