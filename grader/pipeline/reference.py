"""The reference: the solved notebook, run once and kept live to answer counter-questions.

Its run also teaches what to import ahead. A torch notebook spends nearly all of its time on
imports, many of them hidden: the first optimizer step alone imports a thousand modules. So what the
reference left in `sys.modules` is imported by the fork server next time, before it forks kernels.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from grader import kernel
from grader.errors import RubricError
from grader.folder import write_atomically
from grader.kernel.module_survey import ModuleSurvey
from grader.model import CellStatus, Limits, Notebook, Observation, Question, Rubric
from grader.notebook import is_blank
from grader.notebook.student_code import parse_source
from grader.sandbox import Environment, ForkServer, PreloadResult

TIME_FACTOR = 5
"""The reference has this many times a student's time: it may be the first to run, and cold."""
MAX_CACHED = 512
"""Answers that are cached: most of a class begins at the same weights and asks the same."""
SCHEMA = 1
MODULES = Question(id="modules", kind="modules")
MAX_MODULES = 20_000
"""Modules of one reference that are cached."""


def blank_cells(notebook: Notebook) -> frozenset[int]:
    """Return the indexes of code cells with nothing to run."""
    return frozenset(cell.index for cell in notebook.code_cells() if is_blank(cell))


class Reference:
    """A live solved notebook; any thread may ask it, one batch at a time.

    Questions are known by their content, so none is asked twice.

    Raises:
        RubricError: it does not run.
    """

    def __init__(self, rubric: Rubric, *, notebook: Notebook, setup: kernel.KernelSetup) -> None:
        self.notebook = notebook
        self._rubric = rubric
        self._setup = replace(setup, trusted=True, limits=_relaxed_limits(setup.limits))
        self._lock = Lock()
        self._resources = ExitStack()
        self._answers: OrderedDict[str, Observation] = OrderedDict()
        self._start()

    def _start(self) -> None:
        self._generation = self._setup.fork_server.generation
        self.live = self._resources.enter_context(kernel.start_kernel(self._setup))
        record = self.live.run(self.notebook.code_cells(), blank=blank_cells(self.notebook))
        failed = [r for r in record.cells if r.status not in {CellStatus.RAN, CellStatus.SKIPPED}]
        if failed:
            why = failed[0].error.message if failed[0].error else failed[0].status.value
            name = self._rubric.reference.name
            raise RubricError(f"{name}: cell {failed[0].index} does not run: {why}")

    def ask(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        """Return the answers by question id."""
        with self._lock:
            unanswered = tuple(
                question for question in questions if question.id not in self._answers
            )
            observations = dict(self._ask_kernel(unanswered)) if unanswered else {}
            for question in questions:
                observation = self._answers.get(question.id) or observations[question.id]
                observations[question.id] = observation
                if observation.status in {"ok", "raised", "missing"}:
                    self._answers[question.id] = observation
                    self._answers.move_to_end(question.id)
            while len(self._answers) > MAX_CACHED:
                self._answers.popitem(last=False)
            return observations

    def _ask_kernel(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        if self._setup.fork_server.generation > self._generation:  # it ended with the fork server
            self._resources.close()
            self._start()
        return self.live.ask(questions)

    def close(self) -> None:
        """End its kernel."""
        self._resources.close()


def _relaxed_limits(limits: Limits) -> Limits:
    """Return the limits with more time: a busy computer says nothing against the solution."""
    return replace(
        limits,
        cell_s=limits.cell_s * TIME_FACTOR,
        submission_s=limits.submission_s * TIME_FACTOR,
        question_s=limits.question_s * TIME_FACTOR,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCache:
    """A file with the modules to preload for one environment and one reference."""

    path: Path

    @classmethod
    def for_rubric(cls, rubric: Rubric, *, environment: Environment, cache: Path) -> ModuleCache:
        """Name the file; another environment or reference has another."""
        reference = hashlib.sha256(rubric.reference.read_bytes()).hexdigest()
        fingerprint = f"{SCHEMA} {environment.python} {environment.fingerprint} {reference}"
        name = hashlib.sha256(fingerprint.encode()).hexdigest()[:32]
        return cls(path=cache / "modules" / f"{name}.json")

    def load(self) -> tuple[str, ...]:
        """Return the modules; none where there is no usable file."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
            names = stored["modules"]
        except (OSError, ValueError, KeyError, TypeError):
            return ()
        return _module_names(names)

    def save(self, modules: Sequence[str]) -> None:
        """Write the modules; a cache that can't be written costs time and nothing else."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self.path, json.dumps({"modules": list(modules)}).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class PreloadRun:
    """A preload in progress: once before the reference runs, perhaps once more after."""

    fork_server: ForkServer
    cache: ModuleCache
    cached: tuple[str, ...]
    first: PreloadResult

    def learn_modules(self, reference: kernel.LiveNotebook) -> PreloadResult:
        """Preload what the reference was seen to import, unless that was cached."""
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
    modules: ModuleSurvey,
) -> PreloadRun:
    """Preload the cached modules, or else what the reference's code names.

    Args:
        fork_server: imports them.
        cache: has the modules of an earlier run.
        reference: the solved notebook.
        modules: what there is; what is or may be missing is never preloaded by name.
    """
    cached = cache.load()
    missing = (module.name for module in modules.missing_imports(reference))
    left_out = frozenset((*modules.optional, *missing))
    first = fork_server.preload(cached or named_imports(reference, left_out=left_out))
    return PreloadRun(fork_server=fork_server, cache=cache, cached=cached, first=first)


def named_imports(notebook: Notebook, *, left_out: Collection[str]) -> tuple[str, ...]:
    """Return the modules that a notebook's import statements name, in order."""
    names: dict[str, None] = {}
    for cell in notebook.code_cells():
        tree = parse_source(cell.source)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names[node.module] = None
    return tuple(name for name in names if name.partition(".")[0] not in left_out)


def _module_names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value[:MAX_MODULES] if isinstance(name, str))


def preload_notes(preloaded: PreloadResult) -> tuple[str, ...]:
    """Return sentences on what is not as it should be."""
    messages = []
    if preloaded.cold_reason:
        messages.append(f"kernels start cold, which takes seconds each: {preloaded.cold_reason}")
    if preloaded.left_out:
        names = ", ".join(f"{name} ({why})" for name, why in sorted(preloaded.left_out.items()))
        messages.append(f"not imported ahead: {names}")
    return tuple(messages)
