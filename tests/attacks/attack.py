"""What an attack is: what it tries, where it is put, and at which levels of isolation it must fail.

Levels, from the strongest: `full` (namespaces, Landlock, seccomp), `namespaces` (no kernel filter),
`reduced` (Landlock and seccomp alone), `none`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from levels import LEVELS, Level

EVERYWHERE: frozenset[Level] = frozenset(LEVELS)
"""The design alone holds, with no isolation at all."""
WALLED: frozenset[Level] = frozenset({"reduced", "namespaces", "full"})
"""Any wall holds."""
SEPARATED: frozenset[Level] = frozenset({"namespaces", "full"})
"""Needs namespaces: a documented gap without them."""
FILTERED: frozenset[Level] = frozenset({"reduced", "full"})
"""Needs the kernel filter: a documented gap without it."""

Where = Literal["first", "encoder", "last"]
"""Before everything; right after the encoder's cell; after everything."""
Base = Literal["zeros", "still", "raises"]
"""The wrong solution an attack wants points for: see `bases.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One notebook that is out to gain something."""

    rows: tuple[int, ...]
    """Rows of the table of attacks, 1 to 60."""
    name: str
    tries: str
    """One sentence."""
    code: str
    where: Where = "first"
    base: Base = "zeros"
    holds_at: frozenset[Level] = EVERYWHERE
    costs: Mapping[str, float] = field(default_factory=dict)
    """Points left of items that the attack breaks for itself, and rightly so."""
    concedes: Mapping[str, float] = field(default_factory=dict)
    """Points it does gain, since they are taken on the notebook's word: `docs/security.md`."""
    waits_at: frozenset[Level] = frozenset()
    """Levels at which its cell looks like one that a wall of ours broke: a person decides."""
    remains: str = ""
    """What it does gain that is no points, and why that is let pass."""
    known: str = ""
    """A fault of ours that lets it through at every level, until it is mended."""
    tells: bool = False
    """Whether it makes attempts and ends by raising what came of them."""
    alone: bool = False
    """Where it is not held it would take others' grades with it: run apart, and only where held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseAttack:
    """A name of a notebook that is out to pass a test of the course's own which it fails.

    `ANSWER` stands in code and tests for the attack's own name.
    """

    name: str
    tries: str
    """One sentence."""
    code: str
    """What the notebook has."""
    honest: str = "def ANSWER(n):\n    return [i * i for i in range(1, n + 1)]\n"
    """What the reference has."""
    test: str = "def test_ANSWER(ANSWER):\n    assert ANSWER(3) == [1, 4, 9]\n"

    def written(self, text: str) -> str:
        """Return a text with the attack's own name in it."""
        return text.replace("ANSWER", self.answer)

    @property
    def answer(self) -> str:
        """The name in the notebook."""
        return self.name.replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A row that no notebook carries: tests elsewhere hold it, or it does not apply."""

    row: int
    what: str
    tests: tuple[str, ...] = ()
    """Each as `file.py::test`, in `tests/`."""
    reason: str = ""
    """Why there is nothing to test."""
