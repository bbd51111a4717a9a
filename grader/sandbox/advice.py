"""What `grade doctor` says: which walls hold here, which do not, and what would raise them."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence

from grader.sandbox.isolation import Level
from grader.sandbox.wall_check import Verdict

INSTALL = "pip install 'notebook-grader[sandbox]', or your system's bubblewrap"
NONE_HOLDS = (
    "Nothing keeps notebooks from this computer. `grade` refuses to run them, but for\n"
    "--allow-unsandboxed: only for people you trust. Linux, WSL 2 or a container has more."
)


def advice(levels: Sequence[tuple[Level, Verdict]], *, cores: int) -> str:
    """The whole text, best level first."""
    best = next((verdict.isolation for _, verdict in levels if verdict.isolation), None)
    lines = [f"Python {platform.python_version()} on {sys.platform}, {cores} cores", ""]
    for level in (Level.FULL, Level.NAMESPACES, Level.REDUCED):
        lines += _of_level(level, [verdict for tried, verdict in levels if tried is level])
    lines.append("")
    if best is None:
        lines.append(NONE_HOLDS)
    else:
        lines.append(f"Notebooks run at level {best.level}.")
    return "\n".join(lines)


def _of_level(level: Level, verdicts: Sequence[Verdict]) -> list[str]:
    """One level: what it is made of here, or why it can't be had and what would help."""
    held = next((verdict.isolation for verdict in verdicts if verdict.isolation), None)
    if held:
        return [f"  {level:<11} holds  {held.told.partition(': ')[2]}"]
    if not verdicts:
        return [f"  {level:<11} -      there is no bubblewrap: {INSTALL}"]
    lines = [f"  {level:<11} -      {verdicts[0].why}"]
    return lines + [f"  {'':<11}        {v.hint}" for v in verdicts[:1] if v.hint]
