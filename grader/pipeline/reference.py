"""The reference: the solved notebook, run once and kept live to answer counter-questions.

Its run also shows which modules to import ahead. A torch notebook spends nearly all of its time on
imports, many of them hidden: the first optimizer step alone imports a thousand modules. Therefore
the fork server imports what the reference had in `sys.modules` before it forks kernels.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock

from grader import kernel
from grader.errors import RubricError
from grader.folder import write_atomically
from grader.kernel.conversation import Conversation
from grader.kernel.module_survey import STUBBED, ModuleSurvey
from grader.model import Cell, CellStatus, Limits, Notebook, Observation, Question, Rubric
from grader.notebook import is_blank
from grader.notebook.student_code import parse_source
from grader.sandbox import Environment, ForkServer

TIME_FACTOR = 5
"""Factor on the time limits of students: the reference may run first, in a cold process."""
MAX_CACHED = 512
"""Answers that are cached: most of a class begins at the same weights and asks the same."""
SCHEMA = 1
MODULES = Question(id="modules", kind="modules")
MAX_MODULES = 20_000
"""Modules of one reference that are cached."""


def blank_cells(cells: Iterable[Cell]) -> frozenset[int]:
    """Return the indexes of code cells with nothing to run."""
    return frozenset(cell.index for cell in cells if is_blank(cell))


class Reference:
    """A live solved notebook; any thread may ask it, one batch at a time.

    Questions are identified by their content, so that none is asked twice.

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
        cells = self.notebook.code_cells()
        record = self.live.run(cells, blank=blank_cells(cells))
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

    def open_conversation(self, *, at: str = "") -> Conversation | None:
        """Open a conversation for one test; until it is closed, nobody else asks.

        Args:
            at: the moment of the run that the test is about.
        """
        self._lock.acquire()
        try:
            self._restart_if_gone()
        except BaseException:
            self._lock.release()
            raise
        return self.live.open_conversation(at=at, on_close=self._lock.release)

    def _restart_if_gone(self) -> None:
        if self._setup.fork_server.generation > self._generation:  # it ended with the fork server
            self._resources.close()
            self._start()

    def _ask_kernel(self, questions: tuple[Question, ...]) -> Mapping[str, Observation]:
        self._restart_if_gone()
        return self.live.ask(questions)

    def close(self) -> None:
        """End its kernel."""
        self._resources.close()


def _relaxed_limits(limits: Limits) -> Limits:
    """Return the limits with more time: a busy computer must not fail the solution."""
    return replace(
        limits,
        cell_s=limits.cell_s * TIME_FACTOR,
        submission_s=limits.submission_s * TIME_FACTOR,
        question_s=limits.question_s * TIME_FACTOR,
    )


class ModulePreload:
    """Imports modules in the fork server ahead of kernels, and learns which from the reference.

    They are kept in a file of the cache folder, one for each environment and reference.

    Args:
        fork_server: imports them.
        rubric: names the reference.
        reference: the solved notebook.
        modules: what there is; what is or may be missing is never preloaded by name.
        environment: the interpreter that notebooks run in.
        cache: the user's cache folder for this program.
    """

    def __init__(
        self,
        fork_server: ForkServer,
        *,
        rubric: Rubric,
        reference: Notebook,
        modules: ModuleSurvey,
        environment: Environment,
        cache: Path,
    ) -> None:
        reference_digest = hashlib.sha256(rubric.reference.read_bytes()).hexdigest()
        identity = f"{SCHEMA} {environment.python} {environment.fingerprint} {reference_digest}"
        digest = hashlib.sha256(identity.encode()).hexdigest()
        self._path = cache / "modules" / f"{digest[:32]}.json"
        self._fork_server = fork_server
        self._cached = self._load()
        missing = (module.name for module in modules.missing_imports(reference))
        left_out = frozenset((*modules.optional, *missing, *STUBBED))
        self._result = fork_server.preload(
            self._cached or named_imports(reference, left_out=left_out)
        )

    def learn_modules(self, reference: kernel.LiveNotebook) -> tuple[str, ...]:
        """Preload what the live reference has imported, unless that was in the cache.

        Returns:
            Sentences on what could not be imported ahead.
        """
        result = self._result
        if not self._cached and not result.cold_reason:
            observation = reference.ask((MODULES,))[MODULES.id]
            if learned := _module_names(observation.data.get("modules")):
                result = self._fork_server.preload(learned)
                if not result.cold_reason:
                    self._save([name for name in learned if name not in result.left_out])
        notes = []
        if result.cold_reason:
            notes.append(f"kernels start cold, which takes seconds each: {result.cold_reason}")
        if result.left_out:
            names = ", ".join(f"{name} ({why})" for name, why in sorted(result.left_out.items()))
            notes.append(f"not imported ahead: {names}")
        return tuple(notes)

    def _load(self) -> tuple[str, ...]:
        try:
            return _module_names(json.loads(self._path.read_text(encoding="utf-8"))["modules"])
        except (OSError, ValueError, KeyError, TypeError):
            return ()

    def _save(self, modules: Sequence[str]) -> None:
        with suppress(OSError):  # without the file the next run takes longer, and nothing else
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, json.dumps({"modules": list(modules)}).encode())


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
