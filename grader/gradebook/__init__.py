"""The store: what every submission left behind and was given, each whole or not there."""

from grader.gradebook.connection import open_gradebook
from grader.gradebook.ledger import NewMark, answer_digest
from grader.gradebook.postgres import without_password
from grader.gradebook.store import Gradebook, StoredSubmission

__all__ = [
    "Gradebook",
    "NewMark",
    "StoredSubmission",
    "answer_digest",
    "open_gradebook",
    "without_password",
]
