"""The walls around a student's process: its environment, its work folder, and how it ends.

Today a room is a process of its own with a scrubbed environment, which keeps notebooks apart by
courtesy, not by force: `ISOLATION` says so in every report.
"""

from grader.sandbox.parent import ISOLATION, Parent, Preloaded, opened
from grader.sandbox.room import Room
from grader.sandbox.survey import Environment, survey

__all__ = ["ISOLATION", "Environment", "Parent", "Preloaded", "Room", "opened", "survey"]
