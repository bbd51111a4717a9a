import errno
import os
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.model import Student
from grader.people.roster_check import check_roster
from grader.report.flag_text import flag_text
from grader.submissions import collect
from grader.submissions.safe_names import distinct_safe_names


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}", encoding="utf-8")
    return path


def test_a_safe_name_is_kept() -> None:
    assert distinct_safe_names({"k": "hw5_ada"}) == {"k": "hw5_ada"}


@pytest.mark.parametrize(
    "path",
    [
        "HW5 final (2).ipynb",
        "a/b.ipynb",
        "émile.ipynb",
        "..ipynb",
        "x" * 200 + ".ipynb",
        "a\nb.ipynb",
    ],
)
def test_a_changed_name_is_safe_bounded_and_told_apart(path: str) -> None:
    name = distinct_safe_names({path: path.removesuffix(".ipynb")})[path]

    assert len(name) <= 80
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert name[-9] == "-"


def test_names_that_agree_ignoring_case_are_told_apart() -> None:
    names = distinct_safe_names({"Ada.ipynb": "Ada", "ada.ipynb": "ada"})

    assert len({name.lower() for name in names.values()}) == 2
    assert all(name[-9] == "-" for name in names.values())


def test_a_folder_gives_its_notebooks_and_nothing_else(tmp_path: Path) -> None:
    touch(tmp_path / "a.ipynb")
    touch(tmp_path / "below" / "b.ipynb")
    touch(tmp_path / "notes.txt")
    touch(tmp_path / ".ipynb_checkpoints" / "a-checkpoint.ipynb")
    touch(tmp_path / "__MACOSX" / "a.ipynb")
    touch(tmp_path / "graded" / "c.ipynb")

    found = collect(tmp_path, excluded=[tmp_path / "graded"])

    assert [s.display_path for s in found] == ["a.ipynb", "below/b.ipynb"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    touch(inside / "a.ipynb")
    outside = touch(tmp_path / "out" / "secret.ipynb")
    (inside / "link.ipynb").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent)

    assert [s.display_path for s in collect(inside)] == ["a.ipynb"]


def test_one_notebook_is_a_submission(tmp_path: Path) -> None:
    path = touch(tmp_path / "hw5.ipynb")

    assert [s.name for s in collect(path)] == ["hw5"]


def test_a_pdf_of_the_same_name_is_attached(tmp_path: Path) -> None:
    touch(tmp_path / "hw5.ipynb")
    touch(tmp_path / "hw5.pdf")
    touch(tmp_path / "other.pdf")

    assert [p.name for s in collect(tmp_path) for p in s.attachments] == ["hw5.pdf"]


def test_an_empty_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no notebook"):
        collect(tmp_path)


# ---------------------------------------------------------------- files that vanish

NOTEBOOK = '{"cells": [{"cell_type": "code", "source": []}], "nbformat": 4}'


def test_what_was_submitted_instead_of_a_notebook_has_a_row(tmp_path: Path) -> None:
    for name in ("ada.ipynb", "bob.ipynb", "ada.ipynb.bak"):
        touch(tmp_path / name)
    odd = ("cy.ipynb.crdownload", "dan.part", "eve.pages", "fay.bak")
    for name in odd:
        touch(tmp_path / name)
    for name in ("gus", "hal.txt", "ida.json"):
        (tmp_path / name).write_text(NOTEBOOK, encoding="utf-8")

    found = {s.display_path: s.problem for s in collect(tmp_path)}

    assert set(found) == {"ada.ipynb", "bob.ipynb", *odd, "gus", "hal.txt", "ida.json"}
    assert all("No notebook (.ipynb) was submitted, only " in found[name] for name in odd)


def test_what_is_no_submission_is_named_once(tmp_path: Path) -> None:
    for name in ("ada.ipynb", "bob.ipynb", "bob.pdf", *(f"data{i}.csv" for i in range(400))):
        touch(tmp_path / name)
    told: list[str] = []

    assert len(collect(tmp_path, notify=told.append)) == 2
    assert told[-1].startswith(
        "not graded, since they belong to no notebook: data0.csv, data1.csv, data10.csv, "
    )
    assert told[-1].endswith(" and 360 more")
    assert told[-1].count(".csv") == 40


def test_a_file_that_is_called_as_the_notebooks_are_has_a_row(tmp_path: Path) -> None:
    notebook = NOTEBOOK.replace("[]", "[\"pd.read_csv('hw5_scores.csv')\"]")
    for name in ("hw5_ada.ipynb", "HW5-bob.ipynb", "hw5_pa .ipynb "):
        (tmp_path / name).write_text(notebook, encoding="utf-8")
    odd = ("hw5_cy", "hw5_dan.tex", "Hw5 eve.heic", "hw5.fay.url", "hw5_gus.csv", "hw5_hal.Rmd")
    for name in (*odd, "hw5_scores.csv", "hw5_ada.csv", "notes.txt", "hw55_x.txt", "hw5.txt"):
        touch(tmp_path / name)
    told: list[str] = []

    found = {s.display_path: s.problem for s in collect(tmp_path, notify=told.append)}

    assert {name for name, problem in found.items() if problem} == set(odd)
    assert {name for name, problem in found.items() if not problem} == {
        "hw5_ada.ipynb",
        "HW5-bob.ipynb",
        "hw5_pa .ipynb ",
    }
    assert told[-1].endswith("to no notebook: hw5.txt, hw55_x.txt, hw5_scores.csv, notes.txt")


@pytest.mark.parametrize("others", [["ada.ipynb"], ["ada.ipynb", "bob.ipynb", "cy/hw.ipynb"]])
def test_a_folder_in_which_nothing_was_submitted_is_named(
    tmp_path: Path, others: list[str]
) -> None:
    for name in others:
        touch(tmp_path / name)
    (tmp_path / "dan").mkdir()
    told: list[str] = []

    assert len(collect(tmp_path, notify=told.append)) == len(others)
    assert told[-1] == "not graded, since they hold no notebook: dan/"


def test_data_beside_the_only_notebook_is_its_own(tmp_path: Path) -> None:
    for name in ("ada.ipynb", "data/x.csv"):
        touch(tmp_path / name)
    told: list[str] = []
    collect(tmp_path, notify=told.append)

    assert not any("not graded" in line for line in told)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".hw.ipynb", "begins with a dot, so it is a hidden file."),
        (".ipynb", "begins with a dot, so it is a hidden file."),
        ("~$hw.ipynb", "begins with ~$, as that of a lock file does."),
    ],
)
def test_a_hidden_notebook_is_told_from_nothing(tmp_path: Path, name: str, reason: str) -> None:
    for path in (f"ada/{name}", "ada/._hw.ipynb", "bob/hw.ipynb", f"bob/{name}"):
        touch(tmp_path / path)

    assert {s.name: s.problem for s in collect(tmp_path)} == {
        "ada": f"ada/{name} cannot be read: its name {reason}",
        "bob": "",
    }


@pytest.mark.parametrize("name", [".hw.ipynb", "~$hw.ipynb", ".ipynb"])
def test_a_hidden_notebook_among_others_is_named(tmp_path: Path, name: str) -> None:
    for path in ("ada.ipynb", name, "._ada.ipynb", ".DS_Store"):
        touch(tmp_path / path)
    told: list[str] = []

    assert len(collect(tmp_path, notify=told.append)) == 1
    assert told[-1] == f"not graded, since their names begin with a dot or ~$: {name}"


def test_a_folder_that_can_not_be_read_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "ada" / "hw.ipynb")
    touch(tmp_path / "bob" / "hw.ipynb")
    (tmp_path / "cy").mkdir()
    close(tmp_path / "bob", monkeypatch)
    told: list[str] = []

    found = {s.name: s.problem for s in collect(tmp_path, notify=told.append)}

    assert found == {
        "ada": "",
        "bob": "bob cannot be read: Permission denied.",
        "cy": "Nothing was submitted: there is no file, apart from hidden ones.",
    }
    assert told[0] == (
        f"{tmp_path}/bob: cannot be read (Permission denied), so nothing in it is graded"
    )
    close(tmp_path, monkeypatch)
    with pytest.raises(UsageError, match=r"cannot be read \(Permission denied\)"):
        collect(tmp_path)


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a folder be unreadable, to root, too."""
    real = os.scandir

    def scandir(path: str = ".") -> object:
        if Path(path) == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_links_are_told_and_never_opened(tmp_path: Path) -> None:
    outside = touch(tmp_path / "out" / "secret.ipynb")
    inside = tmp_path / "in"
    touch(inside / "ada" / "hw.ipynb")
    (inside / "bob").mkdir()
    (inside / "bob" / "hw.ipynb").symlink_to(outside)
    for number in range(8):
        (inside / f"s{number}").symlink_to(outside.parent)
    told: list[str] = []

    found = {s.name: (s.problem, s.path) for s in collect(inside, notify=told.append)}

    fault = "bob/hw.ipynb cannot be read: it is a link, and links are not followed."
    assert found == {"ada": ("", inside / "ada" / "hw.ipynb"), "bob": (fault, Path())}
    assert told[0] == (
        "9 links are not followed: s0, s1, s2, s3, s4 and 4 more. "
        "To have them graded, copy what they lead to (`cp -rL`)"
    )


def test_a_list_in_a_flag_is_bounded(tmp_path: Path) -> None:
    for number in range(400):
        touch(tmp_path / "ada" / f"hw{number}.ipynb")

    (found,) = collect(tmp_path)

    assert len(str((found.remarks, found.concerns))) < 300
    flags = check_roster(
        {f"work{number}": [Student(name="Your Name", id="")] for number in range(400)}, members=()
    ).duplicate_flags
    assert len(flags) == 400
    assert max(len(flag_text(flag)) for row in flags.values() for flag in row) < 100
    assert flag_text(flags["work0"][0]).endswith("work4, work5 and 394 more")
