"""What students get has nothing of the solution in it, and mutants are what they say."""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from textwrap import indent

import pytest
from grading import ROOT

from grader import checks, rubric
from grader.authoring import test_plan
from grader.authoring.assignments import Assignment, load_assignments
from grader.authoring.blanking import blanked_source, find_regions, make_template
from grader.authoring.editable_notebook import (
    EditableCell,
    EditableNotebook,
    read_editable_notebook,
)
from grader.authoring.leaks import find_leaks
from grader.authoring.mutants import patched_sources
from grader.authoring.mutation_operators import imported_modules, make_edits
from grader.authoring.new_assignment import create_assignment
from grader.authoring.release_build import read_provided_files
from grader.authoring.test_plan import (
    LinePatternTable,
    MutantsFile,
    PatchTable,
    ShownTable,
    ValidationPlan,
)
from grader.authoring.uncut import find_uncut_items
from grader.authoring.wheel import provide_wheel
from grader.errors import RubricError, UsageError
from grader.model import Rubric

ALL = ("hw5", "attention")
BLANK = "#FILLME"


def code(source: str, cell_id: str = "c", *tags: str) -> EditableCell:
    return EditableCell(id=cell_id, kind="code", source=source, tags=tags)


def loaded(name: str) -> Rubric:
    return rubric.load_rubric(ROOT / "rubrics" / f"{name}.toml", catalog=checks.load_checks)


# ---------------------------------------------------------------- blanks


def test_the_release_of_the_first_assignment_is_its_handout() -> None:
    given = make_template(read_editable_notebook(ROOT / "reference" / "hw5.ipynb"), blank=BLANK)
    handout = read_editable_notebook(ROOT / "tests" / "notebooks" / "hw5-template.ipynb")

    assert [(c.id, c.kind, c.source) for c in given.cells] == [
        (c.id, c.kind, c.source) for c in handout.cells
    ]
    assert not any(cell.outputs or cell.tags for cell in given.cells)


@pytest.mark.parametrize(
    ("solved", "shown"),
    [
        ("x = f(y)  # what to do", f"x = {BLANK}  # what to do"),
        ("x = f(y)\nz = g(x)", f"x = {BLANK}\nz = {BLANK}"),
        ("return f(x)", f"return {BLANK}"),
        ("for a in b:\n    c(a)", BLANK),
        ("a, b = f(x)", BLANK),
        ("x.y = f(x)", BLANK),
        ('x = "#1"', f"x = {BLANK}"),
        ("# said in a comment", BLANK),
        ("", BLANK),
    ],
)
def test_a_blank_keeps_names_and_comments_and_nothing_else(solved: str, shown: str) -> None:
    marked = f"before\n### BEGIN SOLUTION\n{solved}\n### END SOLUTION\nafter"

    assert blanked_source(code(marked), blank=BLANK) == f"before\n{shown}\nafter"


def test_a_blank_stands_where_the_solution_stood() -> None:
    marked = "def f(x):\n    ### BEGIN SOLUTION Q1, Q2\n    return x\n    ### END SOLUTION"

    assert blanked_source(code(marked), blank=BLANK) == f"def f(x):\n    return {BLANK}"
    assert find_regions(code(marked))[0].items == ("Q1", "Q2")


@pytest.mark.parametrize(
    ("blank", "solved", "shown"),
    [
        ("...", "x = f(y)  # the root", "x = ...  # the root"),
        ("...", "x = f(y)", "x = ...  # your code here"),
        ("...", "return f(x)", "return ...  # your code here"),
        ("None", "a, b = f(x)", "None  # your code here"),
        ("raise NotImplementedError", "x = f(y)\nreturn x", "raise NotImplementedError"),
        ("pass", "for a in b:\n    c(a)", "pass"),
    ],
)
def test_a_blank_of_a_rubrics_choice_parses(blank: str, solved: str, shown: str) -> None:
    marked = f"def g():\n    # BEGIN SOLUTION\n{indent(solved, '    ')}\n    #### END SOLUTION"
    source = blanked_source(code(marked), blank=blank)

    assert source == f"def g():\n    {shown}"
    ast.parse(source)


@pytest.mark.parametrize(
    "line",
    [
        "# note: BEGIN SOLUTION",
        "=== BEGIN MARK SCHEME ===",
        "## begin solution",
        "#BEGIN_SOLUTION",
        "// END  HIDDEN TESTS",
        "x = 1  # SOLUTION",
        "x = 2 # SOLUTION NO PROMPT",
        '""" # BEGIN PROMPT',
        "print('END SOLUTION')",
    ],
)
def test_a_mark_that_cuts_nothing_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(RubricError, match=r"cell c, line 2: .* cuts nothing out"):
        blanked_source(code(f"x = 1\n{line}"))


@pytest.mark.parametrize("line", ["# a solution", "begin = solution(1)", "# The solution begins"])
def test_words_that_mark_nothing_are_left_alone(line: str) -> None:
    assert blanked_source(code(line)) == line


def test_an_item_that_nothing_is_cut_from_is_found() -> None:
    book = read_editable_notebook(ROOT / "reference" / "attention.ipynb")
    rubric = loaded("attention")
    bare = {
        cell.id: "\n".join(line for line in cell.source.split("\n") if "SOLUTION" not in line)
        for cell in book.cells
    }
    whole = book.with_sources(bare)
    given = [LinePatternTable(cell=cell.id, why="given") for cell in book.cells]

    assert find_uncut_items(book, rubric=rubric, plan=ValidationPlan()) == {}
    uncut = find_uncut_items(whole, rubric=rubric, plan=ValidationPlan())
    assert "attention (cell attention)" in uncut["Q2"]
    plan = ValidationPlan(mutants=MutantsFile(given=given))
    assert find_uncut_items(whole, rubric=rubric, plan=plan) == {}


def test_a_hidden_test_leaves_no_trace() -> None:
    marked = "f(1)\n### BEGIN HIDDEN TESTS\nassert f(2) == 4\n### END HIDDEN TESTS"

    assert blanked_source(code(marked)) == "f(1)"


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
        "### BEGIN SOLUTION\nx = 1\n### END HIDDEN TESTS",
    ],
)
def test_a_mark_without_its_partner_is_refused_with_its_place(source: str) -> None:
    with pytest.raises(RubricError, match="cell c, line"):
        blanked_source(code(source))


# ---------------------------------------------------------------- leaks


def files_of(name: str) -> dict[str, bytes]:
    return {
        "hw.ipynb": make_template(read_editable_notebook(ROOT / "reference" / f"{name}.ipynb"))
        .to_json()
        .encode()
    }


def found(name: str, **files: bytes) -> list[str]:
    given = {file.replace("_", "."): data for file, data in files.items()}
    book = read_editable_notebook(ROOT / "reference" / f"{name}.ipynb")
    return [
        str(leak)
        for leak in find_leaks(given, notebook=book, rubric=loaded(name), plan=ValidationPlan())
    ]


@pytest.mark.parametrize("name", ALL)
def test_nothing_of_a_solution_is_in_the_blank_notebook(name: str) -> None:
    book = read_editable_notebook(ROOT / "reference" / f"{name}.ipynb")

    assert (
        find_leaks(files_of(name), notebook=book, rubric=loaded(name), plan=ValidationPlan()) == ()
    )


def test_a_copy_of_the_solution_that_somebody_left_in_given_code_is_found() -> None:
    line = "weights = torch.softmax(scores, dim=-1)"
    marked = f"### BEGIN SOLUTION\n{line}\n### END SOLUTION"
    book = EditableNotebook(cells=(code(marked), code(f"# {line}", "copy")))
    files = {"hw.ipynb": make_template(book).to_json().encode()}
    shown = ValidationPlan(
        mutants=MutantsFile(shown=[ShownTable(line="weights = *", why="given before")])
    )
    (told,) = find_leaks(files, notebook=book, rubric=loaded("attention"), plan=ValidationPlan())

    assert str(told).startswith("hw.ipynb, cell copy, line 1: solution (cell c, line 2)")
    assert find_leaks(files, notebook=book, rubric=loaded("attention"), plan=shown) == ()


def test_a_line_of_the_solution_is_found_and_its_place_told() -> None:
    told = found("hw5", notes_md=b"hello\n\n    pos_pair=( embeddings[0] ,embeddings[1])\n")

    assert len(told) == 1
    assert told[0].startswith("notes.md, line 3: solution (cell train, line")


def test_a_line_of_the_solution_is_found_in_json_too() -> None:
    line = 'scores = scores.masked_fill(~mask, float("-inf"))'

    assert found("attention", x_json=json.dumps({"a": line}).encode())


@pytest.mark.parametrize(
    ("leaked", "what"),
    [
        (b"def reference_train(x): ...", "name of the grader's own"),
        (b"the cosine is 0.9193 before", "result of the solved cell"),
        (b"and so on. The\nblock only has to\nlearn a correction to the identity: x", "answer"),
        (b"very deep networks become trainable and do not get worse with depth.", "good answer"),
    ],
)
def test_answers_results_and_the_graders_own_names_are_found(leaked: bytes, what: str) -> None:
    assert any(what in told for told in found("hw5", notes_md=leaked)), leaked


def test_a_saved_output_or_a_tagged_cell_is_found() -> None:
    book = read_editable_notebook(ROOT / "reference" / "hw5.ipynb")
    solved = make_template(book)
    chart = next(cell for cell in book.cells if cell.outputs)
    shown = replace(solved, cells=(chart,))
    tagged = replace(solved, cells=(replace(solved.cells[0], tags=("grader-only",)),))
    told = found("hw5", a_ipynb=shown.to_json().encode(), b_ipynb=tagged.to_json().encode())

    assert any("a.ipynb" in one and "saved output" in one for one in told)
    assert any("b.ipynb" in one and "tagged" in one for one in told)


def test_a_wheel_that_holds_the_course_is_found() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("reference/hw5.ipynb", "{}")
        archive.writestr("grader/x.py", "pos_pair = (embeddings[0], embeddings[1])")
    told = found("hw5", grader_whl=packed.getvalue())

    assert len(told) == 2


def test_data_of_the_course_go_along_and_only_code_and_sentences_in_them_are_leaks(
    tmp_path: Path,
) -> None:
    provided = tmp_path / "provided"
    (provided / "more").mkdir(parents=True)
    (provided / "more" / "data.csv").write_bytes(b"a,b\n0.9193,\xff\n")
    files = read_provided_files(replace(loaded("hw5"), provided=provided))
    book = read_editable_notebook(ROOT / "reference" / "hw5.ipynb")

    def leaks(data: bytes) -> int:
        given = {**files, "notes.txt": data}
        return len(
            find_leaks(
                given,
                notebook=book,
                rubric=loaded("hw5"),
                plan=ValidationPlan(),
                provided=given.keys(),
            )
        )

    assert files == {"more/data.csv": b"a,b\n0.9193,\xff\n"}
    assert (leaks(b"x"), leaks(b"pos_pair = (embeddings[0], embeddings[1])")) == (0, 1)


def test_lines_of_withheld_files_are_leaks_but_for_names_of_columns(tmp_path: Path) -> None:
    header, row = "identifier,temperature,pressure", "station-17,21.5 degrees,1013 hPa"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "hidden.csv").write_text(f"{header}\n{row}\n", encoding="utf-8")
    leaks = find_leaks(
        {"data.csv": f"{header}\n{row}\n".encode()},
        notebook=read_editable_notebook(ROOT / "reference" / "hw5.ipynb"),
        rubric=replace(loaded("hw5"), withheld=tmp_path),
        plan=ValidationPlan(),
        provided=["data.csv"],
    )

    assert [(leak.text, leak.description) for leak in leaks] == [
        (row, "hidden test (withheld/deep/hidden.csv, line 2)")
    ]


def test_what_students_are_given_anyway_is_no_leak() -> None:
    shown = b"x = x.view(x.size(0), -1); C2 = C1 + 0.5 * torch.randn(3, 32, 32)"

    assert found("hw5", notes_md=shown) == []


def test_a_file_that_is_no_wheel_of_this_program_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "other.whl"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("other/__init__.py", "")

    with pytest.raises(UsageError, match="no wheel of this program"):
        provide_wheel(place)


# ---------------------------------------------------------------- operators


def made(source: str, change: str = "") -> set[str]:
    modules = imported_modules("import torch\nimport numpy as np")
    return {e.source for e in make_edits(source, modules=modules) if change in e.change}


@pytest.mark.parametrize(
    ("source", "change", "mutant"),
    [
        ("x = self.conv(x)", "call left out", "x = (x)"),
        ("x = torch.exp(y)", "call left out", "x = (y)"),
        ("y = x.detach()", "call left out", "y = (x)"),
        ("f(a, b)", "arguments swapped", "f(b, a)"),
        ("p = (a[0], a[1])", "arguments swapped", "p = (a[1], a[0])"),
        ("f(x, dim=1)", "argument left out", "f(x)"),
        ("x = a[0]", "number changed", "x = a[1]"),
        ("x = 0.5", "number changed", "x = 1.0"),
        ("x = (a + b) * c", "operator changed", "x = ((a + b) / c)"),
        ("x = a + b", "half left out", "x = (b)"),
        ("x = -a", "sign dropped", "x = (a)"),
        ("if a < b: pass", "comparison turned", "if (a >= b): pass"),
        ("def f():\n    return x, y", "constant", "def f():\n    return 0 * (x), 0 * (y)"),
        ("a = b\nb = 2", "statements swapped", "b = 2\na = b"),
        ("x.append(1)\ny = x[0]", "statements swapped", "y = x[0]\nx.append(1)"),
        ("f(a)\ng(b)", "statements swapped", "g(b)\nf(a)"),
        ("a = next(r)\nb = next(r)", "statements swapped", "b = next(r)\na = next(r)"),
        ("x[0] = 1\ny = x", "statements swapped", "y = x\nx[0] = 1"),
        ("np.seed(0)\na = np.draw()", "statements swapped", "a = np.draw()\nnp.seed(0)"),
        ("super().f()\nself.a = 1", "statements swapped", "self.a = 1\nsuper().f()"),
        ("for _ in r:\n    step()", "statement left out", "for _ in r:\n    pass"),
        ("é = 'ü'; x = f(é, b)", "arguments swapped", "é = 'ü'; x = f(b, é)"),
    ],
)
def test_an_operator_makes_what_it_says(source: str, change: str, mutant: str) -> None:
    assert mutant in made(source, change)


def test_what_cannot_matter_is_left_as_it_is() -> None:
    assert made("import os") == set()
    assert made('"""A text."""') == set()
    assert made("!pip install torch") == set()
    assert made("%%bash\nls") == set()
    assert made("def f(:") == set()
    assert not any("pass" in one for one in made("print(1)"))
    for shown in ("plt.show()", "fig.show()", "show(block=False)"):
        assert made(shown) == set()
        assert not made(f"plt.title(a)\n{shown}", "swapped")
    assert made("show(a)")


@pytest.mark.parametrize(
    "source",
    [
        "a = [1]\nb = [2]",
        "a = x[0]\nb = x[1]",
        "a = np.zeros(2)\nb = np.ones(2)",
        "a = len(x)\nb = x[0] + sum(x)",
        "a = f(x)\nlog.append(b)",
        "x.a = 1\ny.a = 2",
    ],
)
def test_statements_that_share_nothing_that_changes_are_not_swapped(source: str) -> None:
    assert not made(source, "swapped")


@pytest.mark.parametrize("name", ALL)
def test_every_mutant_is_another_program_and_none_stands_twice(name: str) -> None:
    assignment = Assignment.from_rubric(loaded(name))
    seen = set()
    for mutant in assignment.mutants.mutants:
        told = tuple(sorted((k, ast.dump(ast.parse(v))) for k, v in mutant.sources.items()))
        assert mutant.outputs != "kept" or told not in seen or mutant.is_listed
        seen.add(told)
        for cell, source in mutant.sources.items():
            before = assignment.notebook.cell(cell)
            assert before is not None
            assert ast.dump(ast.parse(before.source)) != ast.dump(ast.parse(source))


def test_a_mutant_belongs_to_the_items_its_mark_names_else_to_those_of_its_cell() -> None:
    mutants = Assignment.from_rubric(loaded("attention")).mutants.mutants
    items = {m.before: m.items for m in mutants if not m.is_listed}

    assert items['scores = scores.masked_fill(~mask, float("-inf"))'] == ("Q3",)
    assert items["weights = torch.softmax(scores, dim=-1)"] == ("Q2", "Q3")
    assert items["return output, weights"] == ("Q2", "Q3", "Q5")


# ---------------------------------------------------------------- the assignment's files


def test_a_patch_replaces_what_stands_there_once() -> None:
    book = EditableNotebook(cells=(code("a = 1\nb = 1"),))

    assert patched_sources(book, [PatchTable(cell="c", old="a = 1", new="a = 2")], context="x") == {
        "c": "a = 2\nb = 1"
    }
    for old, cell in (("= 1", "c"), ("z", "c"), ("a", "d")):
        with pytest.raises(RubricError, match="case x"):
            patched_sources(book, [PatchTable(cell=cell, old=old, new="")], context="case x")


def course(tmp_path: Path) -> Path:
    create_assignment("tiny", title="A tiny one", root=tmp_path)
    return tmp_path


def test_a_plan_names_the_nearest_item_where_one_is_unknown(tmp_path: Path) -> None:
    root = course(tmp_path)
    place = root / "rubrics" / "tiny" / "cases" / "cases.toml"
    place.write_text('[[case]]\nname = "x"\npoints = { V2 = 1 }\n', encoding="utf-8")

    with pytest.raises(RubricError, match=r"cases.toml: there is no automatic item 'V2'.*'V1'"):
        load_assignments(root, ids=("tiny",))


def test_a_plan_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    root = course(tmp_path)
    place = root / "rubrics" / "tiny" / "mutants.toml"
    place.write_text('[[explain]]\ncell = "x"\n', encoding="utf-8")

    with pytest.raises(RubricError, match=r"mutants.toml: explain"):
        load_assignments(root, ids=("tiny",))


def test_the_explanation_in_the_page_is_one(tmp_path: Path) -> None:
    root = course(tmp_path)
    page = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(\[\[explained\]\].*?)```", page, flags=re.DOTALL)
    (root / "rubrics" / "tiny" / "mutants.toml").write_text(example, encoding="utf-8")
    (assignment,) = load_assignments(root, ids=("tiny",))

    assert "last axis" in assignment.plan.mutants.explained[0].why


def test_notebooks_beside_a_table_are_cases_too(tmp_path: Path) -> None:
    root = course(tmp_path)
    folder = root / "rubrics" / "tiny" / "cases"
    (folder / "one.ipynb").write_text((root / "reference" / "tiny.ipynb").read_text())
    (folder / "expected.csv").write_text("notebook,Q2,V1\none.ipynb,4,\n", encoding="utf-8")
    (tiny,) = load_assignments(root, ids=())

    assert tiny.plan.cases[-1].points == {"Q2": Fraction(4)}
    (folder / "expected.csv").write_text("notebook,Q2\ntwo.ipynb,4\n", encoding="utf-8")
    with pytest.raises(RubricError, match=r"no notebook 'two.ipynb'"):
        test_plan.read_plan(tiny.rubric)


# ---------------------------------------------------------------- init


def test_init_never_writes_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    made_files = create_assignment("one", title="One", root=tmp_path)

    assert (tmp_path / "README.md").read_text(encoding="utf-8") == "mine"
    assert tmp_path / "rubrics" / "one.toml" in made_files
    assert "def test_" in (tmp_path / "rubrics" / "one" / "tests.py").read_text(encoding="utf-8")
    called = (tmp_path / "rubrics" / "one.toml").read_text(encoding="utf-8")
    assert 'code = "TST001"' in called
    assert 'code = "VAL001"' in called
    with pytest.raises(UsageError, match="there already"):
        create_assignment("one", title="One", root=tmp_path)


@pytest.mark.parametrize("name", ["../x", "A b", "", "x/y", ".x", "ü"])
def test_init_refuses_names_that_are_no_names(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be a name"):
        create_assignment(name, title="x", root=tmp_path)


def test_the_first_assignment_of_a_folder_is_its_default_and_stays_it(tmp_path: Path) -> None:
    create_assignment("one", title="One", root=tmp_path)
    create_assignment("two", title="Two", root=tmp_path)

    assert rubric.find_rubric(tmp_path).stem == "one"
    assert rubric.find_rubric(tmp_path, assignment="two").stem == "two"


def test_the_first_assignment_of_this_folder_is_still_its_default() -> None:
    assert rubric.find_rubric(ROOT).stem == "hw5"
