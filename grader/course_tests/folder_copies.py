"""Run a test of live names in a copy of the folder: what it leaves there is gone with the copy.

The folder is a student's own, in which an editor may save at any time, so nothing is ever put back
in it. Large files, and whatever of it is hidden, are links in the copy.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

MAX_COPIED_BYTES = 32 * 1024 * 1024
"""Most bytes that are copied; larger files are links."""
MAX_COPIED_FILES = 1000
"""Most files that are copied; further ones, and folders, are links."""


class FolderCopy:
    """Copies a folder, within bounds."""

    def __init__(self):
        self.bytes_left = MAX_COPIED_BYTES
        self.files_left = MAX_COPIED_FILES

    def fill(self, source, target):
        """Copy what is in a folder into another one."""
        for entry in sorted(os.scandir(source), key=lambda entry: (entry.is_dir(), entry.name)):
            with contextlib.suppress(OSError):
                self.add(entry, Path(target, entry.name))

    def add(self, entry, target):
        """Copy a file or a folder, or make a link to it."""
        self.files_left -= 1
        may_copy = self.files_left >= 0 and not entry.name.startswith(".")
        if entry.is_dir(follow_symlinks=False) and may_copy:
            target.mkdir()
            self.fill(entry.path, target)
        elif entry.is_file() and may_copy and entry.stat().st_size <= self.bytes_left:
            self.bytes_left -= entry.stat().st_size
            shutil.copy2(entry.path, target)
        else:
            target.symlink_to(Path(entry.path).resolve())


@contextlib.contextmanager
def in_copy_of_folder():
    """Work in a copy of the working folder; where none can be made, in the folder itself."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="test", ignore_cleanup_errors=True) as folder:
        with contextlib.suppress(OSError):
            FolderCopy().fill(before, folder)
            os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
