"""Removes people from a graded class: a copy without names, and forgetting one student."""

from grader.privacy.anonymization import AnonymizationResult, write_anonymized_copy
from grader.privacy.forgetting import ForgetPlan, ForgetResult, forget_student, plan_forgetting

__all__ = [
    "AnonymizationResult",
    "ForgetPlan",
    "ForgetResult",
    "forget_student",
    "plan_forgetting",
    "write_anonymized_copy",
]
