"""Every odd file that courses hand in is a row and a report in plain words, by the real command."""

from __future__ import annotations

import base64
import codecs
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import tiny_course
from tiny_course import SOLUTION, Course, notebook

pytestmark = pytest.mark.kernel

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
Tree = dict[str, Any]


def solved() -> Tree:
    """A right solution as JSON."""
    return notebook(*(source.format(scale=0.5, number=0) for source in SOLUTION))


def changed(change: Callable[[Tree], object]) -> bytes:
    tree = solved()
    change(tree)
    return json.dumps(tree, ensure_ascii=False).encode()


def each(change: Callable[[Tree], object]) -> bytes:
    return changed(lambda tree: [change(cell) for cell in tree["cells"]])


def text() -> str:
    return json.dumps(solved(), indent=1)


def worksheets(version: int) -> bytes:
    cells = [
        {
            "cell_type": "code",
            "input": cell["source"].splitlines(keepends=True),
            "outputs": [],
            "language": "python",
        }
        for cell in solved()["cells"]
    ]
    return json.dumps({"nbformat": version, "worksheets": [{"cells": cells}]}).encode()


def widget(cell: Tree) -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "m"}}
    cell["outputs"] = [{"output_type": "display_data", "data": view, "metadata": {}}]


def large(tree: Tree) -> None:
    flood = {"output_type": "stream", "name": "stdout", "text": "0.25, 1\n" * 3_000_000}
    picture = {
        "output_type": "display_data",
        "data": {"image/png": "A" * 30_000_000},
        "metadata": {},
    }
    tree["cells"][3]["outputs"] = [flood, picture]


def with_attachment(tree: Tree) -> None:
    attachments = {"scan.png": {"image/png": PNG}, "odd": 7, "page.svg": {"image/svg+xml": "<svg>"}}
    tree["cells"].append(
        {"cell_type": "markdown", "metadata": {}, "source": "", "attachments": attachments}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Odd:
    """A file, and what its report must say; one that is graded earns all points."""

    data: bytes
    graded: bool
    said: str = ""


FILES: Mapping[str, Odd] = {
    # graded as if nothing were odd, with a note where a person should know
    "format2": Odd(data=worksheets(2), graded=True, said="format 2 and was converted"),
    "format3": Odd(data=worksheets(3), graded=True, said="format 3 and was converted"),
    "source-as-list": Odd(
        data=each(lambda c: c.update(source=c["source"].splitlines(keepends=True))), graded=True
    ),
    "lines-without-ends": Odd(
        data=each(lambda c: c.update(source=c["source"].split("\n"))), graded=True
    ),
    "extra-keys": Odd(data=each(lambda c: c.update(odd={"keys": [1]}, collapsed=7)), graded=True),
    "no-ids": Odd(data=each(lambda c: c.pop("id")), graded=True),
    "one-id": Odd(data=each(lambda c: c.update(id="same")), graded=True),
    "no-metadata": Odd(data=each(lambda c: c.pop("metadata")), graded=True),
    "no-outputs": Odd(data=each(lambda c: c.pop("outputs")), graded=True),
    "no-format": Odd(
        data=changed(lambda t: (t.pop("nbformat"), t.pop("nbformat_minor"))),
        graded=True,
        said="does not say its notebook format",
    ),
    "other-kernel": Odd(
        data=changed(lambda t: t["metadata"].update(kernelspec={"name": "julia-1.10"})),
        graded=True,
        said="asks for the kernel 'julia-1.10'",
    ),
    "widgets": Odd(data=each(widget), graded=True),
    "widget-state": Odd(
        data=changed(
            lambda t: t["metadata"].update(
                widgets={"application/vnd.jupyter.widget-state+json": {"state": {"m": {}}}}
            )
        ),
        graded=True,
    ),
    "attachments": Odd(data=changed(with_attachment), graded=True, said="picture attached to "),
    "fifty-megabytes": Odd(data=changed(large), graded=True, said="its middle was left out"),
    "bom": Odd(data=codecs.BOM_UTF8 + text().encode(), graded=True),
    "utf16": Odd(data=text().encode("utf-16"), graded=True, said="saved as UTF-16"),
    "utf16-no-bom": Odd(data=text().encode("utf-16-le"), graded=True, said="saved as UTF-16-LE"),
    "crlf": Odd(data=text().replace("\n", "\r\n").encode(), graded=True),
    "crlf-inside": Odd(
        data=each(lambda c: c.update(source=c["source"].replace("\n", "\r\n"))), graded=True
    ),
    "windows": Odd(
        data=changed(
            lambda t: t["cells"].append({"cell_type": "markdown", "source": "Zoë"})
        ).replace("ë".encode(), b"\xeb"),
        graded=True,
        said="read as Windows-1252",
    ),
    "cell-of-no-kind": Odd(
        data=changed(lambda t: t["cells"].append({"cell_type": "sql", "source": "select 1"})),
        graded=True,
        said="of no known kind",
    ),
    # no notebooks, each with what it is and what to hand in
    "empty": Odd(data=b"", graded=False, said="The file is empty. Save the notebook"),
    "page": Odd(
        data=b"<!DOCTYPE html>\n<html><body>Log in</body></html>",
        graded=False,
        said="a web page, not a notebook: perhaps an export",
    ),
    "conflict": Odd(
        data=text().replace(' "cells"', '<<<<<<< HEAD\n "cells"').encode()
        + b"\n=======\n{}\n>>>>>>> theirs\n",
        graded=False,
        said="merge conflict marks (<<<<<<< and >>>>>>>) in it. Resolve the conflict",
    ),
    "cut-off": Odd(
        data=text().encode()[:400],
        graded=False,
        said="perhaps a download or an upload had not finished. Check that Jupyter opens it",
    ),
    "script": Odd(
        data=b"import numpy as np\none = 1\n", graded=False, said="looks like a Python script"
    ),
    "words": Odd(data=b"Dear grader, it is attached.", graded=False, said="Submit the .ipynb"),
    "pdf": Odd(data=b"%PDF-1.7\n\xe2\xe3", graded=False, said="a PDF, not a notebook. Hand in"),
    "word": Odd(data=b"PK\x03\x04rest", graded=False, said="a Word or Pages document"),
    "picture": Odd(data=b"\xff\xd8\xff\xe0", graded=False, said="a picture, not a notebook"),
    "packed": Odd(data=b"\x1f\x8b\x08", graded=False, said="a compressed file, not a notebook"),
    "binary": Odd(data=bytes(range(256)), graded=False, said="Submit the .ipynb file itself"),
    "other-json": Odd(
        data=b'{"url": "https://drive.invalid", "doc_id": "x"}',
        graded=False,
        said="no notebook: it has no list of cells",
    ),
    "list": Odd(data=b"[1, 2]", graded=False, said="no notebook: it is not an object"),
    "no-cells": Odd(data=changed(lambda t: t.update(cells=[])), graded=False, said="no cells"),
    "format1": Odd(
        data=json.dumps({"nbformat": 1, "cells": []}).encode(),
        graded=False,
        said="in format 1; formats 2 to 4 are read. Open it in a current Jupyter",
    ),
    "format5": Odd(data=changed(lambda t: t.update(nbformat=5)), graded=False, said="in format 5"),
    "damaged-source": Odd(
        data=each(lambda c: c.update(source={"a": 1})), graded=False, said="The source of cell 0"
    ),
    "half-character": Odd(
        data=json.dumps(notebook("x = '\ud83d'")).encode(), graded=False, said="half a character"
    ),
    "deep": Odd(data=b"[" * 100_000, graded=False, said="nested too deep"),
}


@dataclass(frozen=True, slots=True)
class Graded:
    """What one run of the command said and wrote."""

    code: int
    told: str
    course: Course

    def result(self, name: str) -> Tree:
        found: Tree = json.loads(self.course.results()[name])
        return found

    def page(self, name: str) -> str:
        """The words of a report."""
        html = (self.course.out / "reports" / f"{name}.html").read_text(encoding="utf-8")
        body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", "", body)).split())


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """All of them, through one run."""
    course = tiny_course.made(tmp_path_factory.mktemp("course"))
    for name, odd in FILES.items():
        place: Path = course.root / "submissions" / f"{name}.ipynb"
        place.write_bytes(odd.data)
    code, told = course.grade()
    return Graded(code, told, course)


def test_the_class_is_graded_to_its_end(graded: Graded) -> None:
    assert graded.code == 1
    assert "Traceback" not in graded.told
    assert set(graded.course.results()) == set(FILES)


@pytest.mark.parametrize("name", [name for name, odd in FILES.items() if odd.graded])
def test_what_jupyter_would_open_earns_what_it_deserves(name: str, graded: Graded) -> None:
    result = graded.result(name)

    assert result["reason"] is None
    assert result["score"]["earned"] == 10
    assert FILES[name].said in " ".join(result["notes"])
    assert FILES[name].said in graded.page(name)


@pytest.mark.parametrize("name", [name for name, odd in FILES.items() if not odd.graded])
def test_what_is_no_notebook_is_told_what_it_is(name: str, graded: Graded) -> None:
    result = graded.result(name)

    assert result["status"] == "ungradable"
    assert result["score"]["earned"] is None
    assert FILES[name].said in result["reason"]
    assert result["flags"]
    page = graded.page(name)
    assert FILES[name].said in page
    assert "That is not a zero" in page
