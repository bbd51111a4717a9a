"""What became of one notebook that was to be checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.selfcheck.public_findings import SelfcheckResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What was checked, or why it could not be."""

    path: Path
    result: SelfcheckResult | None = None
    reason: str = ""
