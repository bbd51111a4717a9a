"""What became of one notebook that was to be checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.selfcheck.public_findings import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was checked, or why it could not be."""

    path: Path
    checked: Checked | None = None
    reason: str = ""
