"""Takes people out of what was graded: a copy without names, and one student forgotten."""

from grader.privacy.anonymization import Copied, copy_without_names
from grader.privacy.forgetting import Forgotten, Plan, forget, plan

__all__ = ["Copied", "Forgotten", "Plan", "copy_without_names", "forget", "plan"]
