"""The gradebook: stores what submissions left behind and were given, in one transaction each."""

from grader.gradebook.connection import missing_gradebook, open_gradebook
from grader.gradebook.encoded_submissions import StoredSubmission
from grader.gradebook.ledger import NewMark
from grader.gradebook.mark_points import answer_digest
from grader.gradebook.postgres import without_password
from grader.gradebook.store import Gradebook

__all__ = [
    "Gradebook",
    "NewMark",
    "StoredSubmission",
    "answer_digest",
    "missing_gradebook",
    "open_gradebook",
    "without_password",
]
