"""Stand for what Google Colab and Kaggle bring along: their modules, and their folders.

`google.colab` and `kaggle_secrets` are there, and do nothing. A notebook that tries to import them
where a failure is caught finds none, as on any other computer, and goes its own way.
"""

import importlib.machinery
import os
import sys
from pathlib import Path

from inside import hosted_folders
from inside.idle_modules import IdleLoader, IdleStub

MODULES = ("google.colab", "kaggle_secrets", "kaggle_datasets")
MAX_UPLOAD_BYTES = 50_000_000
"""Most bytes of files that `files.upload()` gives."""


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
            return upload_files(Path.cwd())
        if name.endswith(("userdata.get", "get_secret", "get_gcs_path")):
            return ""
        if name.endswith("UserSecretsClient"):
            return self.client()
        return None

    def client(self):
        """Return a client of Kaggle's secrets, which are empty."""
        return IdleStub("kaggle_secrets.UserSecretsClient", self.answer)


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
