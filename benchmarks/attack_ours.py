"""The attacks of `tests/attacks/` on our own command, as cells of the table."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.attack_idioms import Idiom
from benchmarks.attack_peers import Seen
from benchmarks.notebooks import ROOT

if TYPE_CHECKING:
    from attack import Attack
    from scene import Aftermath

SOURCES = (ROOT / "tests" / "attacks", ROOT / "tests")


def ours(folder: Path, idioms: Sequence[Idiom]) -> Mapping[str, Seen]:
    """One run of the command over all of them, with what is on by default."""
    sys.path[:0] = [str(source) for source in SOURCES]
    import scene  # noqa: PLC0415 -- from the folder that was just named
    from corpus import ATTACKS  # noqa: PLC0415 -- the same

    wanted = [idiom.ours for idiom in idioms]
    attacks = [attack for attack in ATTACKS if attack.name in wanted]
    folder.mkdir(parents=True)
    with scene.staged(folder) as stage:
        after = scene.run(stage, attacks, options=())
        found = {attack.name: _seen(attack, after) for attack in attacks}
    for name, seen in found.items():
        sys.stdout.write(f"ours: {name}: {seen.outcome} ({seen.what})\n")
    return found


def _seen(attack: Attack, after: Aftermath) -> Seen:
    name = after.names[attack.name]
    result = after.result(name)
    made = result["provenance"]
    outcome, what = _outcome(attack, after, result)
    return Seen(outcome=outcome, what=what, isolation=str(made.get("isolation", "")))


def _outcome(attack: Attack, after: Aftermath, result: Mapping[str, Any]) -> tuple[str, str]:
    from scene import plain_name  # noqa: PLC0415 -- as above
    from verdicts import not_held  # noqa: PLC0415 -- as above

    name = after.names[attack.name]
    if result["status"] == "ungradable":
        return "lost the run", str(result["reason"])
    if got := not_held(attack, after):
        return _word(got), "; ".join(sorted({_briefly(word) for word in got}))
    if after.left.get(str(after.scene.world(name, _number(name))["marker"])):
        return "survived", "a process was still running"
    plain, earned = after.points(plain_name(attack.base)), after.points(name)
    more = sum(points or 0 for points in earned.values()) - sum(p or 0 for p in plain.values())
    told = f"{more:+g} points against the same solution without it"
    return ("points gained" if more > 0 else "held"), told


def _briefly(word: str) -> str:
    """Without paths and without what was read."""
    return "left a file outside" if word.startswith("left") else word.partition(":")[0]


def _word(got: Sequence[str]) -> str:
    """Whoever can write to the gradebook has what points they like."""
    if any("gradebook" in word for word in got):
        return "points gained"
    return "survived" if all(word.startswith("left") for word in got) else "leaked"


def _number(name: str) -> int:
    """The place of an attack among those of its run, which is in its submission's name."""
    return int(name[1:3])
