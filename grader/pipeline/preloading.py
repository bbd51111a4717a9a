"""What to import ahead of notebooks: learned from the reference's run, kept for each environment.

A torch notebook spends nearly all of its time on imports, many of them hidden: the first optimiser
step alone imports a thousand modules. So the reference is run, and what it left in `sys.modules`
is what the parent of all kernels imports next time, before it forks any.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.kernel import Live
from grader.model import Notebook, Question, Rubric
from grader.notebook.student_code import parsed
from grader.sandbox import Environment, Parent, Preloaded

SCHEMA = 1
MODULES = Question(id="modules", kind="modules")
MOST = 20_000
"""Modules that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """One file of a cache: the modules for one environment and one reference."""

    place: Path

    @classmethod
    def of(cls, rubric: Rubric, *, environment: Environment, cache: Path) -> Memory:
        """The memory of an assignment in an environment; another one has another file."""
        reference = hashlib.sha256(rubric.reference.read_bytes()).hexdigest()
        made_of = f"{SCHEMA} {environment.python} {environment.fingerprint} {reference}"
        name = hashlib.sha256(made_of.encode()).hexdigest()[:32]
        return cls(place=cache / "modules" / f"{name}.json")

    def recall(self) -> tuple[str, ...]:
        """The modules; none where there is no file, or one that can't be used."""
        try:
            kept = json.loads(self.place.read_text(encoding="utf-8"))
            names = kept["modules"]
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        return _names(names)

    def keep(self, modules: Sequence[str]) -> None:
        """Remember; a cache that can't be written is none."""
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, beside = tempfile.mkstemp(dir=self.place.parent, prefix=".part-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"modules": list(modules)}, file)
            Path(beside).replace(self.place)
        except OSError:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmth:
    """How importing ahead goes, over the two times it may take."""

    parent: Parent
    memory: Memory
    recalled: tuple[str, ...]
    first: Preloaded

    def learn(self, reference: Live) -> Preloaded:
        """Import what the reference was seen to import, unless that was known; how it all went."""
        if self.recalled or self.first.cold:
            return self.first
        answer = reference.ask((MODULES,))[MODULES.id]
        learned = _names(answer.data.get("modules"))
        if not learned:
            return self.first
        warmed = self.parent.preload(learned)
        if not warmed.cold:
            self.memory.keep([name for name in learned if name not in warmed.left_out])
        return warmed


def begin(parent: Parent, memory: Memory, *, reference: Notebook, apart: Sequence[str]) -> Warmth:
    """Import what is known to be needed: remembered, or else what the reference's code names.

    Args:
        parent: who imports.
        memory: where the modules of an earlier run are kept.
        reference: the solved notebook.
        apart: packages that notebooks import where there are any; never imported ahead by name.
    """
    recalled = memory.recall()
    first = parent.preload(recalled or imported_by(reference, apart=apart))
    return Warmth(parent=parent, memory=memory, recalled=recalled, first=first)


def imported_by(notebook: Notebook, *, apart: Sequence[str]) -> tuple[str, ...]:
    """The modules that a notebook's code names in import statements, in order."""
    names: dict[str, None] = {}
    for cell in notebook.code():
        tree = parsed(cell.source)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names[node.module] = None
    return tuple(name for name in names if name.partition(".")[0] not in apart)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value[:MOST] if isinstance(name, str))


def notes(warmed: Preloaded) -> tuple[str, ...]:
    """What to tell the person at the keyboard: only what is not as it should be."""
    told = []
    if warmed.cold:
        told.append(f"kernels start cold, which takes seconds each: {warmed.cold}")
    if warmed.left_out:
        names = ", ".join(f"{name} ({why})" for name, why in sorted(warmed.left_out.items()))
        told.append(f"not imported ahead: {names}")
    return tuple(told)
