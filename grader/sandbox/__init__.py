"""The walls around a student's process: what they are made of, whether they hold, how it ends."""

from grader.sandbox.fork_client import Parent, Preloaded, examine, opened
from grader.sandbox.interpreter import Environment, survey
from grader.sandbox.isolation import Level, Wanted
from grader.sandbox.launch import Room
from grader.sandbox.wall_check import Verdict

__all__ = [
    "Environment",
    "Level",
    "Parent",
    "Preloaded",
    "Room",
    "Verdict",
    "Wanted",
    "examine",
    "opened",
    "survey",
]
