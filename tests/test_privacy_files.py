"""Files beside a gradebook: those that name somebody are found, whatever they are."""

from __future__ import annotations

import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import private_class
import pytest
from private_class import rubric

from grader.errors import UsageError
from grader.privacy import ForgetPlan, forget_student, other_files, plan_forgetting


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that these tests add files to, each its own."""
    return private_class.made(tmp_path_factory.mktemp("class") / "graded")


def plan(graded: Path) -> ForgetPlan:
    return plan_forgetting(graded, identifier="ar10001")


def write(place: Path, data: bytes | str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data.encode() if isinstance(data, str) else data)
    return place


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("exports/notes.txt", "Ada Rivers came."),
        ("exports/deep/er/notes.txt", "ar10001"),
        ("exports/index.html", "ar10001"),
        ("exports/ada_rivers.pdf", "%PDF"),
        ("exports/hw_ar10001.txt", ""),
        ("notes.csv", "Rivers;Ada"),
        ("reports/.part-solo.html", "ar10001"),
        ("results/.part-solo.json", "ar10001"),
        ("exports/sheet.csv", "Rivers, Ada".encode("utf-16")),
        ("exports/half.csv", "Rivers, Ada".encode("utf-16") + b"x"),
        ("exports/latin.txt", b"\xff\xfe\xfa ar10001 \xff"),
    ],
)
def test_a_file_that_names_somebody_is_found(made: Path, name: str, data: bytes | str) -> None:
    place = write(made / name, data)

    found = plan(made)
    place.unlink()

    assert place in found.files
    assert place not in found.unreadable


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("exports/notes.txt", "Ada came, and rivers flow. Armada."),
        ("exports/mail.txt", "ar100012"),
        ("reports/extra.html", "ar10001"),
        ("results/extra.json", "ar10001"),
        ("index.html", "ar10001"),
        ("gradebook.csv", "ar10001"),
        ("gradebook.db-journal", "ar10001"),
        (".store", "ar10001"),
    ],
)
def test_a_file_that_names_nobody_or_is_made_anew_stays(
    made: Path, name: str, data: bytes | str
) -> None:
    before = (made / name).read_bytes() if (made / name).exists() else None
    place = write(made / name, data)
    if name == ".store":
        place.unlink()  # it would say that the gradebook is elsewhere

    found = plan(made)
    if before is None:
        place.unlink(missing_ok=True)
    else:
        place.write_bytes(before)

    assert place not in (*found.files, *found.unreadable)


def archive(place: Path, **members: str) -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in members.items():
            made.writestr(name, text)
    return place


def test_an_archive_is_looked_into_by_name_and_text(made: Path) -> None:
    exports = made / "exports"
    named = archive(exports / "named.zip", **{"x/hw_ar10001.html": "x"})
    told = archive(exports / "told.zip", first="x", second="by Ada Rivers")
    quiet = archive(exports / "quiet.zip", first="x", second="by Ada")

    found = plan(made)

    assert {named, told} <= set(found.files)
    assert quiet not in (*found.files, *found.unreadable)
    for place in (named, told, quiet):
        place.unlink()


def test_what_is_too_large_to_be_looked_into_is_named(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = made / "exports"
    monkeypatch.setattr(other_files, "MAX_BYTES", 1000)
    just, large = write(exports / "just.txt", b" " * 1000), write(exports / "more.txt", b" " * 1001)
    small = archive(exports / "small.zip", first=" " * 500, second="Ada Rivers".rjust(500))
    bomb = archive(exports / "bomb.zip", ar10001=" " * 1001)

    found = plan(made)

    assert {large, bomb} <= set(found.unreadable)
    assert not {large, bomb, just} & set(found.files)
    assert just not in found.unreadable
    assert small in found.files
    for place in (just, large, small, bomb):
        place.unlink()


def test_what_cannot_be_opened_is_named(made: Path) -> None:
    locked = archive(made / "exports" / "locked.zip", first="by Ada Rivers")
    data = bytearray(locked.read_bytes())
    central = data.find(b"PK\x01\x02")
    for place in (6, central + 8):
        data[place] |= 1  # says that it is encrypted
    locked.write_bytes(data)

    found = plan(made)
    locked.unlink()

    assert locked in found.unreadable
    assert locked not in found.files


def test_a_link_is_not_followed(made: Path, tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere.txt", "Ada Rivers")
    link = made / "exports" / "link.txt"
    link.symlink_to(elsewhere)

    found = plan(made)
    link.unlink()

    assert link not in (*found.files, *found.unreadable)


def test_only_a_database_of_ours_is_a_gradebook(made: Path) -> None:
    other = made / "exports" / "other.db"
    with closing(sqlite3.connect(other)) as book:
        book.execute("CREATE TABLE people (name TEXT)")
        book.execute("INSERT INTO people VALUES ('Ada Rivers')")
        book.commit()
    broken = write(made / "exports" / "broken.db", b"SQLite format 3\0" + b"Ada Rivers" * 20)

    found = plan(made)

    assert {other, broken} <= set(found.files)
    assert {path.name for path in found.gradebooks} == {"gradebook.db", "one.db"}
    for place in (other, broken):
        place.unlink()


def test_a_submission_of_a_team_that_is_named_after_somebody_is_told(tmp_path: Path) -> None:
    graded = private_class.made(tmp_path / "graded")

    assert plan(graded).identifying_names == ()
    assert plan_forgetting(graded, identifier="Cleo Adam").own_submissions == ("cleo",)
    assert plan_forgetting(graded, identifier="cleo adam").team_submissions == ()


def test_a_file_that_is_gone_by_then_is_no_obstacle(tmp_path: Path) -> None:
    graded = private_class.made(tmp_path / "graded")
    what = plan(graded)
    for place in what.files:
        place.unlink()

    assert forget_student(
        graded, identifier="ar10001", rubric=rubric(), forget_plan=what
    ).removed_files == len(what.files)


def test_a_file_that_cannot_be_removed_is_said(tmp_path: Path) -> None:
    graded = private_class.made(tmp_path / "graded")
    what = plan(graded)
    what.files[0].unlink()
    what.files[0].mkdir()

    with pytest.raises(UsageError, match=r"canvas\.csv: cannot be removed \("):
        forget_student(graded, identifier="ar10001", rubric=rubric(), forget_plan=what)
