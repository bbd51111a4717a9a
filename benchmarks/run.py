"""Measures all variants in one run on one machine, and writes table, figure and record.

python -m benchmarks.run             about ten minutes, the first time more: it installs peers
python -m benchmarks.run --quick     few notebooks, one round: whether everything still works
python -m benchmarks.run --full      classes of up to 1,000 notebooks
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from benchmarks import notebooks
from benchmarks.bare_nbclient import BareNbclient
from benchmarks.environments import environment
from benchmarks.floor import Floor
from benchmarks.measuring import Job, measured, weighed
from benchmarks.ours import Ours
from benchmarks.peer_nbgrader import PACKAGE as NBGRADER
from benchmarks.peer_nbgrader import Nbgrader
from benchmarks.peer_otter import PACKAGE as OTTER
from benchmarks.peer_otter import Otter
from benchmarks.plot import draw
from benchmarks.record import AGAIN, CLASS, JUDGED, Measure, Proof, Record, dumps
from benchmarks.table import further, markdown, terminal, terminal_curve, walls
from benchmarks.variant import Order, Variant
from benchmarks.walls import cost
from grader.settings import count_usable_cores

RESULTS = Path(__file__).parent / "results"
OURS = Ours()
VARIANTS: tuple[Variant, ...] = (
    OURS,
    Ours("ours -j 1", jobs=1),
    Floor(),
    BareNbclient(),
    Nbgrader(),
    Otter(),
)
FAST = frozenset({"ours", "ours -j 1", "floor"})
"""Variants that take a whole class in the time the others take for a few notebooks."""
WIDTHS = (1, 2, 4)
SHORT, FULL = (10,), (10, 200, 1000)
"""Sizes of class beside the one that the table is about."""
ROOMS = 40
"""Rooms at each level of isolation, to see what the walls cost."""
PROVEN = 4
"""Notebooks in the untimed pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured."""

    only: frozenset[str]
    rounds: int
    count: int
    """Notebooks for the fast variants."""
    few: int
    """Notebooks for those that take seconds each."""
    sizes: tuple[int, ...]
    widths: tuple[int, ...]


@dataclass(slots=True)
class Bench:
    """One run of the benchmark: a folder for its files, and what was found so far."""

    folder: Path
    say: Callable[[str], None]
    measures: list[Measure] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)

    def order(self, *, count: int, jobs: int | None = None, proof: bool = False) -> Order:
        """Notebooks of that number, made once, and a new folder to grade them to."""
        books = self.folder / f"{'proof' if proof else 'class'}-{count}"
        if not books.is_dir():
            notebooks.write(books, count=count, proof=proof)
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self.folder))
        home = self.folder / "home"
        own = environment(home, python=Path(sys.executable))
        return Order(books=books, out=out, environment=own, jobs=jobs, proof=proof)

    def prove(self, variant: Variant, *, count: int) -> None:
        """The untimed pass: memory, figures, and caches filled for the timed ones."""
        order = self.order(count=count, proof=variant.name != "floor")
        peak = weighed(variant.job(order))
        proof = Proof(
            variant=variant.name,
            notebooks=count,
            peak=peak,
            pictures=tuple(variant.pictures(order) or ()),
            problems=tuple(variant.problems(order)),
        )
        self.proofs.append(proof)
        self.say(f"{variant.name}: {peak / 1e6:.0f} MB, figures of {proof.pictures} bytes")

    def time(self, variant: Variant, *, count: int, jobs: int | None = None) -> Order:
        """A timed run of a class."""
        order = self.order(count=count, jobs=jobs)
        self._time(variant, order, task=CLASS)
        return order

    def again(self, variant: Variant, order: Order) -> None:
        """A timed run into a folder that holds the results already."""
        self._time(variant, order, task=AGAIN)

    def judged(self, order: Order) -> None:
        """A timed `grade again`: judging and rendering from stored observations."""
        self._time(OURS, order, task=JUDGED, job=OURS.judging(order))

    def _time(self, variant: Variant, order: Order, *, task: str, job: Job | None = None) -> None:
        job = job or variant.job(order)
        usage = variant.usage(order, usage=measured(job))
        start = measured(replace(job, commands=(job.start,))) if job.start else None
        count = len(order.notebooks())
        problems = list(variant.problems(order))
        if any(usage.codes):
            problems.append(f"exit codes {usage.codes}")
        if usage.orphans:
            problems.append(f"left {usage.orphans} processes behind")
        made = Measure(
            variant=variant.name,
            task=task,
            notebooks=count,
            jobs=order.jobs or jobs_of(variant),
            wall=usage.wall,
            cpu=usage.cpu,
            machine_cpu=usage.machine_cpu,
            background=usage.background,
            first=usage.first if task == CLASS else None,
            problems=tuple(problems),
            start_wall=start.wall if start else 0.0,
            start_cpu=start.cpu if start else 0.0,
        )
        self.measures.append(made)
        self.say(
            f"{variant.name}, {task} of {count}, -j {made.jobs}: {usage.wall:.1f} s, "
            f"{usage.wall / count:.3f} s and {usage.cpu / count:.3f} CPU s a notebook"
        )


def jobs_of(variant: Variant) -> int:
    """Notebooks at once when nothing else is said: only ours does more than one."""
    if isinstance(variant, Ours):
        return variant.jobs or count_usable_cores()
    return 1


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, write; the exit code is 1 if a figure is not to be trusted."""
    asked = _parser().parse_args(words)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(folder=Path(folder).resolve(), say=console.print)
        run(bench, plan=plan(asked))
    layers = cost(rounds=ROOMS) if "ours" in {m.variant for m in bench.measures} else {}
    record = Record(
        machine=machine(),
        explained={v.name: (v.does, v.leaves_out) for v in VARIANTS},
        measures=tuple(bench.measures),
        proofs=tuple(bench.proofs),
        walls=layers,
    )
    console.print(terminal(record))
    if record.of("ours"):
        console.print(terminal_curve(record))
        console.print(further(record), markup=False)
        console.print(walls(record), markup=False)
    for line in record.problems():
        console.print(f"Not to be trusted: {line}", markup=False)
    write(record, folder=asked.results, copy=asked.json)
    return 1 if record.problems() else 0


def run(bench: Bench, *, plan: Plan) -> None:
    """The untimed pass of each variant, the rounds with variants in turn, then the curves."""
    chosen = [v for v in VARIANTS if not plan.only or v.name in plan.only]
    counts = {v.name: plan.count if v.name in FAST else plan.few for v in chosen}
    for variant in chosen:
        bench.prove(variant, count=min(PROVEN, counts[variant.name]))
    last: Order | None = None
    for _ in range(plan.rounds):
        for variant in chosen:
            order = bench.time(variant, count=counts[variant.name])
            last = order if variant.name == "ours" else last
    if last is not None:
        curves(bench, VARIANTS[0], plan=plan, graded=last)


def curves(bench: Bench, ours: Variant, *, plan: Plan, graded: Order) -> None:
    """Our own command again on the same folder, and on others, and wider."""
    bench.again(ours, graded)
    bench.judged(graded)
    known = {(m.notebooks, m.jobs) for m in bench.measures if m.variant.startswith("ours")}
    wanted = [(plan.count, jobs) for jobs in plan.widths]
    wanted += [(count, jobs_of(ours)) for count in plan.sizes]
    for count, jobs in wanted:
        if (count, jobs) not in known:
            larger = bench.time(ours, count=count, jobs=jobs)
            if count > plan.count:
                bench.judged(larger)


def plan(asked: argparse.Namespace) -> Plan:
    """How much to measure, from the words on the command line."""
    quick = bool(asked.quick)
    return Plan(
        only=frozenset(asked.only),
        rounds=asked.rounds or (1 if quick else 3),
        count=asked.count or (8 if quick else 40),
        few=asked.few or (2 if quick else 4),
        sizes=() if quick else FULL if asked.full else SHORT,
        widths=() if quick else WIDTHS,
    )


def machine() -> dict[str, str]:
    """What the figures depend on, without a name or a date."""
    found = {"cores": str(count_usable_cores()), "Python": platform.python_version()}
    found |= {name: version(name) for name in ("torch", "nbclient", "ipykernel")}
    return found | dict(package.split("==") for package in (NBGRADER, OTTER))


def write(record: Record, *, folder: Path, copy: Path | None) -> None:
    """The record as JSON, page and figure."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.json").write_text(dumps(record), encoding="utf-8")
    (folder / "latest.md").write_text(markdown(record), encoding="utf-8")
    (folder / "latest.svg").unlink(missing_ok=True)
    if record.of("ours"):
        draw(record, path=folder / "latest.svg")
    if copy is not None:
        copy.write_text(dumps(record), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    names: Iterable[str] = (v.name for v in VARIANTS)
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few notebooks, one round")
    parser.add_argument("--full", action="store_true", help="classes of up to 1,000 notebooks")
    parser.add_argument("--only", nargs="+", default=[], choices=list(names), metavar="VARIANT")
    parser.add_argument("--rounds", type=int, help="timed runs of each variant (3)")
    parser.add_argument("--count", type=int, help="notebooks for ours and the floor (40)")
    parser.add_argument("--few", type=int, help="notebooks for nbclient and the peers (4)")
    parser.add_argument("--json", type=Path, help="write the record here, too")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
