"""The benchmark's own parts: its notebooks are distinct and whole, its arithmetic is right."""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from grading import ROOT

from benchmarks import attacks, measuring, notebooks, peer_checks, peer_nbgrader, peer_otter
from benchmarks.attack_idioms import IDIOMS
from benchmarks.measuring import Job
from benchmarks.plot import draw
from benchmarks.record import AGAIN, CLASS, Measure, Proof, Record, dumps, loads
from benchmarks.run import VARIANTS, plan
from benchmarks.run import _parser as parser
from benchmarks.table import markdown, walls
from grader.notebook import find_students, read_notebook


def measure(variant: str, *, wall: float, cpu: float, notebooks: int = 10) -> Measure:
    return Measure(
        variant=variant,
        task=CLASS,
        notebooks=notebooks,
        jobs=2,
        wall=wall,
        cpu=cpu,
        machine_cpu=cpu,
        first=1.0,
        problems=(),
    )


def record(*measures: Measure, pictures: tuple[int, ...] = (30_000, 31_000)) -> Record:
    names = [m.variant for m in measures]
    return Record(
        machine={"cores": "2"},
        explained=dict.fromkeys(names, ("runs", "nothing")),
        measures=measures,
        proofs=tuple(
            Proof(variant=name, notebooks=2, peak=500_000_000, pictures=pictures, problems=())
            for name in names
        ),
    )


def test_no_two_notebooks_are_equal_and_the_same_number_gives_the_same_one(tmp_path: Path) -> None:
    paths = notebooks.write(tmp_path / "one", count=40)
    again = notebooks.write(tmp_path / "two", count=40)

    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    assert len(set(hashes)) == 40
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]


def test_notebooks_differ_in_code_answers_and_team() -> None:
    def written(number: int, cell: str) -> str:
        cells = notebooks.notebook(number).cells
        return next(str(c.source) for c in cells if c.id == cell)

    for cell in ("data", "chart", "names", "q1-1-answer", "q2-3-4-answer"):
        assert len({written(number, cell) for number in range(20)}) == 20
    trained = {written(number, "train").partition("\n")[2] for number in range(20)}
    assert len(trained) > 10


def test_the_grader_knows_whose_a_notebook_is(tmp_path: Path) -> None:
    paths = notebooks.write(tmp_path, count=2, first=30)

    assert [len(find_students(read_notebook(path))) for path in paths] == [1, 1]


def test_a_notebook_compiles_installs_nothing_and_holds_no_solution_marks() -> None:
    for number in (0, 7, 999):
        book = notebooks.notebook(number, proof=True)
        nbformat.validate(book)
        code = "\n".join(c.source for c in book.cells if c.cell_type == "code")
        ast.parse(code)
        assert "SOLUTION" not in code
        assert "import torchvision" not in code
        assert not any(line.startswith("!") for line in code.split("\n"))
        assert not any("grader-only" in c.metadata.get("tags", []) for c in book.cells)


def test_names_that_the_peers_checks_read_are_in_every_notebook() -> None:
    read = {"images", "encoder", "initial_embeddings", "trained_embeddings", "torch", "F"}
    own = {"n", "scale", "made", "rows", "similar", "close", "far", "one", "i", "info_nce"}
    for source in peer_checks.CHECKS.values():
        names = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
        assert names <= read | own | {"tuple", "sum"}
    for number in range(20):
        code = "\n".join(c.source for c in notebooks.notebook(number).cells)
        assert all(name in code for name in read)


def test_both_peers_are_given_every_check() -> None:
    files = peer_otter.test_files(proof=False)
    cells = peer_nbgrader.with_checks(notebooks.notebook(0)).cells[-len(peer_checks.CHECKS) :]

    assert [f"{name}.py" for name in peer_checks.CHECKS] == list(files)
    assert [cell.source for cell in cells] == list(peer_checks.CHECKS.values())
    for name, source in files.items():
        compile(source, name, "exec")


def test_a_picture_is_counted_by_its_bytes_and_text_is_none() -> None:
    shown = nbformat.v4.new_output("display_data", data={"image/png": "iVBORw0KGgo" + "A" * 29})
    told = nbformat.v4.new_output("display_data", data={"text/plain": "<Figure size 800x600>"})
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("", outputs=[shown]), nbformat.v4.new_code_cell("")]
    )

    assert notebooks.picture_sizes(book) == [30]
    book.cells[0].outputs = [told]
    assert notebooks.picture_sizes(book) == []


def test_proc_files_are_read_as_bytes_and_seconds() -> None:
    tick = measuring.busy_seconds("cpu 1 0 0 0 0 0 0 0 0 0")

    assert measuring.pss_of("Rss: 900 kB\nPss: 250 kB\nPss_Anon: 200 kB\n") == 256_000
    assert measuring.busy_seconds("cpu 100 10 50 9999 77 3 7 500 0 0") == pytest.approx(170 * tick)


def measured_elsewhere(job: Job) -> dict[str, Any]:
    """Measure a job from a process of its own, which adopts orphans and waits for all children."""
    program = (
        "import dataclasses, json, pathlib, sys\n"
        "from benchmarks import measuring\n"
        "measuring.PATIENCE = 60\n"
        "words = json.loads(sys.argv[1])\n"
        "paths = {name: pathlib.Path(words[name]) for name in ('cwd', 'folder')}\n"
        "usage = measuring.measured(measuring.Job(**{**words, **paths}))\n"
        "print(json.dumps(dataclasses.asdict(usage)))\n"
    )
    words = json.dumps(dataclasses.asdict(job), default=str)
    done = subprocess.run(
        [sys.executable, "-c", program, words], check=True, capture_output=True, cwd=ROOT
    )
    usage: dict[str, Any] = json.loads(done.stdout)
    return usage


@pytest.mark.skipif(sys.platform != "linux", reason="counts by /proc")
def test_cpu_of_a_grandchild_that_outlives_its_parent_is_counted(tmp_path: Path) -> None:
    burn = "import time; e = time.process_time() + 0.4\nwhile time.process_time() < e: pass"
    orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
    job = Job(
        commands=((sys.executable, "-c", orphan), (sys.executable, "-c", "open('done', 'w')")),
        cwd=tmp_path,
        environment={},
        folder=tmp_path,
        results="done",
    )

    usage = measured_elsewhere(job)

    assert usage["codes"] == [0, 0]
    assert usage["cpu"] > 0.4
    assert usage["orphans"] == 0
    assert usage["first"] <= usage["wall"]


def test_the_table_shows_ratios_of_seconds_a_notebook() -> None:
    peer = measure("nbgrader", wall=32.0, cpu=28.0, notebooks=4)
    page = markdown(
        record(measure("ours", wall=2.0, cpu=4.0), measure("floor", wall=2, cpu=2), peer)
    )

    line = next(line for line in page.split("\n") if line.startswith("| nbgrader"))
    assert line == "| nbgrader | 4 | 8.00 | 40 | 7.00 | 35 | 1.0 | 500 | yes |"


def test_a_start_is_shared_by_the_class_where_few_notebooks_were_run() -> None:
    peer = replace(measure("nbgrader", wall=34.0, cpu=28.0, notebooks=4), start_wall=4.0)
    page = markdown(record(measure("ours", wall=8.0, cpu=8.0, notebooks=40), peer))

    assert "| nbgrader | 4 | 7.60 | 38 | 7.00 |" in page


def test_rounds_are_summed_up_by_their_median() -> None:
    runs = [measure("ours", wall=wall, cpu=wall) for wall in (1.0, 9.0, 2.0)]

    page = markdown(record(*runs))

    assert "| ours | 10 x 3 | 0.20 |" in page


def test_a_missing_figure_a_problem_or_a_busy_machine_forbids_trust() -> None:
    right = record(measure("ours", wall=1.0, cpu=1.0))
    busy = replace(right.measures[0], machine_cpu=9.0)
    not_alone = replace(right.measures[0], background=0.5)
    wrong = replace(right.measures[0], problems=("student00001: lost points",))

    assert right.problems() == []
    assert "Not to be trusted" not in markdown(right)
    for doubtful in (
        record(*right.measures, pictures=(30_000, 0)),
        record(*right.measures, pictures=(30_000,)),
        record(busy),
        record(not_alone),
        record(wrong),
    ):
        assert len(doubtful.problems()) == 1
        assert "Not to be trusted" in markdown(doubtful)


def test_grading_again_and_other_sizes_have_lines_of_their_own() -> None:
    first = measure("ours", wall=2.0, cpu=4.0)
    again = replace(first, task=AGAIN, wall=0.5)
    larger = replace(first, notebooks=200, wall=30.0)

    page = markdown(record(first, again, larger))

    assert (
        "Each further notebook (a class of 200 less a class of 10), our start paid: 0.15 s" in page
    )
    assert "| again, unchanged | 10 | 2 | 0.5 |" in page
    assert "| a folder | 200 | 2 | 30.0 | 0.150 |" in page
    assert "| ours | 10 | 0.20 |" in page


def test_a_record_survives_its_json() -> None:
    kept = record(measure("ours", wall=1.0, cpu=1.0), measure("floor", wall=1.0, cpu=0.5))

    assert loads(dumps(kept)) == kept


def test_the_figure_is_drawn(tmp_path: Path) -> None:
    draw(
        record(measure("ours", wall=1, cpu=1), measure("otter", wall=9, cpu=9)), path=tmp_path / "f"
    )

    assert "<svg" in (tmp_path / "f").read_text(encoding="utf-8")


def test_quick_is_short_and_full_is_a_thousand() -> None:
    quick, full = (plan(parser().parse_args([word])) for word in ("--quick", "--full"))

    assert (quick.rounds, quick.sizes, quick.widths) == (1, (), ())
    assert max(full.sizes) == 1000


def test_every_attack_on_peers_has_one_of_ours_for_the_same_rows() -> None:
    tree = (Path(__file__).parent / "attacks").glob("attacks_*.py")
    names = "".join(path.read_text(encoding="utf-8") for path in tree)

    assert [i.ours for i in IDIOMS if f'name="{i.ours}"' not in names] == []
    assert len({i.ours for i in IDIOMS}) == len(IDIOMS)
    for idiom in IDIOMS:
        for code in (idiom.nbgrader, idiom.otter):
            ast.parse(code or "")


def test_the_table_of_attacks_says_what_was_not_run() -> None:
    page = attacks.table({"exits": {"otter": {"outcome": "lost the run", "seen": "no grade"}}})

    (line,) = (line for line in page.splitlines() if "the process ends itself" in line)
    assert line.endswith("| not run | lost the run | not run |")


def test_each_variant_says_what_it_does_and_what_it_leaves_out() -> None:
    assert len({v.name for v in VARIANTS}) == len(VARIANTS)
    assert all(v.does and v.leaves_out for v in VARIANTS)


def test_what_the_walls_add_is_told_against_a_room_without_any() -> None:
    measured = replace(record(measure("ours", wall=1, cpu=1)), walls={"none": 90.0, "full": 96.4})

    assert walls(measured) == (
        "What walls add to the 90 ms of a room with one small cell: +6.4 ms at `full`."
    )
    assert walls(record(measure("ours", wall=1, cpu=1))) == ""
    assert loads(dumps(measured)) == measured
