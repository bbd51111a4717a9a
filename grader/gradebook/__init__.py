"""The store: what every submission left behind and was given, each whole or not there."""

from grader.gradebook.connection import opened
from grader.gradebook.ledger import Given, answer_digest
from grader.gradebook.postgres import without_password
from grader.gradebook.store import Entry, Gradebook

__all__ = ["Entry", "Given", "Gradebook", "answer_digest", "opened", "without_password"]
