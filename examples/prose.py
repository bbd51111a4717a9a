"""How these scripts write paragraphs: wrapped in the source, one line each in the notebook."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

import textwrap


def paragraphs(text: str) -> str:
    """Join the lines of each paragraph; paragraphs are parted by an empty line."""
    blocks = textwrap.dedent(text).strip().split("\n\n")
    return "\n\n".join(" ".join(block.split("\n")) for block in blocks)
