"""The walls around a student's process: what they are made of, whether they hold, how it ends."""

from grader.sandbox.fork_client import ForkServer, PreloadResult, examine_levels, start_fork_server
from grader.sandbox.interpreter import Environment, survey_interpreter
from grader.sandbox.isolation import IsolationLevel, IsolationRequest
from grader.sandbox.launch import SandboxPipes
from grader.sandbox.wall_check import WallCheckResult

__all__ = [
    "Environment",
    "ForkServer",
    "IsolationLevel",
    "IsolationRequest",
    "PreloadResult",
    "SandboxPipes",
    "WallCheckResult",
    "examine_levels",
    "start_fork_server",
    "survey_interpreter",
]
