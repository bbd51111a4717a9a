"""Measures how often suggestions and people's marks agreed, with a confidence interval."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z = 1.96
"""The normal quantile for an interval at 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The number of decisions that agreed with the suggestion."""

    agreed: int
    total: int
    low: float
    """The ends of the Wilson interval at 95 %, 0 to 1."""
    high: float

    @property
    def share(self) -> float | None:
        """The share that agreed, 0 to 1; None while nothing is decided."""
        return self.agreed / self.total if self.total else None


def measure_agreement(decisions: Iterable[tuple[bool, bool]]) -> Agreement:
    """Compare suggestions with what people decided.

    Args:
        decisions: for each criterion of each marked answer, whether it was suggested as met, and
            whether a person decided that it is met.

    Source of the interval: E. B. Wilson, Journal of the American Statistical Association 22 (1927).
    """
    decided_pairs = list(decisions)
    agreed = sum(suggested == decided for suggested, decided in decided_pairs)
    low, high = _wilson_interval(agreed, len(decided_pairs))
    return Agreement(agreed=agreed, total=len(decided_pairs), low=low, high=high)


def _wilson_interval(hits: int, total: int) -> tuple[float, float]:
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    center = share + Z * Z / (2 * total)
    half_width = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    denominator = 1 + Z * Z / total
    return max((center - half_width) / denominator, 0.0), min(
        (center + half_width) / denominator, 1.0
    )
