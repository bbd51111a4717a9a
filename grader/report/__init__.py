"""Turns graded submissions into what people read: a page, a class page, a table in the terminal."""

from grader.report.class_page import Row, class_page, class_row
from grader.report.page_template import prepare
from grader.report.student_report import student_page

__all__ = ["Row", "class_page", "class_row", "prepare", "student_page"]
