"""Rules about observations: one family a file, every check with a code, written out below."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.checks.check import RECORDING_QUESTION, Check, Evidence, Params, RandomDraws
from grader.checks.embeddings import EmbeddingsAfterTraining, EmbeddingsBeforeTraining
from grader.checks.evaluation import BoundRubric, RubricCheck, bind_rubric
from grader.checks.execution import NotebookRuns
from grader.checks.functions import (
    FunctionGradients,
    FunctionMask,
    FunctionShapes,
    FunctionSums,
    FunctionValues,
)
from grader.checks.initial_arrays import ArrayNoise, ArraysIndependent, ArraysInitialized
from grader.checks.layers import LayerApplied
from grader.checks.loss_pairs import PairContrasted
from grader.checks.modules import ModuleOutputShape, ModuleOutputValues
from grader.checks.normalization import DrawnEmbeddingsNormalized, OwnEmbeddingsNormalized
from grader.checks.outputs import OutputsReproduced, RunInOrder, ShowsFigure, ShowsNumbers
from grader.checks.shapes import EmbeddingShape, InputBatch
from grader.checks.similarity_order import SimilarityOrder
from grader.checks.training import LossFalls

__all__ = [
    "CHECKS",
    "RECORDING_QUESTION",
    "BoundRubric",
    "Evidence",
    "RandomDraws",
    "RubricCheck",
    "bind_rubric",
    "catalog",
]

CHECKS: Mapping[str, Check[Any]] = {
    "ARR001": ArraysInitialized(),
    "ARR002": ArraysIndependent(),
    "ARR003": ArrayNoise(),
    "EMB001": EmbeddingsBeforeTraining(),
    "EMB002": EmbeddingsAfterTraining(),
    "EXE001": NotebookRuns(),
    "FUN001": FunctionShapes(),
    "FUN002": FunctionValues(),
    "FUN003": FunctionSums(),
    "FUN004": FunctionMask(),
    "FUN005": FunctionGradients(),
    "LAY001": LayerApplied(),
    "MOD001": ModuleOutputShape(),
    "MOD002": ModuleOutputValues(),
    "NRM001": OwnEmbeddingsNormalized(),
    "NRM002": DrawnEmbeddingsNormalized(),
    "OUT001": ShowsNumbers(),
    "OUT002": ShowsFigure(),
    "OUT003": RunInOrder(),
    "OUT004": OutputsReproduced(),
    "PAR001": PairContrasted(),
    "SHP001": InputBatch(),
    "SHP002": EmbeddingShape(),
    "SIM001": SimilarityOrder(),
    "TRN001": LossFalls(),
}
"""Every check there is, by its code."""


def catalog() -> Mapping[str, type[Params]]:
    """The parameters that each check takes, for reading rubrics."""
    return {code: check.params for code, check in CHECKS.items()}
