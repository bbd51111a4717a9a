"""Writes each submission's code as a file of Python, for programs that look for copied code.

JPlag takes a folder of submissions, and a folder of base code (`-bc`); Dolos takes files, and a
file of code to ignore (`-i`): https://github.com/jplag/JPlag, https://dolos.ugent.be/docs/ .
"""

from __future__ import annotations

from functools import partial

from grader.errors import UsageError
from grader.exports.export import Export, ExportOptions, Grades, ListedStudent
from grader.exports.number_format import replace_surrogates
from grader.notebook.plain_script import script_of

GIVEN_FILE = "given/given.py"
_COMMANDS = {
    "jplag": "java -jar jplag.jar -l python3{given} code",
    "dolos": "dolos run -f web -l python{given} code/*.py",
}
_GIVEN_OPTIONS = {"jplag": " -bc given", "dolos": f" -i {GIVEN_FILE}"}


def _export_code(program: str, grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Write `code/NAME.py` for each submission, and the code that the handout gave."""
    files, left_out = {}, []
    for graded in grades.results:
        name = graded.submission.name
        script = script_of(grades.list_code(name))
        if script.strip():
            files[f"code/{name}.py"] = replace_surrogates(script).encode()
        else:
            reason = graded.reason or "there is no code in it"
            left_out.append(ListedStudent(label=name, reason=reason))
    if not files:
        raise UsageError("no submission has code")
    summary = f"{len(files)} {'file' if len(files) == 1 else 'files'} of code"
    given = script_of(grades.list_given_code())
    notes = [
        "Run this in the folder:",
        "  " + _COMMANDS[program].format(given=_GIVEN_OPTIONS[program] if given.strip() else ""),
    ]
    if given.strip():
        files[GIVEN_FILE] = replace_surrogates(given).encode()
        summary += ", and the code that the handout gave"
    else:
        notes.append("The reference marks no solution, so nobody can tell which code was given.")
    return Export(files=files, summary=summary, left_out=tuple(left_out), notes=tuple(notes))


export_jplag = partial(_export_code, "jplag")
export_dolos = partial(_export_code, "dolos")
