"""How often suggestions and people's marks agreed so far, told with how little that may mean."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z = 1.96
"""Of a 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """So many of so many decisions were as suggested."""

    agreed: int
    of: int
    low: float
    """The ends of the Wilson interval at 95 %, 0 to 1."""
    high: float

    @property
    def share(self) -> float | None:
        """The part that agreed, 0 to 1; None while nothing was decided."""
        return self.agreed / self.of if self.of else None


def agreement(decisions: Iterable[tuple[bool, bool]]) -> Agreement:
    """Compare what was suggested with what people decided.

    Args:
        decisions: of each criterion of each marked answer, whether it was suggested as met, and
            whether a person found it met.

    Source of the interval: E. B. Wilson, Journal of the American Statistical Association 22 (1927).
    """
    told = list(decisions)
    agreed = sum(suggested == decided for suggested, decided in told)
    low, high = _wilson(agreed, len(told))
    return Agreement(agreed=agreed, of=len(told), low=low, high=high)


def _wilson(hits: int, of: int) -> tuple[float, float]:
    if of == 0:
        return 0.0, 1.0
    share = hits / of
    middle = share + Z * Z / (2 * of)
    reach = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    whole = 1 + Z * Z / of
    return max((middle - reach) / whole, 0.0), min((middle + reach) / whole, 1.0)
