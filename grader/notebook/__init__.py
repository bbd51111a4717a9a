"""Turns an .ipynb file into cells, students, written answers and code; runs nothing.

`read_notebook` returns the Notebook; the other functions read it and never change it.
"""

from grader.notebook.answers import written_answers
from grader.notebook.code_matching import match_code
from grader.notebook.file_recognition import count_open_blanks, looks_foreign
from grader.notebook.handout import given_code, given_source, handout_lines
from grader.notebook.handout_outline import Outline, OutlinePart, outline_handout
from grader.notebook.handout_overlap import measure_overlap, phrases
from grader.notebook.notebook_file import pad_cells, read_notebook
from grader.notebook.student_code import (
    assigning_cells,
    find_definitions,
    is_blank,
    jupyter_numbers,
)
from grader.notebook.students import find_students
from grader.notebook.submitted_file import read_submitted_file

__all__ = [
    "Outline",
    "OutlinePart",
    "assigning_cells",
    "count_open_blanks",
    "find_definitions",
    "find_students",
    "given_code",
    "given_source",
    "handout_lines",
    "is_blank",
    "jupyter_numbers",
    "looks_foreign",
    "match_code",
    "measure_overlap",
    "outline_handout",
    "pad_cells",
    "phrases",
    "read_notebook",
    "read_submitted_file",
    "written_answers",
]
