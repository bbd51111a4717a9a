"""Read the sheets of a workbook (.xlsx, .xls, .ods) that anyone may have made.

A program of its own: the workbook comes on standard input, its sheets leave as JSON on standard
output. A small file may unpack to any size, and one cell at the far end of a sheet makes it as
large; so this runs where it can reach nothing, with little memory and little time.
"""

import datetime as dt
import io
import json
import sys
from pathlib import Path

import python_calamine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from inside.confined_process import restrict_process

sys.path.pop(0)

MAX_SHEETS = 50
MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_EXACT = 2**53
"""From here on a spreadsheet rounds numbers."""
MAX_OUTPUT_BYTES = 40 << 20


def main():
    """Write the visible sheets: for each its name, the number of its first row, and its rows."""
    data = sys.stdin.buffer.read()
    restrict_process(MAX_OUTPUT_BYTES)
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    visible, worksheet = (
        python_calamine.SheetVisibleEnum.Visible,
        python_calamine.SheetTypeEnum.WorkSheet,
    )
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == visible and sheet.typ == worksheet
    ]
    sheets = [read_sheet(workbook.get_sheet_by_name(name)) for name in names[:MAX_SHEETS]]
    sys.stdout.write(json.dumps(sheets))
    sys.stdout.flush()


def read_sheet(sheet):
    """Return a sheet as plain data."""
    if sheet.height > MAX_ROWS or sheet.width > MAX_COLUMNS:
        raise ValueError("too many rows or columns")
    first_row, _ = sheet.start or (0, 0)
    rows = [[cell_text(value) for value in row] for row in sheet.to_python()]
    return {"name": sheet.name, "first": first_row + 1, "rows": rows}


def cell_text(value):
    """Return a cell as a person would type it."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        if abs(value) >= MAX_EXACT:
            return f"{value:.2E}"  # known as an id that was rounded
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


if __name__ == "__main__":
    main()
