"""The walls around a student's process: what they are made of, whether they hold, how it ends."""

from grader.sandbox.isolation import Level, Wanted
from grader.sandbox.parent import Parent, Preloaded, examine, opened
from grader.sandbox.room import Room
from grader.sandbox.survey import Environment, survey
from grader.sandbox.trial import Verdict

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
