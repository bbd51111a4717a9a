"""Tells where a notebook guards against a loss that is not a number, and so does not train."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from grader.checks.check import CheckOutcome, failed

if TYPE_CHECKING:
    from grader.checks.check import Evidence
    from grader.contrastive.studied_module import StudiedModule

_GUARD = re.compile(
    r"\b(isnan|isfinite|isinf|nan_to_num)\b|(?<![\w.])([\w.()]+) [!=]= \2(?![\w.(])"
)
"""A test for numbers, or their replacement: only they equal themselves."""


def judge_guarded_loss(
    evidence: Evidence, studied: StudiedModule | None, *, expected: str
) -> CheckOutcome | None:
    """Return a pending outcome where such a guard kept the weights from moving, else None."""
    if studied is not None and studied.later:
        return None
    if all(call.finite for call in evidence.recording.calls):
        return None
    if not any(_GUARD.search(cell.source) for cell in evidence.notebook.code_cells()):
        return None
    observed = (
        "No embeddings came from weights that training had moved: from this start the loss is not a"
        " number, and the notebook guards against that."
    )
    return failed(expected=expected, observed=observed, pending=True)
