from pathlib import Path

import pytest

from grader.errors import UsageError
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
