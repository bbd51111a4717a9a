"""Say once for a class which modules its notebooks import and don't find, and what would help."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from grader.model import Graded, MissingModule
from grader.report.text_format import format_count, one_line, printable

MAX_LINES = 12
"""Modules that are named; a notebook may import any number of them."""
OWN_INTERPRETER = "pip"
_HELP = "Submissions that only import them lose nothing; what needs them is evaluated later."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCount:
    """A missing module, and how many submissions import and need it."""

    module: MissingModule
    importing: int
    needing: int


def missing_where_needed(graded: Graded) -> tuple[MissingModule, ...]:
    """Return what a notebook did not find, as needed also where only a check's answer needed it."""
    items = graded.score.items if graded.score else ()
    lacks = {finding.lack for item in items for finding in item.findings}
    return tuple(
        replace(
            module, used=module.used or any(lack.startswith(f"{module.name} ") for lack in lacks)
        )
        for module in graded.record.missing
    )


def count_missing(
    submissions: Iterable[tuple[MissingModule, ...]], *, optional: Collection[str] = ()
) -> tuple[ModuleCount, ...]:
    """Count missing modules, those that most submissions need first.

    Args:
        submissions: What each submission did not find.
        optional: Modules that are known to be missing: they count only where they are needed.
    """
    importing: Counter[str] = Counter()
    needing: Counter[str] = Counter()
    modules: dict[str, MissingModule] = {}
    for missing in submissions:
        for module in missing:
            importing[module.name] += module.imported
            needing[module.name] += module.used
            modules[module.name] = module
    counts = (
        ModuleCount(module=module, importing=importing[name], needing=needing[name])
        for name, module in modules.items()
        if needing[name] or name not in optional
    )
    return tuple(
        sorted(counts, key=lambda c: (not c.module.known, -c.needing, -c.importing, c.module.name))
    )


def missing_lines(counts: Iterable[ModuleCount], *, pip: str = OWN_INTERPRETER) -> tuple[str, ...]:
    """Return what is missing and what would help, in sentences; () for nothing.

    Args:
        counts: The modules.
        pip: The command that installs packages where notebooks run.
    """
    listed = list(counts)
    known = [count for count in listed if count.module.known]
    unknown = [count for count in listed if not count.module.known]
    lines = [_module_line(count) for count in known[:MAX_LINES]]
    if len(known) > MAX_LINES:
        lines.append(f"and {len(known) - MAX_LINES} more")
    if packages := _packages(known):
        lines.append(f"`{pip} install {packages}`, or another Python by `--python PATH`. {_HELP}")
    if unknown:
        lines.append(
            f"{_list_counts(unknown)}: no package of that name is known here, so it is taken for a "
            "file that the student did not submit. A file of the course belongs in its "
            "`provided` folder, the name of a package in the rubric's `optional_imports`"
        )
    return tuple(lines)


def preflight_note(counts: Iterable[ModuleCount], *, pip: str) -> str:
    """Return what is said before a run of what packages will be missing; '' for none."""
    known = [count for count in counts if count.module.known]
    if not known:
        return ""
    packages = _packages(known)
    command = f": `{pip} install {packages}`, or `--python PATH`" if packages else ""
    verb = "is" if len(known) == 1 else "are"
    return (
        f"{_list_counts(known)} {verb} imported and missing where notebooks run{command}. "
        "Importing one without using it costs nothing"
    )


def _packages(counts: Iterable[ModuleCount]) -> str:
    packages = (count.module.package for count in counts if not count.module.broken)
    return " ".join(list(dict.fromkeys(filter(None, packages)))[:MAX_LINES])


def _list_counts(counts: Sequence[ModuleCount]) -> str:
    """Return 'pandas (60 submissions), seaborn (1 submission)'."""
    listed = ", ".join(
        f"{_name(count)} "
        f"({format_count(count.importing, singular='submission', plural='submissions')})"
        for count in counts[:MAX_LINES]
    )
    more = f" and {len(counts) - MAX_LINES} more" if len(counts) > MAX_LINES else ""
    return f"{listed}{more}"


def _name(count: ModuleCount) -> str:
    return printable(one_line(count.module.name))[:60]


def _module_line(count: ModuleCount) -> str:
    """Return 'pandas: 60 submissions import it, 2 need it'."""
    parts: list[str] = []
    for number, verb in ((count.importing, "import"), (count.needing, "need")):
        amount = format_count(number, singular="submission", plural="submissions")
        if number:
            parts.append(f"{number if parts else amount} {verb}{'s' if number == 1 else ''} it")
    line = f"{_name(count)}: {', '.join(parts)}"
    if count.module.broken:
        return f"{line}; it is installed where notebooks run, and cannot be imported"
    if count.module.name in sys.stdlib_module_names:
        return f"{line}; it is part of Python, but not of the one that runs notebooks"
    if count.module.fetched:
        return (
            f"{line}; notebooks fetch it themselves, and have no network: a file of the course "
            "belongs in its `provided` folder"
        )
    if not count.module.package:
        return f"{line}; what to install for it is not known here, so look at it before you do"
    return line
