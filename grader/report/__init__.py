"""Turns graded submissions into what people read: a page, a class page, a table in the terminal."""

from grader.report.class_page import class_page
from grader.report.page import student_page
from grader.report.press import prepare

__all__ = ["class_page", "prepare", "student_page"]
