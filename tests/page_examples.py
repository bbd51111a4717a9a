"""Runs the commands of a page of the docs, and compares what they print.

In a fence of the language `console`, lines that begin with `$ ` are commands; what follows is
their output. A line `...` stands for any lines, `…` within a line for any text. Spaces at the ends
of lines don't count. Commands of a page run one after another in one folder that is empty at first.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIMEOUT_S = 600


@dataclass(frozen=True)
class Example:
    """A command, and what it prints."""

    command: str
    output: str


def examples_in(page: str) -> Iterator[Example]:
    """Yield the commands of a page, in order."""
    for fence in FENCE.findall(page):
        for part in re.split(r"^\$ ", fence, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield Example(command=command, output=output)


def run_page(path: Path, *, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Run the commands of a page in a folder, and return what differs from the page.

    `cd` alone moves on for the commands that follow; everything else is the shell's.
    """
    faults = []
    for example in examples_in(path.read_text(encoding="utf-8")):
        if example.command.startswith("cd "):
            folder /= example.command.removeprefix("cd ")
            continue
        done = subprocess.run(
            ["/bin/bash", "-c", f"{example.command} 2>&1"],
            cwd=folder,
            env=dict(environment),
            stdout=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if not matches(done.stdout, example.output):
            faults.append(f"$ {example.command}\n{done.stdout}\ndoes not read\n{example.output}")
    return faults


def matches(printed: str, output: str) -> bool:
    """Return whether a command printed what the page says."""
    lines = [line.rstrip() for line in output.strip().splitlines()]
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line == "..." else re.escape(line).replace("…", ".*") + r"\n"
        for line in lines
        if line
    )
    text = "".join(f"{line.rstrip()}\n" for line in printed.splitlines() if line.strip())
    return re.fullmatch(pattern, text) is not None
