"""Recognizes what a wall of the isolation level `reduced` may have forbidden.

Other levels give a notebook files, processes and sockets of its own, so that nothing fails there
for want of them. The error may have another reason: a person decides.
"""

from __future__ import annotations

import re

from grader.checks.check import Evidence
from grader.model import CellRun

SENTENCE = "the isolation was reduced where notebooks are graded, which may be why a cell failed"
_ERROR = re.compile(
    r"^(?:\w+\.)*(?:ConnectionRefusedError|AccessDenied|NoSuchProcess)\b"
    r"|^(?:PermissionError|OSError|RuntimeError): .*(?<![\w./])/(?:proc|sys|dev|tmp|var/tmp)\b"
    r"|\bout of pty devices\b|\bunable to open database file\b",
    re.DOTALL,
)
"""Matches errors of sockets between processes, of terminals, of the system's own files and of
temporary folders that were not found to be meant."""
_REFUSAL = re.compile(r"\b(?:Permission denied|Operation not permitted)\b")
"""Matches what a child process says that was refused something."""


def failed_at_wall(run: CellRun, evidence: Evidence) -> bool:
    """Return whether a cell may have failed only since the isolation was reduced."""
    if run.error is None or not _is_reduced(evidence):
        return False
    text = f"{run.error.name}: {run.error.message}"
    return is_wall_error(text, evidence) or _REFUSAL.search(run.shown) is not None


def is_wall_error(text: str, evidence: Evidence) -> bool:
    """Return whether an error may be of that kind, as a line 'Name: message'."""
    return _is_reduced(evidence) and _ERROR.search(text) is not None


def _is_reduced(evidence: Evidence) -> bool:
    return evidence.record.isolation.level == "reduced"
