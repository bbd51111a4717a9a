"""Makes the same attacks on nbgrader, on otter-grader and on us, and writes what was seen.

python -m benchmarks.attacks                       all three, about fifteen minutes
python -m benchmarks.attacks --only otter          one of them; the others' cells are kept

Nothing is isolated but what a grader isolates itself; otter's container (`otter grade`) is not
used. A cell says what was seen in this run: *points gained*, *leaked*, *survived* (a process or a
file outlived the run), *lost the run* (no grade at all), *held*, or *not applicable*.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks.attack_idioms import IDIOMS, Idiom
from benchmarks.attack_ours import ours
from benchmarks.attack_peers import Peer, Seen, nbgrader, otter
from benchmarks.peer_nbgrader import PACKAGE as NBGRADER
from benchmarks.peer_otter import PACKAGE as OTTER

RESULTS = Path(__file__).parent / "results"
GRADERS = ("nbgrader", "otter", "ours")
Cells = dict[str, dict[str, dict[str, str]]]
"""By attack, then by grader: outcome and what was seen."""


def main() -> int:
    """Run, and write the record and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--only", choices=GRADERS, action="append")
    parser.add_argument("--attack", metavar="NAME", action="append", help="as named in docs")
    told = parser.parse_args()
    chosen = [one for one in IDIOMS if not told.attack or one.ours in told.attack]
    cells = _kept()
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        for name in told.only or GRADERS:
            for idiom, seen in _made(name, Path(folder), chosen).items():
                cell = {"outcome": seen.outcome, "seen": seen.what, "isolation": seen.isolation}
                cells.setdefault(idiom, {})[name] = {
                    key: word for key, word in cell.items() if word
                }
                _write(cells)
    return 0


class _Plain(argparse.RawDescriptionHelpFormatter):
    """Leaves the description's lines as they are."""


def _made(name: str, folder: Path, chosen: list[Idiom]) -> Mapping[str, Seen]:
    if name == "ours":
        return ours(folder / name, chosen)
    peers: Mapping[str, Callable[[Path], Peer]] = {"nbgrader": nbgrader, "otter": otter}
    return _Attacked(peers[name](folder / name), chosen)


class _Attacked(dict[str, Seen]):
    """A peer's cells, attack by attack, said as they come."""

    def __init__(self, peer: Peer, chosen: list[Idiom]) -> None:
        super().__init__()
        deserved = peer.deserved()
        sys.stdout.write(f"{peer.name}: {deserved:g} points without an attack\n")
        for idiom in chosen:
            self[idiom.ours] = seen = peer.attacked(idiom, deserved=deserved)
            sys.stdout.write(f"{peer.name}: {idiom.tries}: {seen.outcome} ({seen.what})\n")
            sys.stdout.flush()


def _kept() -> Cells:
    place = RESULTS / "attacks.json"
    if not place.is_file():
        return {}
    attacks = json.loads(place.read_text(encoding="utf-8"))["attacks"]
    return {one["name"]: one["graders"] for one in attacks}


def _write(cells: Cells) -> None:
    record = {
        "graders": {"nbgrader": NBGRADER, "otter": OTTER, "ours": version("notebook-grader")},
        "attacks": [
            {
                "rows": idiom.rows,
                "name": idiom.ours,
                "tries": idiom.tries,
                "graders": cells.get(idiom.ours, {}),
            }
            for idiom in IDIOMS
        ],
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (RESULTS / "attacks.json").write_text(text, encoding="utf-8")
    (RESULTS / "attacks.md").write_text(table(cells), encoding="utf-8")


def table(cells: Cells) -> str:
    """The outcomes, side by side."""
    head = [
        "# The same attacks on three graders",
        "",
        f"Made by `make attacks`: {NBGRADER}, {OTTER} (`otter run`, no container) and this grader",
        f"as it runs by default ({_isolation(cells)}).",
        "What the words mean is in the [README](../README.md), what each cell rests on in",
        "`attacks.json`; rows are those of [the corpus](../../docs/attacks.md).",
        "",
        "| row | attack | nbgrader | otter | this grader |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines = [
        f"| {', '.join(map(str, idiom.rows))} | {idiom.tries} | "
        + " | ".join(_outcome(cells, idiom, grader) for grader in GRADERS)
        + " |"
        for idiom in IDIOMS
    ]
    return "\n".join([*head, *lines]) + "\n"


def _isolation(cells: Cells) -> str:
    """What our results said of it, in the run that made them."""
    said = {cell["ours"].get("isolation", "") for cell in cells.values() if "ours" in cell}
    return "; ".join(sorted(said - {""})) or "not run"


def _outcome(cells: Cells, idiom: Idiom, grader: str) -> str:
    return cells.get(idiom.ours, {}).get(grader, {}).get("outcome", "not run")


if __name__ == "__main__":
    sys.exit(main())
