"""The store: what every submission left behind and was given, each whole or not there."""

from grader.gradebook.book import Entry, Gradebook
from grader.gradebook.ledger import Given, answer_digest
from grader.gradebook.opening import opened
from grader.gradebook.postgres import without_password

__all__ = ["Entry", "Given", "Gradebook", "answer_digest", "opened", "without_password"]
