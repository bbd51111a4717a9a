"""Downloads as learning management systems give them, with invented people."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, str | bytes | None]
"""What lies where; None for an empty folder."""


def book(*texts: str) -> str:
    """A notebook with some text cells."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in texts]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


ADA, BEN, CLEO = book("Name: Ada Example"), book("Name: Ben Sample"), book("Name: Cleo Mock")

CANVAS: Tree = {
    "exampleada_1042_77310_hw5.ipynb": ADA,
    "exampleada_1042_77311_data.csv": "1,2",
    "samplebenjamin_LATE_1043_77320_Homework 5-2.ipynb": BEN,
    "samplebenjamin_LATE_1043_77315_Homework 5-1.ipynb": book("older"),
    "samplebenjamin_LATE_1043_77321_data-1.csv": "3,4",
    "mockcleo_1044_77330_hw5.pdf": b"%PDF-1.4",
    "testerdora_1045_text.html": "<p>my answer</p>",
}
CANVAS_ANONYMOUS: Tree = {
    "anon_aB3xY_77310_hw5.ipynb": ADA,
    "LATE_anon_Qr7Zt_77320_hw5.ipynb": BEN,
}
GRADESCOPE: Tree = {
    "assignment_4821_export/submission_metadata.yml": """---
submission_90001:
  :submitters:
  - :name: Ada Example
    :sid: 0012345
    :email: ada@example.edu
  - :name: Ben Sample
    :sid: '0012346'
    :email: ben@example.edu
  :created_at: 2026-11-20 22:15:03.123456789 -06:00
  :score: 3.0
  :status: processed
  :history: []
submission_90002:
  :submitters:
  - :name: "Cleo Mock"
    :sid:
    :email: cleo@example.edu
  :created_at: 2026-11-21 04:00:00.000000000 Z
submission_90003:
  :submitters: []
  :created_at: 2026-11-21 05:00:00 UTC
""",
    "assignment_4821_export/submission_90001/hw5.ipynb": ADA,
    "assignment_4821_export/submission_90001/data/points.csv": "1,2",
    "assignment_4821_export/submission_90002/hw5.py": "print(1)",
    "assignment_4821_export/submission_90004/hw5.ipynb": CLEO,
    "assignment_4821_export/__MACOSX/._submission_90001": b"\0",
    "assignment_4821_export/.DS_Store": b"\0",
}
MOODLE: Tree = {
    "Ada Example_10442_assignsubmission_file_/hw5.ipynb": ADA,
    "Ada Example_10442_assignsubmission_onlinetext_/onlinetext.html": "<p>see file</p>",
    "José Ñandú_10443_assignsubmission_file_/my work/hw 5.ipynb": BEN,
    "José Ñandú_10443_assignsubmission_file_/my work/data.csv": "1",
    "Cleo Mock_10444_assignsubmission_onlinetext_/onlinetext.html": "<p>text only</p>",
}
MOODLE_FLAT: Tree = {
    "Ada Example_10442_assignsubmission_file_hw5.ipynb": ADA,
    "Ada Example_10442_assignsubmission_file_data.csv": "1",
    "Participant_10443_assignsubmission_file_hw_5.ipynb": BEN,
}
BRIGHTSPACE: Tree = {
    "index.html": "<html></html>",
    "397063-2557369 - Mary-Ann Example - Sep 24, 2026 926 PM/hw5.ipynb": ADA,
    "397063-2557369 - Mary-Ann Example - Sep 23, 2026 1205 AM/hw5.ipynb": book("older"),
    "397063-2557369 - Ben Sample - Sep 24, 2026 1200 PM/notes.docx": b"PK",
}
BLACKBOARD: Tree = {
    "HW 5_aexample_attempt_2026-09-24-21-26-03_hw5.ipynb": ADA,
    "HW 5_aexample_attempt_2026-09-24-21-26-03.txt": "Name: Ada Example (aexample)\nX: y\n",
    "HW 5_aexample_attempt_2026-09-20-08-00-00_hw5.ipynb": book("older"),
    "HW 5_aexample_attempt_2026-09-20-08-00-00.txt": "Name: Ada Example (aexample)\n",
    "HW 5_bsample_attempt_2026-09-25-00-00-01.txt": "Name: Ben Sample (bsample)\n",
}
NBGRADER: Tree = {
    "submitted/ada1/hw5/hw5.ipynb": ADA,
    "submitted/ada1/hw5/data.csv": "1",
    "submitted/ada1/hw5/timestamp.txt": "2026-11-20 14:58:23.948203 America/Los_Angeles",
    "submitted/ben2/hw5/Untitled.ipynb": BEN,
    "submitted/ben2/hw5/timestamp.txt": "2026-11-20 14:58:23 UTC",
    "submitted/ben2/hw4/hw4.ipynb": book("another"),
    "submitted/cleo3/hw5/timestamp.txt": "2026-11-20 14:58:23 ../../etc/passwd",
    "submitted/dora4/hw4/hw4.ipynb": book("another"),
    "submitted/emil5": None,
    "source/hw5/hw5.ipynb": book("the master"),
}
CLASSROOM50: Tree = {
    "scores.csv": (
        "username,first_name,last_name,email,section,score,max_score,datetime,submission_tag,"
        "submitted_by,review_url,late,override\n"
        "Ada-Example,Ada,Example,ada@example.edu,A,4,5,2026-11-20T22:15:03Z,submit/2-b,,r/2,false,\n"
        "Ada-Example,Ada,Example,ada@example.edu,A,1,5,2026-11-19T22:15:03Z,submit/1-a,,r/1,false,\n"
        "benx,,,,,2,5,2026-11-21T08:00:00Z,submit/3-c,benx,r/3,true,\n"
        "mate,Mo,Mate,,,2,5,2026-11-21T08:00:00Z,submit/3-c,benx,r/3,true,\n"
        "cleomock,,,,,,,,,,,,\n"
    ),
    "cs-hw-5-ada-example/hw5.ipynb": ADA,
    "cs-hw-5-ada-example/result.json": json.dumps(
        {
            "schema": "classroom50/result/v1",
            "classroom": "cs",
            "assignment": "hw-5",
            "owner": "cleomock",
            "datetime": "2020-01-01T00:00:00Z",
        }
    ),
    "cs-hw-5-benx/work.ipynb": BEN,
    "cs-hw-5-cleomock/README.md": "# HW 5",
}
CLASSROOM: Tree = {
    "hw5-submissions/hw5-adaexample/hw5.ipynb": ADA,
    "hw5-submissions/hw5-adaexample/.git/config": "[core]",
    "hw5-submissions/hw5-adaexample/README.md": "# HW 5",
    "hw5-submissions/hw5-team-blue/work.ipynb": BEN,
    "hw5-submissions/hw5-cleomock/README.md": "# HW 5",
}
FOLDERS: Tree = {
    "Ada Example/hw5.ipynb": ADA,
    "Ada Example/data.csv": "1,2",
    "Ada Example/.ipynb_checkpoints/hw5-checkpoint.ipynb": ADA,
    "Ben Sample/hw5/hw5.ipynb": BEN,
    "Ben Sample/hw5/helpers.py": "x = 1",
    "Cleo Mock/hw5.pdf": b"%PDF",
    "Dora Tester": None,
}
FLAT: Tree = {
    "hw5_ada.ipynb": ADA,
    "hw5_ada.pdf": b"%PDF",
    "hw5_ben.ipynb.txt": BEN,
    "hw5_cleo.py": "print(1)",
    "roster.csv": "id,name",
    "Thumbs.db": b"\0",
    ".DS_Store": b"\0",
    "__MACOSX/._hw5_ada.ipynb": b"\0",
}


def laid_out(folder: Path, tree: Tree) -> Path:
    """A tree as a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        place = folder / name
        if content is None:
            place.mkdir(parents=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(place: Path, tree: Tree) -> Path:
    """A tree as an archive."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in tree.items():
            if content is None:
                archive.writestr(f"{name}/", "")
            else:
                archive.writestr(name, content)
    return place


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, str]:
    """An entry that is a symbolic link."""
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry, target
