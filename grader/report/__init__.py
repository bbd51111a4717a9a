"""Turns graded submissions into what people read: a page, a class page, a table in the terminal."""

from grader.report.class_page import Row, class_page, class_row
from grader.report.page import student_page
from grader.report.press import prepare

__all__ = ["Row", "class_page", "class_row", "prepare", "student_page"]
