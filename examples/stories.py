"""The invented submissions, all of them, and the file among them that is no notebook."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

from stories_layout import LAYOUT_STORIES
from stories_right import RIGHT_STORIES
from stories_wrong import WRONG_STORIES

STORIES = (*RIGHT_STORIES, *LAYOUT_STORIES, *WRONG_STORIES)

NOT_A_NOTEBOOK = """\
<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>HW 5 - sign in</title></head>
<body>
<h1>Please sign in to continue</h1>
<p>The file you asked for is only shown to members of this course.</p>
</body>
</html>
"""
"""What is saved when a link to a notebook is downloaded without being signed in."""
