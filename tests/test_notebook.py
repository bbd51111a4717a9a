"""A submitted file is read whatever wrote it, or refused with a sentence that says why."""

import base64
import codecs
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from grader.errors import NotebookError
from grader.model import Cell, Notebook
from grader.notebook import (
    decoding,
    handout_lines,
    notebook_file,
    read_notebook,
    submitted_file,
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and so on").decode()
GIF = base64.b64encode(b"GIF89a and so on").decode()


def tree(*cells: Any, **keys: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | keys


def code_cell(source: Any, *outputs: Any, **keys: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)} | keys


def text_cell(source: Any, **keys: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source} | keys


def written(folder: Path, content: Any) -> Path:
    path = folder / "hw.ipynb"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_plain_notebook_is_read_without_a_note(tmp_path: Path) -> None:
    path = written(tmp_path, tree(text_cell("# Hi"), code_cell("x = 1", id="a")))
    notebook = read_notebook(path)
    assert [(c.index, c.kind, c.source) for c in notebook.cells] == [
        (0, "markdown", "# Hi"),
        (1, "code", "x = 1"),
    ]
    assert notebook.notes == ()
    assert notebook.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        tree(code_cell("x = 1"), nbformat_minor=0),
        tree(code_cell(["x = 1"])),
        tree(code_cell("x = 1", id="a", odd=True), more={"keys": 1}),
        tree(code_cell("x = 1"), metadata=None),
        tree(code_cell("x = 1", execution_count="x", metadata=[])),
        {"nbformat": 4, "cells": [code_cell("x = 1")]},
        {"cells": [code_cell("x = 1")]},
        {"cells": [{"cell_type": "code", "source": "x = 1"}]},
        tree(code_cell("x = 1"), metadata={"kernelspec": {"name": "no-such-kernel"}}),
        {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]},
    ],
)
def test_what_jupyter_would_open_is_read(tmp_path: Path, content: Any) -> None:
    (cell,) = read_notebook(written(tmp_path, content)).cells
    assert (cell.kind, cell.source) == ("code", "x = 1")


def test_lines_are_joined_as_they_are_or_ended_where_nobody_did(tmp_path: Path) -> None:
    content = tree(code_cell(["a = 1\n", "b = 2"]), code_cell(["a = 1", "b = 2"]))
    assert [c.source for c in read_notebook(written(tmp_path, content)).cells] == [
        "a = 1\nb = 2"
    ] * 2


def test_cells_with_one_id_are_all_read(tmp_path: Path) -> None:
    content = tree(code_cell("x = 1", id="same"), code_cell("y = 2", id="same"))
    assert len(read_notebook(written(tmp_path, content)).cells) == 2


def test_format_3_becomes_format_4(tmp_path: Path) -> None:
    heading = {"cell_type": "heading", "level": 2, "source": "Part"}
    outputs = [
        {"output_type": "stream", "stream": "stdout", "text": ["0.9\n"]},
        {"output_type": "pyout", "text": "3", "prompt_number": 1},
        {"output_type": "display_data", "png": PNG, "text": "<Figure>"},
        {"output_type": "pyerr", "ename": "E", "evalue": "", "traceback": []},
    ]
    code = {"cell_type": "code", "input": ["x = 1\n", "x"], "outputs": outputs}
    content = {"nbformat": 3, "worksheets": [{"cells": [heading]}, {"cells": [code]}]}
    notebook = read_notebook(written(tmp_path, content))
    assert [c.source for c in notebook.cells] == ["## Part", "x = 1\nx"]
    assert [o.text for o in notebook.cells[1].outputs] == ["0.9\n", "3", "", ""]
    assert set(notebook.cells[1].outputs[2].mimes) == {"text/plain", "image/png"}
    assert "format 3" in notebook.notes[0]


def test_format_2_becomes_format_4(tmp_path: Path) -> None:
    page = {"cell_type": "html", "source": "<b>Part</b>"}
    outputs = [
        {"output_type": "stream", "text": "0.9\n"},
        {"output_type": "pyerr", "etype": "NameError", "evalue": "no x", "traceback": []},
    ]
    code = {"cell_type": "code", "input": "x", "prompt_number": 3, "outputs": outputs}
    content = {"nbformat": 2, "worksheets": [{"cells": [page, code]}]}
    notebook = read_notebook(written(tmp_path, content))
    assert [(c.kind, c.source, c.count) for c in notebook.cells] == [
        ("markdown", "<b>Part</b>", None),
        ("code", "x", 3),
    ]
    assert [o.error for o in notebook.cells[1].outputs] == ["", "NameError: no x"]
    assert "format 2" in notebook.notes[0]


def test_the_ids_of_a_cell_are_read(tmp_path: Path) -> None:
    odd = {"id": 7, "nbgrader": {"grade_id": ["x"]}}
    content = tree(
        code_cell("x", id="a1", metadata={"id": "c2", "nbgrader": {"grade_id": "q1"}}),
        text_cell("y", id="", metadata=odd),
        text_cell("z", metadata={"nbgrader": "q", "id": "\u202e"}),
    )
    marks = [cell.ids for cell in read_notebook(written(tmp_path, content)).cells]
    assert marks == [("id:a1", "colab:c2", "nbgrader:q1"), (), ()]


@pytest.mark.parametrize(
    ("count", "read_as"),
    [(7, 7), (None, None), (0, None), (-1, None), (True, None), (10**12, None)],
)
def test_the_number_of_a_cells_run_is_read(tmp_path: Path, count: Any, read_as: int | None) -> None:
    (cell,) = read_notebook(written(tmp_path, tree(code_cell("x", execution_count=count)))).cells
    assert cell.count == read_as


def test_a_saved_error_is_told_on_one_line(tmp_path: Path) -> None:
    value = "\x1b[31mno\x1b[0m\n such \ud83d name" + "x" * 9_000
    error = {"output_type": "error", "ename": "NameError", "evalue": value, "traceback": []}
    nameless = {"output_type": "error"}
    (cell,) = read_notebook(written(tmp_path, tree(code_cell("x", error, nameless)))).cells
    assert cell.outputs[0].error.startswith("NameError: no such \ufffd name")
    assert len(cell.outputs[0].error) <= 300
    assert cell.outputs[1].error == "an error"


def test_conflict_marks_within_a_cell_are_told(tmp_path: Path) -> None:
    merged = "<<<<<<< local\nx = 1\n=======\nx = 2\n>>>>>>> remote"
    notes = read_notebook(written(tmp_path, tree(code_cell("x"), code_cell(merged)))).notes
    assert [note for note in notes if "merge conflict" in note and "Cell 1" in note]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-32"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
)
def test_every_common_encoding_is_read(tmp_path: Path, encode: Any) -> None:
    text = json.dumps(tree(text_cell("Zoë\nSample")), ensure_ascii=False, indent=1)
    assert read_notebook(written(tmp_path, encode(text))).cells[0].source == "Zoë\nSample"


@pytest.mark.parametrize("level", [None, "2", 2.5, True, 0, 7, [], {}])
def test_a_heading_of_no_level_is_of_the_first(tmp_path: Path, level: Any) -> None:
    heading = {"cell_type": "heading", "level": level, "source": "Part"}
    assert read_notebook(written(tmp_path, tree(heading))).cells[0].source == "# Part"


def test_line_ends_of_windows_become_plain_ones(tmp_path: Path) -> None:
    content = tree(code_cell("x = 1\r\ny = 2\rz = 3"))
    assert read_notebook(written(tmp_path, content)).cells[0].source == "x = 1\ny = 2\nz = 3"


def test_a_notebook_without_cells_is_read(tmp_path: Path) -> None:
    assert read_notebook(written(tmp_path, tree())).cells == ()


REFUSED = [
    ("", "empty"),
    (b"\xef\xbb\xbf  \n", "empty"),
    ("<!DOCTYPE html>\n<html>", "web page"),
    ("<!-- saved -->\n<html lang='en'>", "web page"),
    ('{"cells": [\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> other\n]}', "merge conflict"),
    ("import torch\nx = 1\n", "Python script"),
    ("Dear grader, see the attachment", "not JSON"),
    ('{"cells": [', "ends too early, in line 1"),
    ('{"cells": [\n{"source": "x = ', "ends too early, in line 2"),
    ('{"cells": [}\n, {"source": ""}]}', "not valid JSON at line 1, so it was cut off or changed"),
    ("%PDF-1.7 and so on", "a PDF"),
    (b"PK\x03\x04rest", "zip archive"),
    ("[1, 2]", "no notebook"),
    ('"cells"', "no notebook"),
    ("{}", "no notebook"),
    ({"cells": {"a": 1}}, "no notebook"),
    (tree(nbformat=1), "format 1"),
    (tree(nbformat=5), "format 5"),
    (tree(code_cell({"a": 1})), "source of cell 0"),
    (tree(text_cell("x"), code_cell(["a", 1])), "source of cell 1"),
    (tree(code_cell(7)), "source of cell 0"),
    ("[" * 100_000, "nested too deep"),
    ('{"cells": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deep"),
    (tree(text_cell("a \ud83d b")), "half a character"),
    ('{"cells": [' + "9" * 5000 + "]}", "not valid JSON"),
    (tree(*[code_cell("")] * 2001), "2001 cells"),
    (tree(*[code_cell("x" * 100)] * 51), "longer than 5,000 characters"),
    (tree(code_cell("x", *[[]] * 5_000)), "too many parts"),
]


@pytest.mark.parametrize(("content", "said"), REFUSED)
def test_what_is_no_notebook_is_refused_with_its_reason(
    tmp_path: Path, content: Any, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebook_file, "MAX_SOURCE", 5_000)
    monkeypatch.setattr(decoding, "MAX_PARTS", 5_000 if "parts" in said else 10**6)
    with pytest.raises(NotebookError, match=said) as error:
        read_notebook(written(tmp_path, content))
    assert str(error.value).endswith(".")
    assert str(tmp_path) not in str(error.value)


def test_brackets_and_commas_of_a_text_are_no_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "MAX_PARTS", 50)
    source = "[,{" * 100 + '"\\'
    assert read_notebook(written(tmp_path, tree(code_cell(source)))).cells[0].source == source


def test_a_file_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitted_file, "MAX_BYTES", 2**20)
    with pytest.raises(NotebookError, match="larger than 1 MB"):
        read_notebook(written(tmp_path, tree(code_cell("#" * 2**20))))


def test_a_folder_or_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("", "pipe", "nothing"):
        with pytest.raises(NotebookError, match="no such file"):
            read_notebook(tmp_path / name)


def test_a_cell_that_is_none_keeps_the_indexes(tmp_path: Path) -> None:
    notebook = read_notebook(written(tmp_path, tree(7, code_cell("x = 1"))))
    assert [(c.kind, c.index) for c in notebook.cells] == [("raw", 0), ("code", 1)]
    assert "Cell 0" in notebook.notes[0]


def test_tags_are_read(tmp_path: Path) -> None:
    content = tree(code_cell("x", metadata={"tags": ["solution", 7]}), code_cell("y"))
    assert [c.tags for c in read_notebook(written(tmp_path, content)).cells] == [("solution",), ()]


def outputs_of(folder: Path, *outputs: Any) -> list[tuple[str, tuple[str, ...], bool]]:
    (cell,) = read_notebook(written(folder, tree(code_cell("x", *outputs)))).cells
    return [(o.text, o.mimes, o.html_has_figure) for o in cell.outputs]


def shown(**data: Any) -> dict[str, Any]:
    bundle = {key.replace("_", "/"): value for key, value in data.items()}
    return {"output_type": "display_data", "data": bundle, "metadata": {}}


def test_saved_outputs_are_their_texts_and_kinds(tmp_path: Path) -> None:
    found = outputs_of(
        tmp_path,
        {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mred\x1b[0m\n", "two"]},
        shown(text_plain="tensor(1)"),
        shown(text_plain="<Figure>", image_png=PNG),
        shown(text_plain="table", text_html="<table>"),
        shown(text_html=["<im", "g src='x'>"]),
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": []},
        "no output",
    )
    assert found == [
        ("red\ntwo", (), False),
        ("tensor(1)", ("text/plain",), False),
        ("", ("text/plain", "image/png"), False),
        ("table", ("text/plain", "text/html"), False),
        ("", ("text/html",), True),
        ("", (), False),
    ]


@pytest.mark.parametrize(
    ("kind", "markup"),
    [
        ("text_html", "<svg>"),
        ("text_html", "<canvas>"),
        ("text_html", "<video controls src='data:video/mp4;base64,AA'>"),
        ("text_html", "<iframe srcdoc='<p>'>"),
        ("text_html", "<script>Plotly.newPlot()</script>"),
        ("text_markdown", "Before: ![chart](data:image/png;base64,AA)"),
        ("text_markdown", "<img src='data:image/png;base64,AA'>"),
    ],
)
def test_markup_that_draws_a_figure_is_told(tmp_path: Path, kind: str, markup: str) -> None:
    assert outputs_of(tmp_path, shown(**{kind: markup}))[0][2]


def test_half_characters_in_outputs_are_mended(tmp_path: Path) -> None:
    stream = {"output_type": "stream", "text": "a \ud83d b"}
    assert outputs_of(tmp_path, stream)[0][0] == "a \ufffd b"


def test_the_middle_of_a_flood_is_left_out(tmp_path: Path) -> None:
    stream = {"output_type": "stream", "text": "first" + "x" * 5_000_000 + "last"}
    notebook = read_notebook(written(tmp_path, tree(code_cell("x", stream))))
    text = notebook.cells[0].outputs[0].text
    assert len(text) < 1_000_100
    assert text.startswith("first")
    assert text.endswith("last")
    assert "longer than 1,000,000" in notebook.notes[0]


def test_attached_pictures_are_kept_in_the_order_of_the_text(tmp_path: Path) -> None:
    attachments = {"my scan.png": {"image/png": PNG}, "b.gif": {"image/gif": [GIF]}}
    source = "![](attachment:b.gif) then ![](attachment:my%20scan.png)"
    (cell,) = read_notebook(
        written(tmp_path, tree(text_cell(source, attachments=attachments)))
    ).cells
    assert [p.mime for p in cell.images] == ["image/gif", "image/png"]
    assert "scan.png" not in cell.source


def test_a_picture_in_the_text_itself_is_kept(tmp_path: Path) -> None:
    source = f"See ![image.png](data:image/png;base64,{PNG}) here."
    (cell,) = read_notebook(written(tmp_path, tree(text_cell(source)))).cells
    assert [p.base64 for p in cell.images] == [PNG]
    assert "base64" not in cell.source


def test_a_picture_that_the_text_does_not_show_is_put_at_its_end(tmp_path: Path) -> None:
    content = tree(text_cell("Words.", attachments={"a.png": {"image/png": PNG}}))
    (cell,) = read_notebook(written(tmp_path, content)).cells
    assert len(cell.images) == 1
    assert cell.source.startswith("Words.\n\n![](attachment:")


LARGE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"x" * 2**21).decode()


@pytest.mark.parametrize(
    ("mime", "data", "said"),
    [
        ("image/svg+xml", PNG, "only PNG"),
        ("image/png", GIF, "not what its type says"),
        ("image/png", "not base64!", "damaged"),
        ("image/png", LARGE, "larger than 2 MB"),
        ("image/png", LARGE * 3, "larger than 2 MB"),
    ],
)
def test_other_attachments_are_left_out_and_noted(
    tmp_path: Path, mime: str, data: str, said: str
) -> None:
    cell = text_cell("![](attachment:a.png)", attachments={"a.png": {mime: data}})
    notebook = read_notebook(written(tmp_path, tree(cell)))
    assert notebook.cells[0].images == ()
    assert said in notebook.notes[0]


def test_at_most_ten_pictures_are_kept(tmp_path: Path) -> None:
    pictures = [base64.b64encode(b"GIF89a" + bytes([n])).decode() for n in range(12)]
    cells = [text_cell(f"![](data:image/gif;base64,{p})") for p in pictures]
    notebook = read_notebook(written(tmp_path, tree(*cells)))
    assert sum(len(cell.images) for cell in notebook.cells) == 10
    assert len(notebook.notes) == 2


def test_an_answer_between_the_marks_of_a_solution_is_no_line_of_the_handout() -> None:
    text = "What is it?\n\n### BEGIN SOLUTION\nIt is blue.\n### END SOLUTION\n\nGo on."
    notebook = Notebook(cells=(Cell(index=0, kind="markdown", source=text),), sha256="")

    lines = handout_lines(notebook)

    assert any("what is it" in line for line in lines)
    assert any("go on" in line for line in lines)
    assert not any("blue" in line for line in lines)
