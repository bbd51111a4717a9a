"""Similarity among the answers of a class, and sentences that may meet a criterion.

For staff only: it changes no points and is never shown to students.
"""

from grader.similarity.agreement import Agreement, measure_agreement
from grader.similarity.answer_groups import SimilarityGroup, group_answers
from grader.similarity.code_tokens import find_code_pairs
from grader.similarity.examples import Example, find_examples
from grader.similarity.similar_pairs import Document, Passage, SimilarPair, find_similar_pairs
from grader.similarity.suggestions import Suggestion, find_suggestions

__all__ = [
    "Agreement",
    "Document",
    "Example",
    "Passage",
    "SimilarPair",
    "SimilarityGroup",
    "Suggestion",
    "find_code_pairs",
    "find_examples",
    "find_similar_pairs",
    "find_suggestions",
    "group_answers",
    "measure_agreement",
]
