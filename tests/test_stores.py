"""Which store a folder has: one for good, and no secret of its address is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.folder import OutputFolder
from grader.gradebook import open_gradebook, postgres

ADDRESS = "postgresql://ada:open-sesame@db.example/hw5?sslpassword=also-secret&sslmode=require"


def test_a_folder_has_a_file_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    assert OutputFolder(tmp_path).store == tmp_path / "gradebook.db"


def test_a_server_is_remembered_without_what_is_secret(tmp_path: Path) -> None:
    assert OutputFolder(tmp_path, store=ADDRESS).store == ADDRESS

    remembered = OutputFolder(tmp_path).store

    assert remembered == "postgresql://ada@db.example/hw5?sslmode=require"
    assert OutputFolder(tmp_path, store=ADDRESS).store == ADDRESS
    assert OutputFolder.is_output_folder(tmp_path)


def test_a_folder_with_a_gradebook_takes_no_other(tmp_path: Path) -> None:
    with open_gradebook(OutputFolder(tmp_path).store):
        pass

    with pytest.raises(UsageError, match=r"has a gradebook already, in gradebook\.db") as refused:
        OutputFolder(tmp_path, store=ADDRESS)

    assert "sesame" not in str(refused.value)
    assert OutputFolder(tmp_path).store == tmp_path / "gradebook.db"


def test_a_folder_with_a_server_takes_no_other_server(tmp_path: Path) -> None:
    OutputFolder(tmp_path, store=ADDRESS)

    with pytest.raises(UsageError, match="has a gradebook already"):
        OutputFolder(tmp_path, store="postgresql://other.example/hw5")


@pytest.mark.parametrize(
    "address",
    [
        "mysql://ada:sesame@host/db",
        "postgresql:/ada:sesame@host",
        "x://[sesame",
        "sqlite:///sesame",
    ],
)
def test_what_is_no_address_of_a_store_is_refused_without_repeating_it(
    tmp_path: Path, address: str
) -> None:
    for use in (
        lambda: OutputFolder(tmp_path, store=address),
        lambda: postgres.display_address(address),
    ):
        with pytest.raises(UsageError) as refused:
            use()
        assert "sesame" not in str(refused.value)


def test_the_place_that_messages_name_has_no_user_and_no_secret() -> None:
    assert postgres.display_address(ADDRESS) == "postgresql://db.example/hw5"
    assert postgres.extract_secrets(ADDRESS) == ("open-sesame", "also-secret")
