"""Reads what a cell of code says of its authors above its first line of work."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.notebook.name_labels import is_label

_DOCSTRING = re.compile(r"[rRuU]?(\"\"\"|''')(.{0,5000}?)\1[ \t]*;?[ \t]*(?:\n|\Z)", re.DOTALL)
_STRING = re.compile(r"[rRuU]?([\"'])((?:(?!\1)[^\\\n]|\\.){1,400})\1[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NAMED = re.compile(r"_*([A-Za-z][A-Za-z0-9_]*?)_*[ \t]*(?::[ \t]*str[ \t]*)?=[ \t]*")
_SHOWN = re.compile(r"print[ \t]*\([ \t]*(.*?)[ \t]*\)[ \t]*(?:\n|\Z)")
_PASSED_OVER = re.compile(r"[ \t]*(?:[%!].*)?(?:\n|\Z)")
_IMPORT = re.compile(r"(?:import|from)\b.*(?:\n|\Z)")
_COMMENT = re.compile(r"#+(.*)(?:\n|\Z)")


def signature_lines(source: str) -> Iterator[str]:
    """Yield the lines of comments and of a docstring above code, and of names that it keeps.

    These are strings under a label's name, `EID = "ae10001"`, and those that are printed, also
    below imports. Other code ends them.
    """
    position, above_imports = 0, True
    while position < len(source):
        if match := _PASSED_OVER.match(source, position):
            yield ""
        elif above_imports and (match := _COMMENT.match(source, position)):
            yield match[1].strip()
        elif above_imports and (match := _DOCSTRING.match(source, position)):
            yield from match[2].splitlines()
        elif match := (_IMPORT.match(source, position) or _COMMENT.match(source, position)):
            above_imports = False
        elif match := _SHOWN.match(source, position):
            shown = _STRING.match(match[1])
            yield from shown[2].split("\\n") if shown else ()
        elif (named := _NAMED.match(source, position)) and (
            match := _STRING.match(source, named.end())
        ):
            label = named[1].replace("_", " ")
            yield f"{label}: {match[2]}" if is_label(label) else ""
        else:
            return
        position = match.end()
