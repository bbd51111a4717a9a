"""Names arrays and JSON for the type checker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Numbers = NDArray[np.float64]
else:
    Array = Numbers = Any

Json = Any
"""A value that JSON can hold."""
