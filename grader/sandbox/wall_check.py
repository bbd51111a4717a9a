"""Tries the walls before any notebook does: a canary that breaks out is worse than none.

The canary (`grader/inside/canary.py`) runs where student code would, in the very process that
will fork notebooks, and tells what it reached. What it may reach is a matter of the level.
"""

from __future__ import annotations

import os
import platform
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader import wire
from grader.errors import WireError
from grader.model import Isolation, Json, Limits
from grader.sandbox import bubblewrap
from grader.sandbox.isolation import TOLERATED, UNPROTECTED, Level, Wanted
from grader.sandbox.wall_plans import Plan

if TYPE_CHECKING:
    from grader.sandbox.fork_client import Parent

PATIENCE = 30.0
"""Seconds the canary has for all it tries."""
STRAYS = "leaves processes behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a trial went."""

    isolation: Isolation | None
    """What holds; None when the walls can't be used."""
    why: str = ""
    hint: str = ""
    """What would help."""


def tried(parent: Parent, *, protected: Sequence[str]) -> Verdict:
    """Let a canary loose behind a parent's walls; `protected` it must not be able to read."""
    plan = parent.plan
    if plan.level is Level.NONE:
        return Verdict(isolation=UNPROTECTED)
    try:
        with _outside(protected) as facts, parent.room(Limits(), canary=facts) as room:
            channel = wire.Channel(reading=room.reading, writing=room.writing)
            answer = channel.receive(seconds=PATIENCE).header
        strays = parent.strays()
    except WireError as error:
        why, hint = bubblewrap.explained(parent.said()) if plan.bubblewrap else (str(error), "")
        return Verdict(isolation=None, why=why, hint=hint)
    if "error" in answer:
        return Verdict(isolation=None, why=wire.clean(answer["error"], most=200))
    reached = _names(answer.get("reached"))
    if strays:
        reached.append(STRAYS)
    tolerated = TOLERATED[plan.level]
    beyond = [name for name in reached if name not in tolerated]
    broken = [f"lacks {what}" for what in _names(answer.get("broken"))]
    if beyond or broken:
        return Verdict(isolation=None, why="there, code " + ", ".join([*broken, *beyond]))
    gaps = [tolerated[name] for name in reached if tolerated[name]]
    return Verdict(isolation=Isolation(level=plan.level, told=_sentence(plan, answer, gaps)))


def _names(value: Json) -> list[str]:
    return [wire.clean(name, most=80) for name in value[:64]] if isinstance(value, list) else []


def _sentence(plan: Plan, answer: object, gaps: Sequence[str]) -> str:
    abi = answer.get("landlock") if isinstance(answer, dict) else 0
    made_of = []
    if plan.bubblewrap:
        made_of.append(f"namespaces by bubblewrap {plan.bubblewrap.version}")
    if plan.landlock:
        made_of.append(f"Landlock {abi}")
    if plan.filter:
        made_of.append("seccomp")
    if plan.uids:
        made_of.append("a user of its own")
    told = f"{plan.level.value}: {', '.join(made_of)}; Linux {platform.release().partition('-')[0]}"
    return told + "".join(f"; {gap}" for gap in gaps)


@contextmanager
def _outside(protected: Sequence[str]) -> Iterator[dict[str, Json]]:
    """What there is to be reached: two listeners, this process, this very file."""
    with socket.socket(socket.AF_INET) as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(1)
        unix.bind(f"\0grade-{secrets.token_hex(8)}")  # abstract: it leaves no file
        unix.listen(1)
        yield {
            "file": __file__,
            "folders": [str(Path.home()), str(Path(__file__).parent)],
            "protected": list(protected),
            "port": tcp.getsockname()[1],
            "socket": unix.getsockname().decode(),
            "grader": os.getpid(),
        }


def refusal(failures: Sequence[Verdict], *, wanted: Wanted) -> str:
    """Why nothing is graded, and what to do about it."""
    if wanted.level is not None and failures:
        hint = f" {failures[0].hint}." if failures[0].hint else ""
        return f"isolation {wanted.level.value!r} cannot be had here: {failures[0].why}.{hint}"
    if wanted.level is Level.NONE:
        return "isolation 'none' needs --allow-unsandboxed."
    if wanted.level is not None:
        return f"isolation {wanted.level.value!r} cannot be had here: bubblewrap is not installed."
    reasons = "; ".join(dict.fromkeys(failure.why for failure in failures)) or sys.platform
    return (
        f"no isolation on this system ({reasons}). Student code would run with your rights: it "
        "could read your files, use your network and change grades. Run in Linux, WSL 2 or a "
        "container; or pass --allow-unsandboxed if you trust these students."
    )
