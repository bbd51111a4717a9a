"""What to import ahead of notebooks: learned from the reference's run, kept for each environment.

A torch notebook spends nearly all of its time on imports, many of them hidden: the first optimizer
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

from grader.kernel import LiveNotebook
from grader.model import Notebook, Question, Rubric
from grader.notebook.student_code import parse_source
from grader.sandbox import Environment, ForkServer, PreloadResult

SCHEMA = 1
MODULES = Question(id="modules", kind="modules")
MAX_MODULES = 20_000
"""Modules that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCache:
    """One file of a cache: the modules for one environment and one reference."""

    path: Path

    @classmethod
    def for_rubric(cls, rubric: Rubric, *, environment: Environment, cache: Path) -> ModuleCache:
        """The memory of an assignment in an environment; another one has another file."""
        reference = hashlib.sha256(rubric.reference.read_bytes()).hexdigest()
        fingerprint = f"{SCHEMA} {environment.python} {environment.fingerprint} {reference}"
        name = hashlib.sha256(fingerprint.encode()).hexdigest()[:32]
        return cls(path=cache / "modules" / f"{name}.json")

    def load(self) -> tuple[str, ...]:
        """The modules; none where there is no file, or one that can't be used."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            names = stored["modules"]
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        return _module_names(names)

    def save(self, modules: Sequence[str]) -> None:
        """Remember; a cache that can't be written is none."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".part-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"modules": list(modules)}, file)
            Path(temporary).replace(self.path)
        except OSError:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class PreloadRun:
    """How importing ahead goes, over the two times it may take."""

    fork_server: ForkServer
    cache: ModuleCache
    cached: tuple[str, ...]
    first: PreloadResult

    def learn_modules(self, reference: LiveNotebook) -> PreloadResult:
        """Import what the reference was seen to import, unless that was known; how it all went."""
        if self.cached or self.first.cold_reason:
            return self.first
        observation = reference.ask((MODULES,))[MODULES.id]
        learned = _module_names(observation.data.get("modules"))
        if not learned:
            return self.first
        preloaded = self.fork_server.preload(learned)
        if not preloaded.cold_reason:
            self.cache.save([name for name in learned if name not in preloaded.left_out])
        return preloaded


def start_preload(
    fork_server: ForkServer,
    cache: ModuleCache,
    *,
    reference: Notebook,
    optional_imports: Sequence[str],
) -> PreloadRun:
    """Import what is known to be needed: remembered, or else what the reference's code names.

    Args:
        fork_server: who imports.
        cache: where the modules of an earlier run are kept.
        reference: the solved notebook.
        optional_imports: packages that notebooks import where there are any; never imported ahead by name.
    """
    cached = cache.load()
    first = fork_server.preload(
        cached or named_imports(reference, optional_imports=optional_imports)
    )
    return PreloadRun(fork_server=fork_server, cache=cache, cached=cached, first=first)


def named_imports(notebook: Notebook, *, optional_imports: Sequence[str]) -> tuple[str, ...]:
    """The modules that a notebook's code names in import statements, in order."""
    names: dict[str, None] = {}
    for cell in notebook.code_cells():
        tree = parse_source(cell.source)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names[node.module] = None
    return tuple(name for name in names if name.partition(".")[0] not in optional_imports)


def _module_names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value[:MAX_MODULES] if isinstance(name, str))


def preload_notes(preloaded: PreloadResult) -> tuple[str, ...]:
    """What to tell the person at the keyboard: only what is not as it should be."""
    messages = []
    if preloaded.cold_reason:
        messages.append(f"kernels start cold, which takes seconds each: {preloaded.cold_reason}")
    if preloaded.left_out:
        names = ", ".join(f"{name} ({why})" for name, why in sorted(preloaded.left_out.items()))
        messages.append(f"not imported ahead: {names}")
    return tuple(messages)
