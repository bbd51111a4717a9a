"""Define the levels of isolation, and what a canary may reach at each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from grader.model import Isolation


class IsolationLevel(StrEnum):
    """A strength of walls; strongest first."""

    FULL = "full"
    NAMESPACES = "namespaces"
    REDUCED = "reduced"
    NONE = "none"


TOLERATED: Mapping[IsolationLevel, Mapping[str, str]] = {
    IsolationLevel.FULL: {},
    IsolationLevel.NAMESPACES: {
        "has sockets of virtual machines": "sockets of virtual machines are not refused",
        "has sockets of the kernel": "sockets of the kernel are not refused",
        "has internet sockets": "",
        "has raw sockets": "",
        "makes namespaces": "namespaces may be made",
        "signals its runner": "",
    },
    IsolationLevel.REDUCED: {
        "changes times of files": "times and modes of your own files may be changed",
        "signals the grader": "your processes may be signaled (needs Linux 6.12)",
        "signals its runner": "",
        "sees other processes": "the names of your processes are seen",
        "starts processes without end": "",
        "leaves processes behind": "",
    },
}
"""What the canary may reach at a level, and what reports say where it does.

A notebook that signals its own runner ends only itself; processes left behind are killed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationRequest:
    """What the person who grades demands of the walls."""

    level: IsolationLevel | None = None
    """The only level that will do; None for the best there is."""
    unsandboxed: bool = False
    """Whether to grade without any walls where there are none."""
    hidden_paths: tuple[str, ...] = ()
    """Paths that no notebook may see, wherever its interpreter lives."""


UNPROTECTED = Isolation(
    level=IsolationLevel.NONE,
    description=(
        "none: the code ran with the rights of the person who graded it, and this grade can be "
        "forged"
    ),
)
