"""Give the notebook a copy of a file of the test's in the place of the file's path.

The tests' folder has a name that nobody can guess, and that is never told: the notebook is given
what a test names, and can't have a test name another of its files.
"""

import base64
import os
import pathlib

from inside.plain_values import ValueEncoder

REFUSED = (
    "a path of the tests' folder leads nowhere in the notebook's: of a file that is there a copy "
    'is given; to have a file written, give a name such as "out.csv" and read files["out.csv"]'
)


class OwnFiles:
    """The files of a test that one notebook was given.

    folder: the tests' folder, with an unguessable name.
    """

    def __init__(self, folder):
        self.folder = str(folder)
        self.given = {}

    def tree(self, path, kind):
        """Return the tree of a file: its content, unless that was given before; None if no file."""
        if not os.path.isfile(path):  # noqa: PTH113 (a plain text)
            return None
        data = pathlib.Path(path).read_bytes()
        number, known = self.given.get(path, (len(self.given), None))
        self.given[path] = number, data
        tree = {"": "file", "id": number, "name": os.path.basename(path), "as": kind}  # noqa: PTH119
        return tree if data == known else tree | {"v": base64.b85encode(data).decode()}

    def refuse_told(self, body):
        """Refuse a message that holds the folder's name; in pickles it stands as hexadecimals."""
        name = os.path.basename(self.folder).encode()  # noqa: PTH119
        if name in body or name.hex().encode() in body:
            raise ValueError(REFUSED)


class OwnValueEncoder(ValueEncoder):
    """Encodes values of a test's for the notebook, and its files by their content."""

    def __init__(self, refer, files):
        super().__init__(refer)
        self.files = files

    def tree(self, value, depth):
        """Return the tree of a value; that of a path of the tests' folder is the file's."""
        if isinstance(value, (str, pathlib.PurePath)) and str(value).startswith(self.files.folder):
            tree = self.files.tree(str(value), "str" if isinstance(value, str) else "path")
            if tree is not None:
                self.add_size(len(tree.get("v", "")))
                return tree
        return super().tree(value, depth)
