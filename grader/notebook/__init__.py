"""Turns an .ipynb file into cells, students, written answers and code; runs nothing.

`read` makes the Notebook; the other functions ask it something and never change it.
"""

from grader.notebook.answers import handout_lines, written_answers
from grader.notebook.code import assigning_cells, code_about, is_blank
from grader.notebook.likeness import likeness, phrases
from grader.notebook.opening import content
from grader.notebook.reading import read
from grader.notebook.students import students

__all__ = [
    "assigning_cells",
    "code_about",
    "content",
    "handout_lines",
    "is_blank",
    "likeness",
    "phrases",
    "read",
    "students",
    "written_answers",
]
