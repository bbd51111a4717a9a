"""Stand for what Google Colab and Kaggle bring along: their modules, and their folders.

`google.colab` and `kaggle_secrets` are there, and do nothing. A notebook that tries to import them
where a failure is caught finds none, as on any other computer, and goes its own way.
"""

import functools
import importlib.machinery
import os
import sys
from pathlib import Path

from inside import hosted_folders
from inside.idle_modules import IdleLoader, IdleStub

MODULES = ("google.colab", "kaggle_secrets", "kaggle_datasets")
MAX_UPLOAD_BYTES = 50_000_000
"""Most bytes of files that `files.upload()` gives."""
NO_SUCH_UPLOAD = (
    "files.upload() gave only files that came with the notebook, and not what was wanted"
)
LOOKS = ("__iter__", "__len__", "get", "items", "keys", "pop", "popitem", "values")


class HostedFinder:
    """Finds modules of Colab and Kaggle, and `google` itself where nothing else does.

    Args:
        notes: hears of each call.
        expects_absence: tells of a frame whether it only looks; see `ImportHook`.
    """

    def __init__(self, notes, expects_absence):
        self.notes = notes
        self.expects_absence = expects_absence
        self.loader = IdleLoader(self.answer)

    def find_spec(self, fullname, path=None, target=None):
        """Return a module that does nothing, unless its absence is looked for."""
        is_hosted = any(fullname == m or fullname.startswith(f"{m}.") for m in MODULES)
        if fullname != "google" and not is_hosted:
            return None
        if self.expects_absence(sys._getframe(1)):
            return None
        loader = self.loader if is_hosted else None
        spec = importlib.machinery.ModuleSpec(fullname, loader, is_package=True)
        if not is_hosted:
            spec.submodule_search_locations = []
        return spec

    def answer(self, name):
        """Answer a call of something in these modules."""
        service = "Kaggle" if name.startswith("kaggle") else "Colab"
        self.notes.add(f"{name}(…) did nothing: there is no {service} here")
        if name.endswith("files.upload"):
            return UploadedFiles(upload_files(Path.cwd()), self.notes)
        if name.endswith(("userdata.get", "get_secret", "get_gcs_path")):
            return ""
        if name.endswith("UserSecretsClient"):
            return self.client()
        return None

    def client(self):
        """Return a client of Kaggle's secrets, which are empty."""
        return IdleStub("kaggle_secrets.UserSecretsClient", self.answer)


class UploadedFiles(dict):
    """Uploaded files, contents by name; leaves a note wherever one is looked for in vain."""

    def __init__(self, files, notes):
        super().__init__(files)
        self._notes = notes
        if not files:
            self.note_lack()

    def note_lack(self):
        """Note it in the cell that runs."""
        self._notes.add(NO_SUCH_UPLOAD)

    def __missing__(self, name):
        self.note_lack()
        raise KeyError(name)


def noting_look(name):
    """Make a method of `dict` that notes that there is nothing to be had."""
    real = getattr(dict, name)

    @functools.wraps(real)
    def look(files, *args):
        if not dict.__len__(files) or (args and not dict.__contains__(files, args[0])):
            files.note_lack()
        return real(files, *args)

    return look


for _name in LOOKS:
    setattr(UploadedFiles, _name, noting_look(_name))


def upload_files(folder):
    """Return the files beside the notebook as if they were uploaded: contents by name."""
    files, bytes_left = {}, MAX_UPLOAD_BYTES
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.is_file():
            continue
        bytes_left -= path.stat().st_size
        if bytes_left >= 0:
            files[path.name] = path.read_bytes()
    return files


# ---------------------------------------------------------------- magics


def register_magics(shell):
    """Let Colab's own magics be there: `%%shell`, and one that does nothing any more."""

    def run_shell(line="", cell=None):
        if cell is None:
            shell.system(line)
        else:
            shell.run_cell_magic("bash", "", cell)

    shell.register_magic_function(run_shell, "line_cell", "shell")
    shell.register_magic_function(lambda line="": None, "line", "tensorflow_version")


def install(shell, notes, expects_absence, temporary=None):
    """Let the modules be found, and the folders lead to the notebook's own.

    expects_absence: tells of a frame whether it only looks for a module.
    temporary: a sandbox's temporary folder; None on a student's own computer.
    """
    sys.meta_path.append(HostedFinder(notes, expects_absence))
    register_magics(shell)
    runs_there = temporary is None and any(map(os.path.isdir, hosted_folders.ROOTS))
    if not runs_there:
        folders = hosted_folders.HostedFolders(notes, str(Path.cwd()), temporary or "/tmp")  # noqa: S108
        folders.install(shell)
