"""Test the walls before any notebook runs behind them.

A canary (`grader/inside/canary.py`) runs where student code would, forked from the very process
that will fork notebooks, and reports what it reached. Its level says what it may reach.
"""

from __future__ import annotations

import os
import platform
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader import wire
from grader.errors import WireError
from grader.model import Isolation, Json, Limits
from grader.sandbox import bubblewrap
from grader.sandbox.fork_client import ForkServer
from grader.sandbox.isolation import TOLERATED, UNPROTECTED, IsolationLevel
from grader.sandbox.wall_plans import WallPlan

CANARY_SECONDS = 30.0
"""Seconds the canary has for all its attempts."""
LEAVES_PROCESSES = "leaves processes behind"


@dataclass(frozen=True, slots=True, kw_only=True)
class WallCheckResult:
    """How a test of some walls went."""

    isolation: Isolation | None
    """What holds; None when the walls can't be used."""
    reason: str = ""
    """Why they can't."""
    hint: str = ""
    """What would help."""


def check_walls(fork_server: ForkServer, *, protected: Sequence[str]) -> WallCheckResult:
    """Run a canary behind a fork server's walls.

    Args:
        fork_server: where the canary is forked.
        protected: paths that it must not be able to read.
    """
    plan = fork_server.plan
    if plan.level is IsolationLevel.NONE:
        return WallCheckResult(isolation=UNPROTECTED)
    try:
        with (
            _open_targets(protected) as facts,
            fork_server.open_sandbox(Limits(), canary=facts) as pipes,
        ):
            channel = wire.Channel(read_fd=pipes.read_fd, write_fd=pipes.write_fd)
            answer = channel.receive(seconds=CANARY_SECONDS).header
        has_orphans = fork_server.has_orphans()
    except WireError as error:
        reason, hint = str(error), ""
        if plan.bubblewrap:
            reason, hint = bubblewrap.explain_failure(fork_server.read_output())
        return WallCheckResult(isolation=None, reason=reason, hint=hint)
    if "error" in answer:
        reason = wire.sanitize_text(answer["error"], max_length=200)
        return WallCheckResult(isolation=None, reason=reason)
    reached = _clean_names(answer.get("reached"))
    if has_orphans:
        reached.append(LEAVES_PROCESSES)
    tolerated = TOLERATED[plan.level]
    intolerable = [name for name in reached if name not in tolerated]
    broken = [f"lacks {what}" for what in _clean_names(answer.get("broken"))]
    if intolerable or broken:
        reason = "there, code " + ", ".join([*broken, *intolerable])
        return WallCheckResult(isolation=None, reason=reason)
    gaps = [tolerated[name] for name in reached if tolerated[name]]
    return WallCheckResult(
        isolation=Isolation(level=plan.level, description=_describe_walls(plan, answer, gaps))
    )


def _clean_names(value: Json) -> list[str]:
    names = value[:64] if isinstance(value, list) else []
    return [wire.sanitize_text(name, max_length=80) for name in names]


def _describe_walls(plan: WallPlan, answer: object, gaps: Sequence[str]) -> str:
    abi = answer.get("landlock") if isinstance(answer, dict) else 0
    materials = []
    if plan.bubblewrap:
        materials.append(f"namespaces by bubblewrap {plan.bubblewrap.version}")
    if plan.landlock:
        materials.append(f"Landlock {abi}")
    if plan.filter:
        materials.append("seccomp")
    if plan.uids:
        materials.append("a user of its own")
    sentence = (
        f"{plan.level.value}: {', '.join(materials)}; Linux {platform.release().partition('-')[0]}"
    )
    return sentence + "".join(f"; {gap}" for gap in gaps)


@contextmanager
def _open_targets(protected: Sequence[str]) -> Iterator[dict[str, Json]]:
    """Offer targets to the canary: two listeners, this process, this very file."""
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
