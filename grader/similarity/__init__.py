"""What is alike among the answers of a class, and where an answer may meet a criterion.

For staff only, and never a penalty: nothing here counts, and nothing here is shown to students.
"""

from grader.similarity.agreement import Agreement, agreement
from grader.similarity.answer_groups import Group, alike
from grader.similarity.code_tokens import code_pairs
from grader.similarity.examples import Example, examples_used
from grader.similarity.similar_pairs import Document, Pair, Passage, find_similar_pairs
from grader.similarity.suggestions import Suggestion, suggestions

__all__ = [
    "Agreement",
    "Document",
    "Example",
    "Group",
    "Pair",
    "Passage",
    "Suggestion",
    "agreement",
    "alike",
    "code_pairs",
    "examples_used",
    "find_similar_pairs",
    "suggestions",
]
