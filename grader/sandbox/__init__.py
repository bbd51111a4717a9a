"""Run students' processes behind walls: build them, check that they hold, and end what ran."""

from grader.sandbox.fork_client import ForkServer, PreloadResult
from grader.sandbox.interpreter import Environment, survey_interpreter
from grader.sandbox.isolation import IsolationLevel, IsolationRequest
from grader.sandbox.launch import SandboxPipes
from grader.sandbox.wall_check import WallCheckResult
from grader.sandbox.wall_choice import examine_levels, start_fork_server

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
