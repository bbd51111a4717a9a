"""Recognizes what failed since there is no network where notebooks run, to fetch a file from.

No level of isolation has one, not even to the computer itself. The error may have another reason:
a person decides. A notebook that fetches nothing and opens sockets of its own fails of its own.
"""

from __future__ import annotations

import re

from grader.checks.check import Evidence
from grader.notebook.network_use import fetches_file, fetches_files, is_network_error

SENTENCE = "there is no network where notebooks are graded, which may be why a cell failed"
_LEVELS = frozenset({"full", "namespaces", "reduced"})
_REFUSED = "ConnectionRefusedError"
"""What answers a notebook's own sockets: they are there, and nobody listens."""
_NO_FILE = re.compile(r"^(?:\w+\.)*FileNotFoundError: .*?'([^'\n]+)'", re.DOTALL)


def needs_network(error: str, evidence: Evidence) -> bool:
    """Return whether an error, as a line 'Name: message', may come of the lack of a network."""
    if evidence.record.isolation.level not in _LEVELS or error.startswith(_REFUSED):
        return False
    if is_network_error(error):
        return fetches_files(evidence.notebook)
    not_found = _NO_FILE.search(error)
    return not_found is not None and fetches_file(evidence.notebook, not_found[1])
