"""Choose the strongest walls that hold on this computer, and start a fork server behind them."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from grader.errors import IsolationError, UsageError
from grader.sandbox.fork_client import ForkServer
from grader.sandbox.interpreter import Environment
from grader.sandbox.isolation import IsolationLevel, IsolationRequest
from grader.sandbox.wall_check import WallCheckResult, check_walls
from grader.sandbox.wall_plans import COURSE_TESTS, INSIDE, possible_plans

MIN_OPEN_FILES = 128
"""With fewer than about 100 a kernel does not come up, or can't be heard."""


@contextmanager
def start_fork_server(
    environment: Environment, *, request: IsolationRequest | None = None
) -> Iterator[ForkServer]:
    """Start a fork server that has imported nothing yet; it ends when the block is left.

    Its walls are the strongest that a canary could not break out of.

    Raises:
        IsolationError: no walls of the requested level hold here.
        UsageError: a limit of this computer keeps kernels from coming up.
    """
    _raise_open_file_limit()
    fork_server = _start_strongest(environment, request or IsolationRequest())
    try:
        yield fork_server
    finally:
        fork_server.shut_down()


def examine_levels(environment: Environment) -> Iterator[tuple[IsolationLevel, WallCheckResult]]:
    """Try every level of isolation here, strongest first, and yield how each trial went."""
    holding_levels: set[IsolationLevel] = set()
    for plan in possible_plans(environment, hidden=(str(INSIDE.parent),)):
        if plan.level in holding_levels or plan.level is IsolationLevel.NONE:
            continue
        fork_server = ForkServer(environment, plan=plan, hidden=(str(INSIDE.parent),))
        try:
            result = check_walls(fork_server, protected=_protected_paths())
        finally:
            fork_server.shut_down()
        if result.isolation is not None:
            holding_levels.add(plan.level)
        yield plan.level, result


def _start_strongest(environment: Environment, request: IsolationRequest) -> ForkServer:
    hidden = (*request.hidden_paths, str(INSIDE.parent))
    failures: list[WallCheckResult] = []
    for plan in possible_plans(environment, hidden=hidden):
        if request.level not in {None, plan.level}:
            continue
        if plan.level is IsolationLevel.NONE and not request.unsandboxed:
            break
        with ExitStack() as cleanup:
            fork_server = ForkServer(environment, plan=plan, hidden=hidden)
            cleanup.callback(fork_server.shut_down)
            result = check_walls(fork_server, protected=_protected_paths(request.hidden_paths))
            if result.isolation is not None:
                fork_server.isolation = result.isolation
                cleanup.pop_all()  # the caller ends it
                return fork_server
        failures.append(result)
    raise IsolationError(_explain_refusal(failures, request=request))


def _protected_paths(hidden: Sequence[str] = ()) -> list[str]:
    """Return what no notebook may read: what is hidden, and this program but for its far side."""
    visible = (INSIDE, COURSE_TESTS)
    return [*hidden, *(str(path) for path in INSIDE.parent.iterdir() if path not in visible)]


def _raise_open_file_limit() -> None:
    """Allow this process as many open files as it may have; refuse where no kernel comes up.

    Pipes can be passed on only while fewer files than that are under way. Linux counts those of
    all processes of a user, so one notebook that passes on a thousand, the most it may, would
    keep a plain user's grader from opening sandboxes.

    Raises:
        UsageError: it may have too few.
    """
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard_limit != resource.RLIM_INFINITY and hard_limit < MIN_OPEN_FILES:
        raise UsageError(
            f"a program may have {hard_limit} files open on this computer (`ulimit -n`), and what "
            f"runs notebooks needs {MIN_OPEN_FILES}, better 1024"
        )
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def _explain_refusal(failures: Sequence[WallCheckResult], *, request: IsolationRequest) -> str:
    """Say why nothing is graded, and what to do about it."""
    if request.level is not None and failures:
        hint = f" {failures[0].hint}." if failures[0].hint else ""
        return f"isolation {request.level.value!r} cannot be had here: {failures[0].reason}.{hint}"
    if request.level is IsolationLevel.NONE:
        return "isolation 'none' needs --allow-unsandboxed."
    if request.level is not None:
        return f"isolation {request.level.value!r} cannot be had here: bubblewrap is not installed."
    reasons = "; ".join(dict.fromkeys(failure.reason for failure in failures)) or sys.platform
    return (
        f"no isolation on this system ({reasons}). Student code would run with your rights: it "
        "could read your files, use your network and change grades. Run in Linux, WSL 2 or a "
        "container; or pass --allow-unsandboxed if you trust these students."
    )
