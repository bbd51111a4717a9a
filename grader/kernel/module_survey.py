"""Compares what notebooks import with what the interpreter has that runs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from grader.model import ExecutionRecord, MissingModule, Notebook, Observation
from grader.notebook.import_statements import imported_modules
from grader.notebook.installer_lines import is_installed_by
from grader.notebook.known_packages import explain_unknown, find_package, is_known, suggest_module
from grader.notebook.missing_words import (
    modules_in_error,
    modules_not_found,
    modules_sought,
    needed_modules,
    unimportable_modules,
)
from grader.notebook.network_use import is_fetched_by

MODULE_SUFFIXES = frozenset({"", ".py", ".pyd", ".so"})
"""Endings of what can be imported; folders have none."""
FETCHED = "the notebook fetches it, and there is no network"
STUBBED = frozenset({"google", "google.colab", "grader", "micropip", "otter", "piplite"})
"""Modules that every notebook finds, installed or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSurvey:
    """What modules there are for notebooks."""

    installed: frozenset[str]
    """Top-level modules of the interpreter."""
    optional: tuple[str, ...] = ()
    """Modules that the rubric says may be missing."""

    def missing_imports(
        self, notebook: Notebook, *, files: Iterable[str] = ()
    ) -> tuple[MissingModule, ...]:
        """Return the modules that a notebook's code imports and won't find.

        Args:
            notebook: What is to be run.
            files: The files that it finds beside it, by path below its folder.
        """
        names = dict.fromkeys(module.name for module in imported_modules(notebook))
        own_names = frozenset(_module_names(files))
        return tuple(
            self._describe(
                name,
                is_package=is_installed_by(notebook, name),
                is_fetched=is_fetched_by(notebook, name),
            )
            for name in names
            if self._is_missing(name, own_names)
        )

    def explain_unknown(self, missing: Iterable[MissingModule]) -> Mapping[str, str]:
        """Return, for each of these that nobody knows, what may be the matter with it."""
        return {
            module.name: FETCHED
            if module.fetched
            else explain_unknown(module.name, installed=self.installed)
            for module in missing
            if module.fetched or not module.known
        }

    def add_observed(
        self,
        missing: Iterable[MissingModule],
        *,
        notebook: Notebook,
        record: ExecutionRecord,
        observations: Mapping[str, Observation],
    ) -> ExecutionRecord:
        """Return the record with the modules that were missing, and whether they were needed.

        A notebook's process may say what it likes: what is installed and works is not missing.
        What its own code does not import, a library sought: that is a package, whoever knows it.
        """
        imported = frozenset(module.name for module in imported_modules(notebook))
        errors = (*_cell_errors(record), *(o.error for o in observations.values()))
        sought_by_library = frozenset[str]().union(*map(modules_sought, errors)) - imported
        broken = frozenset(name for run in record.cells for name in unimportable_modules(run))
        used = frozenset(
            (
                *(name for run in record.cells for name in needed_modules(run, notebook)),
                *(
                    name
                    for observation in observations.values()
                    for name in modules_in_error(observation.error)
                ),
            )
        )
        sought = frozenset(name for run in record.cells for name in modules_not_found(run))
        # A file that nobody knows may have been made, or found elsewhere, when it was wanted.
        by_name = {m.name: m for m in missing if m.known or m.name in sought}
        for name in sorted(used - by_name.keys()):
            if name in broken or self._is_missing(name, frozenset()):
                module = self._describe(name, is_package=name in sought_by_library)
                by_name[name] = replace(module, imported=name in imported)
        return replace(
            record,
            missing=tuple(
                replace(module, used=module.name in used, broken=module.name in broken)
                for module in by_name.values()
            ),
        )

    def _is_missing(self, name: str, own_names: frozenset[str]) -> bool:
        top = name.partition(".")[0]
        # The parts of a shared module can't be told from its folder: a run tells.
        return not {name, top} & (self.installed | own_names) and name not in STUBBED

    def _describe(self, name: str, *, is_package: bool, is_fetched: bool = False) -> MissingModule:
        known = is_known(name, optional=self.optional) or name in self.installed or is_package
        fetched = is_fetched and not known and not suggest_module(name, installed=self.installed)
        return MissingModule(
            name=name,
            known=known or fetched,
            package=find_package(name, optional=self.optional),
            fetched=fetched,
        )


def _cell_errors(record: ExecutionRecord) -> Iterator[str]:
    for run in record.cells:
        if run.error is not None:
            yield f"{run.error.name}: {run.error.message}"


def _module_names(files: Iterable[str]) -> Iterator[str]:
    """Yield the modules that files beside a notebook make, also in folders it may add to a path."""
    for file in map(PurePosixPath, files):
        yield from file.parts[:-1]
        if file.suffix in MODULE_SUFFIXES:
            yield file.stem.partition(".")[0]
