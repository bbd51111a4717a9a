"""Turns an .ipynb file into cells, students, written answers and code; runs nothing.

`read` makes the Notebook; the other functions ask it something and never change it.
"""

from grader.notebook.answers import handout_lines, written_answers
from grader.notebook.code_matching import alike
from grader.notebook.handout_outline import Outline, outline_handout
from grader.notebook.handout_overlap import measure_overlap, phrases
from grader.notebook.notebook_file import read
from grader.notebook.student_code import assigning_cells, code_about, is_blank
from grader.notebook.students import students
from grader.notebook.submitted_file import content

__all__ = [
    "Outline",
    "alike",
    "assigning_cells",
    "code_about",
    "content",
    "handout_lines",
    "is_blank",
    "measure_overlap",
    "outline_handout",
    "phrases",
    "read",
    "students",
    "written_answers",
]
