"""Rules about observations: one family a file, every check with a code, written out below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.checks.check import RECORDING, Check, Draws, Evidence, Params
from grader.checks.embeddings import After, Before
from grader.checks.evaluation import Bound, Called, bind
from grader.checks.execution import Runs
from grader.checks.functions import Gradients, Masked, Same, Shapes, Sums
from grader.checks.initial_arrays import Independent, Initialised, Noise
from grader.checks.layers import LayerApplied
from grader.checks.loss_pairs import PairContrasted
from grader.checks.modules import OutputShape, SameWeights
from grader.checks.normalization import OwnImages, Scales
from grader.checks.outputs import Reproduced, RunInOrder, ShowsFigure, ShowsNumbers
from grader.checks.shapes import Batch, Outputs
from grader.checks.similarity_order import Order
from grader.checks.training import LossFalls

__all__ = [
    "CHECKS",
    "RECORDING",
    "Bound",
    "Called",
    "Draws",
    "Evidence",
    "bind",
    "catalogue",
]

CHECKS: Mapping[str, Check[Any]] = {
    "ARR001": Initialised(),
    "ARR002": Independent(),
    "ARR003": Noise(),
    "EMB001": Before(),
    "EMB002": After(),
    "EXE001": Runs(),
    "FUN001": Shapes(),
    "FUN002": Same(),
    "FUN003": Sums(),
    "FUN004": Masked(),
    "FUN005": Gradients(),
    "LAY001": LayerApplied(),
    "MOD001": OutputShape(),
    "MOD002": SameWeights(),
    "NRM001": OwnImages(),
    "NRM002": Scales(),
    "OUT001": ShowsNumbers(),
    "OUT002": ShowsFigure(),
    "OUT003": RunInOrder(),
    "OUT004": Reproduced(),
    "PAR001": PairContrasted(),
    "SHP001": Batch(),
    "SHP002": Outputs(),
    "SIM001": Order(),
    "TRN001": LossFalls(),
}
"""Every check there is, by its code."""


def catalogue() -> Mapping[str, type[Params]]:
    """The parameters that each check takes, for reading rubrics."""
    return {code: check.params for code, check in CHECKS.items()}
