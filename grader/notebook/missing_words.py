"""Reads which module was missing, in the errors and notes that a run leaves.

Whatever a notebook's process says may be made up: what is read here counts only where the module
is known to be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model import CellRun, Notebook
from grader.notebook.import_statements import imported_modules, top_level
from grader.notebook.known_packages import find_module, find_package
from grader.notebook.student_code import assigning_cells

_USED = re.compile(r"was used, but (?:there is no module )?(\w+(?:\.\w+)*) (cannot be imported)?")
"""What a stub says of its use; see `inside/absent_modules.py`."""
_NOWHERE = re.compile(r"\bthere is no module (\w+)")
_RAISED = re.compile(
    r"^(?:ModuleNotFoundError|ImportError|PackageNotFoundError|DistributionNotFound): (.*)",
    re.MULTILINE,
)
_NOT_FOUND = re.compile(r"No module named '(\w+(?:\.\w+)*)'")
_NO_PACKAGE = re.compile(
    r"No package metadata was found for ([\w.\-]+)|The '([\w.\-]+)\W.*not found"
)
_ADVICE = re.compile(r"\bpip3? install (?:-\S+ )*[\"'`]?([\w.\-]+)")
"""What libraries advise whose optional half is missing."""
_NO_NAME = re.compile(r"name '([^']+)' is not defined")


def needed_modules(run: CellRun, notebook: Notebook | None = None) -> tuple[str, ...]:
    """Return the modules that a cell needed and did not find, as its error and its notes say.

    Args:
        run: The cell's run.
        notebook: Its notebook, to tell what should have brought a name that is not defined.
    """
    stated = (name for name, _ in _needs(run))
    return tuple(dict.fromkeys((*stated, *(_modules_of_name(run, notebook) if notebook else ()))))


def tells_use(note: str) -> bool:
    """Return whether a note says that something that is missing was used."""
    return _USED.search(note) is not None


def unimportable_modules(run: CellRun) -> frozenset[str]:
    """Return those of them that are said to be there, and not to work."""
    return frozenset(name for name, broken in _needs(run) if broken)


def modules_in_error(text: str) -> tuple[str, ...]:
    """Return the modules that a line such as 'ModuleNotFoundError: …' says were needed."""
    return (*(name for name, _ in _read_error(text)), *_read_advice(text))


def modules_sought(text: str) -> frozenset[str]:
    """Return the modules that an import did not find whose failure went on to whoever called."""
    messages = _RAISED.findall(text)
    return frozenset(top_level(name) for text in messages for name in _NOT_FOUND.findall(text))


def modules_not_found(run: CellRun) -> frozenset[str]:
    """Return the modules that a cell imported, that are no package and that are nowhere."""
    texts = (*run.notes, run.error.message if run.error else "")
    return frozenset(name for text in texts for name in _NOWHERE.findall(text))


def undefined_name(run: CellRun) -> str:
    """Return the name that a cell did not find, or ''."""
    if run.error is None or run.error.name != "NameError":
        return ""
    match = _NO_NAME.search(run.error.message)
    return match.group(1) if match else ""


def _modules_of_name(run: CellRun, notebook: Notebook) -> tuple[str, ...]:
    """Return the modules whose import should have brought the name that a cell did not find."""
    name = undefined_name(run)
    if not name:
        return ()
    modules = imported_modules(notebook)
    binding = tuple(module.name for module in modules if module.bound == name)
    if binding or assigning_cells(notebook, name):
        return binding
    return tuple(module.name for module in modules if module.star)


def _needs(run: CellRun) -> Iterator[tuple[str, bool]]:
    for note in run.notes:
        yield from _read_use(note)
    if run.error is not None:
        yield from _read_error(f"{run.error.name}: {run.error.message}")
        yield from _read_error(run.error.traceback)
        yield from ((name, False) for name in _read_advice(run.error.message))


def _read_error(text: str) -> Iterator[tuple[str, bool]]:
    for message in _RAISED.findall(text):
        yield from _read_use(message)
        yield from ((top_level(name), False) for name in _NOT_FOUND.findall(message))
        for packages in _NO_PACKAGE.findall(message):
            yield from ((find_module(package), False) for package in packages if package)


def _read_advice(text: str) -> Iterator[str]:
    """Yield what a message advises to install, if it is a package that is known."""
    modules = (find_module(package.rstrip(".")) for package in _ADVICE.findall(text))
    yield from (module for module in modules if find_package(module))


def _read_use(text: str) -> Iterator[tuple[str, bool]]:
    yield from ((name, bool(broken)) for name, broken in _USED.findall(text))
