"""What the command's exit codes mean."""

from __future__ import annotations

DONE, NEEDS_PERSON, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Done, though marks may be pending; a row needs a person; usage or rubric error; Ctrl-C."""
