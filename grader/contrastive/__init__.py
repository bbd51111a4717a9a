"""Checks for assignments on contrastive learning; a rubric names this module to call them."""

from __future__ import annotations

from grader.checks import Registry
from grader.contrastive.embeddings import EmbeddingsAfterTraining, EmbeddingsBeforeTraining
from grader.contrastive.initial_arrays import ArrayNoise, ArraysIndependent, ArraysInitialized
from grader.contrastive.layers import LayerApplied
from grader.contrastive.loss_pairs import PairContrasted
from grader.contrastive.normalization import DrawnEmbeddingsNormalized, OwnEmbeddingsNormalized
from grader.contrastive.shapes import EmbeddingShape, InputBatch
from grader.contrastive.shown_similarities import SimilaritiesShown
from grader.contrastive.similarity_order import SimilarityOrder
from grader.contrastive.training import LossFalls

CHECKS: Registry = {
    "ARR001": ArraysInitialized,
    "ARR002": ArraysIndependent,
    "ARR003": ArrayNoise,
    "EMB001": EmbeddingsBeforeTraining,
    "EMB002": EmbeddingsAfterTraining,
    "LAY001": LayerApplied,
    "NRM001": OwnEmbeddingsNormalized,
    "NRM002": DrawnEmbeddingsNormalized,
    "PAR001": PairContrasted,
    "SHO001": SimilaritiesShown,
    "SHP001": InputBatch,
    "SHP002": EmbeddingShape,
    "SIM001": SimilarityOrder,
    "TRN001": LossFalls,
}
"""The checks that a rubric can call after naming this module, by code."""
