"""No row of the table is forgotten, and what no notebook carries is tested where it says."""

from __future__ import annotations

import ast
import importlib
import io
import re
import sys
import tarfile
from pathlib import Path

import pytest
from corpus import ATTACKS, ELSEWHERE, ROWS

from grader.submissions import collect

TESTS = Path(__file__).parent.parent
GRADER = TESTS.parent / "grader"
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "torch"}


def test_every_row_is_accounted_for() -> None:
    attacked = {row for attack in ATTACKS for row in attack.rows}
    elsewhere = {entry.row for entry in ELSEWHERE}

    assert attacked | elsewhere == set(ROWS)


def test_every_attack_has_a_name_of_its_own_and_says_what_it_tries() -> None:
    names = [attack.name for attack in ATTACKS]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z-]{4,40}", name) for name in names)
    assert all(attack.tries and not attack.tries.endswith(".") for attack in ATTACKS)
    assert all(attack.holds_at for attack in ATTACKS)


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda entry: f"row {entry.row}")
def test_a_row_without_a_notebook_names_a_test_that_exists_or_its_reason(entry: object) -> None:
    found = next(one for one in ELSEWHERE if one is entry)

    assert found.tests or found.reason
    for name in found.tests:
        file, _, test = name.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_load_is_without_a_bound() -> None:
    wild = re.compile(r"os\.kill\(-|kill\(0|killpg|rm -|rmtree|shutil|fork\(\)\s*while")

    assert [attack.name for attack in ATTACKS if wild.search(attack.code)] == []


def test_the_attacks_page_is_current() -> None:
    sys.path.insert(0, str(TESTS.parent / "docs"))
    try:
        made = importlib.import_module("make_attacks")
    finally:
        sys.path.pop(0)

    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run `make docs`"


def outside() -> list[Path]:
    return [path for path in GRADER.rglob("*.py") if "inside" not in path.parts]


def test_tests_give_pickles_and_take_none() -> None:
    """To a notebook values of the course's own may go as pickles, from it none is read."""
    (path,) = (path for path in outside() if path.name == "trusted_values.py")
    called = re.findall(r"pickle\.(\w+)", path.read_text(encoding="utf-8"))

    assert set(called) == {"dumps"}


def test_the_grader_never_unpickles() -> None:
    found = []
    for path in (path for path in outside() if path.name != "trusted_values.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")]
            module = getattr(node, "module", None)
            tops = {str(name).partition(".")[0] for name in (*names, module) if name}
            imports = isinstance(node, ast.Import | ast.ImportFrom)
            loose = isinstance(node, ast.keyword) and node.arg == "allow_pickle"
            if (imports and tops & UNSAFE) or loose:
                found.append((path.name, getattr(node, "lineno", 0)))

    assert found == []


def test_tar_archives_are_left_closed(tmp_path: Path) -> None:
    inner = b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    with tarfile.open(tmp_path / "work.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("../escaped.ipynb")
        info.size = len(inner)
        tar.addfile(info, io.BytesIO(inner))
    (tmp_path / "hw5.ipynb").write_bytes(inner)

    found = collect(tmp_path)

    assert [(one.display_path, bool(one.problem)) for one in found] == [
        ("hw5.ipynb", False),
        ("work.tar.gz", True),
    ]
    assert not list(tmp_path.parent.glob("escaped*"))
