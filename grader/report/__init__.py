"""Turn graded submissions into what people read: reports, the class page, the terminal."""

from grader.report.class_page import ClassPageRow, class_page, class_row
from grader.report.page_template import preload_templates
from grader.report.student_report import student_page

__all__ = ["ClassPageRow", "class_page", "class_row", "preload_templates", "student_page"]
